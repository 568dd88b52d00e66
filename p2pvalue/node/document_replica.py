"""A document's text as the operations held here make it, kept up to date.

The store numbers updates as they arrive. A `DocumentReplica` has taken in all up to one number, and
besides some that were reported since; to catch up, it takes in what was reported, or reads the
store when too much was. It starts from a snapshot where there is one. An update that breaks the
rules of `updates` is skipped, the same on every node, and counted; one that makes pycrdt fail is
skipped here.

A *version* names a set of updates: the sum of their operation ids modulo 2^128. Whoever holds the
same set computes the same version, in whatever order they came.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

import msgspec
import trio

from p2pvalue.node.difference import Edit
from p2pvalue.node.text import SharedText, TextBroken, check_edits
from p2pvalue.node.updates import UpdateInvalid, client_of, read_update
from p2pvalue.store import Store, StoreFailed
from p2pvalue_protocol.encoding import PayloadInvalid
from p2pvalue_protocol.errors import P2PValueError
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds import document

EMPTY_VERSION: Final = f"{0:032x}"
SNAPSHOT_EVERY: Final = 1_000
SNAPSHOT_AT_CLOSE: Final = 64  # fewer than this are replayed in a millisecond
_PAGE: Final = 1_000
_UPDATES_PER_TURN: Final = 100  # then other tasks have theirs
_REPORTED_MAX: Final = 1_000  # after these the store is read once
_REPORTED_BYTES_MAX: Final = 1_000_000
_BROKEN_MAX: Final = 16
_SNAPSHOT_FORM: Final = 1


OpenPayload = Callable[[bytes, bytes | None], bytes | None]
"""From the core and the payload of a stored operation to what it says, None if nothing."""


class _Reported(NamedTuple):
    """An update of a document that has become visible."""

    op_id: bytes
    device: bytes
    seq: int
    payload: bytes


class _Snapshot(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    form: int
    version: bytes
    updates: int
    skipped: int
    clocks: dict[int, int]
    text: bytes


class DocumentReplica:
    """One replica of one document, writing as one session of a device; use under a lock."""

    def __init__(
        self,
        store: Store,
        community: bytes,
        subject: bytes,
        *,
        open_payload: OpenPayload,
        device: bytes,
        session: int,
    ) -> None:
        """Follow the document `subject`; `open_payload` makes of a stored payload what it says."""
        self.device = device
        self.session = session
        self.skipped = 0
        self.updates = 0
        self._store = store
        self._community = community
        self._open_payload = open_payload
        self._subject = subject
        self._client = client_of(device, subject, session)
        self._broken: set[bytes] = set()  # operations that made pycrdt fail
        self._reported: deque[_Reported] = deque()
        self._reported_bytes = 0
        self._taken: set[bytes] = set()  # of the last page read, and reported since
        self._taken_since_page = 0
        self._missed_reports = False
        self._start(use_snapshot=True)

    def _start(self, *, use_snapshot: bool) -> None:
        self._is_void = False
        self._is_behind = True
        self._taken = set()
        self._taken_since_page = 0
        self._own_seq = -1  # what this session wrote up to here is in
        self._version = self.updates = self.skipped = 0
        self._arrival = self._since_snapshot = 0
        self._clocks: dict[int, int] = {}
        self._names_the_unknown = False
        kept = self._store.snapshot(self._community, self._subject) if use_snapshot else None
        try:
            snapshot = msgspec.msgpack.decode(kept.data, type=_Snapshot) if kept else None
            if kept is not None and snapshot is not None and snapshot.form == _SNAPSHOT_FORM:
                self._shared = SharedText(self._client, snapshot.text)
                self._version = int.from_bytes(snapshot.version, "big")
                self._arrival = kept.covers
                self._clocks = dict(snapshot.clocks)
                self.updates, self.skipped = snapshot.updates, snapshot.skipped
                return
        except (msgspec.DecodeError, TextBroken):
            pass  # it is only a cache
        self._shared = SharedText(self._client)

    # --- reading

    @property
    def text(self) -> str:
        """The text as of the last `catch_up`."""
        try:
            return self._shared.text
        except TextBroken as error:
            raise self._unreadable(error) from None

    @property
    def version(self) -> str:
        """The name of the set of updates that the text is made of."""
        return f"{self._version:032x}"

    @property
    def size(self) -> int:
        """About how many bytes of memory this takes."""
        return 20_000 + 8 * sum(self._clocks.values()) + 150 * self.updates

    def report(self, op_id: bytes, device: bytes, seq: int, payload: bytes) -> None:
        """Note an update that became visible; too many are read from the store instead."""
        if self._missed_reports:
            return
        self._reported.append(_Reported(op_id, device, seq, payload))
        self._reported_bytes += len(payload)
        if len(self._reported) > _REPORTED_MAX or self._reported_bytes > _REPORTED_BYTES_MAX:
            self._forget_reported()
            self._missed_reports = True

    def void(self) -> None:
        """Note that an update was hidden, or shown again, among those taken in."""
        self._is_void = True

    def _forget_reported(self) -> None:
        self._reported.clear()
        self._reported_bytes = 0
        self._missed_reports = False

    async def go_to(self, version: str) -> bool:
        """Take in updates until they are the set `version`; False if they never were. O(n)."""
        if await self.catch_up(until=version):
            return True
        self._start(use_snapshot=False)
        return await self.catch_up(until=version)

    async def catch_up(self, *, until: str | None = None) -> bool:
        """Take in all that is visible; return whether the set `until` was met, and stop there."""
        while len(self._broken) < _BROKEN_MAX:
            if self._is_void:
                self._start(use_snapshot=False)
            try:
                is_met = await self._catch_up(until)
            except TextBroken:
                # Nothing is known about the replica after a panic: make it anew, without the cause.
                self._start(use_snapshot=False)
            else:
                if not self._is_void:
                    return is_met
        raise self._unreadable(TextBroken("too many updates make the text library fail"))

    async def _catch_up(self, until: str | None) -> bool:
        if until == self.version:
            return True
        if self._taken_since_page > _REPORTED_MAX or self._missed_reports:
            self._is_behind = True
        if self._is_behind and await self._read_store(until):
            return True
        while self._reported:
            reported = self._reported.popleft()
            self._take(reported)
            self._taken.add(reported.op_id)
            self._taken_since_page += 1
        self._reported_bytes = 0
        return False

    async def _read_store(self, until: str | None) -> bool:
        """Take in what came after the last entry read; what is reported meanwhile stays noted."""
        is_complete = False
        last_read: deque[bytes] = deque(maxlen=_PAGE)
        while not is_complete:
            self._forget_reported()  # what was reported is in the store
            page = self._store.entries_since(
                self._community,
                self._subject,
                document.UPDATE_NUMBER,
                self._arrival,
                limit=_PAGE,
            )
            for number, entry in enumerate(page, 1):
                payload = self._open_payload(entry.core, entry.payload)
                if payload is not None:
                    order = entry.order
                    self._take(_Reported(order.op_id, order.device, order.seq, payload))
                self._arrival = entry.arrival
                last_read.append(entry.order.op_id)
                if until is not None and until == self.version:
                    return True
                if number % _UPDATES_PER_TURN == 0:
                    await trio.lowlevel.checkpoint()
            is_complete = len(page) < _PAGE and not self._missed_reports
        # A commit may be read here before it is reported; then the report says nothing new.
        self._taken = set(last_read)
        self._taken_since_page = 0
        self._is_behind = False
        return False

    def _take(self, reported: _Reported) -> None:
        """Take in one update, once."""
        if reported.op_id in self._taken:
            return
        if reported.op_id in self._broken:
            self._count(reported.op_id, is_skipped=True)
            return
        try:
            payload = document.DOCUMENT_UPDATE.decode(reported.payload)
            assert isinstance(payload, document.DocumentUpdate)
            if self._is_own(reported, payload):
                return
            self._check(reported.device, payload)
        except (PayloadInvalid, UpdateInvalid):
            self._count(reported.op_id, is_skipped=True)
            return
        try:
            self._shared.apply(payload.update)
        except TextBroken:
            self._broken.add(reported.op_id)
            raise
        self._count(reported.op_id, is_skipped=False)

    def _is_own(self, reported: _Reported, payload: document.DocumentUpdate) -> bool:
        """Return whether `wrote` has counted this one."""
        return (
            reported.seq <= self._own_seq
            and reported.device == self.device
            and payload.session == self.session
        )

    def _check(self, device: bytes, payload: document.DocumentUpdate) -> None:
        client = client_of(device, self._subject, payload.session)
        update = read_update(payload.update, client)
        clock = self._clocks.get(client, 0)
        if update.first_clock >= 0:
            if update.first_clock != clock:
                raise UpdateInvalid("it does not go on where its session was")
            clock = update.end_clock
        if update.named.get(client, 0) > clock:
            raise UpdateInvalid("it names what its own session has yet to write")
        for named, least in update.named.items():
            if named != client and least > self._clocks.get(named, 0):
                self._names_the_unknown = True
        if update.first_clock >= 0:
            self._clocks[client] = clock

    def _count(self, op_id: bytes, *, is_skipped: bool) -> None:
        self._version = (self._version + int.from_bytes(op_id[:16], "big")) % 2**128
        self.updates += 1
        self.skipped += is_skipped
        self._since_snapshot += 1

    # --- writing

    def check(self, edits: Sequence[Edit]) -> None:
        """Raise LocalProtocolError unless edits fit the text."""
        check_edits(len(self.text), edits)

    def edit(self, edits: Sequence[Edit]) -> list[bytes]:
        """Apply edits; return the updates that must now be written, or the replica dropped."""
        try:
            return self._shared.edit(edits)
        except TextBroken as error:
            raise self._unreadable(error) from None

    def wrote(self, orders: Sequence[Order], updates: Sequence[bytes]) -> None:
        """Count updates that `edit` gave and that are stored now."""
        for order, update in zip(orders, updates, strict=True):
            written = read_update(update, self._client)
            if written.first_clock >= 0:
                self._clocks[self._client] = written.end_clock
            self._count(order.op_id, is_skipped=False)
            self._own_seq = order.seq

    def writer(self, session: int, device: bytes) -> SharedText:
        """Return a copy of the text as it is here, that writes as another session."""
        try:
            return SharedText(client_of(device, self._subject, session), self._shared.encoded())
        except TextBroken as error:
            raise self._unreadable(error) from None

    def clock_of(self, device: bytes, session: int) -> int:
        """Return how far a session has written, in UTF-16 units."""
        return self._clocks.get(client_of(device, self._subject, session), 0)

    # --- snapshots

    @property
    def wants_snapshot(self) -> bool:
        """True when opening again would replay many updates."""
        return self._since_snapshot >= SNAPSHOT_EVERY and not self._names_the_unknown

    async def save_snapshot(self, *, least: int = SNAPSHOT_AT_CLOSE) -> None:
        """Keep the replica in the store if at least so many updates came since it was kept.

        Not once an update named what nobody had written: whether that waits inside an encoded text
        is the library's secret. A store without room goes without; it is only a cache.
        """
        if self._since_snapshot < least:
            return
        self._is_behind = True  # only what was read from the store has a number
        await self.catch_up()
        if self._names_the_unknown or self._taken_since_page:
            return
        self._since_snapshot = 0
        try:
            encoded = self._shared.encoded()
        except TextBroken:
            return
        snapshot = _Snapshot(
            _SNAPSHOT_FORM,
            self._version.to_bytes(16, "big"),
            self.updates,
            self.skipped,
            self._clocks,
            encoded,
        )
        data = msgspec.msgpack.encode(snapshot)
        with suppress(StoreFailed):
            self._store.put_snapshot(self._community, self._subject, self._arrival, data)

    def _unreadable(self, error: TextBroken) -> P2PValueError:
        return P2PValueError(
            f"document {self._subject.hex()[:12]} cannot be worked with ({error}):"
            " restart the daemon and, if that does not help, report it with `p2pvalue doctor`"
        )
