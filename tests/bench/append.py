"""W1: one message after the other, awaited, in turns with what SQLite alone takes for a commit.

Bare SQLite inserts one row of 300 bytes per commit with the same flushing; a post also hashes,
orders, indexes and shows what it writes. The two take turns in one process, because a shared
machine is never the same for long. Prints one JSON line for each turn and one with the medians:

    python -m tests.bench.append --operations 2000 --repetitions 7
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import apsw
import trio

import p2pvalue
from p2pvalue.config import Config
from p2pvalue.store import Durability
from tests.bench.filler import Filler

ROW_BYTES = 300
TEXT_BYTES = 200
SYNCHRONOUS: dict[Durability, str] = {"power-cut": "FULL", "kill": "NORMAL"}


class Watch:
    """Measures wall and CPU time per operation from its making."""

    def __init__(self) -> None:
        self._start_s, self._cpu_start_s = time.perf_counter(), time.process_time()

    def stop(self, operations: int) -> dict[str, float]:
        wall_s = time.perf_counter() - self._start_s
        cpu_s = time.process_time() - self._cpu_start_s
        return {
            "per_s": round(operations / wall_s, 1),
            "cpu_us": round(cpu_s / operations * 1e6, 1),
        }


def bare(connection: apsw.Connection, operations: int) -> dict[str, float]:
    """Insert rows with SQLite alone, one per commit."""
    row = bytes(range(100)) * (ROW_BYTES // 100)
    watch = Watch()
    for _ in range(operations):
        connection.execute("INSERT INTO bare (row) VALUES (?)", (row,))
    return watch.stop(operations)


def open_bare(path: Path, durability: Durability) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS[durability]}")
    connection.execute("CREATE TABLE bare (number INTEGER PRIMARY KEY, row BLOB)")
    return connection


async def ours(community: Any, filler: Filler, operations: int) -> dict[str, float]:
    """Post messages, one awaited after the other."""
    texts = [filler.pad(f"w1|{number}|", TEXT_BYTES) for number in range(operations)]
    watch = Watch()
    for text in texts:
        await community.post(text)
    return watch.stop(operations)


async def compare(folder: Path, durability: Durability, operations: int, repetitions: int) -> None:
    p2pvalue.init(folder / "node", "bench")
    config = Config(data_dir=folder / "node", listen=(), lan_discovery=False, durability=durability)
    filler = Filler(1)
    turns = []
    async with p2pvalue.open_node(folder / "node", config) as node:
        community = await node.create_community("bench")
        connection = open_bare(folder / "bare.db", durability)
        for turn in range(repetitions):
            alone = bare(connection, operations)
            with_all = await ours(community, filler, operations)
            ratio = round(with_all["per_s"] / alone["per_s"], 3)
            turns.append((alone, with_all, ratio))
            show(durability, turn=turn, ours=with_all, bare=alone, ratio=ratio)
        connection.close()
    show(
        durability,
        median=True,
        operations=operations,
        ours={name: median(t[1][name] for t in turns) for name in ("per_s", "cpu_us")},
        bare={name: median(t[0][name] for t in turns) for name in ("per_s", "cpu_us")},
        ratio=median(t[2] for t in turns),
    )


def show(durability: Durability, **figures: Any) -> None:
    line = {"w": "W1-pair", "synchronous": SYNCHRONOUS[durability], **figures}
    print(json.dumps(line), flush=True)


def main() -> None:
    """Read the arguments and print the figures."""
    parser = argparse.ArgumentParser(description="awaited posts in turns with bare SQLite")
    parser.add_argument("--operations", type=int, default=2_000)
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"))  # /tmp may be in memory
    asked = parser.parse_args()
    for durability in SYNCHRONOUS:
        with TemporaryDirectory(dir=asked.folder) as name:
            trio.run(compare, Path(name), durability, asked.operations, asked.repetitions)


if __name__ == "__main__":
    main()
