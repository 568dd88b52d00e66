"""A stranger computes from the file what its maker sees, whatever anybody did."""

from __future__ import annotations

from random import Random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from p2pvalue.node.needs.need_boards import need_state, read_acts
from p2pvalue.node.needs.need_proofs import proof_of
from p2pvalue_protocol.kinds import need
from p2pvalue_protocol.needs.standing import standing_of
from p2pvalue_protocol.proof.reading import read_proof
from tests.laws.need_histories import NeedHistory
from tests.needs.by_hand import told
from tests.protocol.replicas import Copy


def expect_equal(copy: Copy, subject: bytes) -> None:
    """Make a file and read it: the need, all that was said, what was hidden, what became of it."""
    row = copy.store.state(copy.community, subject)
    if row is None or row.kind != need.NUMBER:
        return
    proven = read_proof(proof_of(copy.replica, copy.store, row))
    acts = read_acts(copy.replica, copy.store, row)
    assert proven.row == row
    assert proven.acts == tuple(acts)
    assert told(proven.standing) == told(standing_of(need_state(row), acts))
    assert proven.not_shown.named == proven.standing.missing
    assert not proven.not_shown.changes


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
@example(49)  # somebody kept what nobody folds
@example(56)
@example(124535990)  # a device whose first operation names nothing comes before the founding
def test_the_file_says_what_its_maker_sees_whatever_anybody_did(seed: int) -> None:
    history = NeedHistory(Random(seed), 60)
    for _, copy in sorted(history.members.items()):
        copy.settle()
        copy.runs()  # as if it was sent: sealed
        for subject in history.needs:
            expect_equal(copy, subject)
