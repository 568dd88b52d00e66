"""The blobs that a community shows, as the store has them folded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from p2pvalue.node.references import every_state, full_id, resolve
from p2pvalue.store import KeptChunk, Store
from p2pvalue_protocol.kinds import blob, decode_state
from p2pvalue_protocol.past import StateRow

BlobKey = tuple[bytes, bytes]  # community, blob
Author = tuple[bytes, bytes]  # community, root


def state_of(row: StateRow) -> blob.BlobState:
    """Return the blob that a row holds."""
    state = decode_state(row.kind, row.state)
    assert isinstance(state, blob.BlobState)
    return state


def every_blob(store: Store, community: bytes) -> Iterator[tuple[StateRow, blob.BlobState]]:
    """Yield the blobs of a community, removed ones too; up to 33 KB each is read."""
    for row in every_state(store, community, blob.NUMBER):
        yield row, state_of(row)


def blob_at(store: Store, key: BlobKey) -> blob.BlobState | None:
    """Return a blob that is to be seen: one that is there and was not removed."""
    row = store.state(*key)
    if row is None or row.kind != blob.NUMBER:
        return None
    state = state_of(row)
    return None if state.removed else state


def resolve_blob(store: Store, community: bytes, reference: str) -> bytes:
    """Return the id of the file meant, by its name or id, `blob:` before it or not; or NotFound."""
    digits = reference.removeprefix("blob:")
    whole = full_id(digits, 16)
    if whole is not None and blob_at(store, (community, whole)):
        return whole
    rows = every_blob(store, community)
    seen = ((row.subject, state.name) for row, state in rows if not state.removed)
    return resolve(digits, seen, "file")


class Uses(NamedTuple):
    """What the chunks of one community are kept for."""

    named: frozenset[bytes]  # by a blob that is to be seen
    removed: frozenset[bytes]  # by none but those that their authors removed
    own_bytes: int  # sealed, of our member's blobs that are to be seen


def uses_of(store: Store, community: bytes, own_root: bytes) -> Uses:
    """Return what the chunks of a community are kept for; reads all its blobs once."""
    named: set[bytes] = set()
    removed: set[bytes] = set()
    own: set[bytes] = set()
    for _, state in every_blob(store, community):
        hashes = state.hashes()
        (removed if state.removed else named).update(hashes)
        if not state.removed and state.author == own_root:
            own.update(hashes)
    kept = {known.chunk: known.size for known in store.chunks.every(community)}
    own_bytes = sum(kept.get(chunk, 0) for chunk in own)
    return Uses(frozenset(named), frozenset(removed - named), own_bytes)


class Evictable(NamedTuple):
    """A blob of somebody else that can be fetched again, and what lies here of it."""

    came: int  # greater than of those that came before it
    community: bytes
    chunks: tuple[bytes, ...]
    size: int  # sealed, in bytes
    author: bytes


def others_here(store: Store, community: bytes, own_root: bytes) -> Iterator[Evictable]:
    """Yield what lies here of blobs by others, each chunk once, and none that ours name too.

    Who has read our blobs knows their hashes, and may name them in as many of her own.
    """
    kept: dict[bytes, KeptChunk] = {k.chunk: k for k in store.chunks.every(community)}
    for _, state in every_blob(store, community):
        if state.author == own_root and not state.removed:
            for chunk in state.hashes():
                kept.pop(chunk, None)
    for _, state in every_blob(store, community):
        named = dict.fromkeys(state.hashes()) if state.author != own_root else ()
        found = [kept.pop(chunk) for chunk in named if chunk in kept]
        if found:
            chunks = tuple(known.chunk for known in found)
            size = sum(known.size for known in found)
            came = max(known.number for known in found)
            yield Evictable(came, community, chunks, size, state.author)
