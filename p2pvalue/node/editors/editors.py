"""Editors in browsers and elsewhere that speak the y-websocket protocol, attached to documents.

To attach makes a lease: an editing session, its client id, and a token. Who comes with the token,
over whatever carries bytes (`api.editor_server`), is one tab of the document's room.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import trio

from p2pvalue.node.documents.documents import Documents
from p2pvalue.node.editors.editor_leases import Lease, Leases
from p2pvalue.node.editors.editor_projection import knows_too_little
from p2pvalue.node.editors.editor_refusal import EditorRefused, Refusal
from p2pvalue.node.editors.editor_room import EditorRoom
from p2pvalue.node.editors.editor_tab import Tab
from p2pvalue.types import AttachedView
from p2pvalue_protocol.documents.clients import client_of
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted, NotFound
from p2pvalue_protocol.kinds import document as kind

if TYPE_CHECKING:
    from p2pvalue.node.running import RunningNode

SERVED_S_MAX: Final = 5.0
TABS_MAX: Final = 128
TABS_OF_DOCUMENT_MAX: Final = 64

log = logging.getLogger(__name__)


class Editors:
    """The tabs of all documents of a node, and their leases."""

    def __init__(self, node: RunningNode, *, come_back: bool) -> None:
        """Begin with the leases that are kept, if tabs from before may `come_back`."""
        self.is_wanted = trio.Event()
        self._node = node
        self._is_served = trio.Event()
        self._leases = Leases(node.data_dir, node.clock_ms, node.random_bytes)
        self.warning = ""  # for the person
        self._rooms: dict[tuple[bytes, bytes], EditorRoom] = {}
        if not come_back:
            self._leases.void_all()
        if self._leases.is_any_lent:
            self.is_wanted.set()  # tabs from before may come back

    # --- for who serves them

    @property
    def port(self) -> int:
        """The port at which tabs expect us; 0 if any will do."""
        return self._leases.port

    def serves_at(self, port: int) -> None:
        """Note that tabs are served at a port of 127.0.0.1 from now on.

        If another program has the one where they look for us, it hears their tokens: they are void.
        """
        expected = self._leases.port
        if expected not in (0, port) and self._leases.is_any_lent:
            self._leases.void_all()
            self.warning = (
                f"another program has port {expected}, where editors look for this node: close the"
                " tabs from before, it hears what they say; then attach them again"
            )
            log.error("%s", self.warning)
        self._leases.keep_port(port)
        self._is_served.set()

    def lets_in(self, room: str, token: str, origin: str) -> bool:
        """Return whether a tab of this origin may talk to us at all, if only to be told why not.

        A program that is no browser has no origin, and says none.
        """
        lease = self._leases.held(room, token)
        if lease is None:
            return not origin or self._leases.knows_origin(origin)
        return lease.origin == origin

    @asynccontextmanager
    async def tab(self, room: str, token: str) -> AsyncIterator[Tab]:
        """Be one tab of a document, as its lease says; raises EditorRefused."""
        lease = self._leases.held(room, token)
        if lease is None or lease.community not in self._node.machine.communities():
            raise EditorRefused(
                Refusal.UNKNOWN, "this token is not valid (any more): attach the editor again"
            )
        key = (lease.community, lease.document)
        self._check_room(key)
        opened = self._node.documents.use(key)
        try:
            documents = Documents(self._node, lease.community, self._node.documents)
            place = self._rooms.setdefault(
                key,
                EditorRoom(self._node, documents, self._node.documents, key, self._node.presences),
            )
            if any(tab.lease is lease for tab in place.tabs):
                raise EditorRefused(Refusal.BUSY, "another tab is there with the same token")
            tab = Tab(place, lease, self._client(lease), is_read_only=self._reads_only(lease))
            place.tabs.append(tab)
            self._leases.came(lease)
            with tab.presence.listening():
                try:
                    yield tab
                finally:
                    await self._part(tab, place)
            if not place.tabs:
                self._rooms.pop(key, None)
        finally:
            await self._node.documents.release(opened)

    def _check_room(self, key: tuple[bytes, bytes]) -> None:
        """Raise EditorRefused if too many tabs are there, at this document or at all."""
        counts = {there: len(room.tabs) for there, room in self._rooms.items()}
        if sum(counts.values()) >= TABS_MAX or counts.get(key, 0) >= TABS_OF_DOCUMENT_MAX:
            raise EditorRefused(
                Refusal.BUSY,
                f"{TABS_OF_DOCUMENT_MAX} tabs at a document are the most, {TABS_MAX} at all of"
                " them: close one",
            )

    async def _part(self, tab: Tab, place: EditorRoom) -> None:
        """End a tab: nobody else comes with its lease before its last words are signed."""
        try:
            await tab.leave()
        finally:
            place.tabs.remove(tab)
            self._leases.went(tab.lease)
            if tab.is_done:
                self._leases.give_back(tab.lease)
        with trio.CancelScope(shield=True):
            await tab.presence.end()

    def _client(self, lease: Lease) -> int:
        return client_of(lease.device, lease.document, lease.session)

    # --- for who attaches them

    async def attach(
        self, community: str | None, document: str, *, origin: str, schema: int
    ) -> AttachedView:
        """Lend a session to a tab, and say where it is served; raises LocalProtocolError."""
        community_id = self._node.community(community).id
        device = self._node.device(community_id)
        if not device:
            raise NotAdmitted("this node only reads here: no editor can be attached")
        documents = Documents(self._node, community_id, self._node.documents)
        subject = documents.subject(document)
        async with documents.opened(subject) as replica:
            basis, used_schema = replica.facts.basis, await replica.document.schema()
            is_outdated = await knows_too_little(replica.document, schema)
        self.is_wanted.set()
        with trio.move_on_after(SERVED_S_MAX):
            await self._is_served.wait()
        if not self._is_served.is_set():
            raise LocalProtocolError("no daemon serves editors here: start one with p2pvalue run")
        lease, token = self._leases.lend(
            community_id,
            subject,
            device,
            origin=origin,
            schema=schema,
            is_outdated=is_outdated,
            basis=basis,
        )
        return AttachedView(
            document=subject.hex(),
            url=f"ws://127.0.0.1:{self.port}",
            room=subject.hex(),
            token=token,
            session=lease.session,
            client=self._client(lease),
            read_only=self._reads_only(lease),
            schema=used_schema,
        )

    async def detach(self, community: str | None, document: str, session: int) -> None:
        """Take a session back; its tab, if it is there, is closed. Raises NotFound."""
        community_id = self._node.community(community).id
        subject = Documents(self._node, community_id, self._node.documents).subject(document)
        lease = self._leases.of_session(community_id, subject, session)
        if lease is None:
            raise NotFound(f"no editor is attached in session {session}")
        room = self._rooms.get((community_id, subject))
        for tab in room.tabs if room is not None else ():
            if tab.lease is lease:  # the session is free when its last words are signed
                tab.is_done = True
                tab.end(EditorRefused(Refusal.UNKNOWN, "this editor was detached"))
                return
        self._leases.give_back(lease)

    def _reads_only(self, lease: Lease) -> bool:
        """Whether a tab may not write: its editor is too old, or the policy keeps it out."""
        replica = self._node.copy_of(lease.community)
        frontier = replica.graph.head_frontier()
        may_write = replica.membership.judge(lease.device, kind.UPDATE_NUMBER, frontier)
        return lease.is_outdated or may_write is None
