"""Who else is at a document: what tabs say of themselves, to tabs here and on others' devices."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Final

import trio

from p2pvalue.node.editors import editor_messages as m
from p2pvalue.node.editors.editor_leases import FIRST_SESSION, LEASES_MAX
from p2pvalue_protocol.documents.clients import client_of
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.limits import PRESENCE_EVERY_MS, PRESENCE_STATE_BYTES_MAX

if TYPE_CHECKING:
    from p2pvalue.node.editors.editor_room import EditorRoom
    from p2pvalue.node.editors.editor_tab import Tab
    from p2pvalue.node.editors.presence import PresenceNote

GOODBYE_S: Final = 2 * PRESENCE_EVERY_MS / 1_000  # until it is out
REPEAT_S_MIN: Final = 1.0
REPEAT_S_MAX: Final = 15.0
_DEVICES_MAX: Final = 256  # heard by one tab
_COLOURS: Final = ("color", "colorLight")
_COLOUR: Final = re.compile("#[0-9a-fA-F]{6,8}")


def bound_state(state: str, member: bytes, name: str) -> str | None:
    """Return what a tab says of itself as editors may show it; None if it is no such thing.

    Who it is does not the tab say, but `member`, a root key, and the name that it has in the
    community. Colours are the tab's, if they are some: editors put them into a style as they are.
    """
    try:
        said = json.loads(state)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    user = said.get("user")
    colours = {
        key: str(user[key])
        for key in _COLOURS
        if isinstance(user, dict) and _COLOUR.fullmatch(str(user.get(key)))
    }
    said["user"] = {"name": name, "member": member.hex(), **colours}
    if "name" in said:  # some editors look for it there
        said["name"] = name
    return json.dumps(said, separators=(",", ":"))


class TabPresence:
    """What one tab says of itself: of its own client only, small, and not too often."""

    def __init__(self, room: EditorRoom, tab: Tab) -> None:
        self._room, self._tab = room, tab
        self.newest: m.Presence | None = None  # as others were told
        self._next: m.Presence | None = None
        self._has_next = trio.Event()
        self._notes: trio.MemoryReceiveChannel[PresenceNote] | None = None
        self._clocks: dict[int, int] = {}  # of tabs elsewhere: how often they were heard
        self._clients: dict[bytes, frozenset[int]] = {}  # by device: those it may speak for

    def said(self, found: tuple[m.Presence, ...]) -> None:
        """Note what the tab says; what it says of others, or at length, is dropped."""
        for presence in found:
            is_its_own = presence.client == self._tab.client
            if is_its_own and len(presence.state.encode()) <= PRESENCE_STATE_BYTES_MAX:
                self._next = presence
                self._has_next.set()

    async def run(self) -> None:
        """Tell the newest on, in a pace that others can bear, and hear of tabs elsewhere."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._tell_on)
            if self._notes is not None:
                await self._hear(self._notes)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen to tabs elsewhere, if not too many documents are listened to.

        Who does not listen is not heard either: so it lasts until the tab has said that it is gone.
        """
        with ExitStack() as stack:
            with suppress(LocalProtocolError):
                self._notes = stack.enter_context(self._room.listen())
            yield

    async def _tell_on(self) -> None:
        repeat_s = REPEAT_S_MIN  # the first may be lost: nobody knows yet that we listen
        while True:
            with trio.move_on_after(repeat_s):
                await self._has_next.wait()
            repeat_s = min(2 * repeat_s, REPEAT_S_MAX)
            self._has_next = trio.Event()
            self.newest = self._next
            if self.newest is not None:
                await self._room.tell_presence(self.newest, self._tab)
            await trio.sleep(PRESENCE_EVERY_MS / 1_000)

    async def _hear(self, notes: trio.MemoryReceiveChannel[PresenceNote]) -> None:
        async for note in notes:
            if note.client in self._room.clients or not self._is_its_own(note):
                continue
            if note.client not in self._clocks:
                self._has_next.set()  # who has come has not heard of this one
            clock = self._clocks[note.client] = self._clocks.get(note.client, 0) + 1
            state = m.GONE if note.state is None else note.state.decode(errors="replace")
            heard = self._room.bound(m.Presence(note.client, clock, state), note.member)
            if heard:
                self._tab.push(m.presences(heard))

    def _is_its_own(self, note: PresenceNote) -> bool:
        """Return whether a client number is one of the sessions that a device lends to tabs."""
        clients = self._clients.get(note.device)
        if clients is None:
            if len(self._clients) >= _DEVICES_MAX:
                return False
            sessions = range(FIRST_SESSION, FIRST_SESSION + LEASES_MAX)
            clients = frozenset(client_of(note.device, self._room.subject, s) for s in sessions)
            self._clients[note.device] = clients
        return note.client in clients

    async def end(self) -> None:
        """Tell that the tab is gone."""
        if self.newest is None:
            return
        gone = m.Presence(self._tab.client, self.newest.clock + 1, m.GONE)
        await self._room.tell_presence(gone, self._tab)
        await trio.sleep(GOODBYE_S)
