"""Many machines, a bad network, and one result: all equal, nothing lost, nobody blamed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from p2pvalue.sim import Faults, Report, simulate
from p2pvalue.sim.network import Network

NO_FAULTS = Faults(hint_loss=0, hint_duplication=0, hint_delay_ms_max=0, partitions=0, restarts=0)


def assert_good(report: Report) -> None:
    """Check a world, and say how to repeat it."""
    again = f"python -m p2pvalue.sim --seed {report.seed} --machines {report.machines}"
    assert report.failures == (), again
    assert report.members == report.machines, again


@pytest.mark.parametrize("number", range(30))
def test_all_come_to_see_the_same_within_a_minute_of_the_heal(number: int, seed: int) -> None:
    world = number if number < 15 else seed + number
    report = simulate(world, machines=3 + number % 3)
    assert_good(report)
    assert report.operations > 20
    assert report.restarts + report.partitions >= 5


def test_ten_machines_do_so_too(seed: int) -> None:
    assert_good(simulate(seed, machines=10))


def test_nothing_depends_on_hints(seed: int) -> None:
    report = simulate(seed, 4, Faults(hint_loss=1.0))
    assert_good(report)
    assert report.hints == report.hints_lost > 0


def test_without_faults_all_is_equal_soon_after_the_last_word(seed: int) -> None:
    report = simulate(seed, 4, NO_FAULTS)
    assert_good(report)
    assert report.settled_ms is not None
    assert report.settled_ms <= 5_000


def test_a_world_that_is_never_healed_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Network, "heal", lambda network: None)
    report = simulate(3, 4)
    assert report.settled_ms is None
    assert report.failures


def test_one_seed_gives_one_trace_whatever_the_hash_seed(seed: int) -> None:
    number = str(seed % 1_000)
    runs = [
        subprocess.Popen(
            [sys.executable, "-m", "p2pvalue.sim", "--seed", number, "--machines", "3"],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            cwd=Path(__file__).resolve().parents[2],
            stdout=subprocess.PIPE,
            text=True,
        )
        for hash_seed in ("0", "1", "2")
    ]
    traces = {run.communicate()[0].splitlines()[-1] for run in runs}
    assert [run.returncode for run in runs] == [0, 0, 0]
    assert traces == {f"trace {simulate(int(number), 3).trace}"}


def test_other_seeds_give_other_traces() -> None:
    assert simulate(1, 3).trace != simulate(2, 3).trace
