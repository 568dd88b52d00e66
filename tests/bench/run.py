"""Runs the workloads on real processes and prints one JSON line for each repetition.

Every node is a process of its own (`agent.py`), told what to do by JSON lines; all talk over
loopback. docs/performance.md says what each workload measures. CPU seconds are those of the whole
process and hold on a busy machine too; wall times are to be judged by `load`.

    python -m tests.bench.run                        all of them, W1 also beside bare SQLite
    python -m tests.bench.run W2,W3 --operations 1000 --repetitions 1
    python -m tests.bench.run W6 --trace FILE        a keystroke trace in josephg's JSON form
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench import crowds
from tests.bench.agent_process import ROOT, Agents
from tests.bench.pairs import Pair

REPETITION_S_MAX = 1_200
BURSTS = (1, 20)  # keys that an editor sends at once
WITHOUT_TRACE = "W1,W2,W3,W4,W5,W7,W8,W9"


def repetition(wanted: set[str], agents: Agents, pair: Pair, trace: Path | None) -> None:
    """Run each workload that is wanted once."""
    if wanted & {"W2", "W3", "W7"}:
        pair.meet(wanted)
    elif "W1" in wanted:
        pair.append()
    if "W4" in wanted:
        crowds.fan_out(agents)
    if "W5" in wanted:
        pair.heal()
    if "W6" in wanted and trace is not None:
        for burst in BURSTS:
            crowds.typing(agents, trace, burst)
    if "W8" in wanted:
        crowds.documents(agents)
    if "W9" in wanted:
        crowds.killed(agents)


def main() -> None:
    """Read the arguments, run and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("workloads", nargs="?", default=WITHOUT_TRACE)
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--idle-s", type=float, default=30.0)
    parser.add_argument("--trace", type=Path, help="for W6, which needs one")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"))  # /tmp may be in memory
    asked = parser.parse_args()
    wanted = set(asked.workloads.split(",")) | ({"W6"} if asked.trace else set())
    if "W6" in wanted and asked.trace is None:
        parser.error("W6 types a recorded trace: name its file with --trace")
    if "W1" in wanted:
        beside = [sys.executable, "-m", "tests.bench.append", "--folder", str(asked.folder)]
        subprocess.run(beside, cwd=ROOT, check=True)
    with TemporaryDirectory(dir=asked.folder) as name:
        agents = Agents(Path(name))
        agents.warm_up()
        for _ in range(asked.repetitions):
            signal.alarm(REPETITION_S_MAX)  # an agent that hangs ends the run
            pair = Pair(agents, asked.operations, asked.idle_s)
            repetition(wanted, agents, pair, asked.trace)


if __name__ == "__main__":
    main()
