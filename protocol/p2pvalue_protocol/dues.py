"""When each of many things is due: what has hundreds of links must not ask each after every input.

A heap of times; an entry whose thing is due at another time by now is passed over.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TypeVar

Thing = TypeVar("Thing")

_STALE_MIN = 64


class Dues:
    """Due times in milliseconds by number."""

    def __init__(self) -> None:
        self._due_ms: dict[int, int] = {}
        self._heap: list[tuple[int, int]] = []

    def set(self, number: int, due_ms: int | None) -> None:
        """Note when something is due, None for never; costs nothing much if it was so before."""
        if due_ms is None:
            self._due_ms.pop(number, None)
        elif self._due_ms.get(number) != due_ms:
            self._due_ms[number] = due_ms
            if len(self._heap) > 2 * len(self._due_ms) + _STALE_MIN:
                self._heap = [(due_ms, number) for number, due_ms in self._due_ms.items()]
                heapify(self._heap)
            else:
                heappush(self._heap, (due_ms, number))

    def next_ms(self) -> int | None:
        """Return the earliest time; None if nothing is ever due."""
        heap = self._heap
        while heap and self._due_ms.get(heap[0][1]) != heap[0][0]:
            heappop(heap)
        return heap[0][0] if heap else None

    def take(self, now_ms: int) -> list[int]:
        """Return what is due, ascending by number; it is due no more until it is set again."""
        found: list[int] = []
        while (due_ms := self.next_ms()) is not None and due_ms <= now_ms:
            _, number = heappop(self._heap)
            del self._due_ms[number]
            found.append(number)
        return sorted(found)


def set_back(dues_ms: dict[Thing, int], by_ms: int) -> None:
    """Put nothing off, now that the clock was set back by so much: all stay as far ahead."""
    for thing in dues_ms:
        dues_ms[thing] -= by_ms
