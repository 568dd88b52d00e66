"""Who else is at a document: what tabs say of themselves, between tabs of this node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio

from p2pvalue.node import editor_messages as m

if TYPE_CHECKING:
    from p2pvalue.node.editor_room import EditorRoom
    from p2pvalue.node.editor_tab import Tab

PRESENCE_BYTES_MAX: Final = 1_024
PRESENCE_EVERY_S: Final = 0.1


class TabPresence:
    """What one tab says of itself: of its own client only, small, and not too often."""

    def __init__(self, room: EditorRoom, tab: Tab) -> None:
        self._room, self._tab = room, tab
        self.newest: m.Presence | None = None  # as others were told
        self._next: m.Presence | None = None
        self._has_next = trio.Event()

    def said(self, found: tuple[m.Presence, ...]) -> None:
        """Note what the tab says; what it says of others, or at length, is dropped."""
        for presence in found:
            if presence.client == self._tab.client and (
                len(presence.state.encode()) <= PRESENCE_BYTES_MAX
            ):
                self._next = presence
                self._has_next.set()

    async def run(self) -> None:
        """Tell the newest on, in a pace that others can bear."""
        while True:
            await self._has_next.wait()
            self._has_next = trio.Event()
            self._tell()
            await trio.sleep(PRESENCE_EVERY_S)

    def _tell(self) -> None:
        self.newest = self._next
        if self.newest is not None:
            self._room.tell_presence(self.newest, self._tab)

    def end(self) -> None:
        """Tell that the tab is gone."""
        if self.newest is not None:
            gone = m.Presence(self._tab.client, self.newest.clock + 1, m.GONE)
            self.newest = None
            self._room.tell_presence(gone, self._tab)
