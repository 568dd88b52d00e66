"""Faults in becoming a member: admission, requests, linked devices, words, and what is handed."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

MUTANTS = (
    # --- joining
    Mutant(
        "genesis-of-a-forked-log",
        "joining#admitting: GENESIS is shown whatever became of its founder's log",
        "admission",
        "runs_up_to(replica.branches, r, 0, 1)",
        "replica.runs(AUTH, r.device, 0, r.op_id, 1)",
        "protocol/test_first_operation.py::"
        "test_a_community_is_shown_by_its_genesis_though_its_founders_log_has_forked",
    ),
    Mutant(
        "any-join-frame",
        "joining#frames: a frame out of turn ends the link",
        "dialogue",
        "            if not isinstance(frame, self._awaited):\n"
        "                raise Refused(Reason.FRAME_INVALID)\n",
        "",
        "protocol/test_join_proofs.py::test_a_frame_out_of_turn_ends_the_link",
    ),
    Mutant(
        "invite-unproven",
        "joining#admitting: who shows an invite holds its key",
        "joining",
        "is_proven = verify(frame.invite_key, message, frame.invite_signature) and verify(\n"
        "                frame.device, message, frame.device_signature\n            )",
        "is_proven = verify(frame.device, message, frame.device_signature)",
        "protocol/test_join_proofs.py::test_an_invite_is_shown_with_its_key_and_the_devices",
    ),
    Mutant(
        "device-of-a-bystander",
        "joining#admitting: who joins holds the key of the device that it names",
        "joining",
        "is_proven = verify(frame.invite_key, message, frame.invite_signature) and verify(\n"
        "                frame.device, message, frame.device_signature\n            )",
        "is_proven = verify(frame.invite_key, message, frame.invite_signature)",
        "protocol/test_join_proofs.py::test_an_invite_is_shown_with_its_key_and_the_devices",
    ),
    Mutant(
        "community-unproven",
        "joining#admitting: only who knows a community is answered",
        "joining",
        "if mode is None or not hmac.compare_digest(expected, frame.proof):",
        "if mode is None:",
        "protocol/test_join_proofs.py::test_a_community_is_shown_with_a_proof_and_the_devices_key",
    ),
    Mutant(
        "used-up-invite-works",
        "joining#admitting: an invite that is used up lets nobody in",
        "admission",
        "return Refusal.USED_UP if invite.is_used_up else None",
        "return None",
        "protocol/test_joining.py::test_an_invite_for_one_admits_one",
    ),
    Mutant(
        "withdrawn-invite-works",
        "joining#admitting: a withdrawn invite lets nobody in",
        "admission",
        "    if invite.is_withdrawn:\n        return Refusal.WITHDRAWN\n",
        "",
        "protocol/test_outsiders.py::"
        "test_who_holds_a_stale_invite_is_told_that_and_no_more[withdrawn]",
    ),
    Mutant(
        "put-out-comes-back",
        "joining#admitting: a root that others removed is declined",
        "joining",
        "        if is_put_out(replica, root):\n",
        "        if not root:\n",
        "protocol/test_join_proofs.py::"
        "test_who_was_put_out_is_told_so_whatever_device_she_comes_with",
    ),
    Mutant(
        "newest-secrets-alone",
        "joining#admitting: older secrets are handed over too, or a newcomer might meet nobody",
        "handover",
        "    return (first + early + last)[: limits.KEYS_PER_FRAME_MAX]\n",
        "    return (first + early)[: limits.KEYS_PER_FRAME_MAX]\n",
        "protocol/test_unheard_devices.py::"
        "test_who_is_let_in_by_the_only_holder_of_the_newest_secret_meets_others_by_older_ones",
    ),
    Mutant(
        "certificate-unchecked",
        "joining#admitting: the certificate of the DEV_ADD is the root's",
        "admission",
        "return added.root if verify(added.root, certified, added.certificate) else None",
        "return added.root",
        "protocol/test_joining.py::"
        "test_an_introduction_that_admits_nobody_leaves_nothing_behind[certificate]",
    ),
    Mutant(
        "admit-signature-unchecked",
        "joining#admitting: the invite's key signed for this admission",
        "admission",
        "if invite is None or invite.is_used_up or not verify(invite_key, message,"
        " admit_signature):",
        "if invite is None or invite.is_used_up:",
        "protocol/test_joining.py::"
        "test_an_introduction_that_admits_nobody_leaves_nothing_behind[signature]",
    ),
    Mutant(
        "admissions-without-end",
        "OPEN_ADMISSIONS_MAX, joining#declined: one node lets in 20 a day where all may join",
        "admission",
        "return count < limits.OPEN_ADMISSIONS_MAX",
        "return True",
        "protocol/test_joining.py::"
        "test_an_open_community_takes_twenty_a_day_through_one_node_and_more_the_next_day",
    ),
    Mutant(
        "member-by-greatest-rank",
        "joining#admitting: where everybody may join it writes GRANT of rank 2, or 3",
        "admission",
        "rank = auth.MEMBER if is_allowed else auth.GUEST",
        "rank = auth.MEMBER",
        "protocol/test_join_proofs.py::"
        "test_where_all_may_join_a_member_lets_in_guests_and_stronger_ones_members",
    ),
    Mutant(
        "secrets-before-admission",
        "joining#admitting: whatever is secret comes last",
        "joining",
        "        if not took or not self._is_member(self._replica, self._device):\n"
        "            return self._decline(Refusal.CANNOT_ADMIT)\n",
        "",
        "protocol/test_join_proofs.py::test_no_secret_is_handed_over_by_who_was_put_out_meanwhile",
    ),
    Mutant(
        "nobody-decides",
        "joining#asking: where a person decides nobody is let in without her",
        "joining",
        "        if any(member.root == root for member in replica.membership.members()):\n",
        "        if replica.membership.members():\n",
        "protocol/test_joining.py::test_who_is_not_let_in_is_told_why[busy-takes nobody more]",
    ),
    Mutant(
        "long-plea",
        "PLEA_CHARACTERS_MAX, joining#asking: a plea has at most 1,000 characters",
        "join_frames",
        "msgspec.Meta(max_length=limits.PLEA_CHARACTERS_MAX)",
        "msgspec.Meta(min_length=0)",
        "vectors/test_sessions.py::test_a_frame_is_what_its_vectors_say[joining-frame-plea-1001]",
    ),
    Mutant(
        "long-name",
        "NAME_CHARACTERS_MAX, joining#asking: a name has at most 200 characters",
        "join_frames",
        "msgspec.Meta(max_length=limits.NAME_CHARACTERS_MAX)",
        "msgspec.Meta(min_length=0)",
        "protocol/test_frame_bounds.py::test_a_frame_holds_no_more_than_its_bound[name]",
    ),
    Mutant(
        "reason-lost",
        "joining#declined: who was declined is told why, and whether to ask again",
        "newcomer",
        "told = self._failed(words, is_final=refusal in _FINAL)",
        "told = self._failed(words)",
        "protocol/test_join_proofs.py::test_who_is_not_let_in_knows_whether_to_ask_again",
    ),
    Mutant(
        "proofs-gathered-without-end",
        "PROOF_FRAMES_MAX: a newcomer takes at most 16 frames of proofs",
        "first_operation",
        "        if self._frames > limits.PROOF_FRAMES_MAX:\n"
        "            raise Refused(Reason.OVER_LIMIT)\n",
        "",
        "protocol/test_joining.py::test_proof_without_end_is_an_offence",
    ),
    Mutant(
        "proofs-sent-without-end",
        "PROOF_FRAMES_MAX: a longer past is left to sync",
        "admission",
        "            if len(batches) == limits.PROOF_FRAMES_MAX:\n                return []\n",
        "",
        "protocol/test_joining.py::"
        "test_a_long_past_is_shown_in_several_frames_and_a_longer_one_left_to_sync",
    ),
    Mutant(
        "proof-of-any-size",
        "PROOF_BYTES_TARGET: a frame of proofs fits a frame",
        "admission",
        "    room = limits.PROOF_BYTES_TARGET\n    for head",
        "    room = 10 * limits.PROOF_BYTES_TARGET\n    for head",
        "protocol/test_joining.py::"
        "test_a_long_past_is_shown_in_several_frames_and_a_longer_one_left_to_sync",
    ),
    # --- devices
    Mutant(
        "five-addresses-in-a-code",
        "devices#device-code: a code names one to four addresses",
        "device_code",
        "msgspec.Meta(min_length=1, max_length=ADDRESSES_MAX)",
        "msgspec.Meta(min_length=1)",
        "vectors/test_devices.py::test_a_code_says_what_its_vectors_say[code-five-addresses]",
    ),
    Mutant(
        "secret-unproven-by-the-older",
        "devices#linking: a wrong proof of the code's secret ends the link without a word",
        "linking",
        "                if not self._is_shown(frame, f.OLDER):\n"
        "                    return self._end(None)\n",
        "",
        "protocol/test_linking.py::"
        "test_who_does_not_know_the_secret_learns_nothing_and_is_not_told_of",
    ),
    Mutant(
        "secret-unproven-by-the-newer",
        "devices#linking: the newer device shows the code's secret too",
        "linking",
        "                if not self._is_shown(frame, f.NEWER):\n"
        "                    raise Refused(Reason.HELLO_FAILED)\n",
        "",
        "protocol/test_link_proofs.py::test_the_newer_device_shows_that_it_made_the_code",
    ),
    Mutant(
        "certificate-of-a-stranger",
        "devices#linking: the new device checks its certificate and GENESIS",
        "linking",
        "if founding.nonce != told.nonce or not verify(frame.certifier, message,"
        " frame.certificate):",
        "if founding.nonce != told.nonce:",
        "protocol/test_linking.py::test_the_older_device_certifies_no_key_but_the_one_it_was_told",
    ),
    Mutant(
        "other-device-begun",
        "devices#linking: the new log carries what was certified and nothing else",
        "linking",
        "            if not _is_as_certified(replica, made, first):\n"
        "                raise Refused(Reason.FRAME_INVALID)\n",
        "",
        "protocol/test_linking.py::"
        "test_a_first_operation_that_says_something_else_than_was_certified_is_not_taken[prekey-min]",
    ),
    Mutant(
        "begun-without-certificate",
        "devices#linking: a log that has begun carries a certificate by hers, or her root",
        "linking",
        "    return is_hers and is_certified(replica.membership, first)\n",
        "    return is_hers\n",
        "protocol/test_linking.py::"
        "test_a_first_operation_that_says_something_else_than_was_certified_is_not_taken[certificate-min]",
    ),
    Mutant(
        "begun-by-ourselves-alone",
        "devices#linking: a log that began when an earlier link broke is taken by another of hers",
        "linking",
        "    return is_hers and is_certified(replica.membership, first)\n",
        "    is_ours = is_hers and added.certifier == replica.device\n"
        "    return is_ours and is_certified(replica.membership, first)\n",
        "protocol/test_link_broken.py::"
        "test_a_device_that_had_begun_by_one_of_hers_is_taken_by_another",
    ),
    Mutant(
        "any-link-frame",
        "devices#frames: a frame of a link is canonical and has exactly its fields",
        "link_frames",
        "        return decode_canonical(_decoder, data)\n",
        "        return _decoder.decode(data)\n",
        "vectors/test_devices.py::test_a_frame_of_a_link_is_what_its_vectors_say[no-array]",
    ),
    Mutant(
        "communities-without-end",
        "LINKED_COMMUNITIES_MAX: one link hands over at most 512 communities",
        "linking",
        "told = tuple(memberships[: limits.LINKED_COMMUNITIES_MAX])",
        "told = tuple(memberships)",
        "protocol/test_link_proofs.py::"
        "test_one_link_hands_over_as_many_communities_as_its_frame_holds",
    ),
    Mutant(
        "long-label",
        "LABEL_CHARACTERS_MAX: a label has at most 64 characters",
        "link_frames",
        "msgspec.Meta(max_length=limits.LABEL_CHARACTERS_MAX)",
        "msgspec.Meta(min_length=0)",
        "vectors/test_devices.py::test_a_frame_of_a_link_is_what_its_vectors_say[long-label]",
    ),
    Mutant(
        "records-handed-without-end",
        "RECORDS_HANDED_MAX: a new device is handed at most eight records",
        "linking",
        "tuple([*own, *others][: limits.RECORDS_HANDED_MAX])",
        "tuple([*own, *others])",
        "protocol/test_link_proofs.py::"
        "test_a_new_device_is_handed_the_address_of_the_older_one_and_of_few_others",
    ),
    Mutant(
        "root-unproven",
        "devices#recovery: who comes back by her words proves her root over the link",
        "recovery",
        "        if not verify(frame.root, message, frame.signature):\n"
        "            return self._end(None)\n",
        "",
        "protocol/test_recovery.py::test_a_root_is_proven_on_this_link_alone",
    ),
    Mutant(
        "nonce-of-another-community",
        "devices#recovery: who is told a wrong nonce notices",
        "recovery",
        "        if founding.nonce != self._told_nonce:",
        "        if not founding.nonce:",
        "protocol/test_recovery.py::"
        "test_a_member_that_asks_for_the_root_of_another_community_is_found_out",
    ),
    Mutant(
        "words-of-another",
        "devices#recovery: the certificate is of the root that was shown",
        "recovery",
        "            if certified_root(replica, shown.device, first.items[0].payload) !="
        " shown.root:\n                return self._decline(f.LinkRefusal.INVALID)\n",
        "",
        "protocol/test_recovery.py::test_a_certificate_by_another_root_is_not_taken",
    ),
    Mutant(
        "pleas-without-end",
        "joining#asking: who asks asks once on a link",
        "joining",
        "        self._awaited = ()  # until the shell answers\n",
        "",
        "protocol/test_joining.py::test_who_asks_asks_once_on_a_link",
    ),
    Mutant(
        "first-device-by-another",
        "joining#admitting: the first device is certified by the root itself",
        "admission",
        "genesis is None or added is None or added.certifier:",
        "genesis is None or added is None:",
        "protocol/test_joining.py::test_an_introduction_that_admits_nobody_leaves_nothing_behind[certifier]",
    ),
    Mutant(
        "link-spoilt-by-who-goes",
        "devices#linking: who knows no secret tells the person nothing",
        "linking",
        "        return self._failed(_BROKEN_OFF) if self._is_proven else []",
        "        return self._failed(_BROKEN_OFF)",
        "protocol/test_link_proofs.py::test_who_calls_and_knows_no_secret_tells_the_person_nothing_by_going",
    ),
    Mutant(
        "nonce-told-otherwise",
        "devices#linking: the new device begins under the nonce that it was told",
        "linking",
        "        if founding.nonce != told.nonce or not verify",
        "        if not verify",
        "protocol/test_link_broken.py::test_a_newer_device_takes_no_genesis_with_another_nonce_than_it_was_told",
    ),
)
