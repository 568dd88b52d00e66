"""What `verify` finds, shown on each implementation."""

from __future__ import annotations

import pytest

from p2pvalue.store import Store
from p2pvalue_protocol.past import Batch
from tests.store.chains import COMMUNITY, Chain


def test_verify_finds_nothing_wrong_with_a_sound_chain(store: Store) -> None:
    chain = Chain(1)
    rows = [chain.operation(b"%d" % number, signed=number == 63) for number in range(70)]
    store.commit([Batch(COMMUNITY, logs=[chain.row], operations=rows)])
    done: list[tuple[int, int]] = []
    report = store.verify(deep=True, progress=lambda *counts: done.append(counts))
    assert report.faults == ()
    assert (report.operations, report.unsigned) == (70, 6)
    assert (70, 70) in done


@pytest.mark.parametrize("is_sound", [True, False])
def test_verify_follows_a_branch_to_what_it_left(store: Store, is_sound: bool) -> None:
    trunk, branch = Chain(1, seed=1), Chain(2, seed=1)
    rows = [trunk.operation(b"%d" % number) for number in range(3)]
    base = rows[1].op_id if is_sound else rows[0].op_id
    branch.resume(2, rows[1].op_id)
    others = [branch.operation(b"other %d" % number) for number in range(2)]
    left = branch.row._replace(branch=others[0].op_id, first_seq=2, base_id=base)
    store.commit([Batch(COMMUNITY, logs=[trunk.row, left], operations=[*rows, *others])])
    assert (store.verify(deep=True).faults == ()) is is_sound


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"core": b"\x9c"}, "does not have the hash"),
        ({"op_id": bytes(32)}, "does not have the hash"),
        ({"payload": b"flipped"}, "payload"),
        ({"signature": bytes(64)}, "signature"),
    ],
)
def test_verify_finds_bytes_that_are_not_what_was_signed(
    store: Store, change: dict[str, bytes], finding: str
) -> None:
    chain = Chain(1)
    rows = [chain.operation(b"%d" % number, signed=True) for number in range(3)]
    rows[1] = rows[1]._replace(**change)  # type: ignore[arg-type]  # the fields vary by case
    store.commit([Batch(COMMUNITY, logs=[chain.row], operations=rows)])
    faults = store.verify(deep=True).faults
    assert any(finding in fault.finding for fault in faults)
    assert all(fault.community == COMMUNITY for fault in faults)
    assert store.verify(deep=False).faults == ()


def test_verify_finds_a_gap_and_a_broken_chain(store: Store) -> None:
    gap, broken, misplaced = Chain(1), Chain(2), Chain(3)
    rows = [gap.operation(b"%d" % number) for number in range(3)]
    links = [broken.operation(b"a")]
    broken.resume(1, bytes(31) + b"\x01")
    links.append(broken.operation(b"b"))
    stranger = misplaced.operation(b"c")._replace(log=2, seq=2)
    batch = Batch(COMMUNITY, logs=[gap.row, broken.row])
    batch.operations = [rows[0], rows[2], *links, stranger]
    store.commit([batch])
    found = [fault.finding for fault in store.verify(deep=True).faults]
    assert "the chain is broken: the backlink names another operation" in found
    assert "the core belongs in another place" in found
    assert any("missing" in finding for finding in found)
