"""One document that tabs of editors are attached to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from typing import TYPE_CHECKING

import trio

from p2pvalue.node.documents.document_facts import NobodyShows
from p2pvalue.node.editors import editor_messages as m
from p2pvalue.node.editors.editor_presence import bound_state
from p2pvalue.node.editors.editor_projection import knows_too_little
from p2pvalue.node.editors.editor_refusal import EditorRefused, Refusal
from p2pvalue.node.pace import Pace
from p2pvalue.node.people import Names
from p2pvalue_protocol.documents.bursts import in_parts, joined
from p2pvalue_protocol.documents.update_form import Update, write_update
from p2pvalue_protocol.errors import NotAdmitted, NotFound, P2PValueError
from p2pvalue_protocol.kinds.document import SHAPE_RICH, UPDATE_BYTES_MAX

if TYPE_CHECKING:
    from p2pvalue.node.context import Context
    from p2pvalue.node.documents.document_replica import DocumentReplica
    from p2pvalue.node.documents.documents import Documents
    from p2pvalue.node.documents.open_documents import DocumentKey, OpenDocuments
    from p2pvalue.node.editors.editor_tab import Tab
    from p2pvalue.node.editors.presence import PresenceNote, Presences


class EditorRoom:
    """The tabs of one document. Methods raise EditorRefused, for the tab that asks."""

    def __init__(
        self,
        context: Context,
        documents: Documents,
        opened: OpenDocuments,
        key: DocumentKey,
        afar: Presences,
    ) -> None:
        """`documents` are those of the community; `afar` is where other devices' tabs are."""
        self._context = context
        self.tabs: list[Tab] = []
        self._documents, self._opened, self._key, self._afar = documents, opened, key, afar
        self._community, self.subject = key
        self._writing: Tab | None = None
        self._is_rich = False  # as far as is known: no tab has all before it is

    # --- the document

    @property
    def news(self) -> trio.Event:
        """Set when something of the document comes, or is hidden, after now."""
        return self._opened.news_of(self._key)

    @asynccontextmanager
    async def replica(self, tab: Tab) -> AsyncIterator[DocumentReplica]:
        """Lock the document, with all that is here; what is new is told to all tabs."""
        try:
            async with self._documents.opened(self.subject, self._tell) as replica:
                basis = (replica.place.device, replica.facts.basis)
                if basis != (tab.lease.device, tab.lease.basis):
                    raise EditorRefused(
                        Refusal.ANEW,
                        "what others see of this document was changed (somebody was put out, or"
                        " let in again): attach again, with a new document",
                    )
                self._is_rich = replica.place.shape == SHAPE_RICH
                with replica.readable():
                    yield replica
        except NotFound as error:
            raise EditorRefused(Refusal.UNKNOWN, str(error)) from None
        except NotAdmitted as error:
            raise EditorRefused(Refusal.NOT_ALLOWED, str(error)) from None
        except NobodyShows as error:
            raise EditorRefused(Refusal.REFUSED, str(error)) from None
        except P2PValueError as error:
            raise EditorRefused(Refusal.BUSY, str(error)) from None

    async def missing(self, replica: DocumentReplica, state: bytes) -> bytes:
        """Return all that somebody lacks who holds so much; and all that was ever deleted.

        Empty if this is no state.
        """
        return await replica.document.since(state)

    async def held(self, replica: DocumentReplica) -> bytes:
        """Return how much we hold, as a state."""
        return await replica.document.state()

    async def write_typed(self, tab: Tab, typed: Sequence[Update]) -> None:
        """Sign what a tab typed, in as few updates as can be, and tell the others."""
        pace, updates = Pace(), list[bytes]()
        for part in in_parts(joined(typed)):
            await pace.rest()
            updates.append(write_update(part))
        await self.write(tab, updates)

    async def write(self, tab: Tab, updates: Sequence[bytes]) -> None:
        """Sign updates of a tab, and tell the others."""
        if max(map(len, updates)) > UPDATE_BYTES_MAX:
            raise EditorRefused(
                Refusal.REFUSED, f"something larger than {UPDATE_BYTES_MAX} bytes in one piece"
            )
        async with self.replica(tab) as replica:
            self._writing = tab
            try:
                await self._documents.write_own(replica, tab.lease.session, updates)
            finally:
                self._writing = None

    async def exceeds(self, replica: DocumentReplica, schema: int) -> bool:
        """Return whether an editor of a schema must not have the document as it is."""
        return self._is_rich and await knows_too_little(replica.document, schema)

    def _tell(self, updates: list[bytes]) -> None:
        for tab in self.tabs:
            if tab is not self._writing:
                if self._is_rich:
                    tab.end_if_unknown(updates)
                tab.hear(updates)

    # --- who is there

    def presences(self) -> list[m.Presence]:
        """Return who is there, as far as they say."""
        newest = (tab.presence.newest for tab in self.tabs)
        return [found for said in newest if said is not None for found in self._bound_here(said)]

    def _bound_here(self, presence: m.Presence) -> list[m.Presence]:
        return self.bound(presence, self._context.root(self._community))

    def bound(self, presence: m.Presence, member: bytes) -> list[m.Presence]:
        """Return what a member's tab says, under her name; empty if it is nothing to show."""
        if presence.state == m.GONE:
            return [presence]
        name = Names(self._context, self._community).of(member)
        state = bound_state(presence.state, member, name)
        return [] if state is None else [presence._replace(state=state)]

    @property
    def clients(self) -> set[int]:
        """The clients of all tabs here."""
        return {tab.client for tab in self.tabs}

    def listen(self) -> AbstractContextManager[trio.MemoryReceiveChannel[PresenceNote]]:
        """Hear what tabs on other devices say of themselves; raises LocalProtocolError."""
        return self._afar.listen(self._community, self.subject)

    async def tell_presence(self, presence: m.Presence, teller: Tab) -> None:
        """Tell the other tabs, here and on other devices, what one says of itself."""
        told = self._bound_here(presence)
        for tab in self.tabs:
            if tab is not teller and told:
                tab.push(m.presences(told))
        state = None if presence.state == m.GONE else presence.state.encode()
        await self._afar.tell(self._community, self.subject, presence.client, state)
