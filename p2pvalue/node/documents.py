"""Documents: made, read and edited together.

Every open document has a replica that follows what is visible here (session 0). A caller that
types ahead of our answers takes a session of its own, numbered from 1: it has a text of its own, in
which only its own edits move its positions, until it asks, by an edit of nothing, for the rest.

An edit is written before it is shown. If it cannot be written, the replica that holds it is dropped
and made anew from the store. A session's number decides its Yjs client id; the device holds its own
whole log, so a later process goes on where an earlier one was.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import trio

from p2pvalue import types as t
from p2pvalue.node.context import Context
from p2pvalue.node.difference import Edit, edits_between
from p2pvalue.node.references import every_state, full_id, resolve
from p2pvalue.node.titles import Titles, document_state
from p2pvalue_protocol.effects import Change
from p2pvalue_protocol.errors import LocalProtocolError, NotFound, P2PValueError
from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds import document
from p2pvalue_protocol.past import StateRow

if TYPE_CHECKING:
    from p2pvalue.node.document_replica import DocumentReplica

OPEN_MAX: Final = 16
OPEN_BYTES_MAX: Final = 32_000_000
SESSIONS_MAX: Final = 8  # of one document, besides session 0
CALLER_SESSION_MAX: Final = 2**31 - 1
_ENDED_MAX: Final = 1_000

_Key = tuple[bytes, bytes]  # community, document
_Session = tuple[_Key, int]


class _Open:
    """One open document: its replicas by session, under one lock."""

    def __init__(self) -> None:
        self.lock = trio.Lock()
        self.replicas: OrderedDict[int, DocumentReplica] = OrderedDict()
        self.users = 0

    @property
    def size(self) -> int:
        return sum(replica.size for replica in self.replicas.values())


class OpenDocuments:
    """The documents of all communities that this node has open; bounded in number and bytes."""

    def __init__(self) -> None:
        self._open: OrderedDict[_Key, _Open] = OrderedDict()
        self._ended: OrderedDict[_Session, None] = OrderedDict()
        self.titles = Titles()

    def changed(self, community: bytes, changes: Sequence[Change]) -> None:
        """Note what became visible; called with every commit, before a write of ours returns."""
        for change in changes:
            if change.kind == document.NUMBER:
                self.titles.changed(community, change)
            key = (community, change.subject)
            opened = self._open.get(key) if change.kind == document.UPDATE_NUMBER else None
            if opened is None:
                continue
            for session, replica in list(opened.replicas.items()):
                order = change.order
                if not change.again:
                    replica.report(order.op_id, order.device, order.seq, change.payload)
                elif session == 0:
                    replica.void()
                else:  # a text that only its caller's edits move cannot lose one of others
                    del opened.replicas[session]
                    self.end(key, session)

    def use(self, key: _Key) -> _Open:
        """Return a document's place, made if need be; call `release` when done."""
        opened = self._open.setdefault(key, _Open())
        self._open.move_to_end(key)
        opened.users += 1
        return opened

    async def release(self, opened: _Open) -> None:
        """End a use, and close what was not used for longest while too much is open."""
        opened.users -= 1
        while len(self._open) > OPEN_MAX or self._size() > OPEN_BYTES_MAX:
            idle = next((key for key, place in self._open.items() if not place.users), None)
            if idle is None:
                return
            await self._close(idle)

    def _size(self) -> int:
        return sum(place.size for place in self._open.values())

    async def _close(self, key: _Key) -> None:
        place = self._open[key]
        main = place.replicas.get(0)
        if main is not None:
            place.users += 1
            try:
                async with place.lock:
                    # Whoever caused this by opening another document has no part in its troubles.
                    with suppress(P2PValueError):
                        await main.save_snapshot()
            finally:
                place.users -= 1
            if place.users:
                return  # somebody came meanwhile
        if self._open.get(key) is place:
            del self._open[key]
            for session in place.replicas:
                self.end(key, session)

    async def close(self) -> None:
        """Keep snapshots of what is open and close it; for a node that stops."""
        for key in [key for key, place in self._open.items() if not place.users]:
            await self._close(key)

    def forget(self, community: bytes) -> None:
        """Drop what is open of a community without a trace: its views were made anew."""
        self.titles.forget(community)
        for key in [key for key in self._open if key[0] == community]:
            for session in self._open.pop(key).replicas:
                self.end(key, session)

    # --- sessions of callers

    def end(self, key: _Key, session: int) -> None:
        """Remember that a caller's session is over: its positions mean nothing any more."""
        if session:
            self._ended[key, session] = None
            while len(self._ended) > _ENDED_MAX:
                self._ended.popitem(last=False)

    def check_session(self, key: _Key, session: int) -> None:
        """Raise LocalProtocolError for a number that is out of range or was ended."""
        if not 0 <= session <= CALLER_SESSION_MAX:
            raise LocalProtocolError(f"a session has a number from 0 to {CALLER_SESSION_MAX}")
        if (key, session) in self._ended:
            raise LocalProtocolError(
                f"editing session {session} was closed, and its positions are void:"
                " read the text again and go on with a new number"
            )


