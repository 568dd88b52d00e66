"""How much room files of blobs may take on this disk, and what goes when there is none.

First goes what no blob names: a month after it was last named, a day after its author removed it.
Then, where room is needed, files of others, the longest here first: they can be fetched again.
Our own files stay as long as they are to be seen, for they may be nowhere else.

What comes by itself never makes anything go, and of one author only so much as leaves as much free:
one fills half of the quota, two a third each, and whoever shares her first file finds room for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import Final

import trio

from p2pvalue import sizes
from p2pvalue.node.blobs.blob_states import Author, others_here, uses_of
from p2pvalue.store import Store
from p2pvalue_protocol.errors import LocalProtocolError

_DAY_MS: Final = 24 * 3_600 * 1_000
REMOVED_KEPT_MS: Final = _DAY_MS
UNNAMED_KEPT_MS: Final = 30 * _DAY_MS
PRESSED_KEPT_MS: Final = 3_600 * 1_000  # where room is needed; a file being added is named sooner


class BlobRoom:
    """The quota of one node."""

    def __init__(
        self,
        store: Store,
        quota_bytes: int,
        clock_ms: Callable[[], int],
        root: Callable[[bytes], bytes],
    ) -> None:
        self._store = store
        self.quota_bytes = quota_bytes
        self._clock_ms = clock_ms
        self._root = root
        self._taken: Counter[Author] = Counter()  # by others, in bytes

    @property
    def free_bytes(self) -> int:
        """How much may still come before something has to go."""
        return self.quota_bytes - self._store.chunks.total_bytes()

    def count(self, community: bytes) -> None:
        """Count anew what the files of each author take; two passes over a community's blobs."""
        self.forget(community)
        for lies_here in others_here(self._store, community, self._root(community)):
            self._taken[community, lies_here.author] += lies_here.size

    def forget(self, community: bytes) -> None:
        """Count nothing of a community that goes from this node."""
        for author in [author for author in self._taken if author[0] == community]:
            del self._taken[author]

    def took(self, author: Author, size: int) -> None:
        """Note that more of an author's files lies here."""
        self._taken[author] += size

    def leaves_others_room(self, author: Author, size: int, reserved: int, of_author: int) -> bool:
        """Return whether `size` bytes of an author may come by themselves.

        `reserved` bytes are to come already, `of_author` of them the author's.
        """
        left = self.free_bytes - reserved - size
        is_own = author[1] == self._root(author[0])
        return left >= (0 if is_own else self._taken[author] + of_author + size)

    async def collect(self, *, is_pressed: bool = False) -> None:
        """Remove what was named by no blob for long enough; a pass over all blobs.

        If room is needed, an hour is long enough: most of it was left by additions broken off.
        """
        now_ms = self._clock_ms()
        for community in self._store.communities():
            self._collect(community, now_ms, PRESSED_KEPT_MS if is_pressed else UNNAMED_KEPT_MS)
            self.count(community)
            await trio.lowlevel.checkpoint()

    def _collect(self, community: bytes, now_ms: int, kept_ms: int) -> None:
        chunks = self._store.chunks
        every = chunks.every(community)
        if not every:
            return
        uses = uses_of(self._store, community, self._root(community))
        again = [k.chunk for k in every if k.chunk in uses.named and k.unnamed_since]
        unnamed = [k for k in every if k.chunk not in uses.named]
        fresh = [k.chunk for k in unnamed if not k.unnamed_since]
        old = [
            k.chunk
            for k in unnamed
            if k.unnamed_since
            and now_ms - k.unnamed_since
            >= (min(REMOVED_KEPT_MS, kept_ms) if k.chunk in uses.removed else kept_ms)
        ]
        for marked, since in ((again, 0), (fresh, now_ms)):
            if marked:
                chunks.mark(community, marked, since)
        if old:
            chunks.remove(community, old)

    async def make(self, size: int, keep: Collection[bytes] = ()) -> None:
        """Make room for `size` bytes, but keep these chunks; LocalProtocolError if there is none.

        Then nothing of others' was removed.
        """
        if size <= self.free_bytes:
            return
        await self.collect(is_pressed=True)
        found = sorted(
            evictable
            for community in self._store.communities()
            for evictable in others_here(self._store, community, self._root(community))
            if not set(evictable.chunks).intersection(keep)
        )
        if size > self.free_bytes + sum(evictable.size for evictable in found):
            raise LocalProtocolError(self._told(size))
        for evictable in found:
            if size <= self.free_bytes:
                return
            self._store.chunks.remove(evictable.community, evictable.chunks)
            self._taken[evictable.community, evictable.author] -= evictable.size
            await trio.lowlevel.checkpoint()
        if size > self.free_bytes:  # something came meanwhile
            raise LocalProtocolError(self._told(size))

    def _told(self, size: int) -> str:
        own = sum(self._own_bytes(self._store.communities()))
        return (
            f"there is no room for {sizes.said(size)} of files: {sizes.said(self.quota_bytes)} are"
            f" allowed, and {sizes.said(own)} are taken by files that you share; remove one of"
            " them, or raise `quota_mb` under [blobs] in config.toml and start again"
        )

    def _own_bytes(self, communities: Iterable[bytes]) -> Iterable[int]:
        for community in communities:
            yield uses_of(self._store, community, self._root(community)).own_bytes
