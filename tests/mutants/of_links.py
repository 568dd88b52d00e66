"""Faults in links: frames, the handshake, and who may see and bring what."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

MUTANTS = (
    # --- frames
    Mutant(
        "any-form-of-a-frame",
        "sync#frames, frame-invalid: a frame is canonical, and has exactly its fields",
        "frames",
        "        return decode_canonical(_decoder, data)\n",
        "        return _decoder.decode(data)\n",
        "vectors/test_sessions.py::test_a_frame_is_what_its_vectors_say[sync-frame-no-tags]",
    ),
    Mutant(
        "frame-without-bound",
        "FRAME_BYTES_MAX: a frame has at most 72 KiB",
        "frames",
        "    if len(data) > limits.FRAME_BYTES_MAX:\n        raise Refused(Reason.FRAME_INVALID)\n",
        "",
        "protocol/test_frame_bounds.py::test_a_frame_has_at_most_72_kib",
    ),
    Mutant(
        "frame-out-of-turn",
        "sync#frames: a frame out of turn ends the link",
        "hello",
        "            if not isinstance(frame, self._awaited):\n"
        "                raise Refused(Reason.FRAME_INVALID)\n",
        "",
        "protocol/test_hello.py::test_a_proof_from_one_link_is_worth_nothing_on_another",
    ),
    Mutant(
        "caller-names-herself-later",
        "sync#frames: a frame out of turn ends the link",
        "exchange",
        "case f.ResponderIdentity() if self._established.is_initiator:",
        "case f.ResponderIdentity():",
        "protocol/test_sync_hostile.py::test_only_whom_we_called_may_name_its_device_later",
    ),
    Mutant(
        "nothing-unasked",
        "unasked: operations come for a want, and be it none",
        "exchange",
        "        if not self._wanting.is_open:\n            raise Refused(Reason.UNASKED)\n",
        "",
        "protocol/test_sync_hostile.py::test_a_frame_out_of_turn_ends_the_session[Ops]",
    ),
    Mutant(
        "more-ended-than-open",
        "unasked: nobody ends more wants than are open",
        "wants",
        "        if finished > len(self._open) or not all(\n",
        "        if not all(\n",
        "protocol/test_wants.py::test_nobody_ends_more_wants_than_are_open",
    ),
    Mutant(
        "auth-claims-without-end",
        "CLAIMS_MAX: the auth logs that a peer claims take a bounded memory",
        "wants",
        "if head.log_class == AUTH and len(self._auth_claims) < limits.CLAIMS_MAX:",
        "if head.log_class == AUTH:",
        "protocol/test_wants.py::"
        "test_the_auth_logs_that_one_peer_claims_are_remembered_within_a_bound",
    ),
    Mutant(
        "heard-after-the-end",
        "sync#when-a-session-ends: after the end nothing is heard",
        "sync",
        "        self._is_closed = any(isinstance(effect, CloseSession) for effect in effects)\n",
        "",
        "protocol/test_sync_hostile.py::test_after_the_end_nothing_is_heard_and_nothing_said",
    ),
    # --- hello
    Mutant(
        "tag-of-another-link",
        "sync#hello: a tag is of this very link",
        "hello",
        "message = _TAG + role + self.as_bytes",
        "message = _TAG + role",
        "protocol/test_hello.py::test_a_proof_from_one_link_is_worth_nothing_on_another",
    ),
    Mutant(
        "tag-mirrored",
        "sync#hello: the two sides' proofs differ by their roles",
        "hello",
        "message = _TAG + role + self.as_bytes",
        "message = _TAG + self.as_bytes",
        "protocol/test_hello.py::test_a_proof_cannot_be_reflected",
    ),
    Mutant(
        "device-unproven",
        "sync#hello, hello-failed: a device signs to be named",
        "hello",
        "    if not verify(frame.device, message, frame.signature):\n"
        "        raise Refused(Reason.HELLO_FAILED)\n",
        "",
        "protocol/test_hello.py::test_a_wrong_signature_ends_the_handshake",
    ),
    Mutant(
        "answer-unproven",
        "sync#hello, hello-failed: the responder shows that it knows the secret",
        "hello",
        "            hmac.compare_digest(transcript.tag(secret, _RESPONDER), hello_tag)\n"
        "            for secret in secrets_shown(replica)\n",
        "            bool(hello_tag) for secret in secrets_shown(replica)\n",
        "protocol/test_hello.py::"
        "test_who_is_called_is_told_no_device_before_it_shows_that_it_knows_a_secret",
    ),
    Mutant(
        "reader-where-members-read",
        "sync#hello: where not everybody may read a peer names its device",
        "hello",
        "        if device is None and not is_public(replica):\n"
        "            raise Refused(Reason.HELLO_FAILED)\n",
        "",
        "protocol/test_hello.py::test_only_a_public_community_is_read_without_a_device[1]",
    ),
    Mutant(
        "named-to-strangers",
        "sync#hello: the responder names its device to members and former ones only",
        "hello",
        "if device is not None and Access(replica).names_us_to(device):",
        "if device is not None:",
        "protocol/test_hello.py::test_a_device_that_was_never_admitted_is_not_told_whom_it_reached",
    ),
    Mutant(
        "newest-secret-only",
        "TOPIC_SECRETS_NEWEST, TOPIC_SECRETS_STEP: who missed many changes still meets",
        "hello",
        "return [*held[:newest], *held[newest::older]][: limits.TOPIC_SECRETS_MAX]",
        "return held[:newest]",
        "protocol/test_outsiders.py::"
        "test_two_who_parted_long_ago_always_show_each_other_one_secret[65]",
    ),
    Mutant(
        "secrets-shown-without-end",
        "TOPIC_SECRETS_MAX: a node shows at most 96 tags",
        "hello",
        "return [*held[:newest], *held[newest::older]][: limits.TOPIC_SECRETS_MAX]",
        "return [*held[:newest], *held[newest::older]]",
        "protocol/test_outsiders.py::test_however_many_secrets_are_held_few_are_shown_and_tried",
    ),
    Mutant(
        "secrets-tried-without-end",
        "TOPIC_SECRETS_TRIED_MAX: a stranger's tag costs a bounded number of HMACs",
        "hello",
        "    return held[: limits.TOPIC_SECRETS_TRIED_MAX]\n",
        "    return held\n",
        "protocol/test_outsiders.py::test_however_many_secrets_are_held_few_are_shown_and_tried",
    ),
    Mutant(
        "stranger-waits-for-ever",
        "REPLY_MS_MAX: each answer has 10 s",
        "hello",
        "        if self._due_ms is None or now_ms < self._due_ms:\n",
        "        if self._due_ms is None or now_ms > 0:\n",
        "protocol/test_hello.py::test_each_reply_has_ten_seconds",
    ),
    Mutant(
        "operations-awaited-for-ever",
        "REPLY_MS_MAX: operations that do not come for 10 s end the link",
        "session_times",
        "return self._reply_due_ms is not None and now_ms >= self._reply_due_ms",
        "return self._reply_due_ms is not None and now_ms < 0",
        "protocol/test_sync_hostile.py::test_a_peer_that_owes_operations_for_ten_seconds_is_left",
    ),
    # --- who may see and bring what
    Mutant(
        "strangers-see-all",
        "sync#who-may-see-and-bring-what: a stranger that called us is given nothing",
        "access",
        "if we_called and own is not None else NOTHING",
        "if we_called and own is not None else EVERYTHING",
        "protocol/test_sync.py::test_who_knows_only_the_topic_secret_gets_nothing",
    ),
    Mutant(
        "former-sees-all",
        "sync#who-may-see-and-bring-what: who was put out is given why, and no more",
        "access",
        "            return self._kept_scope(device, self._removal)\n",
        "            return EVERYTHING\n",
        "protocol/test_hello_removed.py::"
        "test_what_somebody_wants_who_was_put_out_meanwhile_is_not_served",
    ),
    Mutant(
        "strangers-bring-content",
        "sync#who-may-see-and-bring-what: who called us and is no member brings auth logs only",
        "access",
        "return () if device is None else (AUTH,)",
        "return () if device is None else (AUTH, CONTENT)",
        "protocol/test_sync_strangers.py::"
        "test_a_stranger_that_calls_is_asked_for_no_content_also_of_members",
    ),
    Mutant(
        "out-and-silent",
        "sync#who-may-see-and-bring-what: who is out by all it holds shows what brought it in",
        "access",
        "    first = -1\n    for op_id, reference in replica.auth_references.items():\n",
        "    first = -1\n"
        "    for op_id, reference in replica.auth_references.items() if found else ():\n",
        "protocol/test_unheard_devices.py::"
        "test_a_device_shows_its_certificates_though_it_takes_its_person_for_put_out",
    ),
    Mutant(
        "named-by-herself",
        "operation#logs: an admission that only the one let in names is named by others too",
        "named",
        "    named = _heard_of(membership, graph, held, named, {writer: True})\n",
        "",
        "protocol/test_unheard_devices.py::"
        "test_who_names_her_own_hidden_admission_is_named_by_others_all_the_same",
    ),
    Mutant(
        "unknown-and-content",
        "devices#a-device-that-nobody-knows: its person is told, unless some peer knows it",
        "sessions",
        "        return bool(unknowing) and not is_known",
        "        return bool(unknowing)",
        "protocol/test_unheard_devices.py::test_one_peer_that_knows_a_device_is_enough",
    ),
    Mutant(
        "known-to-who-let-in",
        "devices#a-device-that-nobody-knows: those that brought it in know it, and prove nothing",
        "sessions",
        "if s.knows(first)} - {own, *brought_in_by}",
        "if s.knows(first)} - {own}",
        "protocol/test_unheard_devices.py::"
        "test_that_who_let_her_in_knows_a_newcomer_tells_nothing_of_the_others",
    ),
    Mutant(
        "known-to-the-weaker",
        "devices#a-device-that-nobody-knows: of peers that do not know it the strongest decides",
        "sessions",
        "is_known = best <= strongest and best",
        "is_known = best",
        "protocol/test_unheard_devices.py::"
        "test_that_the_weaker_know_a_newcomer_tells_nothing_where_a_founder_does_not",
    ),
    Mutant(
        "known-to-who-came-in-alike",
        "devices#a-device-that-nobody-knows: who came in alike may be known to nobody herself",
        "sessions",
        "if not brought_in_by & _brought_in_by(replica, d)",
        "if d",
        "protocol/test_unheard_devices.py::"
        "test_that_who_came_in_alike_knows_a_newcomer_tells_nothing_where_an_equal_does_not",
    ),
    Mutant(
        "unknown-at-once",
        "devices#a-device-that-nobody-knows: peers have 10 s to ask for what is shown to them",
        "session_times",
        "        return now_ms - self._opened_ms >= limits.REPLY_MS_MAX\n",
        "        return True\n",
        "protocol/test_unheard_devices.py::"
        "test_a_device_whose_certificate_does_not_count_finds_that_nobody_knows_it",
    ),
    Mutant(
        "unasked-taken",
        "unasked, sync#who-may-see-and-bring-what: what is brought was asked for",
        "wants",
        "            raise Refused(Reason.UNASKED)\n",
        "            return\n",
        "protocol/test_sync_hostile.py::test_a_log_that_nobody_asked_for_ends_the_session",
    ),
    Mutant(
        "judged-once",
        "sync#who-may-see-and-bring-what: all this is judged anew when auth operations arrive",
        "exchange",
        "        if (self._is_ready, self._is_former) != (was_ready, was_former):\n"
        "            self._tell(now_ms)\n            effects += self._finish(now_ms)\n",
        "",
        "protocol/test_hello_removed.py::"
        "test_a_session_is_narrowed_in_the_middle_when_the_removal_arrives",
    ),
    Mutant(
        "addresses-for-strangers",
        "sync#addresses: records go from member to member only",
        "exchange",
        "        if not fresh or not self._is_peer_member():\n",
        "        if not fresh:\n",
        "protocol/test_hello_removed.py::"
        "test_a_session_is_narrowed_in_the_middle_when_the_removal_arrives",
    ),
    Mutant(
        "addresses-of-strangers",
        "sync#addresses: records are taken from members only",
        "exchange",
        "if not self._is_peer_member():\n            return\n        for record",
        "for record",
        "protocol/test_told_addresses.py::test_an_address_is_taken_from_members_only",
    ),
    Mutant(
        "addresses-told-without-end",
        "RECORDS_TOLD_MAX: at most 256 records are told at once",
        "exchange",
        "range(0, min(len(fresh), limits.RECORDS_TOLD_MAX), limits.RECORDS_PER_FRAME_MAX)",
        "range(0, len(fresh), limits.RECORDS_PER_FRAME_MAX)",
        "protocol/test_told_addresses.py::test_a_long_list_is_told_in_part_and_in_several_frames",
    ),
    Mutant(
        "addresses-taken-without-end",
        "RECORDS_TAKEN_MAX: of one peer a bounded number of records is checked",
        "exchange",
        "            self._records_left -= 1\n",
        "",
        "protocol/test_told_addresses.py::"
        "test_no_more_than_a_bounded_number_of_addresses_is_checked_between_comparisons",
    ),
    Mutant(
        "addresses-in-one-frame",
        "RECORDS_PER_FRAME_MAX: a frame holds at most 32 records",
        "frames",
        "        msgspec.Meta(max_length=limits.RECORDS_PER_FRAME_MAX),\n",
        "        msgspec.Meta(min_length=0),\n",
        "protocol/test_frame_bounds.py::test_a_frame_holds_no_more_than_its_bound",
    ),
    Mutant(
        "strangers-served",
        "sync#who-may-see-and-bring-what: what a stranger wants is not served",
        "supply",
        "        if want.log_class not in scope.classes:\n            return [], None\n",
        "",
        "protocol/test_access.py::test_a_stranger_who_asks_for_a_log_is_served_nothing_of_it",
    ),
    Mutant(
        "shown-what-another-is",
        "sync#who-may-see-and-bring-what: who is out is shown what concerns her",
        "access",
        "        if (kept_state, known) != (state, device):",
        "        if kept_state != state:",
        "protocol/test_access.py::test_what_one_was_shown_is_not_shown_to_another",
    ),
    Mutant(
        "forks-of-others-shown",
        "sync#who-may-see-and-bring-what: who is out is shown no other's fork",
        "access",
        "proofs = [fork for fork in forks if fork.device == device]",
        "proofs = [*forks]",
        "protocol/test_access.py::test_who_is_out_is_shown_the_proof_of_her_own_fork_and_of_no_other",
    ),
    Mutant(
        "proof-shown-never",
        "sync#who-may-see-and-bring-what: who forked is shown the proof, whenever it comes",
        "access",
        "state = (len(self._replica.graph), len(forks))",
        "state = (len(self._replica.graph), 0)",
        "protocol/test_access.py::test_a_proof_that_comes_after_the_fork_was_told_is_shown",
    ),
    Mutant(
        "other-log-unasked",
        "unasked: what is brought is of the log that was asked for",
        "wants",
        "        logs = {(head.device, head.log_class) for head in self._open}\n"
        "        if finished > len(self._open) or not all(\n"
        "            (run.device, run.log_class) in logs for run in runs",
        "        logs = {head.device for head in self._open}\n"
        "        if finished > len(self._open) or not all(\n"
        "            run.device in logs for run in runs",
        "protocol/test_sync_hostile.py::test_a_log_that_nobody_asked_for_ends_the_session",
    ),
)
