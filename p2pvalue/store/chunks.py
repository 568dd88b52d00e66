"""What a store promises of the chunks of blobs, and its implementation in memory.

Chunks are named by their hash and sealed before they come here. They are no part of what is folded
or compared: any may be missing, and is then fetched again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from p2pvalue.store.interface import StoreFailed
from p2pvalue_protocol.chunks import chunk_hash


class ChunkDamaged(StoreFailed):
    """A chunk that is stored no longer has the hash that is its name."""


class KeptChunk(NamedTuple):
    """What is known of a stored chunk without reading it."""

    chunk: bytes
    size: int  # sealed, in bytes
    unnamed_since: int  # ms of our clock; 0: a blob names it, as far as anybody looked
    number: int  # greater than those of chunks that came before it


class ChunkStore(Protocol):
    """The chunks of all communities of one node."""

    def put(self, community: bytes, chunks: Sequence[tuple[bytes, bytes]]) -> None:
        """Keep (hash, sealed chunk) pairs in one transaction, durable on return; StoreFailed.

        Those that are here already stay as they are; of a community that is not stored none is
        kept.
        """
        ...

    def read(self, community: bytes, chunk: bytes) -> bytes | None:
        """Return a sealed chunk, None if it is not here; raises ChunkDamaged, or StoreFailed."""
        ...

    def here(self, community: bytes, chunks: Iterable[bytes]) -> set[bytes]:
        """Return those of some chunks that are here; one seek for each."""
        ...

    def every(self, community: bytes) -> list[KeptChunk]:
        """Return what is known of all chunks of a community, as they came; reads none of them."""
        ...

    def total_bytes(self) -> int:
        """Return the size of all chunks of all communities; one pass over their list."""
        ...

    def mark(self, community: bytes, chunks: Iterable[bytes], unnamed_since: int) -> None:
        """Note since when no blob names some chunks; 0: one does."""
        ...

    def remove(self, community: bytes, chunks: Iterable[bytes]) -> None:
        """Forget some chunks; their room is used again."""
        ...


def sound(chunk: bytes, sealed: bytes | None) -> bytes | None:
    """Return what was read of a chunk; raises ChunkDamaged if its hash is another."""
    if sealed is not None and chunk_hash(sealed) != chunk:
        raise ChunkDamaged(
            f"chunk {chunk.hex()[:12]} is damaged on this disk: check the disk;"
            " the chunk is fetched again from whoever has it"
        )
    return sealed


class MemoryChunks:
    """Keeps `ChunkStore` in a dictionary."""

    def __init__(self, is_stored: Callable[[bytes], bool]) -> None:
        self._is_stored = is_stored
        self._kept: dict[tuple[bytes, bytes], tuple[KeptChunk, bytes]] = {}
        self._number = 0

    def put(self, community: bytes, chunks: Sequence[tuple[bytes, bytes]]) -> None:
        """Keep (hash, sealed chunk) pairs."""
        for chunk, sealed in chunks:
            if self._is_stored(community) and (community, chunk) not in self._kept:
                self._number += 1
                kept = KeptChunk(chunk, len(sealed), 0, self._number)
                self._kept[community, chunk] = (kept, sealed)

    def read(self, community: bytes, chunk: bytes) -> bytes | None:
        """Return a sealed chunk, None if it is not here; raises ChunkDamaged."""
        found = self._kept.get((community, chunk))
        return None if found is None else sound(chunk, found[1])

    def here(self, community: bytes, chunks: Iterable[bytes]) -> set[bytes]:
        """Return those of some chunks that are here."""
        return {chunk for chunk in chunks if (community, chunk) in self._kept}

    def every(self, community: bytes) -> list[KeptChunk]:
        """Return what is known of all chunks of a community, as they came."""
        return [kept for (of, _), (kept, _) in self._kept.items() if of == community]

    def total_bytes(self) -> int:
        """Return the size of all chunks of all communities."""
        return sum(kept.size for kept, _ in self._kept.values())

    def mark(self, community: bytes, chunks: Iterable[bytes], unnamed_since: int) -> None:
        """Note since when no blob names some chunks."""
        for chunk in chunks:
            if found := self._kept.get((community, chunk)):
                kept = found[0]._replace(unnamed_since=unnamed_since)
                self._kept[community, chunk] = (kept, found[1])

    def remove(self, community: bytes, chunks: Iterable[bytes]) -> None:
        """Forget some chunks."""
        for chunk in chunks:
            self._kept.pop((community, chunk), None)
