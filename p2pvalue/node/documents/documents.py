"""Documents: made, read and edited together.

An edit is judged as others will judge it, and written, before it is shown. If it cannot be written,
the replica goes back to what is stored. A session's number decides its Yjs client id; the device
holds its own whole log, so a later process goes on where an earlier one was.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import trio

from p2pvalue import types as t
from p2pvalue.node.context import Context
from p2pvalue.node.documents.document_facts import OwnUpdate
from p2pvalue.node.documents.document_list import DocumentList
from p2pvalue.node.documents.document_replica import DocumentPlace, DocumentReplica
from p2pvalue.node.documents.document_shapes import (
    VersionUnknown,
    check_first_text,
    check_has_positions,
    check_shape,
    check_text,
    first_text_drafts,
)
from p2pvalue.node.documents.editing_session import EditingSession
from p2pvalue.node.documents.open_documents import (
    CALLER_SESSION_MAX,
    SESSIONS_MAX,
    OpenDocuments,
    Opened,
)
from p2pvalue.node.documents.titles import document_state
from p2pvalue.texts.edits import Edit
from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds import document


class InUse(NamedTuple):
    """A document that is open, up to date, and nobody else's for now."""

    subject: bytes
    title: str
    opened: Opened
    replica: DocumentReplica


class Documents:
    """The documents of one community."""

    def __init__(self, context: Context, community: bytes, opened: OpenDocuments) -> None:
        self._context = context
        self._community = community
        self._opened = opened
        self.list = DocumentList(context, community, opened.titles)

    # --- what there is

    async def create(self, title: str, text: str, shape: str) -> t.DocumentView:
        """Write a document and, if given, its first text; a title names one document only.

        Two people apart can still give one title to two: then ids tell them apart.
        """
        check_shape(shape)
        payload = document.encode_document(title, shape)
        check_text(text)
        self.list.check_free(title)
        await check_first_text(self._opened.texts, shape, text)
        drafts = [Draft(document.NUMBER, b"", payload)]
        if shape != document.SHAPE_RICH:
            drafts += first_text_drafts(self._context.device(self._community), text)
        made, *_ = await self._write(drafts)
        subject = subject_of(made.op_id)
        if text and shape == document.SHAPE_RICH:
            await self.rewrite(subject.hex(), text, base_version="", base_text=None)
        return self.list.view(subject)

    # --- for those who hold a text of their own

    def subject(self, reference: str) -> bytes:
        """Return which document is meant; raises NotFound."""
        return self.list.resolve(reference)[0]

    @asynccontextmanager
    async def opened(
        self, subject: bytes, on_applied: Callable[[list[bytes]], None] | None = None
    ) -> AsyncIterator[DocumentReplica]:
        """Lock a document with all that is here; `on_applied` hears of each update from now on."""
        async with self.use(subject.hex(), on_applied) as used:
            yield used.replica

    async def write_own(
        self, replica: DocumentReplica, session: int, updates: Sequence[bytes]
    ) -> None:
        """Write updates that were made elsewhere; raises NobodyShows, and what a write raises."""
        is_written = False
        try:
            await self._write_updates(replica, session, updates)
            is_written = True
        finally:
            if not is_written:
                replica.forget_unwritten()

    # --- text

    @asynccontextmanager
    async def use(
        self, reference: str, on_applied: Callable[[list[bytes]], None] | None = None
    ) -> AsyncIterator[InUse]:
        """Hold a document while it is worked with; raises NotFound."""
        subject, state = self.list.resolve(reference)
        opened = self._opened.use((self._community, subject))
        try:
            async with opened.lock:
                if opened.replica is not None and on_applied is not None:
                    opened.replica.on_applied = on_applied
                replica = await self._current(opened, subject, state)
                if on_applied is not None:
                    replica.on_applied = on_applied
                yield InUse(subject, state.title, opened, replica)
        finally:
            await self._opened.release(opened)

    async def text(self, reference: str) -> t.TextView:
        """Return the text as it is here now."""
        async with self.use(reference) as used:
            return await self._text_view(used.subject, used.replica)

    async def splice(
        self, reference: str, edits: Sequence[tuple[int, int, str]], *, session: int
    ) -> t.TextView:
        """Apply edits, one after the other; positions count code points.

        In session 0 they count in the text as it is now. Another session begins with that text and
        then has its own: the answer shows it, with others' edits only after an empty `edits`.
        """
        subject, state = self.list.resolve(reference)
        check_has_positions(state)
        self._opened.check_session((self._community, subject), session)
        made = [Edit(*edit) for edit in edits]
        async with self.use(subject.hex()) as (_, _, opened, replica):
            if not session:
                await self._edit(opened, replica, made)
                await replica.catch_up()
                return await self._text_view(subject, replica)
            of_caller = await self._of_session(opened, replica, session)
            await self._edit(opened, replica, made, session)
            if not made:
                await of_caller.refresh()
            return await self._text_view(subject, replica, of_caller)

    async def rewrite(
        self, reference: str, text: str, *, base_version: str, base_text: str | None
    ) -> t.TextView:
        """Turn the difference between the base and `text` into edits.

        With a version that was once returned here, the edits are made there and merged. Otherwise
        the difference to `base_text` is brought into the text as it is now; without either, the
        text as it is now is the base.
        """
        check_text(text)
        async with self.use(reference) as (subject, _, opened, replica):
            if base_version in ("", replica.version):
                base = None if base_version else base_text
                await self._bring(opened, replica, base, text)
            elif not await self._rewrite_at(replica, text, base_version):
                if base_text is None:
                    raise VersionUnknown(
                        f"version {base_version} of this text cannot be made here: give the text"
                        " that the editor began with, or another version"
                    )
                await self._bring(opened, replica, base_text, text)
            await replica.catch_up()
            return await self._text_view(subject, replica)

    async def _rewrite_at(self, now: DocumentReplica, text: str, version: str) -> bool:
        """Write the difference between a past text and `text`, made there; False if unknown."""
        base = self._new_replica(now.place.subject, now.place.shape)
        try:
            if not await base.go_to(version) or not base.calls_alike(now):
                return False
            # A session may go on from the past text only if it wrote nothing since.
            session = CALLER_SESSION_MAX + 1
            while now.clock_of(session) != base.clock_of(session):
                session += 1
            updates = await base.rewritten(session, text)
        finally:
            base.close()
        await self.write_own(now, session, updates)
        return True

    # --- writing

    async def take_back(
        self, used: InUse, make: Callable[[], Awaitable[Sequence[bytes]]], undoes: bytes
    ) -> list[tuple[OwnUpdate, Order]]:
        """Write what `make` edits, and that it takes back what the update `undoes` ends."""
        return await self._write_made(used.opened, used.replica, make, 0, undoes)

    async def _edit(
        self, opened: Opened, replica: DocumentReplica, edits: Sequence[Edit], session: int = 0
    ) -> None:
        """Apply edits to the text of a session and write them, or end it."""
        writer = opened.sessions.get(session) or replica
        await writer.check(edits)
        await self._write_made(opened, replica, lambda: writer.edit(edits), session)

    async def _bring(
        self, opened: Opened, replica: DocumentReplica, base: str | None, text: str
    ) -> None:
        """Bring the changes from `base` (None: the text as it is) to `text` in, as session 0."""
        await self._write_made(opened, replica, lambda: replica.rewrite(base, text), 0)

    async def _write_made(
        self,
        opened: Opened,
        replica: DocumentReplica,
        make: Callable[[], Awaitable[Sequence[bytes]]],
        session: int,
        undoes: bytes | None = None,
    ) -> list[tuple[OwnUpdate, Order]]:
        """Write the updates that `make` gives when it edits as a session, or end that."""
        of_caller = opened.sessions.get(session)
        is_written = False
        try:
            written = await self._write_updates(replica, session, await make(), undoes)
            if of_caller is not None:
                of_caller.wrote([order for _, order in written])
            is_written = True
            return written
        finally:
            if not is_written:
                replica.forget_unwritten()
                self._opened.end((self._community, replica.place.subject), opened, session)

    async def _write_updates(
        self,
        replica: DocumentReplica,
        session: int,
        updates: Sequence[bytes],
        undoes: bytes | None = None,
    ) -> list[tuple[OwnUpdate, Order]]:
        """Write updates of one session, if others will show them; else `forget_unwritten`."""
        own = await replica.prepare(session, updates)
        if not own:
            return []
        orders = await self._write(_drafts(replica.place.subject, own, undoes))
        await replica.wrote(own, orders)
        return list(zip(own, orders, strict=True))

    async def _write(self, drafts: Sequence[Draft]) -> Sequence[Order]:
        # Whoever gives up waiting must not leave us unsure whether it was written: the next edit
        # would take the same place in the text's history a second time.
        written: list[Order] = []
        with trio.CancelScope(shield=True):
            written.extend(await self._context.write(self._community, drafts))
        return written

    # --- replicas

    def _new_replica(self, subject: bytes, shape: str) -> DocumentReplica:
        place = DocumentPlace(
            self._context.store,
            self._community,
            subject,
            shape,
            self._context.device(self._community),
            lambda: self._context.copy_of(self._community),
        )
        return DocumentReplica(place, self._opened.texts)

    async def _current(
        self, opened: Opened, subject: bytes, state: document.DocumentState
    ) -> DocumentReplica:
        replica, key = opened.replica, (self._community, subject)
        if replica is None or replica.place.device != self._context.device(self._community):
            # A reader that was admitted has a device now, and writes in its name.
            self._opened.end_all(key, opened)
            if replica is not None:
                replica.close()
            replica = opened.replica = self._new_replica(subject, state.shape)
        await replica.catch_up()
        awaited = replica.facts.awaited()
        if awaited or opened.has_awaited:
            self._context.await_updates(self._community, subject, awaited)
            opened.has_awaited = bool(awaited)
        for number, session in list(opened.sessions.items()):
            if session.generation != replica.generation:
                self._opened.end(key, opened, number)
        if replica.wants_snapshot:
            await replica.save_snapshot()
        return replica

    async def _of_session(
        self, opened: Opened, replica: DocumentReplica, session: int
    ) -> EditingSession:
        key = (self._community, replica.place.subject)
        self._opened.check_session(key, session)
        if session not in opened.sessions:
            writer = await replica.writer(session)
            opened.sessions[session] = EditingSession(replica, writer)
        opened.sessions.move_to_end(session)
        for number in list(opened.sessions)[: max(0, len(opened.sessions) - SESSIONS_MAX)]:
            self._opened.end(key, opened, number)
        return opened.sessions[session]

    async def _text_view(
        self, subject: bytes, replica: DocumentReplica, session: EditingSession | None = None
    ) -> t.TextView:
        row = self._context.store.state(self._community, subject)
        return t.TextView(
            document=subject.hex(),
            title=document_state(row).title if row is not None else "",
            text=await (session or replica).text(),
            version=replica.version if session is None else session.version,
            skipped=replica.facts.skipped,
            without_effect=[
                t.WithoutEffectView(member=member.hex(), reason=reason, updates=count)
                for member, reason, count in replica.facts.skips
            ],
        )


def _drafts(subject: bytes, own: Sequence[OwnUpdate], undoes: bytes | None) -> list[Draft]:
    """Return the updates of one edit, as history will show it."""
    payloads = [
        document.encode_document_update(
            update.update, update.session, update.heads, undoes=undoes, continues=number > 0
        )
        for number, update in enumerate(own)
    ]
    return [Draft(document.UPDATE_NUMBER, subject, payload) for payload in payloads]
