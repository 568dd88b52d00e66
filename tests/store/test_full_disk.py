"""A disk that fills up in the middle of long work: nothing is lost, and it goes on with room."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pvalue.store import SqliteStore, StoreFailed, fold_waiting
from p2pvalue.store.sqlite_connection import open_connection
from tests.protocol.replicas import founded
from tests.store.chains import COMMUNITY, Chain, log_faults
from tests.store.disks import Disk, disk_named
from tests.store.schema_to_come import STEPS_TO_COME, VERSION_TO_COME


@pytest.fixture
def disk() -> Iterator[Disk]:
    with disk_named("filling") as filling:
        yield filling


def test_making_the_views_anew_goes_on_where_the_disk_became_full(
    disk: Disk, tmp_path: Path, rng: random.Random
) -> None:
    store = SqliteStore(tmp_path / "store.db", vfs=disk.name)
    ana = founded("ana", lambda: store)
    for number in range(700):
        ana.say(f"message {number}")
    before = store.state_digest(ana.community)
    failures = 0
    for turn in range(10):
        store.clear_views(ana.community)
        disk.writes_left = rng.randrange(200) if turn else 0
        while store.state_digest(ana.community) != before:
            try:
                fold_waiting(store, ana.community)
            except StoreFailed as failure:
                failures += "the disk is full; free some space" in str(failure)
            disk.writes_left = None if rng.random() < 0.5 else rng.randrange(200)
        disk.writes_left = None
    assert failures > 0
    assert store.verify(deep=True).faults == ()
    store.close()


def test_a_disk_too_full_for_another_schema_keeps_the_old_one_until_there_is_room(
    disk: Disk, tmp_path: Path
) -> None:
    path, chain = tmp_path / "store.db", Chain(1)
    store = SqliteStore(path)
    for _ in range(300):
        store.commit([chain.message_batch(b"kept" * 50)])
    store.close()
    failures = 0
    while True:
        disk.writes_left = 4 * failures
        try:
            connection = open_connection(
                path,
                "power-cut",
                vfs=disk.name,
                schema_version=VERSION_TO_COME,
                steps=STEPS_TO_COME,
            )
            break
        except StoreFailed as failure:
            told = str(failure)
        failures += 1
        assert "cannot be opened: the disk is full; free some space" in told
        disk.writes_left = None
        store = SqliteStore(path)
        assert store.past(COMMUNITY).heads()[0].head.seq == 299
        assert log_faults(store) == ()
        store.close()
    disk.writes_left = None
    connection.close()
    assert failures > 3
    with pytest.raises(StoreFailed, match="newer p2pvalue"):
        SqliteStore(path)
