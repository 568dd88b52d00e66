from __future__ import annotations

import os
from pathlib import Path

from tests.bench.agent_process import AgentProcess
from tests.patience import WAIT_S

SMALL = 100
LARGE = 100_000
GROWTH_MB_MAX = 60


def measured(folder: Path, newcomer: Path, operations: int) -> tuple[float, float]:
    """Start on what is there, read a page of each view, bring a newcomer up; return both RSS."""
    environment = {**os.environ, "BENCH_DURABILITY": "kill"}
    with AgentProcess(folder, environment) as a, AgentProcess(newcomer, environment) as b:
        a.open("A")
        assert a("pages")["found"][0] == 50, "a page of the chat is full"
        b.open("B", a("invite")["db"])("connect")
        assert b("wait", n=operations, timeout=WAIT_S)["n"] == operations
        b("pages")
        return a.rss_mb(), b.rss_mb()


def fill(folder: Path, operations: int) -> None:
    with AgentProcess(folder, {**os.environ, "BENCH_DURABILITY": "kill"}) as a:
        a.open("A")
        a("fill", n=operations)


def test_memory_does_not_grow_with_history(tmp_path: Path) -> None:
    folder = tmp_path / "founder"
    fill(folder, SMALL)
    small = measured(folder, tmp_path / "early", SMALL)
    fill(folder, LARGE - SMALL)
    large = measured(folder, tmp_path / "late", LARGE)
    grown_mb = [round(after - before, 1) for before, after in zip(small, large, strict=True)]
    assert max(grown_mb) < GROWTH_MB_MAX, f"founder and newcomer grew by {grown_mb} MB"
    print(f"founder and newcomer: {small} MB at {SMALL}, {large} MB at {LARGE}")
