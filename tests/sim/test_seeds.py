"""A world of every scenario, and all that ever failed; hundreds are run by `make sim`."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from p2pvalue.sim.campaign import replay_command, run_seed
from p2pvalue.sim.scenario import names

REGRESSIONS = [name for name in names() if name.startswith("regressions/")]
SEED = 7  # worlds that nobody ran yet are for `make soak`, which keeps what it finds
LARGE = ("mix", "scale")  # of the first, hundreds are run after the tests; the other is too large
SCENARIOS = [name for name in names() if name not in (*REGRESSIONS, *LARGE)]


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_world_of_every_scenario_keeps_its_promises(name: str) -> None:
    report = run_seed(name, SEED)
    assert report.failures == (), replay_command(report)
    assert report.machines >= 5
    assert report.operations >= 200


@pytest.mark.parametrize("name", REGRESSIONS)
def test_what_failed_once_fails_no_more(name: str) -> None:
    assert run_seed(name, None).failures == ()


def test_one_seed_gives_one_trace_in_every_process() -> None:
    number = str(SEED)
    command = [sys.executable, "-m", "p2pvalue_cli", "sim", "run", "--seed", number]
    runs = [
        subprocess.Popen(
            [*command, "--scenario", "churn"],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for hash_seed in ("0", "1", "2")
    ]
    traces = {run.communicate()[0].splitlines()[-1] for run in runs}
    assert [run.returncode for run in runs] == [0, 0, 0]
    assert traces == {f"trace {run_seed('churn', SEED).trace}"}
