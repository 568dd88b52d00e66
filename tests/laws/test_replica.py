"""What a person sees depends on the set of operations held, and on nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random
from unittest import mock

from hypothesis import example, given, settings
from hypothesis import strategies as st

from p2pvalue.store import SqliteStore
from p2pvalue_protocol import ladder, reconsideration
from p2pvalue_protocol.serving import current_heads
from tests.laws.histories import DELIVERED_MS, History, cut, deliver, rebuilt, spoilt, trace_of
from tests.protocol.replicas import Copy, frontier_of

SEEDS = st.integers(0, 2**32 - 1)


def everything(copy: Copy) -> tuple[object, ...]:
    """All that must be equal where the operations are.

    What an operation that is cut off named is no tip where that is held, and one elsewhere.
    """
    branches, membership = copy.replica.branches.all(), copy.replica.membership
    is_whole = not any(membership.is_gone(branch.row.device) for branch in branches)
    return copy.seen(), sorted(frontier_of(copy)) if is_whole else []


@settings(max_examples=40)
@given(seed=SEEDS)
def test_any_order_duplication_batching_gaps_and_restarts_give_one_state(seed: int) -> None:
    rng = Random(seed)
    history = History(rng, rng.randint(10, 60))
    readers = [deliver(history, rng) for _ in range(3)]
    assert everything(readers[0]) == everything(readers[1]) == everything(readers[2])
    assert everything(rebuilt(readers[0])) == everything(readers[1])


@settings(max_examples=6)
@given(seed=SEEDS)
def test_a_store_on_disk_gives_the_same_state_as_one_in_memory(seed: int) -> None:
    rng = Random(seed)
    history = History(rng, rng.randint(10, 50))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        reader = deliver(history, rng, lambda: SqliteStore(path, durability="kill"))
        assert everything(reader) == everything(deliver(history, rng))
        assert everything(rebuilt(reader)) == everything(deliver(history, rng))
        reader.store.close()


@settings(max_examples=12)
@given(seed=SEEDS)
@example(81275)  # a founder's new device, named by one of hers that was being taken away
def test_work_left_over_many_inputs_and_crashes_gives_the_same_state(seed: int) -> None:
    rng = Random(seed)
    history = History(rng, rng.randint(10, 60))
    with (
        mock.patch.object(reconsideration, "_OPERATIONS_PER_INPUT_MAX", 2),
        mock.patch.object(ladder, "_FOLDS_PER_INPUT_MAX", 3),
    ):
        slow = deliver(history, rng)
    assert everything(slow) == everything(deliver(history, rng))


@settings(max_examples=15)
@given(seed=SEEDS)
def test_members_that_met_everybody_see_what_a_newcomer_sees(seed: int) -> None:
    rng = Random(seed)
    history = History(rng, rng.randint(10, 40))
    newcomer = deliver(history, rng)
    for member in history.members.values():
        taken = 1
        while taken:
            runs = [run for log in history.logs for run in cut(log, rng)]
            taken = member.take(*runs, now_ms=DELIVERED_MS).stored
        member.settle()
        assert everything(member) == everything(newcomer)


@settings(max_examples=25)
@given(seed=SEEDS)
def test_a_refused_input_changes_nothing(seed: int) -> None:
    rng = Random(seed)
    history = History(rng, rng.randint(10, 30))
    reader = deliver(history, rng)
    before = everything(reader)
    for log in history.logs:
        for run in cut(log, rng):
            reader.replica.begin()
            receipt = reader.replica.receive([spoilt(run, rng)], DELIVERED_MS)
            assert receipt.stored == 0
            assert reader.replica.finish().is_empty()
            assert reader.replica.changes == []
    reader.replica.begin()
    assert everything(reader) == before


def test_one_seed_gives_one_trace_whatever_the_hash_seed(seed: int) -> None:
    runs = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.laws.histories", str(seed)],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            cwd=Path(__file__).resolve().parents[2],
            stdout=subprocess.PIPE,
            text=True,
        )
        for hash_seed in ("0", "1", "2")
    ]
    traces = {run.communicate()[0].strip() for run in runs}
    assert [run.returncode for run in runs] == [0, 0, 0]
    assert traces == {trace_of(seed)}


def test_histories_are_worth_the_trouble() -> None:
    """A generator that makes no forks, strangers, removals or hidden operations shows nothing."""
    readers = []
    for seed in (2, 5, 7):
        rng = Random(seed)
        history = History(rng, 150)
        reader = deliver(history, rng)
        readers.append(reader)
        heads = current_heads(reader.replica.branches)
        logs = {(head.device, head.log_class) for head in heads}
        figures = reader.store.figures()
        assert len(history.members) >= 3
        assert len(heads) > len(logs) + 3
        assert len(reader.replica.heads()) < len(heads)
        assert figures.waiting > 3
        assert figures.entries > 10
        assert figures.states > 5
        held = {op.op_id for log in history.logs for op in log}
        assert figures.operations < len(held)
    memberships = [reader.replica.membership for reader in readers]
    assert any(membership.former_members() for membership in memberships)
    assert any(fork.is_authorised for m in memberships for fork in m.forked_devices())
    assert any(not fork.is_authorised for m in memberships for fork in m.forked_devices())
