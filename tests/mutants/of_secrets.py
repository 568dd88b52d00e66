"""Faults in epochs: who makes one, who is given its secret, what it seals."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

MUTANTS = (
    # --- epochs
    Mutant(
        "guests-make-epochs",
        "epochs#an-epoch: an epoch's author has rank 2 or stronger",
        "epochs",
        "if not any(author.rank <= auth.MEMBER for author in authors):",
        "if not authors:",
        "protocol/test_epoch_rules.py::test_a_guest_makes_no_epoch_however_well_she_seals",
    ),
    Mutant(
        "seals-for-some",
        "epochs#an-epoch: there are as many seals as recipients",
        "epochs",
        "        if sum(len(part.seals) for part in parts) != len(recipients) * SEAL_BYTES:\n"
        "            return False\n",
        "",
        "protocol/test_rotation.py::test_an_epoch_for_others_than_those_who_are_live_is_none",
    ),
    Mutant(
        "parts-of-two-epochs",
        "epochs#an-epoch, kinds/epoch: the parts of an epoch are of one commitment, in order",
        "epoch_records",
        "    return parts if found == expected else []",
        "    return parts if len(found) == len(expected) else []",
        "protocol/test_epoch_rules.py::test_an_epoch_is_all_parts_of_one_commitment_in_their_order",
    ),
    Mutant(
        "epoch-without-its-past",
        "epochs#what-is-sealed: what names an epoch waits until that is folded",
        "ladder",
        "            time, frontier = max(time, epoch.time), self.graph.union((frontier,"
        " epoch.frontier))\n",
        "",
        "protocol/test_epochs.py::test_content_is_later_than_its_epoch",
    ),
    Mutant(
        "seal-for-anybody",
        "epochs#seals: a seal is for one device alone",
        "sealing",
        'return b"p2pv1/epoch\\x00" + community + commitment + device',
        'return b"p2pv1/epoch\\x00" + community + commitment',
        "protocol/test_sealing.py::test_a_seal_gives_its_device_the_secret_that_was_committed_to",
    ),
    Mutant(
        "seal-of-anything",
        "epochs#seals: a secret counts only if the epoch commits to it",
        "sealing",
        "if secret is None or commitment_of(community, secret) != commitment:",
        "if secret is None:",
        "protocol/test_sealing.py::test_a_seal_gives_its_device_the_secret_that_was_committed_to",
    ),
    Mutant(
        "one-prekey-kept",
        "epochs#seals, kinds/prekey: the last three private keys open seals",
        "prekeys",
        "(exchange_key_of(private), private)][-PREKEYS_KEPT:]",
        "(exchange_key_of(private), private)][-1:]",
        "protocol/test_keeper.py::test_a_machine_wakes_to_renew_the_keys_of_its_communities",
    ),
    Mutant(
        "sealed-to-the-first-prekey",
        "epochs#seals, kinds/prekey: one seals to the newest prekey of a device",
        "epochs",
        "return [to._replace(prekey=newest.get(to.device, to.prekey)) for to in found]",
        "return found",
        "protocol/test_keeper.py::"
        "test_a_device_changes_its_prekey_after_thirty_days_and_opens_what_the_last_three_got",
    ),
    Mutant(
        "wrap-of-anything",
        "epochs#wraps-and-depth: what is unwrapped is what the older epoch commits to",
        "epochs",
        "if opened is None or commitment_of(self._community, opened) != older.commitment:",
        "if opened is None:",
        "protocol/test_epoch_rules.py::test_a_wrap_of_another_secret_opens_nothing",
    ),
    Mutant(
        "audience-wrapped",
        "epochs#wraps-and-depth: the epoch of an audience is never wrapped",
        "epochs",
        "            if record.audience == EVERYBODY and record.epoch in self._secrets\n"
        "        ]\n\n    def unwrapped",
        "            if record.epoch in self._secrets\n        ]\n\n    def unwrapped",
        "protocol/test_epoch_rules.py::test_nobody_wraps_the_secret_of_an_audience",
    ),
    Mutant(
        "depth-of-the-first-wrap",
        "epochs#wraps-and-depth: the depth is one more than that of the deepest that is wrapped",
        "epoch_records",
        "1 + max((self._depths.get(wrap.epoch, 0) for wrap in wraps), default=0)",
        "1 + min((self._depths.get(wrap.epoch, 0) for wrap in wraps), default=0)",
        "protocol/test_epoch_rules.py::"
        "test_an_epoch_is_one_deeper_than_the_deepest_that_it_wraps_in_any_order",
    ),
    Mutant(
        "depth-forgotten-above",
        "epochs#wraps-and-depth: depths are counted anew above what was missing",
        "epoch_records",
        "                    heappush(above, (self._depths[newer], newer))\n",
        "                    pass\n",
        "protocol/test_epoch_rules.py::"
        "test_an_epoch_is_one_deeper_than_the_deepest_that_it_wraps_in_any_order",
    ),
    Mutant(
        "depth-of-the-deep-first",
        "epochs#wraps-and-depth: depths are counted anew from below",
        "epoch_records",
        "heappush(above, (self._depths[newer], newer))",
        "heappush(above, (-self._depths[newer], newer))",
        "protocol/test_epoch_rules.py::"
        "test_whatever_wraps_what_depths_are_the_same_in_any_order_of_arrival",
    ),
    Mutant(
        "usable-after-a-removal",
        "epochs#which-epoch-to-write-under, Covered: everybody who is out is out in its past",
        "epochs",
        "if record.audience == audience and not self._membership.uncovered(record.frontier)",
        "if record.audience == audience",
        "protocol/test_keeper.py::"
        "test_others_renew_the_keys_after_a_while_the_strong_before_the_weak[2-30-300]",
    ),
    Mutant(
        "shallow-epoch-written-under",
        "epochs#which-epoch-to-write-under: a writer takes the deepest usable epoch",
        "epoch_records",
        "key=lambda r: (-self._depths[r.epoch], r.epoch)",
        "key=lambda r: (self._depths[r.epoch], r.epoch)",
        "protocol/test_keeper.py::test_keys_are_renewed_when_they_are_seven_days_old",
    ),
    Mutant(
        "epoch-of-the-future",
        "epochs#which-epoch-to-write-under: none whose time is further ahead than one may name",
        "epochs",
        "if secret is not None and record.time <= latest_ms:",
        "if secret is not None:",
        "protocol/test_epoch_rules.py::test_an_epoch_from_far_ahead_is_not_written_under",
    ),
    Mutant(
        "no-epoch-with-a-removal",
        "epochs#which-epoch-to-write-under: who removes makes an epoch in the same moment",
        "writing",
        "if log_class == AUTH and replica.epochs.has_any and not replica.epochs.usable():",
        "if log_class > AUTH and replica.epochs.has_any and not replica.epochs.usable():",
        "protocol/test_rotation.py::test_removing_somebody_makes_an_epoch_in_the_same_input",
    ),
    Mutant(
        "epochs-without-end",
        "epochs#which-epoch-to-write-under: one device makes one an hour unless none is usable",
        "rotation",
        "max(aged_ms, own_ms) + self._wait_ms(replica)",
        "aged_ms + self._wait_ms(replica)",
        "protocol/test_keeper.py::"
        "test_one_device_makes_an_epoch_an_hour_at_most_though_others_seem_old",
    ),
    Mutant(
        "everybody-renews-at-once",
        "epochs#which-epoch-to-write-under: the others wait, the weaker the longer",
        "rotation",
        "return first_ms + int(self._jitter() * (last_ms - first_ms))",
        "return 0",
        "protocol/test_keeper.py::test_should_the_first_epoch_be_lost_members_make_one",
    ),
    # --- sealed payloads
    Mutant(
        "one-key-for-all-payloads",
        "epochs#sealed-payloads: each payload has a key of its own",
        "sealing",
        'return hkdf(secret, salt, b"p2pv1/aead\\x00" + core.community + core.epoch + core.device)',
        'return hkdf(secret, b"", b"p2pv1/aead\\x00" + core.community + core.epoch + core.device)',
        "protocol/test_sealing.py::test_bytes_that_no_one_sealed_open_to_nothing",
    ),
    Mutant(
        "core-not-authenticated",
        "epochs#sealed-payloads: a sealed payload is of this very core",
        "sealing",
        "            core.parents,\n            core.time,\n            core.epoch,\n",
        "            core.time,\n            core.epoch,\n",
        "protocol/test_sealing.py::test_a_payload_belongs_to_its_operation_and_its_epoch_alone",
    ),
    Mutant(
        "padding-of-any-form",
        "epochs#sealed-payloads: a payload that is padded in another way is without effect",
        "sealing",
        "if not plaintext.endswith(_END) or len(padded) != padded_size(len(plaintext)):",
        "if not plaintext.endswith(_END):",
        "protocol/test_sealing.py::test_padding_has_one_form",
    ),
    Mutant(
        "sealed-payload-lost",
        "epochs#sealed-payloads: what waits for a key is shown when the secret comes",
        "ladder",
        "                self._reconsideration.add_from(log, first_seq)\n",
        "                pass\n",
        "protocol/test_key_requests.py::test_what_is_missing_is_asked_for_and_read",
    ),
    # --- who is given secrets
    Mutant(
        "secrets-for-the-removed",
        "epochs#who-is-given-secrets, sync#keys: a device that was removed gets nothing",
        "epochs",
        "if device is None or not self._membership.is_live(device):",
        "if device is None:",
        "protocol/test_key_requests.py::test_a_stranger_is_given_no_secret",
    ),
    Mutant(
        "secrets-outside-the-audience",
        "epochs#who-is-given-secrets: a secret is for its audience",
        "epochs",
        "        return not record.audience or self._membership.member_of(device) in"
        " record.audience\n",
        "        return True\n",
        "protocol/test_rotation.py::test_a_part_of_the_members_has_an_epoch_of_its_own",
    ),
    Mutant(
        "secret-unchecked",
        "epochs#who-is-given-secrets: what is given is checked against the commitment",
        "epochs",
        "            is_it = commitment_of(self._community, secret) == record.commitment\n",
        "            is_it = True\n",
        "protocol/test_key_requests.py::"
        "test_a_false_secret_is_not_taken_and_the_right_one_still_is",
    ),
    Mutant(
        "early-secret-unchecked",
        "epochs#who-is-given-secrets: a secret that came early is checked when its epoch comes",
        "epochs",
        "if early is not None and commitment_of(self._community, early) == record.commitment:",
        "if early is not None:",
        "protocol/test_rotation.py::test_a_secret_that_the_epoch_does_not_commit_to_is_not_taken",
    ),
    Mutant(
        "early-secrets-without-end",
        "EPOCHS_EARLY_MAX: few secrets are kept whose epochs are still to come",
        "epochs",
        "if epoch in self._early or len(self._early) >= limits.EPOCHS_EARLY_MAX:",
        "if epoch in self._early:",
        "protocol/test_epoch_rules.py::test_few_secrets_are_kept_whose_epochs_are_still_to_come",
    ),
    Mutant(
        "audiences-without-end",
        "AUDIENCES_KEPT_MAX: few audiences' usable epochs are remembered",
        "epochs",
        "            if len(self._usable) >= limits.AUDIENCES_KEPT_MAX:\n"
        "                self._usable.clear()\n",
        "",
        "protocol/test_epoch_rules.py::test_few_audiences_are_remembered_with_their_usable_epochs",
    ),
    # --- asking for keys
    Mutant(
        "keys-asked-of-strangers",
        "sync#keys: only members' devices are asked",
        "exchange",
        "        if bond is Bond.MEMBER:\n            self._send(self._keys.next_frames())\n",
        "        self._send(self._keys.next_frames())\n        if bond is Bond.MEMBER:\n",
        "protocol/test_key_requests.py::test_only_members_devices_are_asked",
    ),
    Mutant(
        "keys-unasked",
        "sync#keys, unasked: an answer names only what was asked for",
        "key_requests",
        "if not asked or not {known.epoch for known in frame.secrets}.issubset(asked):",
        "if not asked:",
        "protocol/test_key_requests.py::test_secrets_that_nobody_asked_for_end_the_session",
    ),
    Mutant(
        "keys-wanted-without-end",
        "KEYS_WANTED_MAX: what a peer may want costs a bounded number of look-ups",
        "key_requests",
        "        if self._left < 0:\n            raise Refused(Reason.OVER_LIMIT)\n",
        "",
        "protocol/test_key_requests.py::test_who_asks_for_more_and_more_is_left",
    ),
    Mutant(
        "keys-asked-without-end",
        "KEYS_ASKED_MAX: nobody asks for more than a peer answers",
        "key_requests",
        "        self._may_ask -= len(self._open)\n",
        "",
        "protocol/test_key_requests.py::"
        "test_more_epochs_that_nobody_can_open_than_a_peer_answers_part_nobody",
    ),
    Mutant(
        "keys-in-one-frame",
        "KEYS_PER_FRAME_MAX: a question names at most 64 epochs",
        "key_requests",
        "missing[: min(limits.KEYS_PER_FRAME_MAX, self._may_ask)]",
        "missing[: self._may_ask]",
        "protocol/test_key_requests.py::test_a_question_names_no_more_epochs_than_its_frame_holds",
    ),
)
