"""Who pledges hours together with whom, over all needs (spec: ranking, "Pairs")."""

from __future__ import annotations

from collections.abc import Iterable


class Pairs:
    """Who pledges hours to which needs; tells which needs a change touches."""

    def __init__(self) -> None:
        self._members: dict[bytes, frozenset[bytes]] = {}  # by need
        self._needs: dict[bytes, set[bytes]] = {}  # by member
        self._both: dict[tuple[bytes, bytes], int] = {}  # needs of both, by ascending pair

    def put(self, need: bytes, members: Iterable[bytes]) -> set[bytes]:
        """Say who pledges to a need; return all other needs of those who came or went.

        Cost: the pairs of the need, and the needs of those who came or went.
        """
        before = self._members.get(need, frozenset())
        after = frozenset(members)
        if before == after:
            return set()
        self._count(before - after, before, -1)
        self._count(after - before, after, +1)
        touched: set[bytes] = set()
        for member in before ^ after:
            needs = self._needs.setdefault(member, set())
            touched |= needs
            needs ^= {need}
        self._members[need] = after
        return touched - {need}

    def together(self, one: bytes, other: bytes) -> tuple[int, int]:
        """Return how many needs both of an ascending pair pledge to, and how many one alone."""
        both = self._both.get((one, other), 0)
        return both, len(self._needs[one]) + len(self._needs[other]) - 2 * both

    def _count(self, moved: frozenset[bytes], among: frozenset[bytes], step: int) -> None:
        """Count the pairs of `among` with one or two of `moved` in them once more or less."""
        if not moved:
            return
        ascending = sorted(among)
        for index, member in enumerate(ascending):
            for other in ascending[:index]:
                if member in moved or other in moved:
                    self._both[other, member] = self._both.get((other, member), 0) + step
