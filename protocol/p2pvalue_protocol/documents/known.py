"""How much of other branches each update of a branch knows."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from typing import NamedTuple

Foreign = dict[int, int]
"""By branch number, how many updates of other branches a past holds; never changed once made."""


class Steps(NamedTuple):
    """From which places on a branch knows how many updates of another."""

    places: array[int]
    counts: array[int]


class Known:
    """What each update of a branch knows of others: 8 bytes for each time that it learns of one."""

    __slots__ = ("steps",)

    def __init__(self) -> None:
        self.steps: dict[int, Steps] = {}

    def learn(self, place: int, before: Foreign, now: Foreign) -> None:
        """Say that from a place on `now` is known, and was not before."""
        for number, count in now.items():
            if before.get(number) != count:
                steps = self.steps.setdefault(number, Steps(array("I"), array("I")))
                steps.places.append(place)
                steps.counts.append(count)

    def at(self, place: int) -> Foreign:
        """Return what the update at a place knows. O(branches known)."""
        found = ((number, bisect_right(s.places, place), s) for number, s in self.steps.items())
        return {number: steps.counts[at - 1] for number, at, steps in found if at}
