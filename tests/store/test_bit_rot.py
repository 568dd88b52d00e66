"""A bit that flips on the disk is found before anybody is given what it spoilt, or misses it."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from p2pvalue.sim.virtual_disk import SqliteDisk
from p2pvalue.store import SqliteStore, StoreFailed
from tests.store.chains import COMMUNITY, Chain, texts

MESSAGES = 30
FLIPS = 150
DATABASE, JOURNAL = "store.db", "store.db-wal"
# Damage here looks like a commit that a power cut tore: the last, and the end of the one before.
UNSEEN = 2


def written_disk(*, is_closed: bool) -> SqliteDisk:
    """A disk that holds messages: in the journal after a kill, in the database after a close."""
    disk, chain = SqliteDisk(), Chain(1)
    store = disk.open()
    for number in range(MESSAGES):
        store.commit([chain.message_batch(b"message %d" % number)])
    if is_closed:
        store.close()
    disk.kill()
    return disk


def read(store: SqliteStore) -> tuple[list[bytes | None], list[bytes]]:
    """All that the store serves, as views and as operations."""
    operations = [row.op_id for row in store.operations_in_order(COMMUNITY)]
    return texts(store), operations


def flip(disk: SqliteDisk, name: str, rng: random.Random) -> None:
    data = disk.file(name).data
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


@pytest.mark.parametrize("is_closed", [False, True])
def test_what_is_served_is_what_was_written_or_a_sentence_with_a_next_step(
    is_closed: bool, rng: random.Random
) -> None:
    original = written_disk(is_closed=is_closed)
    assert original.copy().has(JOURNAL) is not is_closed
    right, operations = read(original.copy().open())
    assert len(right) == len(operations) == MESSAGES
    ends = Counter[str]()
    for _ in range(FLIPS):
        disk = original.copy()
        flip(disk, DATABASE if is_closed else JOURNAL, rng)
        try:
            store = disk.open()
            served, held = read(store)
        except StoreFailed as failure:
            ends["told"] += "is damaged" in str(failure) and "`p2pvalue restore`" in str(failure)
            continue
        ends["served"] += 1
        assert served == right[: len(served)]
        assert held == operations[: len(served)]
        assert len(served) >= MESSAGES - (0 if is_closed else UNSEEN)
        if is_closed:  # it hit what nobody has read yet
            assert store.verify(deep=False).faults != ()
    assert ends["told"] + ends["served"] == FLIPS
    assert ends["told"] > FLIPS / (10 if is_closed else 2)  # in a database much is read by nobody


def test_a_damaged_journal_is_left_as_it_is() -> None:
    disk = written_disk(is_closed=False)
    file = disk.file(JOURNAL)
    file.data[len(file.data) // 2] ^= 1
    before = bytes(file.data)
    for _ in range(2):
        with pytest.raises(StoreFailed, match=r"journal beside it \(store.db-wal\) is damaged"):
            disk.open()
    disk.kill()
    assert disk.has(JOURNAL)
    assert bytes(disk.file(JOURNAL).data) == before


@pytest.mark.parametrize("place", range(0, 32, 3))
def test_a_bit_in_the_head_of_the_journal_is_told_too(place: int) -> None:
    disk = written_disk(is_closed=False)
    disk.file(JOURNAL).data[place] ^= 4
    with pytest.raises(StoreFailed, match="is damaged"):
        disk.open()


def test_a_bit_that_flips_under_an_open_store_is_not_served(rng: random.Random) -> None:
    told = 0
    for _ in range(20):
        disk, chain = SqliteDisk(), Chain(1)
        store = disk.open()
        long = rng.randbytes(3_000)
        for _ in range(MESSAGES):
            store.commit([chain.message_batch(long)])
        disk.kill()
        store = disk.open()
        for name in (DATABASE, JOURNAL):
            for _ in range(20):
                flip(disk, name, rng)
        try:
            assert texts(store) == [long] * MESSAGES
        except StoreFailed as failure:
            told += "is damaged" in str(failure)
    assert told > 10


def test_a_bit_that_the_disk_flips_is_never_missed(rng: random.Random) -> None:
    told = 0
    for _ in range(60):
        disk = written_disk(is_closed=rng.random() < 0.5)
        assert disk.flip_bit(rng)
        try:
            store = disk.open()
            assert len(texts(store)) == MESSAGES  # or it hit a page that the journal holds anew
            told += store.verify(deep=False).faults != ()
        except StoreFailed as failure:
            told += "is damaged" in str(failure)
    assert told > 40
    assert not SqliteDisk().flip_bit(rng)
