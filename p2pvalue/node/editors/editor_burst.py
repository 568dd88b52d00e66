"""What a tab typed and is not signed yet: for a moment, so that a word is one update."""

from __future__ import annotations

import math
from typing import Final

import trio

from p2pvalue_protocol.documents.update_form import Update

BURST_S_MAX: Final = 0.3
PAUSE_S: Final = 0.06
BURST_BYTES_MAX: Final = 30_000


class Burst:
    """Updates of one tab, in the order in which it made them."""

    def __init__(self) -> None:
        self._updates: list[Update] = []
        self._bytes = 0
        self._first_s = self._last_s = math.inf
        self.has_begun = trio.Event()

    def add(self, update: Update, size: int) -> None:
        """Take one more update, of so many bytes."""
        self._last_s = trio.current_time()
        if not self._updates:
            self._first_s = self._last_s
            self.has_begun.set()
        self._updates.append(update)
        self._bytes += size

    @property
    def is_full(self) -> bool:
        """Whether it is to be signed now."""
        return self._bytes >= BURST_BYTES_MAX

    async def pause(self) -> None:
        """Return when something was typed, and the typist pauses or has typed for long enough."""
        await self.has_begun.wait()
        while self._updates:
            due_s = min(self._first_s + BURST_S_MAX, self._last_s + PAUSE_S)
            if due_s <= trio.current_time():
                return
            await trio.sleep_until(due_s)

    def take(self) -> list[Update]:
        """Return all of it, and begin anew."""
        taken, self._updates, self._bytes = self._updates, [], 0
        if taken:  # else somebody may wait for the one that there is
            self.has_begun = trio.Event()
        return taken
