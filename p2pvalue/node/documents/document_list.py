"""Which documents a community has, what they are called, and which were removed.

A removed document keeps its text and its past, and is brought back by its id or its last title.
"""

from __future__ import annotations

from collections.abc import Iterator

from p2pvalue import types as t
from p2pvalue.node.context import Context
from p2pvalue.node.documents.document_shapes import check_readable
from p2pvalue.node.documents.titles import Titles, document_state
from p2pvalue.node.people import RANKS, Names, People
from p2pvalue.node.references import every_state, full_id, resolve
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted, NotFound
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import document
from p2pvalue_protocol.past import StateRow


class DocumentList:
    """The documents of one community, without their texts."""

    def __init__(self, context: Context, community: bytes, titles: Titles) -> None:
        self._context = context
        self._community = community
        self._titles = titles

    # --- looking

    def all(self, *, removed: bool = False) -> list[t.DocumentView]:
        """Return all documents, or those removed, oldest change first; counts updates of each."""
        names = Names(self._context, self._community)
        return [self._view(row, state, names) for row, state in self._rows(removed=removed)]

    def view(self, subject: bytes) -> t.DocumentView:
        """Return a document that is here, removed or not."""
        row = self._context.store.state(self._community, subject)
        assert row is not None, "it was resolved, or is ours and written"
        return self._view(row, document_state(row), Names(self._context, self._community))

    def resolve(self, reference: str) -> tuple[bytes, document.DocumentState]:
        """Return which document is meant, and what it is called; raises NotFound."""
        subject = full_id(reference, 16)
        row = self._context.store.state(self._community, subject) if subject else None
        if row is None or row.kind != document.NUMBER:
            subject = self._titled(reference, removed=False)
            row = self._context.store.state(self._community, subject)
        if row is None:
            raise NotFound(f'the document "{reference}" is gone: list the documents')
        state = document_state(row)
        if state.removed:
            raise NotFound(
                f'the document "{state.title}" was deleted; bring it back with:'
                f" p2pvalue document undelete {row.subject.hex()}"
            )
        check_readable(state)
        return row.subject, state

    def check_free(self, title: str) -> None:
        """Raise LocalProtocolError if a document here has this title."""
        if title in self._titles.of(self._context.store, self._community):
            raise LocalProtocolError(
                f'there is a document "{title}" already: edit that one, or choose another title'
            )

    # --- changing

    async def rename(self, reference: str, title: str) -> t.DocumentView:
        """Give a document another title, as whoever may write here may."""
        subject, state = self.resolve(reference)
        payload = document.encode_document_title(title)
        if title != state.title:
            self.check_free(title)
            await self._write(subject, payload)
        return self.view(subject)

    async def remove(self, reference: str) -> t.DocumentView:
        """Take a document out of sight, for everybody; NotAdmitted if only others may."""
        subject, state = self.resolve(reference)
        return await self._set_removed(subject, state, removed=True)

    async def bring_back(self, reference: str) -> t.DocumentView:
        """Show a removed document again, with all that was ever written into it."""
        subject = full_id(reference, 16) or self._titled(reference, removed=True)
        row = self._context.store.state(self._community, subject)
        if row is None or row.kind != document.NUMBER:
            raise NotFound(f'there is no document "{reference}" here: list the documents')
        state = document_state(row)
        if not state.removed:
            raise LocalProtocolError(f'the document "{state.title}" is not deleted')
        return await self._set_removed(subject, state, removed=False)

    async def _set_removed(
        self, subject: bytes, state: document.DocumentState, *, removed: bool
    ) -> t.DocumentView:
        rank = People(self._context, self._community).my_rank()
        root = self._context.root(self._community)
        if rank is None or not document.may_remove(state, root, RANKS.index(rank)):
            author = Names(self._context, self._community).of(state.author)
            raise NotAdmitted(
                f'"{state.title}" was started by {author}: only they, or an admin, may do this'
            )
        await self._write(subject, document.encode_document_removal(removed=removed))
        return self.view(subject)

    async def _write(self, subject: bytes, payload: bytes) -> None:
        await self._context.write(self._community, [Draft(document.NUMBER, subject, payload)])

    # --- what is stored

    def _rows(self, *, removed: bool) -> Iterator[tuple[StateRow, document.DocumentState]]:
        for row in every_state(self._context.store, self._community, document.NUMBER):
            state = document_state(row)
            if state.removed == removed:
                yield row, state

    def _titled(self, reference: str, *, removed: bool) -> bytes:
        rows = self._rows(removed=removed)
        titled = ((row.subject, state.title) for row, state in rows)
        return resolve(reference, titled, "deleted document" if removed else "document")

    def _view(self, row: StateRow, state: document.DocumentState, names: Names) -> t.DocumentView:
        store = self._context.store
        return t.DocumentView(
            document=row.subject.hex(),
            title=state.title,
            shape=state.shape,
            member=state.author.hex(),
            name=names.of(state.author),
            updates=store.entry_count(self._community, row.subject, document.UPDATE_NUMBER),
            time=row.time,
            deleted=state.removed,
        )
