"""Whether one content operation leads back to another (spec: operation, "Pasts and frontiers").

Of the pasts of content nothing is kept: ten million operations have long ones. So it is searched
for when somebody asks, which is seldom, in the logs themselves. Times grow along backlinks and
parents, and whoever has the newest of a log has all before it: so a search looks in each log only
at what is later than what it seeks, the earliest first. Who heard of it names it soon. Where that
goes far, because nobody heard of it or very much is sought, one walk back answers all at once.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final, NamedTuple

from p2pvalue_protocol.ids import CONTENT, Reference
from p2pvalue_protocol.operation import Core, decode_core
from p2pvalue_protocol.walk_back import Asked, base_of, owner_of, walk_back

if TYPE_CHECKING:
    from p2pvalue_protocol.branches import Branch, Branches

KNOWN_MAX: Final = 100_000
"""So many answers are remembered, a hundred bytes each; they never change."""

SEARCHED_MAX: Final = 2_000
"""Rows that searches read for one question before one walk answers the rest."""

_ROWS_AT_ONCE: Final = 32
_ROWS_TO_BEGIN: Final = 16  # what it takes about to find where to begin in a log


class _Known(NamedTuple):
    """What was sought in the past of one operation, and what of it was there: ids."""

    sought: frozenset[bytes]
    found: frozenset[bytes]


class Reach:
    """Answers for the folded content of one community; remembers what it found."""

    def __init__(self, branches: Branches) -> None:
        self._branches = branches
        self._known: OrderedDict[bytes, _Known] = OrderedDict()  # by the id of what is later
        self._known_count = 0

    def pasts_among(self, every: Sequence[Asked]) -> list[frozenset[bytes]]:
        """Return for each question the ids of what backlinks and parents of `later` lead to.

        All must be content; what is not folded here is in no past. Some tens of rows are read for
        each log of `wanted` if it was named soon. Of what is new, and goes further, all that is
        later than the earliest that is sought is read once, ~15 µs each, however much is sought.
        """
        known = [self._known.get(asked.later.op_id, _NOTHING) for asked in every]
        new = [
            Asked(asked.later, [ref for ref in asked.wanted if ref.op_id not in before.sought])
            for asked, before in zip(every, known, strict=True)
        ]
        answers = iter(self._answers([asked for asked in new if asked.wanted]))
        found: list[frozenset[bytes]] = []
        for asked, fresh, before in zip(every, new, known, strict=True):
            past = before.found
            if fresh.wanted:
                past |= next(answers)
                self._remember(fresh, past)
            found.append(past.intersection(ref.op_id for ref in asked.wanted))
        return found

    def _remember(self, asked: Asked, past: frozenset[bytes]) -> None:
        before = self._known.pop(asked.later.op_id, _NOTHING)
        sought = before.sought.union(ref.op_id for ref in asked.wanted)
        self._known[asked.later.op_id] = _Known(sought, before.found | past)
        self._known_count += len(sought) - len(before.sought)
        while self._known_count > KNOWN_MAX:
            _, oldest = self._known.popitem(last=False)
            self._known_count -= len(oldest.sought)

    def _answers(self, every: Sequence[Asked]) -> list[frozenset[bytes]]:
        """Return what each leads to: by searches, and by one walk from where they go too far."""
        effort = _Effort(SEARCHED_MAX)
        found: list[frozenset[bytes]] = []
        for number, asked in enumerate(every):
            try:
                found.append(self._searched(asked, effort))
            except _TooFarError:
                return found + walk_back(self._branches, every[number:])
        return found

    def _searched(self, asked: Asked, effort: _Effort) -> frozenset[bytes]:
        start = self._branches.find(asked.later)
        if start is None or not start.is_folded:
            return frozenset()
        by_log: dict[int, list[Reference]] = {}
        for reference in asked.wanted:
            place = self._branches.find(reference)
            if place is not None and place.is_folded:
                by_log.setdefault(place.branch.row.log, []).append(reference)
        found: set[bytes] = set()
        for log, references in by_log.items():
            branch = self._branches.numbered(log)
            found.update(self._first_of(start.branch, asked.later.seq, branch, references, effort))
        return frozenset(found)

    def _first_of(
        self, later: Branch, seq: int, branch: Branch, wanted: list[Reference], effort: _Effort
    ) -> list[bytes]:
        """Return those of one log that lie in the past: all up to one of them."""
        wanted.sort(key=lambda reference: reference.seq)
        count = len(wanted)

        def leads(reference: Reference) -> bool:
            search = _Search(self._branches, branch, reference.seq, effort)
            return search.run(later, seq)

        if not leads(wanted[-1]):
            count = bisect_left(wanted, True, hi=count - 1, key=lambda r: not leads(r))
        return [reference.op_id for reference in wanted[:count]]


_NOTHING: Final = _Known(frozenset(), frozenset())


class _TooFarError(Exception):
    """A search read more than searches may."""


class _Effort:
    """How many rows searches may read yet."""

    def __init__(self, rows: int) -> None:
        self._left = rows

    def take(self, rows: int) -> None:
        self._left -= rows
        if self._left < 0:
            raise _TooFarError


class _Search:
    """One search: how far each log was reached, and what of it is still to be looked at."""

    def __init__(self, branches: Branches, branch: Branch, seq: int, effort: _Effort) -> None:
        self._branches = branches
        self._sought = branch.row.log, seq
        self._time, _ = branches.time_and_frontier(branch, seq)
        self._effort = effort
        self._is_found = False
        self._reached: dict[int, int] = {}  # by log
        self._rest: dict[int, tuple[Core, Iterator[Core]]] = {}  # by log: beyond what was reached
        self._due: list[tuple[int, int, Core, Iterator[Core]]] = []  # a heap by time and log

    def run(self, branch: Branch, seq: int) -> bool:
        """Return whether an operation leads to what is sought."""
        self._reach(branch, seq)
        while self._due and not self._is_found:
            _, log, core, rest = heappop(self._due)
            for parent in core.parents:
                if parent.log_class == CONTENT:
                    self._reach(owner_of(self._branches, parent), parent.seq)
            self._keep(log, rest)
        return self._is_found

    def _reach(self, branch: Branch, seq: int) -> None:
        """Note that all of a log up to an operation lies in the past."""
        log = branch.row.log
        if seq <= self._reached.get(log, -1):
            return
        if log == self._sought[0] and seq >= self._sought[1]:
            self._is_found = True
            return
        is_new = log not in self._reached
        self._reached[log] = seq
        if is_new:
            self._effort.take(_ROWS_TO_BEGIN)
            if (base := base_of(self._branches, branch)) is not None:
                self._reach(base, branch.row.first_seq - 1)
            self._keep(log, self._later(branch))
        elif log in self._rest:
            self._queue(log, *self._rest.pop(log))

    def _keep(self, log: int, rest: Iterator[Core]) -> None:
        core = next(rest, None)
        if core is not None:
            self._queue(log, core, rest)

    def _queue(self, log: int, core: Core, rest: Iterator[Core]) -> None:
        if core.seq <= self._reached[log]:
            heappush(self._due, (core.time, log, core, rest))
        else:
            self._rest[log] = core, rest

    def _later(self, branch: Branch) -> Iterator[Core]:
        """Yield what a log holds that is later than what is sought."""
        first = branch.row.first_seq
        seqs = range(first, branch.folded_seq + 1)
        seq = first + bisect_right(
            seqs, self._time, key=lambda s: self._branches.time_and_frontier(branch, s)[0]
        )
        while rows := self._branches.rows(branch, seq, _ROWS_AT_ONCE):
            for row in rows:
                self._effort.take(1)
                yield decode_core(row.core)
            seq = rows[-1].seq + 1
