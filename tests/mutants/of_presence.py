"""Faults in presence: its topics, what is said, and who is heard."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

_TEST = "protocol/test_presence.py::"

MUTANTS = (
    Mutant(
        "one-live-topic-for-all",
        "presence#live-topics: each document has a topic of its own",
        "presence",
        'return name_under(topic_secret, b"live\\x00" + document)',
        'return name_under(topic_secret, b"live\\x00")',
        "vectors/test_presence.py::test_live_topics_are_named_as_their_vector_says",
    ),
    Mutant(
        "documents-heard-without-end",
        "LIVE_DOCUMENTS_MAX, presence#live-topics: a node hears at most 32",
        "presence",
        "    if documents >= limits.LIVE_DOCUMENTS_MAX:\n",
        "    if False:\n",
        f"{_TEST}test_so_many_documents_are_heard_at_once",
    ),
    Mutant(
        "presence-for-any-community",
        "presence#what-is-said: the signature covers the community",
        "presence",
        "return verify(presence.device, _SIGNED + community + body, signature)",
        "return verify(presence.device, _SIGNED + bytes(32) + body, signature)",
        f"{_TEST}test_what_a_member_s_device_says_is_heard",
    ),
    Mutant(
        "presence-too-long",
        "PRESENCE_BYTES_MAX, presence#who-is-heard: a message has at most 1,024 bytes",
        "presence",
        "                raise Refused(Reason.TOO_LONG)\n",
        "                pass\n",
        f"{_TEST}test_an_oversize_one_is_rejected_unread",
    ),
    Mutant(
        "state-too-long",
        "PRESENCE_STATE_BYTES_MAX, presence#what-is-said: a state has at most 800 bytes",
        "presence",
        "msgspec.Meta(max_length=limits.PRESENCE_STATE_BYTES_MAX)",
        "msgspec.Meta(max_length=10**6)",
        f"{_TEST}test_a_state_that_is_too_long_is_rejected",
    ),
    Mutant(
        "presence-elsewhere",
        "presence#who-is-heard: a message is about its topic's document",
        "presence",
        "            if said.document != document:\n",
        "            if False:\n",
        f"{_TEST}test_presence_at_another_document_is_rejected",
    ),
    Mutant(
        "strangers-present",
        "presence#who-is-heard: only members' devices are heard",
        "presence",
        "                is_live(said.device)\n",
        "                True\n",
        f"{_TEST}test_nobody_hears_who_is_no_member",
    ),
    Mutant(
        "presence-replayed",
        "presence#who-is-heard: only what is newer is heard",
        "presence",
        "                and said.time_ms > self._newest_ms.get(key, -1)\n",
        "",
        f"{_TEST}test_what_is_not_newer_is_ignored",
    ),
    Mutant(
        "presence-of-any-age",
        "PRESENCE_AGE_MS_MAX, presence#who-is-heard: what is old or far ahead is ignored",
        "presence",
        "                and abs(said.time_ms - now_ms) <= limits.PRESENCE_AGE_MS_MAX\n",
        "",
        f"{_TEST}test_what_is_old_or_far_ahead_is_ignored",
    ),
    Mutant(
        "presence-without-pause",
        "PRESENCE_BURST_MAX, presence#who-is-heard: a device is heard so often and no more",
        "presence",
        "                and self._pace.has_room(said.device, now_ms)\n",
        "",
        f"{_TEST}test_a_device_is_heard_so_often_and_no_more",
    ),
    Mutant(
        "forged-ones-counted",
        "presence#who-is-heard: a message that is not heard does not count",
        "presence",
        "return self._due(device, now_ms) - now_ms <= _AHEAD_MS",
        "self.count(device, now_ms)\n"
        "        return self._due(device, now_ms) - now_ms <= _AHEAD_MS",
        f"{_TEST}test_forged_ones_use_up_nothing_of_whom_they_name",
    ),
    Mutant(
        "presence-unsigned",
        "presence#who-is-heard: a wrong signature is rejected",
        "presence",
        "            if not is_signed(opened, topic.community, said):\n",
        "            if False:\n",
        f"{_TEST}test_a_forged_one_blames_who_sent_it_and_keeps_no_place",
    ),
    Mutant(
        "presence-remembered-without-end",
        "PRESENCE_DEVICES_MAX: whose newest time is remembered is bounded",
        "presence",
        "        kept.popitem(last=False)\n",
        "        pass\n",
        f"{_TEST}test_what_is_remembered_is_bounded",
    ),
    Mutant(
        "presence-said-at-once",
        "PRESENCE_EVERY_MS, presence#what-is-said: a device says one thing in 100 ms",
        "presence",
        "        if not self._waiting or is_early:\n",
        "        if not self._waiting:\n",
        f"{_TEST}test_we_speak_so_often_and_no_more_each_editor_in_turn",
    ),
    Mutant(
        "presence-times-fall",
        "presence#what-is-said: the times of a device rise",
        "presence",
        "self._said_ms = max(now_ms, self._said_ms + 1)",
        "self._said_ms = now_ms",
        f"{_TEST}test_our_times_rise_whatever_the_clock_does",
    ),
    Mutant(
        "one-time-for-all-documents",
        "presence#who-is-heard: each document has a time of its own",
        "presence",
        "            key = said.device + document",
        "            key = said.device",
        "protocol/test_presence.py::test_each_document_has_a_time_of_its_own",
    ),
)
