"""Which auth operations precede which (spec: operation, "Pasts and frontiers").

Every rule about authority speaks of the past of an operation, so the graph of the auth operations
of one community is kept whole in memory: it is small (a few per member and device), unlike the
content. Pasts are bit sets in Python integers, one bit per operation in the order of arrival:
union is one `or`, and "does a precede b" is one `and`.

A *frontier* is a set of operations of which none precedes another; it stands for everything that
precedes them. Content operations carry the frontier of their auth past, and thousands carry the
same one, so each is given a small number. Numbers and bits depend on the order of arrival: they
never leave the node.
"""

from __future__ import annotations

from collections.abc import Iterable

_UNIONS_CACHED_MAX = 65_536
_PASTS_CACHED_MAX = 4_096  # each as many bits as there are auth operations


class AuthGraph:
    """The auth operations held of one community, and the frontiers met so far."""

    def __init__(self) -> None:
        self._indexes: dict[bytes, int] = {}
        self._op_ids: list[bytes] = []
        self._pasts: list[int] = []  # inclusive, by index
        self._heads: set[bytes] = set()
        self._head_frontier: int | None = 0
        self._numbers: dict[tuple[bytes, ...], int] = {(): 0}
        self._members: dict[int, tuple[bytes, ...]] = {0: ()}
        self._frontier_pasts: dict[int, int] = {0: 0}
        self._unions: dict[tuple[int, int], int] = {}
        self._new: list[tuple[int, tuple[bytes, ...]]] = []

    def __contains__(self, op_id: bytes) -> bool:
        return op_id in self._indexes

    def __len__(self) -> int:
        return len(self._op_ids)

    def add(self, op_id: bytes, named: Iterable[bytes]) -> None:
        """Take an operation whose `named` backlink and parents are held; no effect if it is."""
        if op_id in self._indexes:
            return
        index = len(self._op_ids)
        past = 1 << index
        for predecessor in named:
            assert predecessor in self._indexes, "an operation came before its past"
            past |= self._pasts[self._indexes[predecessor]]
            self._heads.discard(predecessor)
        self._indexes[op_id] = index
        self._op_ids.append(op_id)
        self._pasts.append(past)
        self._heads.add(op_id)
        self._head_frontier = None

    def head_frontier(self) -> int:
        """Return the number of the frontier of everything held; 0 if that is nothing."""
        if self._head_frontier is None:
            self._head_frontier = self.frontier(self._heads)
        return self._head_frontier

    def index(self, op_id: bytes) -> int:
        """Return the bit that stands for a held operation."""
        return self._indexes[op_id]

    def past_of(self, op_id: bytes) -> int:
        """Return the bit set of a held operation and everything that precedes it."""
        return self._pasts[self._indexes[op_id]]

    def past_at(self, index: int) -> int:
        """Return the same by the bit that stands for the operation."""
        return self._pasts[index]

    def op_id(self, index: int) -> bytes:
        """Return the operation that a bit stands for."""
        return self._op_ids[index]

    def heads(self) -> list[bytes]:
        """Return the operations that precede no other, ascending."""
        return sorted(self._heads)

    def frontier(self, op_ids: Iterable[bytes]) -> int:
        """Return the number of the maximal elements of held operations; 0 for none."""
        indexes = {self._indexes[op_id] for op_id in op_ids}
        before = 0
        for index in indexes:
            before |= self._pasts[index] ^ (1 << index)
        maximal = sorted(self._op_ids[index] for index in indexes if not before >> index & 1)
        return self._intern(tuple(maximal))

    def union(self, frontiers: Iterable[int]) -> int:
        """Return the number of the frontier of everything that precedes any of `frontiers`.

        One or several equal numbers cost about 0.2 µs; so does a pair that was met before.
        """
        result = 0
        for number in frontiers:
            if number != result and number:
                result = self._union_of_two(result, number) if result else number
        return result

    def members_of(self, frontier: int) -> tuple[bytes, ...]:
        """Return the op ids of a frontier, ascending."""
        return self._members[frontier]

    def past(self, frontier: int) -> int:
        """Return the bit set of everything up to and including a frontier."""
        known = self._frontier_pasts.get(frontier)
        if known is None:
            if len(self._frontier_pasts) >= _PASTS_CACHED_MAX:
                self._frontier_pasts.clear()
            known = 0
            for op_id in self._members[frontier]:
                known |= self.past_of(op_id)
            self._frontier_pasts[frontier] = known
        return known

    def define(self, frontier: int, op_ids: tuple[bytes, ...]) -> None:
        """Restore a number that an earlier run of this node gave, before any new one is made."""
        assert frontier not in self._members or self._members[frontier] == op_ids
        self._members[frontier] = op_ids
        self._numbers[op_ids] = frontier

    def take_new(self) -> list[tuple[int, tuple[bytes, ...]]]:
        """Return the numbers made since the last call, to be stored with what carries them."""
        new, self._new = self._new, []
        return new

    def _union_of_two(self, first: int, second: int) -> int:
        pair = (first, second) if first < second else (second, first)
        result = self._unions.get(pair)
        if result is None:
            if len(self._unions) >= _UNIONS_CACHED_MAX:
                self._unions.clear()
            result = self.frontier(self._members[first] + self._members[second])
            self._unions[pair] = result
        return result

    def _intern(self, op_ids: tuple[bytes, ...]) -> int:
        number = self._numbers.get(op_ids)
        if number is None:
            number = len(self._members)
            while number in self._members:  # restored numbers may have gaps
                number += 1
            self._numbers[op_ids] = number
            self._members[number] = op_ids
            self._new.append((number, op_ids))
        return number
