"""The chunks of blobs on this node: gives peers what they ask for, fetches what is wanted here.

Files of up to 1 MiB are fetched by themselves, as long as there is room without removing anything;
larger ones when somebody asks for them. What came is kept, so a fetch that ends, however it ends,
goes on from there the next time.
"""

from __future__ import annotations

import logging
import math
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import trio

from p2pvalue.node.blob_room import BlobRoom
from p2pvalue.node.blob_states import BlobKey, blob_at, every_blob
from p2pvalue.node.fetches import Fetch, Fetches
from p2pvalue.store import ChunkDamaged, StoreFailed
from p2pvalue.types import EventView
from p2pvalue_protocol import effects as e
from p2pvalue_protocol import inputs as i
from p2pvalue_protocol.chunks import SEALED_BYTES_MAX
from p2pvalue_protocol.errors import LocalProtocolError, NotFound
from p2pvalue_protocol.kinds import blob
from p2pvalue_protocol.limits import CHUNK_BYTES_MAX

if TYPE_CHECKING:
    from p2pvalue.node.node import Node

log = logging.getLogger(__name__)

SMALL_BYTES_MAX: Final = 1024 * 1024
BY_ITSELF_MAX: Final = 64  # blobs fetched by themselves at a time
STUCK_S: Final = 120.0  # without a chunk, after which another has its turn
_LOOK_EVERY_S: Final = 60.0
_COLLECT_EVERY_S: Final = 3_600.0
_WRITTEN_AT_ONCE: Final = 16  # a mebibyte: one flush of the disk for all
_WRITE_AFTER_S: Final = 0.05

Progress = Callable[[int, int], None]


