"""A power cut takes nothing that was acknowledged; and the disk that shows it can bite."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from p2pvalue.sim.virtual_disk import SECTOR_BYTES, SqliteDisk
from p2pvalue.store import StoreFailed
from tests.store.chains import COMMUNITY, Chain, log_faults, texts
from tests.store.power import CUTS_PER_DISK, cut_many

CUTS = 300

# `PRAGMA journal_mode` fails in silence when the machine stops within it, and apsw prints why.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def test_nothing_acknowledged_is_lost_by_a_power_cut_anywhere(seed: int) -> None:
    result = cut_many(CUTS, str(seed))
    print(result)
    assert result["cuts"] == CUTS
    assert result["lost"] == 0
    assert int(result["operations"]) > CUTS
    assert int(result["just_after_a_close"]) > 0
    assert int(result["before_the_first_commit"]) >= CUTS // CUTS_PER_DISK


def test_without_the_promise_the_same_cuts_lose_the_ends_of_logs_and_nothing_else(
    seed: int,
) -> None:
    assert int(cut_many(CUTS // 4, str(seed), "kill")["lost"]) > 0


def test_what_is_cut_depends_on_the_seed_alone() -> None:
    assert cut_many(40, "same") == cut_many(40, "same")


def test_what_is_not_flushed_may_be_there_or_missing_or_torn(seed: int) -> None:
    ends = Counter[str]()
    for number in range(400):
        disk = SqliteDisk()
        file = disk.file("file")
        file.write(b"a" * 3 * SECTOR_BYTES, 0)
        file.flush()
        disk.flush_names()
        file.write(b"b" * SECTOR_BYTES, SECTOR_BYTES)
        disk.cut_power(random.Random(seed + number))
        left = bytes(disk.file("file").data)
        sector = left[SECTOR_BYTES : 2 * SECTOR_BYTES]
        assert left[:SECTOR_BYTES] == left[2 * SECTOR_BYTES :] == b"a" * SECTOR_BYTES
        match sector.count(b"a"), sector.count(b"b"):
            case size, 0 if size == SECTOR_BYTES:
                ends["missing"] += 1
            case 0, size if size == SECTOR_BYTES:
                ends["there"] += 1
            case old, new if old + new == SECTOR_BYTES:
                ends["torn"] += 1
            case _:
                ends["garbage"] += 1
    assert set(ends) == {"missing", "there", "torn", "garbage"}


def test_lengths_and_names_wait_for_a_flush_too(seed: int) -> None:
    ends = Counter[tuple[int | None, bool]]()
    for number in range(100):
        disk = SqliteDisk()
        disk.file("old").resize(9)
        disk.file("old").flush()
        disk.file("gone")
        disk.flush_names()
        disk.file("old").resize(3)
        disk.remove("gone")
        disk.file("new")
        disk.cut_power(random.Random(seed + number))
        ends[len(disk.file("old").data), disk.has("gone")] += 1
        ends[None, disk.has("new")] += 1
    assert set(ends) == {
        *((length, is_there) for length in (3, 9) for is_there in (True, False)),
        *((None, is_there) for is_there in (True, False)),
    }


def test_what_was_flushed_survives_every_cut(seed: int) -> None:
    disk, rng = SqliteDisk(), random.Random(seed)
    disk.file("file").write(b"flushed", 0)
    disk.file("file").flush()
    disk.flush_names()
    for _ in range(20):
        disk.cut_power(rng)
        assert bytes(disk.file("file").data) == b"flushed"


def test_a_kill_loses_nothing_that_was_written() -> None:
    disk = SqliteDisk(durability="kill")
    chain = Chain(1)
    store = disk.open()
    for number in range(10):
        store.commit([chain.message_batch(b"%d" % number)])
    disk.kill()
    assert len(texts(disk.open())) == 10


def test_a_dead_process_changes_nothing_any_more() -> None:
    disk = SqliteDisk()
    chain = Chain(1)
    former = disk.open()
    former.commit([chain.message_batch(b"kept")])
    store = disk.open()
    with pytest.raises(Exception, match="closed"):
        former.commit([chain.message_batch(b"by a ghost")])
    assert texts(store) == [b"kept"]


def test_a_full_disk_takes_nothing_and_goes_on_once_there_is_room() -> None:
    disk = SqliteDisk()
    chain = Chain(1)
    store = disk.open()
    store.commit([chain.message_batch(b"kept")])
    before = (chain.seq, chain.backlink)
    disk.fill(True)
    for _ in range(5):
        with pytest.raises(StoreFailed, match="the disk is full; free some space"):
            store.commit([chain.message_batch(b"refused")])
    disk.fill(False)
    chain.resume(*before)
    store.commit([chain.message_batch(b"later")])
    assert texts(disk.open()) == [b"kept", b"later"]
    assert log_faults(disk.open()) == ()


def test_a_copy_holds_the_same_and_goes_its_own_way() -> None:
    disk = SqliteDisk()
    chain = Chain(1)
    disk.open().commit([chain.message_batch(b"both")])
    copy = disk.copy()
    store, other = disk.open(), copy.open()
    assert store.state_digest(COMMUNITY) == other.state_digest(COMMUNITY)
    store.commit([chain.message_batch(b"one alone")])
    assert (len(texts(store)), len(texts(other))) == (2, 1)
