"""Long work in the event loop, cut where others may have their turn."""

from __future__ import annotations

import time
from typing import Final, TypeVar

import trio

from p2pvalue_protocol.documents.steps import Steps

WORK_S_MAX: Final = 0.005


T = TypeVar("T")


class Pace:
    """Of one piece of work: call `rest` between its steps, as often as you like; ~0.3 µs."""

    def __init__(self) -> None:
        self._since_s = time.thread_time()

    async def finish(self, steps: Steps[T]) -> T:
        """Do work in steps, with rests; return what comes of it."""
        while True:
            try:
                next(steps)
            except StopIteration as done:
                found: T = done.value
                return found
            await self.rest()

    async def rest(self) -> None:
        """Let other tasks run if this one has used the processor for long."""
        if time.thread_time() - self._since_s > WORK_S_MAX:
            await trio.lowlevel.checkpoint()
            self._since_s = time.thread_time()