class ChunkKeeper:
    """All chunks of one node; its store has them."""

    def __init__(self, node: Node, quota_bytes: int) -> None:
        self._node = node
        self._store = node.store
        self.room = BlobRoom(node.store, quota_bytes, node.clock_ms, node.root)
        self._fetches = Fetches()
        self._small: OrderedDict[BlobKey, None] = OrderedDict()  # to be looked at, in turn
        self._brought: list[e.ChunkBrought] = []
        self._has_brought, self._has_many, self._has_small = (trio.Event() for _ in range(3))
        self._asked, self._to_answer = trio.open_memory_channel[e.ChunkAsked](math.inf)

    # --- from the core: noted here, done in a task

    def asked(self, asked: e.ChunkAsked) -> None:
        """Read a chunk for a peer; the core asks for one at a time for each session."""
        self._asked.send_nowait(asked)

    def brought(self, brought: e.ChunkBrought) -> None:
        """Keep a chunk that a peer brought."""
        self._brought.append(brought)
        self._has_brought.set()
        if len(self._brought) >= _WRITTEN_AT_ONCE:
            self._has_many.set()

    def changed(self, changed: e.Changed) -> None:
        """Look at the blobs that came or went."""
        for change in changed.changes:
            if change.kind == blob.NUMBER:
                self._look_at((changed.community, change.subject))

    def _look_at(self, key: BlobKey) -> None:
        self._small[key] = None
        self._has_small.set()

    def forget(self, community: bytes) -> None:
        """Fetch nothing more of a community that goes from this node."""
        for key in [key for key in self._small if key[0] == community]:
            del self._small[key]
        self._fetches.end_all(community, "the community is on this node no more")
        self._tell(community)

    # --- running

    async def run(self) -> None:
        """Serve peers and fetch what is missing until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._keep)
            nursery.start_soon(self._fetch_by_itself)
            nursery.start_soon(self._collect)
            async for asked in self._to_answer:
                nursery.start_soon(self._answer, asked)

    async def _collect(self) -> None:
        while True:
            with suppress(StoreFailed):  # told by what else fails
                await self.room.collect()
            await trio.sleep(_COLLECT_EVERY_S)

    # --- giving

    async def _answer(self, asked: e.ChunkAsked) -> None:
        await self._node.links.drained(asked.session)
        with suppress(StoreFailed):
            sealed = self.read(asked.community, asked.chunk)
            self._node.handle(i.ChunkRead(asked.session, sealed or b""))

    def read(self, community: bytes, chunk: bytes) -> bytes | None:
        """Return a sealed chunk that is here; a damaged one is told, removed, and fetched again."""
        try:
            return self._store.chunks.read(community, chunk)
        except ChunkDamaged as damage:
            log.error("%s", damage)
            self._store.chunks.remove(community, [chunk])
            for row, state in every_blob(self._store, community):
                if chunk in state.hashes():
                    self._look_at((community, row.subject))
            return None

    # --- keeping what came

    async def _keep(self) -> None:
        while True:
            await self._has_brought.wait()
            with trio.move_on_after(_WRITE_AFTER_S):
                await self._has_many.wait()
            self._has_brought, self._has_many = trio.Event(), trio.Event()
            brought, self._brought = self._brought, []
            self._write(brought)

    def _write(self, brought: list[e.ChunkBrought]) -> None:
        for community in dict.fromkeys(came.community for came in brought):
            own = [came for came in brought if came.community == community]
            try:
                self._store.chunks.put(community, [(came.chunk, came.sealed) for came in own])
            except StoreFailed as failure:
                log.error("%s", failure)
                self._fetches.end_all(community, str(failure))
                self._tell(community)
                continue
            for came in own:
                for key in self._fetches.came(community, came.chunk, came.peer_id):
                    self._completed(key)

    def _completed(self, key: BlobKey) -> None:
        self._fetches.end(key)
        self._has_small.set()  # others have their turn
        self._node.hub.publish(
            EventView(
                event="blob",
                community=key[0].hex(),
                subject=key[1].hex(),
                time=self._node.clock_ms(),
                data={"state": "here"},
            )
        )

    # --- fetching

    def _tell(self, community: bytes) -> None:
        with suppress(StoreFailed):
            self._node.handle(i.Fetch(community, self._fetches.wanted(community)))

    async def _fetch_by_itself(self) -> None:
        for community in self._node.machine.communities():
            with suppress(StoreFailed):  # told by what else fails
                for row, _ in every_blob(self._store, community):
                    self._small[community, row.subject] = None
            await trio.lowlevel.checkpoint()
        while True:
            self._has_small = trio.Event()
            for key in self._fetches.stuck(trio.current_time() - STUCK_S):
                self._fetches.end(key)
                self._small[key] = None
                self._tell(key[0])
            with suppress(StoreFailed):
                self._begin_small()
            with trio.move_on_after(_LOOK_EVERY_S):
                await self._has_small.wait()

    def _begin_small(self) -> None:
        free_bytes = self.room.free_bytes - self._reserved_bytes()
        touched: set[bytes] = set()
        without_room: list[BlobKey] = []
        while self._small and len(self._fetches) < BY_ITSELF_MAX:
            key, _ = self._small.popitem(last=False)
            state = blob_at(self._store, key)
            if state is None and self._fetches.get(key) is not None:
                self._fetches.end(key, "it was removed meanwhile")
                touched.add(key[0])
            if state is None or state.size > SMALL_BYTES_MAX or self._fetches.get(key) is not None:
                continue
            fetch = self._new_fetch(key, state)
            if len(fetch.missing) * SEALED_BYTES_MAX > free_bytes:
                without_room.append(key)
            elif fetch.missing:
                free_bytes -= len(fetch.missing) * SEALED_BYTES_MAX
                self._fetches.add(key, fetch)
                touched.add(key[0])
        self._small.update(dict.fromkeys(without_room))
        for community in touched:
            self._tell(community)

    def _new_fetch(self, key: BlobKey, state: blob.BlobState) -> Fetch:
        chunks = list(dict.fromkeys(state.hashes()))
        here = self._store.chunks.here(key[0], chunks)
        return Fetch(chunks, [chunk for chunk in chunks if chunk not in here])

    def _reserved_bytes(self) -> int:
        return self._fetches.missing_count() * SEALED_BYTES_MAX

    async def fetch(
        self, key: BlobKey, state: blob.BlobState, progress: Progress, wait_s: float
    ) -> int:
        """Bring all chunks of a blob here; return how many peers brought some.

        `progress` is told bytes here and bytes in all. Raises LocalProtocolError, with what to do,
        if there is no room, or if for `wait_s` nobody in touch had any of what is missing.
        """
        fetch = self._fetches.get(key) or self._new_fetch(key, state)
        if fetch.missing and self._fetches.get(key) is None:
            size = len(fetch.missing) * SEALED_BYTES_MAX + self._reserved_bytes()
            await self.room.make(size, {*self._fetches.chunks_in_use(), *fetch.chunks})
            fetch = self._fetches.get(key) or self._new_fetch(key, state)
            self._fetches.add(key, fetch)
        fetch.users += 1
        try:
            self._tell(key[0])
            await self._wait_for(fetch, state, progress, wait_s)
        finally:
            fetch.users -= 1
            if not fetch.users and self._fetches.get(key) is fetch:
                self._fetches.end(key)
                self._look_at(key)
                self._tell(key[0])
        return len(fetch.peers)

    async def _wait_for(
        self, fetch: Fetch, state: blob.BlobState, progress: Progress, wait_s: float
    ) -> None:
        while fetch.missing:
            if fetch.failure:
                raise NotFound(f"{state.name} cannot be fetched: {fetch.failure}")
            progress(min(state.size, fetch.done * CHUNK_BYTES_MAX), state.size)
            with trio.move_on_after(wait_s) as waiting:
                await fetch.changed.wait()
            if waiting.cancelled_caught:
                raise LocalProtocolError(
                    f"{fetch.done} of {len(fetch.chunks)} pieces of {state.name} are here, and for "
                    f"{wait_s:.0f} s nobody in touch had any of the rest: ask again when others "
                    "are connected, it goes on from there"
                )
        progress(state.size, state.size)