class Documents:
    """The documents of one community."""

    def __init__(self, context: Context, community: bytes, opened: OpenDocuments) -> None:
        self._context = context
        self._community = community
        self._opened = opened

    # --- what there is

    async def create(self, title: str, text: str) -> t.DocumentView:
        """Write a document and, if given, its first text; a title names one document only.

        Two people apart can still give one title to two: then ids tell them apart.
        """
        payload = document.encode_document(title)
        if title in self._opened.titles.of(self._context.store, self._community):
            raise LocalProtocolError(
                f'there is a document "{title}" already: edit that one, or choose another title'
            )
        [reference] = await self._write([Draft(document.NUMBER, b"", payload)])
        subject = subject_of(reference.op_id)
        if text:
            await self._splice(subject, [Edit(0, 0, text)], session=0)
        row = self._context.store.state(self._community, subject)
        assert row is not None, "a document of ours is visible once written"
        return self._view(row)

    def all(self) -> list[t.DocumentView]:
        """Return all documents, oldest change of title first; counts the updates of each."""
        rows = every_state(self._context.store, self._community, document.NUMBER)
        return [self._view(row) for row in rows]

    def _view(self, row: StateRow) -> t.DocumentView:
        state = document_state(row)
        count = self._context.store.entry_count(
            self._community, row.subject, document.UPDATE_NUMBER
        )
        return t.DocumentView(
            document=row.subject.hex(),
            title=state.title,
            shape=state.shape,
            member=state.author.hex(),
            updates=count,
            time=row.time,
        )

    def _resolve(self, reference: str) -> tuple[bytes, document.DocumentState]:
        subject = full_id(reference, 16)
        row = self._context.store.state(self._community, subject) if subject else None
        if row is None or row.kind != document.NUMBER:
            rows = every_state(self._context.store, self._community, document.NUMBER)
            titled = ((row.subject, document_state(row).title) for row in rows)
            subject = resolve(reference, titled, "document")
            row = self._context.store.state(self._community, subject)
        if row is None:
            raise NotFound(f'the document "{reference}" is gone: list the documents')
        state = document_state(row)
        if state.shape != document.SHAPE_PLAIN:
            raise LocalProtocolError(
                f'"{state.title}" has the shape "{state.shape}", which this version cannot read:'
                " update p2pvalue"
            )
        return row.subject, state

    # --- text

    async def text(self, reference: str) -> t.TextView:
        """Return the text as it is here now."""
        subject, _ = self._resolve(reference)
        opened = self._opened.use((self._community, subject))
        try:
            async with opened.lock:
                replica = await self._current(opened, subject)
                return self._text_view(subject, replica)
        finally:
            await self._opened.release(opened)

    async def splice(
        self, reference: str, edits: Sequence[tuple[int, int, str]], *, session: int
    ) -> t.TextView:
        """Apply edits, one after the other; positions count code points.

        In session 0 they count in the text as it is now. Another session begins with that text and
        then has its own: the answer shows it, with others' edits only after an empty `edits`.
        """
        subject, _ = self._resolve(reference)
        self._opened.check_session((self._community, subject), session)
        return await self._splice(subject, [Edit(*edit) for edit in edits], session=session)

    async def _splice(self, subject: bytes, edits: Sequence[Edit], *, session: int) -> t.TextView:
        opened = self._opened.use((self._community, subject))
        try:
            async with opened.lock:
                if session:
                    replica = await self._of_session(opened, subject, session)
                else:
                    replica = await self._current(opened, subject)
                await self._edit(opened, subject, replica, edits)
                if not session or not edits:
                    await replica.catch_up()
                return self._text_view(subject, replica)
        finally:
            await self._opened.release(opened)

    async def rewrite(
        self, reference: str, text: str, *, base_version: str, base_text: str | None
    ) -> t.TextView:
        """Turn the difference between the base and `text` into edits.

        With a version that was once returned here, the edits are made there and merged. Otherwise
        the difference to `base_text` is brought into the text as it is now; without either, the
        text as it is now is the base.
        """
        subject, _ = self._resolve(reference)
        opened = self._opened.use((self._community, subject))
        try:
            async with opened.lock:
                replica = await self._current(opened, subject)
                if base_version in ("", replica.version):
                    base = replica.text if base_version or base_text is None else base_text
                    edits = edits_between(replica.text, self._merged(base, text, replica.text))
                    await self._edit(opened, subject, replica, edits)
                elif not await self._rewrite_at(subject, replica, text, base_version):
                    if base_text is None:
                        raise LocalProtocolError(
                            f"version {base_version} of this text was never here:"
                            " give the text that the editor began with too"
                        )
                    edits = edits_between(replica.text, self._merged(base_text, text, replica.text))
                    await self._edit(opened, subject, replica, edits)
                await replica.catch_up()
                return self._text_view(subject, replica)
        finally:
            await self._opened.release(opened)

    async def _rewrite_at(
        self, subject: bytes, now: DocumentReplica, text: str, version: str
    ) -> bool:
        """Write the difference between a past text and `text`, made there; False if unknown."""
        base = self._new_replica(subject, session=0)
        if not await base.go_to(version):
            return False
        edits = edits_between(base.text, text)
        device = self._context.device(self._community)
        # A session may go on from the past text only if it wrote nothing since.
        session = CALLER_SESSION_MAX + 1
        while now.clock_of(device, session) != base.clock_of(device, session):
            session += 1
        updates = base.writer(session, device).edit(edits)
        await self._write_updates(subject, session, updates)
        return True

    def _merged(self, base: str, text: str, now: str) -> str:
        if base == now:
            return text
        from p2pvalue.node.text import merged  # noqa: PLC0415  (pycrdt, as below)

        return merged(base, text, now)

    # --- writing

    async def _edit(
        self, opened: _Open, subject: bytes, replica: DocumentReplica, edits: Sequence[Edit]
    ) -> None:
        """Apply edits to a replica and write them, or drop the replica."""
        replica.check(edits)
        is_written = False
        try:
            updates = replica.edit(edits)
            orders = await self._write_updates(subject, replica.session, updates)
            replica.wrote(orders, updates)
            is_written = True
        finally:
            if not is_written:
                opened.replicas.pop(replica.session, None)
                self._opened.end((self._community, subject), replica.session)

    async def _write_updates(
        self, subject: bytes, session: int, updates: Sequence[bytes]
    ) -> Sequence[Order]:
        drafts = [
            Draft(document.UPDATE_NUMBER, subject, document.encode_document_update(update, session))
            for update in updates
        ]
        return await self._write(drafts) if drafts else ()

    async def _write(self, drafts: Sequence[Draft]) -> Sequence[Order]:
        # Whoever gives up waiting must not leave us unsure whether it was written: the next edit
        # would take the same place in the text's history a second time.
        written: list[Order] = []
        with trio.CancelScope(shield=True):
            written.extend(await self._context.write(self._community, drafts))
        return written

    # --- replicas

    def _new_replica(self, subject: bytes, session: int) -> DocumentReplica:
        # pycrdt is loaded when a document is first opened, not when the node starts.
        from p2pvalue.node.document_replica import DocumentReplica  # noqa: PLC0415 - see above

        return DocumentReplica(
            self._context.store,
            self._community,
            subject,
            open_payload=lambda c, p: self._context.copy_of(self._community).open(c, p),
            device=self._context.device(self._community),
            session=session,
        )

    async def _current(self, opened: _Open, subject: bytes) -> DocumentReplica:
        replica = opened.replicas.get(0)
        if replica is None or replica.device != self._context.device(self._community):
            # A reader that was admitted has a device now, and writes in its name.
            replica = opened.replicas[0] = self._new_replica(subject, session=0)
        await replica.catch_up()
        if replica.wants_snapshot:
            await replica.save_snapshot()
        return replica

    async def _of_session(self, opened: _Open, subject: bytes, session: int) -> DocumentReplica:
        replica = opened.replicas.get(session)
        if replica is None or replica.device != self._context.device(self._community):
            replica = opened.replicas[session] = self._new_replica(subject, session)
            await replica.catch_up()
        opened.replicas.move_to_end(session)
        own = [number for number in opened.replicas if number]
        for number in own[: max(0, len(own) - SESSIONS_MAX)]:
            del opened.replicas[number]
            self._opened.end((self._community, subject), number)
        return replica

    def _text_view(self, subject: bytes, replica: DocumentReplica) -> t.TextView:
        row = self._context.store.state(self._community, subject)
        return t.TextView(
            document=subject.hex(),
            title=document_state(row).title if row is not None else "",
            text=replica.text,
            version=replica.version,
            skipped=replica.skipped,
        )
