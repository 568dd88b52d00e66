"""What the store costs beside SQLite alone, in one run on one machine, as JSON lines.

Bare SQLite inserts one row of 300 bytes per commit; the store commits one chat message with all
that it changes. The two take turns, because a shared machine is never the same for long:

    python -m tests.bench.store_rates --operations 2000 --repetitions 5
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import apsw

from p2pvalue.store import Durability, SqliteStore
from p2pvalue_protocol.past import Batch
from tests.store.chains import CHAT, COMMUNITY, Chain

TEXT_BYTES = 200
ROW_BYTES = 300
RUN = 256
SYNCHRONOUS: dict[Durability, str] = {"power-cut": "FULL", "kill": "NORMAL"}


class Watch:
    """Measures elapsed and CPU seconds from its making."""

    def __init__(self) -> None:
        self._started_s, self._cpu_started_s = time.perf_counter(), time.process_time()

    def per_s(self, count: int) -> tuple[float, float]:
        """Return (operations per second, CPU microseconds per operation)."""
        elapsed_s = time.perf_counter() - self._started_s
        return count / elapsed_s, (time.process_time() - self._cpu_started_s) / count * 1e6


def bare_rate(path: Path, durability: Durability, count: int) -> tuple[float, float]:
    """Insert one row per commit with SQLite alone."""
    rows = [random.Random(number).randbytes(ROW_BYTES) for number in range(count)]
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS[durability]}")
    connection.execute("CREATE TABLE bare (number INTEGER PRIMARY KEY, row BLOB)")
    watch = Watch()
    for row in rows:
        connection.execute("INSERT INTO bare (row) VALUES (?)", (row,))
    rate = watch.per_s(count)
    connection.close()
    return rate


def single_rate(path: Path, durability: Durability, count: int) -> tuple[float, float]:
    """Commit one chat message after the other."""
    chain, rng = Chain(1), random.Random(1)
    batches = [chain.message_batch(rng.randbytes(TEXT_BYTES)) for _ in range(count)]
    store = SqliteStore(path, durability=durability)
    watch = Watch()
    for batch in batches:
        store.commit([batch])
    rate = watch.per_s(count)
    store.close()
    return rate


def runs_of(chain: Chain, count: int) -> list[Batch]:
    """Return `count` messages in batches as a catch-up brings them."""
    rng, batches = random.Random(1), []
    for first in range(0, count, RUN):
        logs = [] if first else [chain.row]
        rows = [chain.operation(rng.randbytes(TEXT_BYTES)) for _ in range(min(RUN, count - first))]
        entries = [chain.entry(row) for row in rows]
        tips = None if first else [chain.row.log]
        batches.append(Batch(COMMUNITY, logs, rows, entries=entries, tips=tips))
    return batches


def batched_rate(path: Path, durability: Durability, count: int) -> tuple[float, float]:
    """Commit messages in batches of 256."""
    batches = runs_of(Chain(1), count)
    store = SqliteStore(path, durability=durability)
    watch = Watch()
    for batch in batches:
        store.commit([batch])
    rate = watch.per_s(count)
    store.close()
    return rate


def opening(path: Path, count: int) -> dict[str, float]:
    """Fill a store; return the milliseconds to open it and read heads and the newest page."""
    store = SqliteStore(path, durability="kill")
    for batch in runs_of(Chain(1), count):
        store.commit([batch])
    store.commit([Batch(COMMUNITY, signatures=[(bytes(64), 1, count - 1)])])
    store.close()
    started_s = time.perf_counter()
    store = SqliteStore(path)
    opened_s = time.perf_counter()
    store.past(COMMUNITY).heads()
    heads_s = time.perf_counter()
    store.entries(COMMUNITY, bytes(16), CHAT, newest_first=True)
    page_s = time.perf_counter()
    store.close()
    return {
        "open_ms": (opened_s - started_s) * 1e3,
        "heads_ms": (heads_s - opened_s) * 1e3,
        "page_ms": (page_s - heads_s) * 1e3,
        "disk_bytes_per_operation": path.stat().st_size / count,
    }


def show(**figures: str | float) -> None:
    """Print one JSON line."""
    rounded = {
        name: round(value, 2) if isinstance(value, float) else value
        for name, value in figures.items()
    }
    print(json.dumps(rounded), flush=True)


def compare(folder: Path, durability: Durability, count: int, repetitions: int) -> None:
    """Print the medians of bare SQLite and the store, which take turns."""
    bare, ours = [], []
    for turn in range(repetitions):
        bare.append(bare_rate(folder / f"bare-{durability}-{turn}.db", durability, count))
        ours.append(single_rate(folder / f"ours-{durability}-{turn}.db", durability, count))
    pairs = zip(ours, bare, strict=True)
    show(
        what="one chat message per commit",
        synchronous=SYNCHRONOUS[durability],
        bare_per_s=median(rate for rate, _ in bare),
        store_per_s=median(rate for rate, _ in ours),
        ratio=median(our_rate / bare_rate for (our_rate, _), (bare_rate, _) in pairs),
        bare_cpu_us=median(cpu_us for _, cpu_us in bare),
        store_cpu_us=median(cpu_us for _, cpu_us in ours),
    )


def main() -> None:
    """Read the arguments and print the figures."""
    parser = argparse.ArgumentParser(description="what the store costs beside SQLite alone")
    parser.add_argument("--operations", type=int, default=2_000)
    parser.add_argument("--repetitions", type=int, default=5)
    asked = parser.parse_args()
    with TemporaryDirectory(dir="/var/tmp") as name:  # /tmp may be in memory
        folder = Path(name)
        for durability in SYNCHRONOUS:
            compare(folder, durability, asked.operations, asked.repetitions)
        for durability in SYNCHRONOUS:
            rates = [
                batched_rate(folder / f"batched-{durability}-{turn}.db", durability, 10_000)
                for turn in range(asked.repetitions)
            ]
            show(
                what=f"10,000 messages in batches of {RUN}",
                synchronous=SYNCHRONOUS[durability],
                store_per_s=median(rate for rate, _ in rates),
                store_cpu_us=median(cpu_us for _, cpu_us in rates),
            )
        for count in (1_000, 10_000, 100_000):
            figures = opening(folder / f"open-{count}.db", count)
            show(what="open", operations=count, **figures)


if __name__ == "__main__":
    main()
