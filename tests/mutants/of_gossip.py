"""Faults in gossip: topics, messages, envelopes, verdicts."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

MUTANTS = (
    # --- gossip
    Mutant(
        "topic-of-the-community",
        "gossip#topics: a topic's name follows from its secret",
        "topics",
        "hmac.digest(topic_secret, about, sha256)[:20]",
        "hmac.digest(about, about, sha256)[:20]",
        "protocol/test_gossip.py::test_topics_are_named_after_secrets",
    ),
    Mutant(
        "told-after-a-removal",
        "gossip#topics: while no epoch is usable nothing is published",
        "replica",
        "key = self.epochs.current(limits.TIME_MS_MAX)\n"
        "        return None if key is None else topic_secret_of(key.secret)",
        "return next(iter(self.topic_secrets), None)",
        "protocol/test_tuning.py::"
        "test_after_a_removal_nothing_is_published_until_there_is_an_epoch_without_her",
    ),
    Mutant(
        "topics-without-end",
        "TOPICS_HEARD_MAX, gossip#topics: a node hears the newest three topics",
        "tuning",
        "heard = tuple(replica.topic_secrets[: limits.TOPICS_HEARD_MAX])",
        "heard = tuple(replica.topic_secrets)",
        "protocol/test_tuning.py::test_a_node_hears_the_topics_of_its_newest_three_epochs",
    ),
    Mutant(
        "long-message-told",
        "gossip#messages, GOSSIP_BYTES_MAX, GOSSIP_PAYLOAD_BYTES_MAX: what does not fit is left"
        " to sync",
        "gossip",
        "if len(message) > limits.GOSSIP_BYTES_MAX or not runs or _is_over_limits(runs):",
        "if not runs:",
        "protocol/test_gossip.py::test_a_large_payload_is_left_to_sync",
    ),
    Mutant(
        "long-message-heard",
        "GOSSIP_BYTES_MAX, too-long: a message has at most 60,000 bytes",
        "gossip",
        "        if len(message) > limits.GOSSIP_BYTES_MAX:\n"
        "            raise Refused(Reason.TOO_LONG)\n",
        "",
        "protocol/test_gossip.py::test_a_message_over_the_limits_is_an_offence",
    ),
    Mutant(
        "large-payload-heard",
        "GOSSIP_PAYLOAD_BYTES_MAX, GOSSIP_OPERATIONS_MAX, over-limit: a message is within bounds",
        "gossip",
        "    if _is_over_limits(runs):\n        raise Refused(Reason.OVER_LIMIT)\n",
        "",
        "protocol/test_gossip.py::test_a_message_over_the_limits_is_an_offence",
    ),
    Mutant(
        "message-of-all-at-once",
        "GOSSIP_BYTES_TARGET: a message says little at once, however well it packs",
        "gossip",
        "for bytes_target in (limits.GOSSIP_BYTES_TARGET, _ONE_STRETCH):",
        "for bytes_target in (10**9, _ONE_STRETCH):",
        "protocol/test_gossip.py::test_a_message_says_little_at_once_however_well_it_packs",
    ),
    Mutant(
        "messages-alone",
        "gossip#messages: what was written before and not told goes along",
        "gossip",
        "        seq: int | None = told_seq + 1\n",
        "        seq: int | None = first.seq\n",
        "protocol/test_gossip.py::test_what_was_written_without_being_told_goes_along",
    ),
    Mutant(
        "envelope-for-any-topic",
        "gossip#envelopes: a message is sealed under its topic",
        "envelope",
        'return hkdf(topic_secret, salt, b"p2pv1/gossip\\x00" + topic.encode("ascii"))',
        'return hkdf(topic_secret, salt, b"p2pv1/gossip\\x00")',
        "vectors/test_sessions.py::test_an_envelope_holds_what_its_vectors_say[envelope-empty]",
    ),
    Mutant(
        "message-in-the-clear",
        "gossip#envelopes: messages of a members-only community are sealed",
        "topics",
        "return seal_envelope(self.secret, self.name, message, random_bytes(SALT_BYTES))",
        "return message",
        "protocol/test_gossip.py::test_what_was_written_without_being_told_goes_along",
    ),
    Mutant(
        "broken-envelope-ignored",
        "gossip#verdicts, envelope-invalid: an envelope that does not open is rejected",
        "topics",
        "            raise Refused(Reason.ENVELOPE_INVALID)\n",
        '            return b""\n',
        "protocol/test_gossip.py::test_an_envelope_is_for_one_topic_and_an_altered_one_an_offence",
    ),
    Mutant(
        "nothing-new-passed-on",
        "gossip#verdicts: only something new is accepted",
        "gossip",
        'Heard("accept" if receipt.stored else "ignore", None, is_behind)',
        'Heard("accept", None, is_behind)',
        "protocol/test_gossip.py::test_a_stranger_s_operations_are_ignored_and_call_for_sync",
    ),
    Mutant(
        "early-message-remembered",
        "gossip#verdicts: a message that came too early is welcome once what it lacks is here",
        "gossip",
        "if not heard.is_behind:",
        "if True:",
        "protocol/test_gossip.py::"
        "test_a_message_whose_log_is_behind_calls_for_sync_and_is_welcome_later",
    ),
    Mutant(
        "messages-remembered-without-end",
        "GOSSIP_SEEN_MAX: the last 4,096 messages are known",
        "gossip",
        "                self._seen.popitem(last=False)\n",
        "                pass\n",
        "protocol/test_gossip.py::test_what_was_heard_is_remembered_within_bounds",
    ),
    Mutant(
        "each-word-told-alone",
        "GOSSIP_EVERY_MS: who writes quickly tells at most every 10 ms",
        "gossip",
        "if log_class == CONTENT and elapsed_ms < limits.GOSSIP_EVERY_MS:",
        "if log_class == CONTENT and elapsed_ms < 0:",
        "protocol/test_gossip_pace.py::test_what_is_written_in_a_moment_goes_into_one_message",
    ),
)
