"""What is acknowledged is on the disk, and a disk that fails takes nothing half."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pvalue.store import SqliteStore, StoreFailed
from p2pvalue_protocol.past import Batch
from tests.store.chains import COMMUNITY, Chain, log_faults, subject_named, texts
from tests.store.disks import Disk, disk_named


@pytest.fixture
def disk() -> Iterator[Disk]:
    with disk_named("watched") as watched:
        yield watched


def big_batch(chain: Chain, count: int) -> Batch:
    """Return a batch that touches many pages and most tables."""
    batch = Batch(COMMUNITY, logs=[chain.row] if chain.seq == 0 else [])
    for number in range(count):
        row = chain.operation(b"%d" % number * 400)
        subject = subject_named(f"subject {chain.seq}")
        batch.operations.append(row)
        batch.entries.append(chain.entry(row))
        batch.subject_operations.append(chain.subject_operation(row, subject))
        batch.states.append(chain.state(row, subject, b"state" * 40))
    batch.tips = [chain.row.log]
    return batch


def test_the_disk_is_flushed_before_a_commit_returns(disk: Disk, tmp_path: Path) -> None:
    chain = Chain(1)
    store = SqliteStore(tmp_path / "store.db", vfs=disk.name)
    for number in range(5):
        disk.events.clear()
        store.commit([chain.message_batch(b"message %d" % number)])
        assert "write wal" in disk.events
        assert disk.events[-1] == "sync wal"
    store.close()


def test_several_batches_of_one_commit_share_one_flush(disk: Disk, tmp_path: Path) -> None:
    chain = Chain(1)
    store = SqliteStore(tmp_path / "store.db", vfs=disk.name)
    store.commit([chain.message_batch(b"first")])
    disk.events.clear()
    store.commit([chain.message_batch(b"message %d" % number) for number in range(20)])
    assert disk.events.count("sync wal") == 1
    store.close()


def test_without_a_promise_about_power_cuts_a_commit_does_not_flush(
    disk: Disk, tmp_path: Path
) -> None:
    chain = Chain(1)
    store = SqliteStore(tmp_path / "store.db", durability="kill", vfs=disk.name)
    store.commit([chain.message_batch(b"first")])
    disk.events.clear()
    store.commit([chain.message_batch(b"second")])
    assert "write wal" in disk.events
    assert not [event for event in disk.events if event.startswith("sync")]
    store.close()


def test_a_full_disk_fails_a_commit_whole_and_the_store_goes_on(disk: Disk, tmp_path: Path) -> None:
    kept = Chain(1)
    store = SqliteStore(tmp_path / "store.db", vfs=disk.name)
    store.commit([kept.message_batch(b"kept")])
    digest, operations = store.state_digest(COMMUNITY), list(store.operations_in_order(COMMUNITY))
    failures = 0
    while True:
        disk.writes_left = failures  # the disk fills up one write later each time
        lost, other = Chain(1), Chain(2)
        lost.resume(kept.seq, kept.backlink)
        try:
            store.commit([big_batch(lost, 3), big_batch(other, 3)])
            break
        except StoreFailed as failure:
            assert "the disk is full" in str(failure)  # noqa: PT017 - one of many rounds
        failures += 1
        disk.writes_left = None
        assert store.state_digest(COMMUNITY) == digest
        assert list(store.operations_in_order(COMMUNITY)) == operations
        assert log_faults(store) == ()
    assert failures > 5
    disk.writes_left = None
    store.commit([lost.message_batch(b"after")])
    assert len(texts(store)) == 8
    assert log_faults(store) == ()
    store.close()


def test_what_was_committed_before_the_disk_was_full_is_there_after_reopening(
    disk: Disk, tmp_path: Path
) -> None:
    chain = Chain(1)
    store = SqliteStore(tmp_path / "store.db", vfs=disk.name)
    store.commit([chain.message_batch(b"kept")])
    disk.writes_left = 2
    with pytest.raises(StoreFailed, match="the disk is full"):
        store.commit([big_batch(chain, 20)])
    disk.writes_left = None
    store.close()
    again = SqliteStore(tmp_path / "store.db")
    assert texts(again) == [b"kept"]
    assert log_faults(again) == ()
    again.close()


def test_opening_a_store_does_not_read_its_history(disk: Disk, tmp_path: Path) -> None:
    read = {}
    for count in (100, 20_000):
        path, chain = tmp_path / f"{count}.db", Chain(1)
        store = SqliteStore(path, durability="kill")
        rows = [chain.operation(b"message %d" % number) for number in range(count)]
        entries = [chain.entry(row) for row in rows]
        store.commit([Batch(COMMUNITY, logs=[chain.row], operations=rows, entries=entries)])
        store.commit([Batch(COMMUNITY, signatures=[(bytes(64), 1, count - 3)])])
        store.close()
        disk.bytes_read = 0
        store = SqliteStore(path, vfs=disk.name)
        (head,) = store.past(COMMUNITY).heads()
        assert (head.head.seq, head.folded_seq) == (count - 1, count - 1)
        assert head.signed_seq == count - 3
        assert len(texts(store)) == 100
        read[count] = disk.bytes_read
        store.close()
    assert read[20_000] - read[100] <= 64 * 4_096
