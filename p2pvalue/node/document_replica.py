"""A document's text as the operations held here make it, kept up to date.

The store numbers updates as they arrive; a `DocumentReplica` has taken in all up to one number, and
those of ours that it wrote since. It starts from a snapshot where there is one. Which updates count
is decided before the text library sees a byte (`document_facts`); one that makes the library fail
all the same is skipped here.

When an update is hidden or shown again, or what was written is called otherwise from now on (after
a fork), the text is made anew. Whatever counted positions in it begins anew too: see `generation`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final, NamedTuple

import msgspec
import trio

from p2pvalue.node.difference import Edit
from p2pvalue.node.document_facts import DocumentFacts, Judged, OwnUpdate
from p2pvalue.node.set_aside import Written
from p2pvalue.node.text import SharedText, TextBroken, check_edits
from p2pvalue.store import Entry, Store, StoreFailed
from p2pvalue_protocol.documents.clients import client_of
from p2pvalue_protocol.documents.placement import Placement
from p2pvalue_protocol.errors import P2PValueError
from p2pvalue_protocol.ids import CONTENT
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds import document
from p2pvalue_protocol.replica import Replica

SNAPSHOT_EVERY: Final = 1_000
SNAPSHOT_AT_CLOSE: Final = 64  # fewer than this are replayed in a millisecond
_PAGE: Final = 1_000
_OWN_UNREAD_MAX: Final = 1_000
_UPDATES_PER_TURN: Final = 100  # then other tasks have theirs
_STARTS_MAX: Final = 16
_FACT_BYTES: Final = 250  # of one update, about


class DocumentPlace(NamedTuple):
    """Which document, as whose device, and where what is held of it is."""

    store: Store
    community: bytes
    subject: bytes
    shape: str
    device: bytes
    copy: Callable[[], Replica]


class _MadeAnew(Exception):
    """What was applied does not fit what is to be applied: the text must be made anew."""


class _Snapshot(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    text: bytes
    facts: bytes


class DocumentReplica:
    """The text of one document, and the verdicts that it rests on; use under a lock."""

    def __init__(self, place: DocumentPlace) -> None:
        """Begin with what was kept; call `catch_up` for the rest."""
        self.place = place
        self.session = 0
        self.generation = 0
        self._broken: set[bytes] = set()  # operations that made pycrdt fail
        self._start(use_snapshot=True)

    def _start(self, *, use_snapshot: bool) -> None:
        place = self.place
        self._is_void = False
        self._is_at_once = False  # apply nothing before all is judged
        self._has_applied = False
        self._own_unread: set[bytes] = set()  # written by us, not read from the store yet
        self._reported = 1  # since the store was read; as if something were
        self._arrival = self._since_snapshot = 0
        client = client_of(place.device, place.subject, self.session)
        if use_snapshot:
            kept = place.store.snapshot(place.community, place.subject)
            try:
                if kept is not None:
                    snapshot = msgspec.msgpack.decode(kept.data, type=_Snapshot)
                    self.facts = self._new_facts()
                    self.facts.load(snapshot.facts)
                    self.shared = SharedText(client, snapshot.text)
                    self._renamings = self.facts.renamings
                    self._arrival = kept.covers
                    self._has_applied = True
                    return
            except (msgspec.DecodeError, ValueError, TextBroken):
                pass  # it is only a cache
        self.facts = self._new_facts()
        self.shared = SharedText(client)
        self._renamings = 0

    def _new_facts(self) -> DocumentFacts:
        store, community = self.place.store, self.place.community
        return DocumentFacts(
            self.place.subject, self.place.shape, lambda log: store.base(community, log)
        )

    # --- reading

    @property
    def text(self) -> str:
        """The text as of the last `catch_up`."""
        with self.readable():
            return self.shared.text

    @property
    def version(self) -> str:
        """The name of the set of updates that the text is made of."""
        return self.facts.version

    @property
    def size(self) -> int:
        """About how many bytes of memory this takes."""
        return 20_000 + 8 * sum(self.facts.clocks.values()) + _FACT_BYTES * self.facts.updates

    def report(self) -> None:
        """Note that an update has become visible, ours among them."""
        self._reported += 1

    def void(self) -> None:
        """Note that an update was hidden, or shown again, among those taken in."""
        self._is_void = True
        self.generation += 1

    async def go_to(self, version: str) -> bool:
        """Take in updates until they are the set `version`; False if they never were. O(n)."""
        if await self.catch_up(until=version):
            return True
        self._start(use_snapshot=False)
        return await self.catch_up(until=version)

    async def catch_up(self, *, until: str | None = None) -> bool:
        """Take in all that is stored; return whether the set `until` was met, and stop there."""
        for _ in range(_STARTS_MAX):
            if self._is_void:
                self._start(use_snapshot=False)
            try:
                is_met = await self._read_store(until)
            except TextBroken:
                # Nothing is known about the replica after a panic: make it anew, without the cause.
                self._start(use_snapshot=False)
            except _MadeAnew:
                self._start(use_snapshot=False)
                self._is_at_once = True
                self.generation += 1
            else:
                if not self._is_void:
                    return is_met
        raise self._unreadable(TextBroken("too many updates make the text library fail"))

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
        while not is_complete:
            self._reported = 0
            page = self.place.store.entries_since(
                self.place.community,
                self.place.subject,
                document.UPDATE_NUMBER,
                self._arrival,
                limit=_PAGE,
                hidden=True,
            )
            for number, entry in enumerate(page, 1):
                judged += self._take(entry)
                self._arrival = entry.arrival
                is_met = until is not None and until == self.version
                if is_met:
                    break
                if number % _UPDATES_PER_TURN == 0:
                    await trio.lowlevel.checkpoint()
            is_complete = is_met or len(page) < _PAGE
            self._reported += is_met  # there is more
            if not self._is_at_once:
                await self._apply(judged)
                judged = []
        self._is_at_once = False
        await self._apply(judged)
        return is_met

    def _take(self, entry: Entry) -> list[Judged]:
        """Judge one stored update, once; return what is to be applied now."""
        op_id = entry.order.op_id
        if op_id in self._own_unread:
            self._own_unread.discard(op_id)
            return []
        opened = self.place.copy().open(entry.core, entry.payload)
        if opened is None:
            return []  # it is listed again when its key comes
        payload = document.DOCUMENT_UPDATE.decode(opened)
        assert isinstance(payload, document.DocumentUpdate)
        written = Written(
            Placement(op_id, entry.order.device, entry.log, entry.order.seq),
            entry.member,
            entry.is_hidden,
            payload.session,
            tuple(payload.heads),
            payload.update,
        )
        self._since_snapshot += 1
        if op_id in self._broken:
            self.facts.is_broken(entry.member)
        try:
            return self.facts.take(written)
        except ValueError:  # what came before it was listed again meanwhile
            raise _MadeAnew from None

    async def _apply(self, judged: Sequence[Judged]) -> None:
        if self.facts.renamings != self._renamings:
            if self._has_applied:
                raise _MadeAnew
            self._renamings = self.facts.renamings
        for number, each in enumerate(judged, 1):
            self._has_applied = True
            if each.op_id in self._broken:
                continue
            try:
                self.shared.apply(self.facts.encoded(each))
            except TextBroken:
                self._broken.add(each.op_id)
                raise
            if number % _UPDATES_PER_TURN == 0:
                await trio.lowlevel.checkpoint()

    # --- writing

    def check(self, edits: Sequence[Edit]) -> None:
        """Raise LocalProtocolError unless edits fit the text."""
        check_edits(len(self.text), edits)

    def edit(self, edits: Sequence[Edit]) -> list[bytes]:
        """Apply edits as session 0; return the updates that must be written, or forgotten."""
        with self.readable():
            return self.shared.edit(edits)

    def prepare(self, session: int, updates: Sequence[bytes]) -> list[OwnUpdate]:
        """Judge updates of a session of ours; return what to write, all at once.

        Raises P2PValueError if nobody would show them. If it does, or if they are not written then,
        call `forget_unwritten`.
        """
        self._branch = self._own_branch()
        return self.facts.judge_own(self.place.device, self._branch, session, updates)

    def forget_unwritten(self) -> None:
        """Go back to what is stored."""
        self._start(use_snapshot=True)

    def wrote(self, own: Sequence[OwnUpdate], orders: Sequence[Order]) -> None:
        """Take in what `prepare` gave and is stored now; ours are in the text if session 0's."""
        if self._branch is None:  # our log has begun, and has a number now
            self._is_void = True
            return
        self.facts.wrote(own, orders, self._branch)
        self._own_unread.update(order.op_id for order in orders)
        self._since_snapshot += len(own)
        try:
            for update in own:
                if update.session != self.session:
                    self.shared.apply(update.update)
        except TextBroken:
            self._is_void = True

    def _own_branch(self) -> int | None:
        branches = self.place.copy().branches.of(self.place.device, CONTENT)
        return branches[0].row.log if branches else None

    def writer(self, session: int) -> SharedText:
        """Return a copy of the text as it is here, that writes as another session."""
        client = client_of(self.place.device, self.place.subject, session)
        with self.readable():
            return SharedText(client, self.shared.encoded())

    def calls_alike(self, other: DocumentReplica) -> bool:
        """Return whether another replica of the document calls what is in both by the same names.

        So it is unless a fork came to light between the two.
        """
        return self.facts.renamings == other.facts.renamings

    def clock_of(self, session: int) -> int:
        """Return how far a session of ours has written, in UTF-16 units."""
        client = client_of(self.place.device, self.place.subject, session)
        return self.facts.clocks.get(client, 0)

    # --- snapshots

    @property
    def wants_snapshot(self) -> bool:
        """True when opening again would replay many updates."""
        return self._since_snapshot >= SNAPSHOT_EVERY

    async def save_snapshot(self, *, least: int = SNAPSHOT_AT_CLOSE) -> None:
        """Keep the replica in the store if at least so many updates came since it was kept.

        A store without room goes without; it is only a cache.
        """
        if self._since_snapshot < least:
            return
        self._reported += 1  # only what was read from the store has a number
        await self.catch_up()
        self._since_snapshot = 0
        try:
            encoded = self.shared.encoded()
        except TextBroken:
            return
        data = msgspec.msgpack.encode(_Snapshot(encoded, self.facts.dump()))
        place = self.place
        with suppress(StoreFailed):
            place.store.put_snapshot(place.community, place.subject, self._arrival, data)

    @contextmanager
    def readable(self) -> Iterator[None]:
        """Tell a caller in words when the text library fails."""
        try:
            yield
        except TextBroken as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error: TextBroken) -> P2PValueError:
        return P2PValueError(
            f"document {self.place.subject.hex()[:12]} cannot be worked with ({error}):"
            " restart the daemon and, if that does not help, report it with `p2pvalue doctor`"
        )
