"""Who pledges hours together with whom, over all needs (spec: ranking, "Pairs").

A pair that is together at one need only counts fully there, whatever else its two do. So only pairs
that meet again are reckoned one by one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from math import isqrt
from typing import Final

from p2pvalue_protocol.needs.parts import MILLION, MINUTES_PER_MEMBER_MAX

_ROOTS: Final = tuple(isqrt(given * MILLION) for given in range(MINUTES_PER_MEMBER_MAX + 1))


class Pairs:
    """Who pledges hours to which needs; tells whom a change touches."""

    def __init__(self, needs: Iterable[tuple[bytes, Mapping[bytes, int]]]) -> None:
        """Take each need with its pledgers, ascending, and their minutes; ~0.3 µs for each pair."""
        self._needs: defaultdict[bytes, set[bytes]] = defaultdict(set)  # by member
        self._both: defaultdict[bytes, dict[bytes, int]] = defaultdict(dict)
        # needs of a member together with each whose key is before hers
        for need, minutes in needs:
            self._meet(need, minutes)

    def change(
        self, need: bytes, before: Mapping[bytes, int], after: Mapping[bytes, int]
    ) -> set[bytes]:
        """Say who pledges to a need, and who did; return who came or went: her needs are touched.

        Cost: ~0.3 µs for each pair.
        """
        moved = before.keys() ^ after.keys()
        if moved:
            self._part(need, before)
            self._meet(need, after)
        return moved

    def needs_of(self, member: bytes) -> Collection[bytes]:
        """Return the needs to which a member pledges."""
        return self._needs.get(member, ())

    def squares(self, minutes: Mapping[bytes, int]) -> int:
        """Return Σ c + Σ 2 k √(c d) over the pairs of a need that is in, in millionths of minutes.

        k = (alone + 1) / (alone + both): one for a first need together; for a pair that always
        pledges together 1 / both, so that all their needs together gain what one would.
        `minutes` by ascending member, at most 480 each. Costs ~0.3 µs for each pair.
        """
        roots = {member: _ROOTS[given] for member, given in minutes.items()}
        total = sum(minutes.values()) * MILLION
        rows, needs = self._both, self._needs
        while roots:
            member, root = roots.popitem()
            row, many = rows[member], len(needs[member])
            for other, other_root in roots.items():
                both = row[other]
                squared = 2 * root * other_root
                if both > 1:
                    alone = many + len(needs[other]) - 2 * both
                    squared = squared * (alone + 1) // (alone + both)
                total += squared
        return total

    def _meet(self, need: bytes, members: Iterable[bytes]) -> None:
        before_her = list(members)
        while before_her:
            member = before_her.pop()
            self._needs[member].add(need)
            row = self._both[member]
            for other in before_her:
                row[other] = row.get(other, 0) + 1

    def _part(self, need: bytes, members: Iterable[bytes]) -> None:
        before_her = list(members)
        while before_her:
            member = before_her.pop()
            self._needs[member].discard(need)
            row = self._both[member]
            for other in before_her:
                row[other] -= 1
                if not row[other]:
                    del row[other]
            if not self._needs[member]:
                del self._needs[member], self._both[member]
