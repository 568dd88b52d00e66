"""The order of needs: a weighted sum of parts, a floor for care, and a turn for what waits long.

Whole numbers only, and ties by name: whoever holds the same needs and asks for the same day has the
same order (spec: ranking).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from operator import mul
from typing import Final, Literal

import msgspec

from p2pvalue_protocol.needs.pairs import Pairs
from p2pvalue_protocol.needs.parts import (
    DAY_MS,
    Parts,
    Ranked,
    Sums,
    Weights,
    parts_of,
    sums_of,
)

FIRST_PLACES: Final = 10
CARE_CLASSES: Final = frozenset(("care", "maintain"))
WAITS_LONG_MS: Final = 90 * DAY_MS
_FEW: Final = 16  # if more than a sixteenth is to be weighed, all are put in order anew

Lifted = Literal["", "floor", "turn"]
Key = tuple[int, bytes]  # the score below zero, and the need: ascending is the order


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where a need stands, and why."""

    need: bytes
    place: int  # from 1
    score: int  # the sum of parts times weights
    parts: Parts
    by_score: int  # its place by the score alone
    lifted: Lifted = ""  # what brought it among the first places


class Ranking:
    """The order of needs at one time with one set of weights, which changes need by need."""

    def __init__(self, needs: Iterable[Ranked], weights: Weights, as_of_ms: int) -> None:
        """Take distinct needs; they are weighed when somebody asks, or by `settle`.

        Cost: ~3 µs a need, with the quadratic part ~0.3 µs more for each pair of pledgers.
        """
        self.weights = weights
        self.as_of_ms = as_of_ms
        self._factors = weights.of_parts()
        self._sums = {need.need: self._sum_up(need) for need in needs}
        some = self._sums.values()
        self._pairs = Pairs((one.need, one.minutes) for one in some if one.minutes)
        self._parts: dict[bytes, Parts] = {}
        self._keys: dict[bytes, Key] = {}
        self._order: list[Key] = []
        self._care: list[Key] = []
        self._waiting = sorted((one.created_ms, one.need) for one in some if self._waits(one))
        self._stale = dict.fromkeys(self._sums)  # what is to be weighed, as they came
        self._is_sorted = False  # `order` and `care` are to be made anew

    def __len__(self) -> int:
        return len(self._sums)

    def sums(self, need: bytes) -> Sums:
        """Return what speaks for a need; raises KeyError."""
        return self._sums[need]

    def put(self, need: Ranked) -> None:
        """Take a need in, or as it stands now; it and all that it touches are weighed later.

        Cost: ~10 µs, with the quadratic part its pairs and the needs of who came or went.
        """
        self._put(self._sum_up(need))

    def remove(self, need: bytes) -> None:
        """Take a need out, if it is in."""
        known = self._sums.pop(need, None)
        if known is None:
            return
        self._take_out(known)
        self._stale.pop(need, None)
        self._touch(self._pairs.change(need, known.minutes, {}))

    def settle(self, most: int | None = None) -> bool:
        """Weigh at most so many needs of those that something changed for; return if all are now.

        Who has other things to do settles a few at a time, and asks then. Cost: ~10 µs each.
        """
        stale = self._stale
        if len(stale) > len(self._sums) // _FEW:
            self._is_sorted = False
        for _ in range(len(stale) if most is None else min(most, len(stale))):
            known = self._sums[stale.popitem()[0]]
            self._drop_key(known)
            key = self._weigh(known)
            if self._is_sorted:
                insort(self._order, key)
                if known.class_name in CARE_CLASSES:
                    insort(self._care, key)
        if not stale and not self._is_sorted:
            some, keys = self._sums.values(), self._keys
            self._order = sorted(keys.values())
            self._care = sorted(keys[one.need] for one in some if one.class_name in CARE_CLASSES)
            self._is_sorted = True
        return not stale

    def place(self, need: bytes) -> Place:
        """Return where a need stands; raises KeyError. ~20 µs, however many there are."""
        self.settle()
        key = self._keys[need]
        first, lifted = self._first()
        by_score = bisect_left(self._order, key)
        is_first = key in first
        index = first.index(key) if is_first else by_score + sum(key < kept for kept in first)
        return self._place(key, index, by_score, lifted)

    def places(self) -> list[Place]:
        """Return all needs in their order; ~1 µs each."""
        self.settle()
        first, lifted = self._first()
        inside = frozenset(first)
        found = [
            self._place(key, index, bisect_left(self._order, key), lifted)
            for index, key in enumerate(first)
        ]
        for by_score, key in enumerate(self._order):
            if key not in inside:
                found.append(self._place(key, len(found), by_score, lifted))
        return found

    def place_if(self, changed: Sums) -> int:
        """Return the place that a need would have as given; nothing changes. KeyError if new."""
        before = self._sums[changed.need]
        self._put(changed)
        try:
            return self.place(changed.need).place
        finally:
            self._put(before)

    def _first(self) -> tuple[list[Key], dict[Key, Lifted]]:
        """Return the keys of the first places in their order, and which are kept and for what."""
        count = max(FIRST_PLACES, self.weights.floor + 1)
        kept: dict[Key, Lifted] = {}
        if self._waiting:
            turn = self._waiting[self.as_of_ms // DAY_MS % len(self._waiting)][1]
            kept[self._keys[turn]] = "turn"
        kept |= dict.fromkeys(self._care[: self.weights.floor], "floor")
        best = [key for key in self._order[:count] if key not in kept]
        first = sorted([*kept, *best[: count - len(kept)]])
        by_score = set(self._order[:count])
        return first, {key: why for key, why in kept.items() if key not in by_score}

    def _place(self, key: Key, index: int, by_score: int, lifted: dict[Key, Lifted]) -> Place:
        score, need = key
        return Place(need, index + 1, -score, self._parts[need], by_score + 1, lifted.get(key, ""))

    def _waits(self, need: Sums) -> bool:
        return self.as_of_ms - need.created_ms >= WAITS_LONG_MS

    def _sum_up(self, need: Ranked) -> Sums:
        return sums_of(need, self.as_of_ms, has_pairs=bool(self.weights.quadratic))

    def _put(self, need: Sums) -> None:
        known = self._sums.get(need.need)
        if known is not None:
            self._take_out(known)
        self._sums[need.need] = need
        before = {} if known is None else known.minutes
        if self._waits(need):
            insort(self._waiting, (need.created_ms, need.need))
        self._stale[need.need] = None
        self._touch(self._pairs.change(need.need, before, need.minutes))

    def _touch(self, members: Iterable[bytes]) -> None:
        """Have the needs weighed again to which these members pledge."""
        if len(self._stale) < len(self._sums):
            for member in members:
                self._stale.update(dict.fromkeys(self._pairs.needs_of(member)))

    def _take_out(self, need: Sums) -> None:
        self._drop_key(need)
        if self._waits(need):
            del self._waiting[bisect_left(self._waiting, (need.created_ms, need.need))]

    def _drop_key(self, need: Sums) -> None:
        key = self._keys.pop(need.need, None)
        if key is None or not self._is_sorted:
            return
        del self._order[bisect_left(self._order, key)]
        if need.class_name in CARE_CLASSES:
            del self._care[bisect_left(self._care, key)]

    def _weigh(self, need: Sums) -> Key:
        squares = self._pairs.squares(need.minutes) if need.minutes else 0
        parts = parts_of(need, self.weights, self.as_of_ms, squares)
        self._parts[need.need] = parts
        key = self._keys[need.need] = -sum(map(mul, parts, self._factors)), need.need
        return key


def rank(needs: Iterable[Ranked], weights: Weights, as_of_ms: int) -> list[Place]:
    """Return distinct needs in their order; ~8 µs each."""
    return Ranking(needs, weights, as_of_ms).places()
