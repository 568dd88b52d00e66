"""What an open store keeps in memory does not grow with its history."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from p2pvalue.store import SqliteStore
from p2pvalue_protocol.past import Batch
from tests.store.chains import COMMUNITY, Chain

MORE_MB_MAX = 20  # the page cache is 8 of them

READER = """
import pathlib, resource, sys
from p2pvalue.store import SqliteStore
from tests.store.chains import CHAT, COMMUNITY

store = SqliteStore(pathlib.Path(sys.argv[1]))
past = store.past(COMMUNITY)
for head in past.heads():
    store.entries(COMMUNITY, bytes(16), CHAT, newest_first=True)
    seq = head.log.first_seq
    while run := past.operations(head.log.log, seq, 256):  # serving all of it to a newcomer
        seq = run[-1].seq + 1
store.state_digest(COMMUNITY)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def store_with(path: Path, count: int) -> None:
    store = SqliteStore(path, durability="kill")
    chains = [Chain(number) for number in range(1, 5)]
    store.commit([Batch(COMMUNITY, logs=[chain.row for chain in chains])])
    for _ in range(0, count, 1_000):
        batch = Batch(COMMUNITY)
        for chain in chains:
            rows = [chain.operation(b"x" * 200) for _ in range(min(count, 1_000) // len(chains))]
            batch.operations += rows
            batch.entries += [chain.entry(row) for row in rows]
        store.commit([batch])
    store.close()


def peak_kb(path: Path) -> int:
    done = subprocess.run(
        [sys.executable, "-c", READER, str(path)], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.fixture
def peaks_mb(tmp_path: Path) -> dict[int, float]:
    """The peak memory of a process that opens and reads all of a store, by operations held."""
    peaks = {}
    for count in (100, 100_000):
        store_with(tmp_path / f"{count}.db", count)
        peaks[count] = peak_kb(tmp_path / f"{count}.db") / 1_024
    return peaks


def test_reading_a_long_history_takes_little_more_memory_than_a_short_one(
    peaks_mb: dict[int, float],
) -> None:
    print(peaks_mb)
    assert peaks_mb[100_000] - peaks_mb[100] < MORE_MB_MAX
