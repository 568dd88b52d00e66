"""A document's text as the operations held here make it, kept up to date.

The store numbers updates as they arrive; a `DocumentReplica` has taken in all up to one number, and
those of ours that it wrote since. It starts from a snapshot where there is one. Which updates count
is decided before the text library sees a byte (`document_facts`); one that makes the library fail
all the same, or twice ends the process that holds the text, is skipped here, also after a restart.

When an update is hidden or shown again, or what was written is called otherwise from now on (after
a fork), the text is made anew. Whatever counted positions in it begins anew too: see `generation`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from enum import IntEnum
from typing import Final, NamedTuple

import trio

from p2pvalue.node.documents.document_facts import DocumentFacts, Judged, OwnUpdate, stored_id
from p2pvalue.node.documents.kept_document import KeptDocument, kept_document, weight_of
from p2pvalue.node.documents.readable import readable, unreadable
from p2pvalue.node.documents.set_aside import written_of
from p2pvalue.node.documents.suspects import Suspects
from p2pvalue.node.pace import Pace
from p2pvalue.store import Entry, Store, StoreFailed
from p2pvalue.texts.broken import TextBroken, WorkerLost
from p2pvalue.texts.edits import Edit
from p2pvalue.texts.remote import RemoteDocument, Texts
from p2pvalue_protocol.documents.clients import client_of
from p2pvalue_protocol.ids import CONTENT
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds import document
from p2pvalue_protocol.replica import Replica

SNAPSHOT_EVERY: Final = 1_000
SNAPSHOT_AT_CLOSE: Final = 64  # less than this is replayed in a millisecond or two
PAGE: Final = 200  # what a read of the store takes, nobody else has
_OWN_UNREAD_MAX: Final = 1_000
_STARTS_MAX: Final = 16


class DocumentPlace(NamedTuple):
    """Which document, as whose device, and where what is held of it is."""

    store: Store
    community: bytes
    subject: bytes
    shape: str
    device: bytes
    copy: Callable[[], Replica]

    def updates_since(self, arrival: int) -> list[Entry]:
        """Return a page of the updates that came after `arrival`, hidden ones too."""
        kind = document.UPDATE_NUMBER
        return self.store.entries_since(
            self.community, self.subject, kind, arrival, limit=PAGE, hidden=True
        )


class _MadeAnew(Exception):
    """What was applied does not fit what is to be applied: the text must be made anew."""


class _Start(IntEnum):
    """How to begin again; of two ways wanted the higher counts."""

    NONE = 0
    KEPT = 1  # from the snapshot
    ANEW = 2
    AT_ONCE = 3  # anew, and apply nothing before all is judged


class DocumentReplica:
    """The text of one document, and the verdicts that it rests on; use under a lock."""

    def __init__(self, place: DocumentPlace, texts: Texts) -> None:
        """Begin without anything; call `catch_up` before anything else."""
        self.place = place
        self.session = 0
        self.generation = 0
        self.on_applied: Callable[[list[bytes]], None] = lambda updates: None
        self.facts = self.new_facts()
        self.shared: RemoteDocument | None = None
        self.texts = texts
        self.suspects = Suspects()
        self._start = _Start.KEPT
        self._forget_all(is_at_once=False)

    def _forget_all(self, *, is_at_once: bool) -> None:
        self._is_at_once = is_at_once
        self._has_applied = False
        self._own_unread: set[bytes] = set()  # written by us, not read from the store yet
        self._reported = 1  # since the store was read; as if something were
        self._arrival = self._since_snapshot = self._renamings = 0

    async def _begin(self) -> None:
        """Begin again, if need be."""
        if self.shared is not None and self.shared.is_lost:
            self._start_again(_Start.KEPT)
            self.generation += 1
        if self._start is _Start.NONE:
            return
        self.close()
        start, self._start = self._start, _Start.NONE
        self._forget_all(is_at_once=start is _Start.AT_ONCE)
        if start is not _Start.KEPT or not await self._begin_with_kept():
            self.facts = self.new_facts()
            self.shared = await self._open(None)

    async def _open(self, encoded: bytes | None) -> RemoteDocument:
        texts = self.texts.apart() if self.suspects.have_done_harm else self.texts
        client = client_of(self.place.device, self.place.subject, self.session)
        return await texts.open(self.place.shape, client, encoded)

    async def _begin_with_kept(self) -> bool:
        place = self.place
        kept = place.store.snapshot(place.community, place.subject)
        if kept is None:
            return False
        try:
            snapshot = kept_document(kept.data)
            self.suspects.add(snapshot.broken)
            self.facts = self.new_facts()
            await Pace().finish(self.facts.loading(snapshot.facts))
            self.shared = await self._open(snapshot.text)
        except ValueError:
            return False  # it is only a cache
        except TextBroken as error:
            self.suspects.blame([], error)
            return False
        self._renamings = self.facts.renamings
        self._arrival = kept.covers
        self._has_applied = True
        return True

    def _start_again(self, start: _Start) -> None:
        self._start = max(self._start, start)

    def close(self) -> None:
        """Let go of the text; `catch_up` brings it back."""
        if self.shared is not None:
            self.shared.close()
            self.shared = None
            self.facts.close()
            self.facts = self.new_facts()
            self._start_again(_Start.KEPT)

    def new_facts(self) -> DocumentFacts:
        """Return facts of this document without updates."""
        store, community = self.place.store, self.place.community
        return DocumentFacts(
            self.place.subject,
            self.place.shape,
            lambda log: store.base(community, log),
            lambda log, seq: stored_id(store, community, log, seq),
        )

    # --- reading

    @property
    def document(self) -> RemoteDocument:
        """The document as of the last `catch_up`."""
        assert self.shared is not None, "catch_up comes first"
        return self.shared

    async def text(self) -> str:
        """Return the text as of the last `catch_up`."""
        with self.readable():
            return await self.document.text()

    @property
    def version(self) -> str:
        """The name of the set of updates that the text is made of."""
        return self.facts.version

    @property
    def size(self) -> int:
        """About how many bytes of memory this takes."""
        return 20_000 + 8 * sum(self.facts.clocks.values()) + self.facts.size

    def report(self) -> None:
        """Note that an update has become visible, ours among them."""
        self._reported += 1

    def void(self) -> None:
        """Note that an update was hidden, or shown again, among those taken in."""
        self._start_again(_Start.ANEW)
        self.generation += 1

    async def go_to(self, version: str) -> bool:
        """Take in updates until they are the set `version`; False if they never were. O(n)."""
        if await self.catch_up(until=version):
            return True
        self._start_again(_Start.ANEW)
        return await self.catch_up(until=version)

    async def catch_up(self, *, until: str | None = None) -> bool:
        """Take in all that is stored; return whether the set `until` was met, and stop there."""
        starts = 0
        while starts < _STARTS_MAX + 2 * len(self.suspects):  # who is found out brings it further
            is_met, starts = None, starts + 1
            try:
                await self._begin()
                is_met = await self._read_store(until)
            except WorkerLost:
                self.generation += 1  # what was in it is opened again
            except TextBroken:
                # Nothing is known about the text after a panic: make it anew, without the cause.
                self._start_again(_Start.ANEW)
            except _MadeAnew:
                self._start_again(_Start.AT_ONCE)
                self.generation += 1
            finally:
                if is_met is None:  # perhaps cancelled: judged may be what is not applied
                    self._start_again(_Start.KEPT)
            if is_met is not None and self._start is _Start.NONE:
                return is_met
        raise unreadable(self.place.subject, TextBroken("too many updates make the library fail"))

    @property
    def _is_behind(self) -> bool:
        """Whether the store may hold what is not taken in; what waits may have come unseen."""
        unread = len(self._own_unread)
        return self._reported > unread or unread >= _OWN_UNREAD_MAX or self.facts.is_waiting

    async def _read_store(self, until: str | None) -> bool:
        """Take in what came after the last entry read."""
        is_met = until == self.version
        is_complete = is_met or not self._is_behind
        judged: list[Judged] = []
        pace = Pace()
        while not is_complete:
            self._reported = 0
            page = self.place.updates_since(self._arrival)
            for entry in page:
                judged += await self._take(entry, pace)
                self._arrival = entry.arrival
                is_met = until is not None and until == self.version
                if is_met:
                    break
                await pace.rest()
            is_complete = is_met or len(page) < PAGE
            self._reported += is_met  # there is more
            if not self._is_at_once:
                await self._apply(judged)
                judged = []
        self._is_at_once = False
        await self._apply(judged)
        return is_met

    async def _take(self, entry: Entry, pace: Pace) -> list[Judged]:
        """Judge one stored update, once; return what is to be applied now."""
        op_id = entry.order.op_id
        if op_id in self._own_unread:
            self._own_unread.discard(op_id)
            return []
        written = written_of(self.place.copy(), entry)
        if written is None:
            return []  # it is listed again when its key comes
        self._since_snapshot += weight_of(written.update)
        if op_id in self.suspects:
            self.facts.is_broken(entry.member)
        try:
            return await pace.finish(self.facts.taking(written))
        except ValueError:  # what came before it was listed again meanwhile
            raise _MadeAnew from None

    async def _apply(self, judged: Sequence[Judged]) -> None:
        if self.facts.renamings != self._renamings:
            if self._has_applied:
                raise _MadeAnew
            self._renamings = self.facts.renamings
        self._has_applied |= bool(judged)
        pace = Pace()
        for batch in self.suspects.batches(judged):
            updates = []
            for each in batch:
                updates.append(self.facts.encoded(each))
                await pace.rest()
            try:
                await self.document.apply(updates)
            except TextBroken as error:
                self.suspects.blame(batch, error)
                raise
            self.suspects.clear(batch)
            self.on_applied(updates)

    # --- writing

    async def check(self, edits: Sequence[Edit]) -> None:
        """Raise LocalProtocolError unless edits fit the text."""
        with self.readable():
            await self.document.check(edits)

    async def edit(self, edits: Sequence[Edit]) -> list[bytes]:
        """Apply edits as session 0; return the updates that must be written, or forgotten."""
        with self.readable():
            return await self.document.edit(edits)

    async def prepare(self, session: int, updates: Sequence[bytes]) -> list[OwnUpdate]:
        """Judge updates of a session of ours; return what to write, all at once.

        Raises P2PValueError if nobody would show them. If it does, or if they are not written then,
        call `forget_unwritten`.
        """
        self._branch = self.own_branch()
        judging = self.facts.judging_own(self.place.device, self._branch, session, updates)
        return await Pace().finish(judging)

    def forget_unwritten(self) -> None:
        """Go back to what is stored."""
        self._start_again(_Start.KEPT)

    async def wrote(self, own: Sequence[OwnUpdate], orders: Sequence[Order]) -> None:
        """Take in what `prepare` gave and is stored now; ours are in the text if session 0's."""
        if self._branch is None:  # our log has begun, and has a number now
            self._start_again(_Start.ANEW)
            return
        self.facts.wrote(own, orders, self._branch)
        self._own_unread.update(order.op_id for order in orders)
        self._since_snapshot += sum(weight_of(each.update) for each in own)
        self.on_applied([update.update for update in own])
        updates = [update.update for update in own if update.session != self.session]
        if updates:
            try:
                with trio.CancelScope(shield=True):  # they are written, and judged
                    await self.document.apply(updates)
            except TextBroken:
                self._start_again(_Start.ANEW)

    def own_branch(self) -> int | None:
        """Return by which number our log goes in the facts; None before it has begun."""
        branches = self.place.copy().branches.of(self.place.device, CONTENT)
        return branches[0].row.log if branches else None

    async def writer(self, session: int) -> RemoteDocument:
        """Return a copy of the text as it is here, that writes as another session; close it."""
        client = client_of(self.place.device, self.place.subject, session)
        with self.readable():
            return await self.document.copy(client)

    async def rewrite(self, base: str | None, text: str) -> list[bytes]:
        """Bring the changes from `base` (None: what is here) to `text` in, as `edit` does edits."""
        with self.readable():
            return await self.document.rewrite(base, text)

    async def rewritten(self, session: int, text: str) -> list[bytes]:
        """Return the updates by which a session turns what is here into `text`; changes nothing."""
        writer = await self.writer(session)
        try:
            with self.readable():
                return await writer.rewrite(None, text)
        finally:
            writer.close()

    def calls_alike(self, other: DocumentReplica) -> bool:
        """Return whether another replica calls the same by the same names: no fork came between."""
        return self.facts.renamings == other.facts.renamings

    def clock_of(self, session: int) -> int:
        """Return how far a session of ours has written, in UTF-16 units."""
        client = client_of(self.place.device, self.place.subject, session)
        return self.facts.clocks.get(client, 0)

    # --- snapshots

    @property
    def wants_snapshot(self) -> bool:
        """True when opening again would replay many updates, or one that does harm."""
        return self.suspects.has_new or self._since_snapshot >= SNAPSHOT_EVERY

    async def save_snapshot(self, *, least: int = SNAPSHOT_AT_CLOSE) -> None:
        """Keep the replica in the store if at least so much came since it was kept.

        A store without room goes without; it is only a cache.
        """
        if self._since_snapshot < least and not self.suspects.has_new:
            return
        self._reported += 1  # only what was read from the store has a number
        await self.catch_up()
        self._since_snapshot = 0
        try:
            encoded = await self.document.encoded()
            facts = await Pace().finish(self.facts.dumping())
        except TextBroken:
            return
        kept = KeptDocument(encoded, facts, self.suspects.all())
        data = await trio.to_thread.run_sync(kept.as_bytes)  # it compresses
        if self._start is not _Start.NONE:
            return  # something was hidden meanwhile
        self.suspects.has_new = False
        place = self.place
        with suppress(StoreFailed):
            place.store.put_snapshot(place.community, place.subject, self._arrival, data)

    def readable(self) -> AbstractContextManager[None]:
        """Tell a caller in words when the text library fails."""
        return readable(self.place.subject)
