"""The chunks of blobs on this node: gives peers what they ask for, fetches what is wanted here.

Files of up to 1 MiB are fetched by themselves, as long as there is room without removing anything;
larger ones when somebody asks for them. What came is kept, so a fetch that ends, however it ends,
goes on from there the next time. One that nobody waits for ends when nobody in touch has a piece.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import trio

from p2pvalue.node.blobs.blob_room import BlobRoom
from p2pvalue.node.blobs.blob_states import Author, BlobKey, blob_at, every_blob
from p2pvalue.node.blobs.fetch_turns import FetchTurns
from p2pvalue.node.blobs.fetches import Fetch, Fetches
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
        self._turns = FetchTurns()
        self._changed: dict[BlobKey, None] = {}  # to be looked at
        self._nowhere: list[e.ChunkNowhere] = []
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

    def nowhere(self, nowhere: e.ChunkNowhere) -> None:
        """Let others have their turn: no peer in touch has this chunk."""
        self._nowhere.append(nowhere)
        self._has_small.set()

    def met(self, ready: e.Ready) -> None:
        """Seek again what nobody had: here is somebody new."""
        self._turns.met(ready.community)
        self._has_small.set()

    def changed(self, changed: e.Changed) -> None:
        """Look at the blobs that came or went."""
        for change in changed.changes:
            if change.kind == blob.NUMBER:
                self._look_at((changed.community, change.subject))

    def _look_at(self, key: BlobKey) -> None:
        self._changed[key] = None
        self._has_small.set()

    def forget(self, community: bytes) -> None:
        """Fetch nothing more of a community that goes from this node."""
        for key in [key for key in self._changed if key[0] == community]:
            del self._changed[key]
        self._turns.forget(community)
        self.room.forget(community)
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
            sought = self._fetches.wanted(community)
            for came in own:
                for author in self._fetches.authors_of(community, came.chunk):
                    self.room.took(author, len(came.sealed))
                for key in self._fetches.came(community, came.chunk, came.peer_id):
                    self._completed(key)
            if not set(sought).issuperset(self._fetches.wanted(community)):
                self._tell(community)

    def _completed(self, key: BlobKey) -> None:
        self._turns.came(self._fetches.end(key).author)
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
                self.room.count(community)
                for row, state in every_blob(self._store, community):
                    self._enqueue((community, row.subject), state, is_new=False)
            await trio.lowlevel.checkpoint()
        while True:
            self._has_small = trio.Event()
            self._end_what_is_in_vain()
            with suppress(StoreFailed):
                self._look_at_changed()
                await self._begin_small()
            with trio.move_on_after(_LOOK_EVERY_S):
                await self._has_small.wait()

    def _end_what_is_in_vain(self) -> None:
        nowhere, self._nowhere = self._nowhere, []
        ending = self._fetches.stuck(trio.current_time() - STUCK_S)
        for told in nowhere:
            ending += self._fetches.seeking(told.community, told.chunk)
        for key in dict.fromkeys(ending):
            fetch = self._fetches.end(key)
            self._turns.in_vain(fetch.author, key, trio.current_time())
        for community in {key[0] for key in ending}:
            self._tell(community)

    def _look_at_changed(self) -> None:
        """Let what came have its turn, and end what is gone."""
        while self._changed:
            key = next(iter(self._changed))
            state = blob_at(self._store, key)
            del self._changed[key]
            if state is not None:
                self._enqueue(key, state, is_new=True)
            elif self._fetches.get(key) is not None:
                self._fetches.end(key, "it was removed meanwhile")
                self._tell(key[0])

    def _enqueue(self, key: BlobKey, state: blob.BlobState, *, is_new: bool) -> None:
        is_wanted = state.size <= SMALL_BYTES_MAX and not state.removed
        if is_wanted and self._fetches.get(key) is None:
            self._turns.add((key[0], state.author), key, is_new=is_new)

    async def _begin_small(self) -> None:
        touched: set[bytes] = set()
        while author := self._turns.whose(self._fetches.by_itself(), trio.current_time()):
            if not self._make_way(author):
                break
            key = self._turns.take(author, trio.current_time())
            state = blob_at(self._store, key)
            if state is None or self._fetches.get(key) is not None:
                continue
            fetch = self._new_fetch(key, state)
            if fetch.missing and self._has_room(fetch):
                self._fetches.add(key, fetch)
                touched.add(key[0])
            elif fetch.missing:
                self._turns.add(author, key, is_new=False)
                self._turns.wait(author, trio.current_time())
            await trio.lowlevel.checkpoint()  # looking at all that is here may take long
        for community in touched:
            self._tell(community)

    def _make_way(self, author: Author) -> bool:
        """Return whether there is a place for a blob of an author, made by who has more of them."""
        running = self._fetches.by_itself()
        if running.total() < BY_ITSELF_MAX:
            return True
        [(most, count)] = running.most_common(1)
        if count <= running[author] + 1:
            return False
        key = self._fetches.last_of(most)
        self._fetches.end(key)
        self._turns.add(most, key, is_new=False)
        return True

    def _has_room(self, fetch: Fetch) -> bool:
        return self.room.leaves_others_room(
            fetch.author,
            len(fetch.missing) * SEALED_BYTES_MAX,
            self._reserved_bytes(),
            self._reserved_bytes(fetch.author),
        )

    def _new_fetch(self, key: BlobKey, state: blob.BlobState) -> Fetch:
        chunks = list(dict.fromkeys(state.hashes()))
        here = self._store.chunks.here(key[0], chunks)
        author = key[0], state.author
        return Fetch(author, chunks, [chunk for chunk in chunks if chunk not in here])

    def _reserved_bytes(self, author: Author | None = None) -> int:
        return self._fetches.missing_count(author) * SEALED_BYTES_MAX

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
