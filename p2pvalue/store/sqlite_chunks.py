"""The chunks of blobs in the node's database: their names in one small table, their bytes beside.

So whoever counts them, or looks for one, reads no page of the bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager

import apsw

from p2pvalue.store.chunks import KeptChunk, sound
from p2pvalue.store.sqlite_connection import failures_explained
from p2pvalue.store.sqlite_names import Names

_WHICH = "WHERE community = ? AND chunk = ?"


class SqliteChunks:
    """Keeps `ChunkStore` in the tables `chunks` and `chunk_bytes`."""

    def __init__(
        self,
        connection: apsw.Connection,
        names: Names,
        transaction: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._connection = connection
        self._names = names
        self._transaction = transaction

    def put(self, community: bytes, chunks: Sequence[tuple[bytes, bytes]]) -> None:
        """Keep (hash, sealed chunk) pairs in one transaction, durable on return."""
        with failures_explained("the chunks were not stored"), self._transaction():
            number = self._names.community(community)
            for chunk, sealed in chunks:
                if number and self._place(number, chunk) is None:
                    insert = "INSERT INTO chunk_bytes (sealed) VALUES (?)"
                    self._connection.execute(insert, (sealed,))
                    row = (number, chunk, len(sealed), self._connection.last_insert_rowid())
                    insert = "INSERT INTO chunks (community, chunk, size, number) VALUES (?,?,?,?)"
                    self._connection.execute(insert, row)

    def _place(self, community: int, chunk: bytes) -> int | None:
        sql = f"SELECT number FROM chunks {_WHICH}"
        found = self._connection.execute(sql, (community, chunk)).get
        return None if found is None else int(found)

    def read(self, community: bytes, chunk: bytes) -> bytes | None:
        """Return a sealed chunk, None if it is not here; raises ChunkDamaged, or StoreFailed."""
        sql = f"SELECT sealed FROM chunk_bytes WHERE number = (SELECT number FROM chunks {_WHICH})"
        with failures_explained("a chunk cannot be read"):
            which = (self._names.community(community), chunk)
            sealed = self._connection.execute(sql, which).get
        return sound(chunk, None if sealed is None else bytes(sealed))

    def here(self, community: bytes, chunks: Iterable[bytes]) -> set[bytes]:
        """Return those of some chunks that are here; one seek for each."""
        with failures_explained("the chunks cannot be looked up"):
            number = self._names.community(community)
            return {chunk for chunk in chunks if self._place(number, chunk) is not None}

    def every(self, community: bytes) -> list[KeptChunk]:
        """Return what is known of all chunks of a community, as they came; reads none of them."""
        sql = (
            "SELECT chunk, size, unnamed_since, number FROM chunks "
            "WHERE community = ? ORDER BY number"
        )
        with failures_explained("the chunks cannot be listed"):
            which = (self._names.community(community),)
            return [KeptChunk(*row) for row in self._connection.execute(sql, which)]

    def total_bytes(self) -> int:
        """Return the size of all chunks of all communities; one pass over their list."""
        with failures_explained("the chunks cannot be counted"):
            return int(self._connection.execute("SELECT coalesce(sum(size), 0) FROM chunks").get)

    def mark(self, community: bytes, chunks: Iterable[bytes], unnamed_since: int) -> None:
        """Note since when no blob names some chunks."""
        with failures_explained("the chunks were not marked"), self._transaction():
            number = self._names.community(community)
            rows = ((unnamed_since, number, chunk) for chunk in chunks)
            self._connection.executemany(f"UPDATE chunks SET unnamed_since = ? {_WHICH}", rows)

    def remove(self, community: bytes, chunks: Iterable[bytes]) -> None:
        """Forget some chunks; their room is used again."""
        with failures_explained("the chunks were not removed"), self._transaction():
            number = self._names.community(community)
            for chunk in chunks:
                place = self._place(number, chunk)
                self._connection.execute("DELETE FROM chunk_bytes WHERE number = ?", (place,))
                self._connection.execute(f"DELETE FROM chunks {_WHICH}", (number, chunk))
