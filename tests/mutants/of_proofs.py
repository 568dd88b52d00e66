"""Faults in the file that proves what became of a need."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

_TESTS = "needs/test_proofs.py::"
_LAW = "laws/test_proofs.py::test_the_file_says_what_its_maker_sees_whatever_anybody_did"
_BOUNDED = f"{_TESTS}test_a_file_takes_a_bounded_memory"

MUTANTS = (
    Mutant(
        "proof-with-more-behind-it",
        "proof#the-file, proof-invalid: nothing goes on behind the file",
        "proof/form",
        "if not unfolder.eof or unfolder.unused_data:",
        "if not unfolder.eof:",
        f"{_TESTS}test_other_files_are_refused",
    ),
    Mutant(
        "proof-written-in-two-ways",
        "proof#the-file: what is packed is canonical",
        "proof/form",
        "return decode_canonical(_decoder, plain)",
        "return _decoder.decode(plain.rstrip(b'\\0'))",
        f"{_TESTS}test_other_files_are_refused",
    ),
    Mutant(
        "proof-of-a-later-version",
        "proof#the-file: another version is not read",
        "proof/form",
        "if not data.startswith(_MAGIC + _VERSION):",
        "if False:",
        f"{_TESTS}test_other_files_are_refused",
    ),
    Mutant(
        "proof-without-signatures",
        "proof#building-it-again: every log is vouched for",
        "proof/replay",
        "if before is None or not verify(log.device, SIGNED + before.core_bytes, log.signature):",
        "if before is None:",
        f"{_TESTS}test_other_words_are_refused_whoever_has_the_key",
    ),
    Mutant(
        "proof-without-tails",
        "proof#building-it-again: content in tails is held",
        "proof/replay",
        "if op.core.log_class == CONTENT:",
        "if op.core.log_class == AUTH:",
        _LAW,
    ),
    Mutant(
        "proof-of-a-key-that-opens-nothing",
        "proof#what-is-shown: a key opens its payload",
        "proof/words",
        "    if opened is None:\n        raise Refused(Reason.PROOF_INVALID)\n    return opened\n",
        "    return opened or b''\n",
        f"{_TESTS}test_a_key_that_does_not_open_is_refused",
    ),
    Mutant(
        "proof-that-shows-other-kinds",
        "proof#what-is-shown: only words about needs are shown",
        "proof/words",
        "if (key and not is_shown) or (is_shown and core.kind not in SHOWN_KINDS):",
        "if key and not is_shown:",
        f"{_TESTS}test_a_file_shows_the_words_of_its_own_kinds_alone",
    ),
    Mutant(
        "proof-in-which-the-removed-count",
        "proof#what-is-shown: what does not count is hidden, as everywhere",
        "proof/reading",
        "self._acts.append(Act(order, row.member, said, not shown.is_visible))",
        "self._acts.append(Act(order, row.member, said, False))",
        f"{_TESTS}test_a_pledge_of_who_was_put_out_is_shown_and_does_not_count",
    ),
    Mutant(
        "changes-left-out-unseen",
        "proof#what-is-not-shown: changes of the need whose words are not shown are told",
        "proof/reading",
        "self._changes += [op.op_id] if is_visible else []",
        "pass",
        f"{_TESTS}test_a_change_that_is_not_shown_is_told_with_its_operation",
    ),
    Mutant(
        "pledges-left-out-unseen",
        "proof#what-is-not-shown: pledges whose words are not shown are counted",
        "proof/reading",
        "                self._pledges += 1\n",
        "                pass\n",
        f"{_TESTS}test_pledges_to_other_needs_are_counted_for_nobody_can_tell_them_apart",
    ),
    Mutant(
        "keeps-left-out-unseen",
        "proof#what-is-not-shown: what removals keep and the file lacks is told",
        "proof/reading",
        "for device in self._devices:",
        "for device in ():",
        f"{_TESTS}test_what_was_kept_of_who_was_put_out_counts_and_is_missed_where_it_is_left_out",
    ),
    Mutant(
        "proof-that-says-too-much",
        "proof#what-is-shown: words of others than asked for stay sealed",
        "proof/making",
        "given = self._given(held) if is_shown or core.log_class == AUTH else None",
        "given = self._given(held)",
        f"{_TESTS}test_what_else_was_said_is_not_in_the_file",
    ),
    Mutant(
        "proof-as-long-as-one-likes",
        "PROOF_BYTES_MAX: a longer file is not looked at",
        "proof/form",
        "if len(data) > limits.PROOF_BYTES_MAX:",
        "if False:",
        _BOUNDED,
    ),
    Mutant(
        "proof-that-unfolds-for-ever",
        "PROOF_PLAIN_BYTES_MAX: no more is unfolded",
        "proof/form",
        "    if unfolder.unconsumed_tail:\n        raise Refused(Reason.TOO_LONG)\n",
        "",
        _BOUNDED,
    ),
    Mutant(
        "proof-of-too-many-operations",
        "PROOF_OPERATIONS_MAX: no more are built",
        "proof/replay",
        "if len(self._known) >= limits.PROOF_OPERATIONS_MAX:",
        "if False:",
        _BOUNDED,
    ),
    Mutant(
        "proof-of-too-much-authority",
        "PROOF_AUTH_OPERATIONS_MAX: no more are judged",
        "proof/replay",
        "len(graph) > limits.PROOF_AUTH_OPERATIONS_MAX",
        "False",
        _BOUNDED,
    ),
    Mutant(
        "proof-with-wide-frontiers",
        "PROOF_FRONTIERS_MAX: no more is remembered",
        "proof/replay",
        "self._width > limits.PROOF_FRONTIERS_MAX",
        "False",
        _BOUNDED,
    ),
)
