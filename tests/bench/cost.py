"""What one thing more costs a community that has a thousand, or a million, operations already.

For each size a folder is filled once (build/cost), and every repetition works on a copy of it. What
was measured is kept in build/cost/figures.json, a size at a time; `cost_page` makes docs/cost.md of
it. Sizes go by turns, so that a busy minute of the machine hits all of them.

    python -m tests.bench.cost --sizes 1000 10000 100000 1000000 --repetitions 3
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.agent_process import ROOT, AgentProcess, Agents, rest, since_s
from tests.bench.history import filled

FOLDER = ROOT / "build" / "cost"
FIGURES = FOLDER / "figures.json"
SIZES = (1_000, 10_000, 100_000, 1_000_000)
AT_ONCE = 300
FEW_AT_ONCE = 5  # of what grows with what it shows
IDLE_S = 20.0

Costs = dict[str, float]


def one_node(agents: Agents, folder: Path, operations: int) -> Costs:
    """Start on a history, look at it, and do each thing that people do a few hundred times."""
    with agents.new(folder) as a:
        a.open("A")
        first = a("last", k=20)
        costs: Costs = {
            "start_cpu_ms": a.cpu_s() * 1e3,
            "start_ms": since_s(a.spawned_ns, first["t"]) * 1e3,
        }
        a("cost_up")
        costs["rss_mb"] = a.rss_mb()
        for name in ("post", "page", "past", "edit", "pledge"):
            took = a(f"cost_{name}", n=AT_ONCE, operations=operations)
            costs[f"{name}_cpu_us"] = took["cpu_us"]
            costs[f"{name}_us"] = took["wall_us"]
        costs["long_cpu_us"] = a("cost_long", n=FEW_AT_ONCE)["cpu_us"]
        costs["need_cpu_us"] = a("cost_need", n=FEW_AT_ONCE)["cpu_us"]
    return costs


def two_nodes(agents: Agents, folder: Path, operations: int) -> Costs:
    """Let a newcomer fetch all over the wire; then watch both do nothing, in touch."""
    with agents.new(folder) as a, agents.new() as b:
        a.open("A")
        head = a("cost_folded")
        b.open("B", a("invite")["db"])
        rest(0.5)
        cpu_a_s, cpu_b_s, start_ns = a.cpu_s(), b.cpu_s(), time.monotonic_ns()
        b("connect")
        arrived = b("cost_folded", **{name: head[name] for name in ("device", "seq")})
        costs: Costs = {
            "wire_us": since_s(start_ns, arrived["t"]) / operations * 1e6,
            "wire_sender_cpu_us": (a.cpu_s() - cpu_a_s) / operations * 1e6,
            "wire_receiver_cpu_us": (b.cpu_s() - cpu_b_s) / operations * 1e6,
        }
        b("last", k=20)
        costs["newcomer_rss_mb"] = b.rss_mb()
        rest(5)
        return costs | idle(a, b)


def idle(a: AgentProcess, b: AgentProcess) -> Costs:
    """Return the CPU time of a second in which nothing happens, the mean of both nodes."""
    cpu_s = a.cpu_s() + b.cpu_s()
    time.sleep(IDLE_S)  # the second that is measured
    return {"idle_cpu_us": (a.cpu_s() + b.cpu_s() - cpu_s) / 2 / IDLE_S * 1e6}


def in_one_process(folder: Path, operations: int) -> Costs:
    """Let a newcomer fetch all in one process, without a network's cost."""
    command = [sys.executable, "-m", "tests.bench.catch_up", str(folder)]
    done = subprocess.run(
        [*command, "--operations", str(operations)], cwd=ROOT, check=True, capture_output=True
    )
    return {"catch_up_cpu_us": json.loads(done.stdout)["cpu_us"]}


def measured(operations: int, scratch: Path, agents: Agents) -> Costs:
    """Measure everything once at one size."""
    source = filled(FOLDER, operations)
    disk_bytes = sum(file.stat().st_size for file in source.iterdir() if file.suffix == ".db")
    costs: Costs = {"disk_bytes": disk_bytes / operations}
    for measure in (one_node, two_nodes):
        with TemporaryDirectory(dir=scratch) as name:
            folder = shutil.copytree(source, Path(name) / "copy")
            costs |= measure(agents, folder, operations)
    with TemporaryDirectory(dir=scratch) as name:
        folder = shutil.copytree(source, Path(name) / "copy")
        return costs | in_one_process(folder, operations)


def circumstances() -> dict[str, str]:
    """Return when, where and of which commit figures are."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, check=True, capture_output=True
    )
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": commit.stdout.decode().strip(),
        "machine": f"{os.cpu_count()} {platform.machine()} cores, Linux, "
        f"Python {platform.python_version()}",
    }


def main() -> None:
    """Read the arguments, measure, and keep what was measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--repetitions", type=int, default=3)
    asked = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    found: dict[int, list[Costs]] = {size: [] for size in asked.sizes}
    with TemporaryDirectory(dir=FOLDER) as name:
        agents = Agents(Path(name), "tests.bench.cost_agent", BENCH_DURABILITY="power-cut")
        agents.warm_up()
        for _ in range(asked.repetitions):
            for size in asked.sizes:
                costs = measured(size, Path(name), agents)
                found[size].append(costs | {"load": os.getloadavg()[0]})
                print(json.dumps({"operations": size, **found[size][-1]}), flush=True)
                keep(size, found[size])


def keep(size: int, turns: list[Costs]) -> None:
    """Keep what was measured at one size, in place of what was measured before."""
    kept = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    kept[str(size)] = {**circumstances(), "turns": turns}
    FIGURES.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
