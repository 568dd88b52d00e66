"""The contract of a store for the chunks of blobs, shown on each implementation."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from p2pvalue.store import ChunkDamaged, KeptChunk, SqliteStore, Store
from p2pvalue.store.migrations import STEPS
from p2pvalue.store.sqlite_connection import open_connection
from p2pvalue_protocol.chunks import chunk_hash
from p2pvalue_protocol.ids import tagged_hash
from tests.store.chains import COMMUNITY, Chain

OTHER = tagged_hash("test", b"other community")
PIECES = [bytes([number]) * (65_552 if number else 20) for number in range(4)]
CHUNKS = [(chunk_hash(sealed), sealed) for sealed in PIECES]
NAMES = [name for name, _ in CHUNKS]


def begun(store: Store) -> Store:
    """A store with two communities, and three chunks of one of them."""
    for community in (COMMUNITY, OTHER):
        store.commit([Chain(1, community=community).message_batch(b"hello")])
    store.chunks.put(COMMUNITY, CHUNKS[:2])
    store.chunks.put(COMMUNITY, CHUNKS[1:3])  # one comes again
    return store


def test_chunks_come_back_by_name_in_their_community_alone(store: Store) -> None:
    chunks = begun(store).chunks
    assert [chunks.read(COMMUNITY, name) for name in NAMES] == [*PIECES[:3], None]
    assert chunks.read(OTHER, NAMES[0]) is None
    assert chunks.here(COMMUNITY, NAMES) == set(NAMES[:3])
    assert chunks.here(OTHER, NAMES) == set()


def test_what_is_known_of_chunks_is_listed_as_they_came(store: Store) -> None:
    chunks = begun(store).chunks
    chunks.mark(COMMUNITY, NAMES[:2], 77)
    chunks.mark(COMMUNITY, NAMES[:1], 0)
    assert chunks.every(COMMUNITY) == [
        KeptChunk(NAMES[0], 20, 0, 1),
        KeptChunk(NAMES[1], 65_552, 77, 2),
        KeptChunk(NAMES[2], 65_552, 0, 3),
    ]
    chunks.put(OTHER, CHUNKS[:1])
    assert chunks.total_bytes() == 20 + 2 * 65_552 + 20


def test_what_is_removed_is_gone_and_the_rest_stays(store: Store) -> None:
    chunks = begun(store).chunks
    chunks.remove(COMMUNITY, [NAMES[1], NAMES[3]])
    assert [chunks.read(COMMUNITY, name) for name in NAMES] == [PIECES[0], None, PIECES[2], None]
    assert chunks.total_bytes() == 20 + 65_552


def test_chunks_go_with_their_community(store: Store) -> None:
    begun(store).chunks.put(OTHER, CHUNKS[3:])
    store.forget(COMMUNITY)
    assert store.chunks.every(COMMUNITY) == []
    assert store.chunks.read(OTHER, NAMES[3]) == PIECES[3]
    assert store.chunks.total_bytes() == 65_552


def test_views_made_anew_leave_the_chunks_alone(store: Store) -> None:
    begun(store).clear_views(COMMUNITY)
    assert len(store.chunks.every(COMMUNITY)) == 3


def test_a_community_that_is_not_stored_keeps_none(store: Store) -> None:
    store.chunks.put(COMMUNITY, CHUNKS)
    assert store.chunks.every(COMMUNITY) == []
    assert store.chunks.total_bytes() == 0


def test_a_damaged_chunk_is_told_and_never_handed_out(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = begun(SqliteStore(path, durability="kill"))
    store.close()
    connection = apsw.Connection(str(path))
    connection.execute("UPDATE chunk_bytes SET sealed = zeroblob(65552) WHERE number = 2")
    connection.close()
    store = SqliteStore(path, durability="kill")
    with pytest.raises(ChunkDamaged, match="check the disk"):
        store.chunks.read(COMMUNITY, NAMES[1])
    assert store.chunks.read(COMMUNITY, NAMES[2]) == PIECES[2]
    store.close()


def test_chunks_are_in_a_backup_and_no_text_of_them_is_on_the_disk(tmp_path: Path) -> None:
    store = begun(SqliteStore(tmp_path / "store.db", key=bytes(32)))
    for _ in store.backup(tmp_path / "copy.db", key=b"k" * 32):
        pass
    store.close()
    assert PIECES[2][:64] not in (tmp_path / "store.db").read_bytes()
    copy = SqliteStore(tmp_path / "copy.db", key=b"k" * 32)
    assert copy.chunks.read(COMMUNITY, NAMES[2]) == PIECES[2]
    copy.close()


def test_a_store_from_before_blobs_gets_their_tables(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    begun(SqliteStore(path, durability="kill")).close()
    connection = apsw.Connection(str(path))
    connection.execute("DROP TABLE chunks; DROP TABLE chunk_bytes; PRAGMA user_version = 2")
    connection.close()
    open_connection(path, "kill", steps=STEPS).close()
    store = SqliteStore(path, durability="kill")
    assert store.chunks.every(COMMUNITY) == []
    store.chunks.put(COMMUNITY, CHUNKS)
    assert store.chunks.here(COMMUNITY, NAMES) == set(NAMES)
    store.close()
