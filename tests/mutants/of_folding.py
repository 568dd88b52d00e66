"""Faults in what becomes of an operation: logs, authenticity, time, folding, and writing."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

MUTANTS = (
    # --- logs
    Mutant(
        "log-with-a-gap",
        "operation#logs, chain-broken: a log is one hash chain",
        "branches",
        "        if self.owner(device, log_class, first.seq - 1, first.backlink) is None:\n"
        "            raise Refused(Reason.CHAIN_BROKEN)\n",
        "",
        "protocol/test_branches.py::test_a_branch_waits_for_parents_like_any_log",
    ),
    Mutant(
        "first-branch-only",
        "operation#logs: each branch of a forked log counts like any other",
        "branches",
        "            if branch.head_id == first.backlink and branch.head_seq + 1 == first.seq:",
        "            if branch.head_seq + 1 == first.seq:",
        "protocol/test_branches.py::test_a_branch_can_be_forked_again",
    ),
    Mutant(
        "branches-without-end",
        "BRANCHES_PER_LOG_MAX, over-limit: one forked device costs at most 64 branches",
        "replica",
        "if is_full and not self._is_named(device, log_class):",
        "if is_full and log_class > 1:",
        "protocol/test_sync_forked.py::test_what_a_forked_log_says_is_kept_up_to_a_limit",
    ),
    Mutant(
        "full-log-refuses-what-is-named",
        "BRANCHES_PER_LOG_MAX: what something held names comes in whatever it says",
        "replica",
        "if is_full and not self._is_named(device, log_class):",
        "if is_full:",
        "protocol/test_sync_forked.py::"
        "test_two_who_met_other_branches_of_a_log_still_hear_each_other",
    ),
    Mutant(
        "cut-off-log-listed",
        "operation#logs: a log that is cut off is not in the heads",
        "named",
        "return membership.was_ever_admitted(device) and not is_cut_off(membership, device,"
        " log_class)",
        "return membership.was_ever_admitted(device)",
        "protocol/test_cut_off.py::"
        "test_the_logs_of_the_removed_are_in_no_heads_and_what_was_kept_stays_visible",
    ),
    Mutant(
        "word-of-the-removed-unnamed",
        "operation#logs: what takes a device by its root's certificate is named though cut off",
        "views",
        "            return self.rank_of(act.root) is not None\n",
        "            return False\n",
        "protocol/test_cut_off.py::test_each_word_of_a_root_about_her_device_is_told_of",
    ),
    Mutant(
        "device-taken-untold",
        "operation#logs, unknown-author: a writer names what takes a device by standing",
        "named",
        "            taking[taken] = reference\n",
        "            pass\n",
        "protocol/test_cut_off_devices.py::"
        "test_a_device_taken_by_one_that_is_out_itself_is_told_of",
    ),
    Mutant(
        "device-taken-told-each-time",
        "operation#logs, unknown-author: of what takes one device a writer names the first",
        "named",
        "            taking[taken] = reference\n",
        "            taking.setdefault(taken, reference)\n",
        "protocol/test_cut_off_devices.py::"
        "test_a_device_taken_by_one_that_is_out_itself_is_told_of",
    ),
    Mutant(
        "cut-off-log-taken",
        "operation#logs, unknown-author: of a log that is cut off only what is named is taken",
        "named",
        "    raise Refused(Reason.UNKNOWN_AUTHOR)\n",
        "    return operations\n",
        "protocol/test_cut_off.py::test_garbage_in_the_auth_log_of_a_removed_device_is_refused",
    ),
    Mutant(
        "leaver-cut-off",
        "operation#logs, Gone: who leaves is not cut off",
        "visibility",
        "return self.was_ever_admitted(device) and not view.stays(device)",
        "return self.was_ever_admitted(device) and view.standing(device) is None",
        "vectors/test_dags.py::test_a_history_has_its_state[leave]",
    ),
    Mutant(
        "strangers-stored",
        "unknown-author: nobody stores the logs of strangers that nothing names",
        "replica",
        "return is_known or is_certified(self.membership, run)",
        "return True",
        "protocol/test_replica.py::test_a_strangers_log_is_not_stored",
    ),
    Mutant(
        "new-device-of-a-member-refused",
        "operation#what-becomes-of-an-operation: a log is known that a member certifies",
        "replica",
        "return is_known or is_certified(self.membership, run)",
        "return is_known",
        "protocol/test_cut_off.py::"
        "test_a_new_device_of_a_member_is_taken_though_what_named_it_is_not",
    ),
    Mutant(
        "beginning-not-counted",
        "sync#runs-and-batches: what is taken of who comes in and is out at once counts as taken",
        "replica",
        "if refusal.reason is Reason.UNKNOWN_AUTHOR:",
        "if refusal.reason is None:",
        "protocol/test_cut_off_devices.py::"
        "test_of_who_comes_in_and_is_out_at_once_the_beginning_is_taken_and_counted",
    ),
    Mutant(
        "stranger-fills-the-disk",
        "operation#logs: of a stranger's log that something names only that is taken",
        "replica",
        "if new and (is_strangers or self.is_cut_off(first.device, run.log_class)):",
        "if new and self.is_cut_off(first.device, run.log_class):",
        "protocol/test_sync_strangers.py::"
        "test_what_was_named_of_a_stranger_stays_wanted_over_a_restart_and_nothing_beyond",
    ),
    Mutant(
        "forked-device-tells",
        "operation#logs: the forked device itself writes no FORK of itself",
        "fork_watch",
        "if own is None or own == device:",
        "if own is None:",
        "protocol/test_fork_watch.py::test_guests_readers_and_the_forked_device_itself_stay_silent",
    ),
    Mutant(
        "everybody-tells-at-once",
        "operation#logs: who sees a fork waits first, and others stay silent",
        "fork_watch",
        "self._due_ms[name] = now_ms + int(self._jitter() * wait_ms)",
        "self._due_ms[name] = now_ms",
        "protocol/test_fork_watch.py::test_a_machine_asks_to_be_woken_and_then_tells",
    ),
    Mutant(
        "fork-keeps-nothing",
        "operation#logs: a FORK keeps what was held before the second branch came",
        "fork_watch",
        "draft = fork_draft(*proof, replica.branches.held_before_fork(device))",
        "draft = fork_draft(*proof, ())",
        "protocol/test_fork_watch.py::test_a_restart_forgets_no_fork",
    ),
    # --- authentic
    Mutant(
        "bad-signature-passes",
        "operation#authentic, signature-invalid: a signature vouches only if it is valid",
        "vouching",
        "if unsigned_bytes > limits.UNSIGNED_BYTES_MAX or not verify(\n"
        "            core.device, SIGNED + op.core_bytes, op.signature\n        ):",
        "if unsigned_bytes > limits.UNSIGNED_BYTES_MAX:",
        "protocol/test_vouching.py::test_a_wrong_signature_before_the_cut_is_refused_all_the_same",
    ),
    Mutant(
        "unsigned-end",
        "operation#authentic: a run ends in a signed operation",
        "vouching",
        "    if not must_wait and signed_count != len(operations):\n"
        "        raise Refused(Reason.SIGNATURE_INVALID)\n",
        "",
        "protocol/test_vouching.py::test_a_run_ends_in_a_signature",
    ),
    Mutant(
        "unsigned-sixty-fourth",
        "SIGNATURE_EVERY: a signature stands at every seq = 63 mod 64",
        "vouching",
        "            if core.seq % limits.SIGNATURE_EVERY == limits.SIGNATURE_EVERY - 1:\n"
        "                raise Refused(Reason.SIGNATURE_INVALID)\n",
        "",
        "protocol/test_vouching.py::test_a_signature_must_stand_at_every_sixty_fourth[127]",
    ),
    Mutant(
        "unsigned-without-end",
        "UNSIGNED_BYTES_MAX: a signature stands in every 65 KiB",
        "vouching",
        "if unsigned_bytes > limits.UNSIGNED_BYTES_MAX or not verify(",
        "if not verify(",
        "protocol/test_vouching.py::test_a_signature_must_stand_in_every_65_kib",
    ),
    Mutant(
        "writer-signs-too-seldom",
        "SIGNATURE_EVERY: our own log has a signature where one must stand",
        "writing",
        "        or seq % limits.SIGNATURE_EVERY == limits.SIGNATURE_EVERY - 1\n",
        "",
        "protocol/test_writing.py::test_the_head_is_signed_when_it_leaves_and_not_before",
    ),
    Mutant(
        "writer-signs-no-bytes",
        "SIGN_AFTER_BYTES: a writer signs at the latest after 32 KiB",
        "writing",
        "        or unsigned_bytes > limits.SIGN_AFTER_BYTES\n",
        "",
        "protocol/test_gossip.py::test_a_long_log_is_told_in_several_messages_that_fit",
    ),
    Mutant(
        "unknown-auth-kind-ignored",
        "membership#auth-kinds-and-payloads: auth kinds of a later version wait outside",
        "vouching",
        "must_wait = core.kind not in AUTH_KINDS",
        "must_wait = False",
        "protocol/test_vouching.py::"
        "test_an_unknown_auth_kind_cuts_a_run_and_the_time_of_a_known_one_does_not",
    ),
    # --- pasts and time
    Mutant(
        "folded-before-its-parents",
        "operation#pasts-and-frontiers, operation#what-becomes-of-an-operation:"
        " what misses a part of its past waits",
        "ladder",
        "            if place is None or not place.is_folded:\n",
        "            if place is None:\n",
        "protocol/test_reconsideration.py::test_a_rebuild_sees_what_the_verdicts_say_now",
    ),
    Mutant(
        "frontier-of-the-log-alone",
        "operation#pasts-and-frontiers: the auth past comes through parents too",
        "ladder",
        "            frontier = self.graph.union((frontier, parent_frontier))\n",
        "",
        "protocol/test_reconsideration.py::test_a_rebuild_sees_what_the_verdicts_say_now",
    ),
    Mutant(
        "earlier-than-its-past",
        "operation#time, time-not-after-past: an operation is later than its past",
        "ladder",
        "        if core.time <= time_past:\n"
        "            return self._close(branch, Reason.TIME_NOT_AFTER_PAST)\n",
        "",
        "protocol/test_epochs.py::test_content_is_later_than_its_epoch",
    ),
    Mutant(
        "past-without-authority",
        "auth-past-empty: content has GENESIS in its past",
        "ladder",
        "        elif not self.graph.past(frontier) & self._genesis_bit:\n"
        "            return self._close(branch, Reason.AUTH_PAST_EMPTY)\n",
        "",
        "protocol/test_epochs.py::"
        "test_content_without_genesis_in_its_past_is_refused_whatever_is_held",
    ),
    Mutant(
        "sealed-or-clear-as-one-likes",
        "epoch-invalid, epochs#what-is-sealed: content names an epoch where it must",
        "ladder",
        "        elif not self.epochs.is_rightly_sealed(core):\n"
        "            return self._close(branch, Reason.EPOCH_INVALID)\n",
        "",
        "protocol/test_epochs.py::test_clear_content_is_refused_late_where_only_members_read",
    ),
    Mutant(
        "refused-parent-passed-over",
        "parent-refused: what names a refused operation is refused too",
        "ladder",
        "            if place is None or not place.is_folded:\n",
        "            if place is None or not (place.is_folded or place.branch.closed):\n",
        "protocol/test_replica_late.py::"
        "test_a_time_not_after_its_backlink_ends_the_effect_of_that_log_everywhere",
    ),
    Mutant(
        "future-taken",
        "too-far-ahead, AHEAD_MS_MAX, operation#time: content from far ahead is held back",
        "replica",
        "return now_ms + limits.AHEAD_MS_MAX if is_clock_trusted else limits.TIME_MS_MAX",
        "return limits.TIME_MS_MAX",
        "protocol/test_replica_late.py::test_content_from_the_future_is_held_back_until_its_time",
    ),
    Mutant(
        "old-clock-trusted",
        "CLOCK_BEHIND_MS_MAX: a clock far behind what is stored holds nothing back",
        "replica",
        "now_ms >= self._trusted_after_ms\n"
        "            and now_ms >= self.newest_time_ms - limits.CLOCK_BEHIND_MS_MAX",
        "now_ms >= self._trusted_after_ms",
        "protocol/test_replica_late.py::test_a_clock_that_lost_its_time_holds_nothing_back",
    ),
    Mutant(
        "writer-names-the-future",
        "NAMED_AHEAD_MS_MAX: a writer names no content far ahead of its clock",
        "writing",
        "if (tip.log_class == AUTH or time <= latest_ms)\n        and is_to_be_named(",
        "if is_to_be_named(",
        "protocol/test_replica_late.py::"
        "test_content_from_far_ahead_is_never_named_so_it_never_moves_our_clock",
    ),
    Mutant(
        "wide-frontier",
        "PARENTS_MAX, operation#pasts-and-frontiers: SEEN operations gather a frontier over ten",
        "writing",
        "while len(named) > limits.PARENTS_MAX:",
        "while len(named) > limits.PARENTS_MAX + 1:",
        "protocol/test_writing.py::test_eleven_tips_are_one_more_than_an_operation_names",
    ),
    # --- folding
    Mutant(
        "folded-by-arrival",
        "operation#folding: the folding order is by time, device, seq and id",
        "folding",
        "            rows.sort(key=lambda row: row[0][1:5])\n",
        "",
        "protocol/test_replica_late.py::"
        "test_an_operation_of_another_kind_cannot_take_a_subject_over",
    ),
    Mutant(
        "kinds-mixed",
        "operation#folding: an operation of another kind touches nothing of an object",
        "folding",
        "if row.kind != kind.number or payload_bytes is None:",
        "if payload_bytes is None:",
        "protocol/test_replica_late.py::"
        "test_what_could_be_read_as_either_kind_changes_only_objects_of_its_own",
    ),
    Mutant(
        "invisible-is-shown",
        "R9, operation#what-becomes-of-an-operation: what is not visible is without effect",
        "ladder",
        "is_visible = self.membership.visible(core.device, core.kind, frontier, op.reference)",
        "is_visible = True",
        "protocol/test_reconsideration.py::test_a_rebuild_sees_what_the_verdicts_say_now",
    ),
    Mutant(
        "seen-once-seen-for-ever",
        "R9, membership#content: when the answer changes, what is seen is folded anew",
        "ladder",
        "            self._reconsideration.add(self.membership.take_reconsidered())",
        "            self.membership.take_reconsidered()",
        "protocol/test_fork_watch.py::test_a_restart_forgets_no_fork",
    ),
    Mutant(
        "policy-of-today",
        "R9, membership#content, membership#genesis-and-policy: the policy of its own past says"
        " what one may write",
        "visibility",
        "self._policies[frontier] = self._authority.view(frontier).policy()",
        "self._policies[frontier] = self._authority.view().policy()",
        "protocol/test_authority.py::test_a_policy_binds_what_comes_after_it_only",
    ),
    Mutant(
        "fork-keeps-content-alone",
        "operation#logs: a FORK keeps what was held of both logs",
        "branches",
        "for c in (AUTH, CONTENT) if (branches",
        "for c in (CONTENT,) if (branches",
        "protocol/test_fork_watch.py::test_what_was_held_before_is_of_both_logs_and_no_later_branch_changes_it",
    ),
    Mutant(
        "refused-and-waited-for",
        "parent-refused: who waits for what is refused is refused",
        "ladder",
        "            self._ready.extend(waiting[op_id])\n        return 0",
        "            pass\n        return 0",
        "protocol/test_replica_late.py::test_who_waits_for_what_is_refused_when_it_comes_is_refused",
    ),
    Mutant(
        "judged-from-the-later",
        "R9: what is judged again is judged from the earliest place that is due",
        "reconsideration",
        "min(seq, self._pending.get(log, seq))",
        "seq",
        "protocol/test_reconsideration.py::test_who_is_judged_again_from_somewhere_is_judged_from_further_back_if_that_is_due",
    ),
)
