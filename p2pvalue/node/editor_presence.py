"""Who else is at a document: what tabs say of themselves, to tabs here and on others' devices."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Final

import trio

from p2pvalue.node import editor_messages as m
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.limits import PRESENCE_EVERY_MS, PRESENCE_STATE_BYTES_MAX

if TYPE_CHECKING:
    from p2pvalue.node.editor_room import EditorRoom
    from p2pvalue.node.editor_tab import Tab
    from p2pvalue.node.presence import PresenceNote

GOODBYE_S: Final = 2 * PRESENCE_EVERY_MS / 1_000  # until it is out
REPEAT_S_MIN: Final = 1.0
REPEAT_S_MAX: Final = 15.0
_HEARD_MAX: Final = 256


class TabPresence:
    """What one tab says of itself: of its own client only, small, and not too often."""

    def __init__(self, room: EditorRoom, tab: Tab) -> None:
        self._room, self._tab = room, tab
        self.newest: m.Presence | None = None  # as others were told
        self._next: m.Presence | None = None
        self._has_next = trio.Event()
        self._notes: trio.MemoryReceiveChannel[PresenceNote] | None = None
        self._clocks: dict[int, int] = {}  # of tabs elsewhere: how often they were heard

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
            if note.client in self._room.clients or len(self._clocks) > _HEARD_MAX:
                continue
            if note.client not in self._clocks:
                self._has_next.set()  # who has come has not heard of this one
            clock = self._clocks[note.client] = self._clocks.get(note.client, 0) + 1
            try:
                state = m.GONE if note.state is None else note.state.decode()
            except UnicodeDecodeError:
                continue
            self._tab.push(m.presences([m.Presence(note.client, clock, state)]))

    async def end(self) -> None:
        """Tell that the tab is gone."""
        if self.newest is None:
            return
        gone = m.Presence(self._tab.client, self.newest.clock + 1, m.GONE)
        await self._room.tell_presence(gone, self._tab)
        await trio.sleep(GOODBYE_S)
