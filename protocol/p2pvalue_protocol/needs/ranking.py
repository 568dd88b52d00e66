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
    Weights,
    fresh_offers,
    minutes_by_member,
    parts_of,
    quadratic_part,
)

FIRST_PLACES: Final = 10
CARE_CLASSES: Final = frozenset(("care", "maintain"))
WAITS_LONG_MS: Final = 90 * DAY_MS

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
        """Cost: ~7 µs a need, with the quadratic part ~0.5 µs more for each pair of pledgers."""
        self.weights = weights
        self.as_of_ms = as_of_ms
        self._factors = weights.of_parts()
        self._needs = {need.need: need for need in needs}
        self._pairs = Pairs()
        self._minutes: dict[bytes, dict[bytes, int]] = {}
        if weights.quadratic:
            for need in self._needs.values():
                self._pair_up(need)
        self._parts: dict[bytes, Parts] = {}
        self._keys: dict[bytes, Key] = {}
        for need in self._needs.values():
            self._weigh(need)
        ranked, keys = self._needs.values(), self._keys
        self._order = sorted(keys.values())
        self._care = sorted(keys[one.need] for one in ranked if one.class_name in CARE_CLASSES)
        self._waiting = sorted((one.created_ms, one.need) for one in ranked if self._waits(one))

    def __len__(self) -> int:
        return len(self._needs)

    def get(self, need: bytes) -> Ranked:
        """Return what is known of a need; raises KeyError."""
        return self._needs[need]

    def put(self, need: Ranked) -> None:
        """Take a need in, or as it stands now.

        Cost: ~20 µs, and the list's own move. With the quadratic part, all needs are weighed again
        to which those pledge who came or went.
        """
        known = self._needs.get(need.need)
        if known is not None:
            self._take_out(known)
        self._needs[need.need] = need
        touched = self._pair_up(need)
        self._insert(need)
        self._weigh_again(touched)

    def remove(self, need: bytes) -> None:
        """Take a need out, if it is in."""
        known = self._needs.get(need)
        if known is None:
            return
        self._take_out(known)
        del self._needs[need], self._parts[need], self._keys[need]
        self._minutes.pop(need, None)
        self._weigh_again(self._pairs.put(need, ()))

    def place(self, need: bytes) -> Place:
        """Return where a need stands; raises KeyError. ~20 µs, however many there are."""
        key = self._keys[need]
        first, lifted = self._first()
        by_score = bisect_left(self._order, key)
        is_first = key in first
        index = first.index(key) if is_first else by_score + sum(key < kept for kept in first)
        return self._place(key, index, by_score, lifted)

    def places(self) -> list[Place]:
        """Return all needs in their order; ~1 µs each."""
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

    def place_if(self, changed: Ranked) -> int:
        """Return the place that a need would have as given; nothing changes. KeyError if new."""
        before = self._needs[changed.need]
        self.put(changed)
        try:
            return self.place(changed.need).place
        finally:
            self.put(before)

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

    def _waits(self, need: Ranked) -> bool:
        return self.as_of_ms - need.created_ms >= WAITS_LONG_MS

    def _pair_up(self, need: Ranked) -> set[bytes]:
        if not self.weights.quadratic:
            return set()
        minutes = minutes_by_member(need, fresh_offers(need, self.as_of_ms))
        self._minutes[need.need] = minutes
        return self._pairs.put(need.need, minutes)

    def _weigh(self, need: Ranked) -> None:
        minutes = self._minutes.get(need.need)
        squares = quadratic_part(minutes, self._pairs.together) if minutes else 0
        parts = parts_of(need, self.weights, self.as_of_ms, squares)
        self._parts[need.need] = parts
        self._keys[need.need] = -sum(map(mul, parts, self._factors)), need.need

    def _weigh_again(self, needs: Iterable[bytes]) -> None:
        for need in needs:
            known = self._needs[need]
            self._take_out(known)
            self._insert(known)

    def _insert(self, need: Ranked) -> None:
        self._weigh(need)
        key = self._keys[need.need]
        insort(self._order, key)
        if need.class_name in CARE_CLASSES:
            insort(self._care, key)
        if self._waits(need):
            insort(self._waiting, (need.created_ms, need.need))

    def _take_out(self, need: Ranked) -> None:
        key = self._keys[need.need]
        del self._order[bisect_left(self._order, key)]
        if need.class_name in CARE_CLASSES:
            del self._care[bisect_left(self._care, key)]
        if self._waits(need):
            del self._waiting[bisect_left(self._waiting, (need.created_ms, need.need))]


def rank(needs: Iterable[Ranked], weights: Weights, as_of_ms: int) -> list[Place]:
    """Return distinct needs in their order; ~9 µs each."""
    return Ranking(needs, weights, as_of_ms).places()
