"""Whether one content operation leads back to another (spec: operation, "Pasts and frontiers").

Of the pasts of content nothing is kept: ten million operations have long ones. So it is searched
for when somebody asks, which is seldom, in the logs themselves. Times grow along backlinks and
parents, and whoever has the newest of a log has all before it: so a search looks in each log only
at what is later than what it seeks, the earliest first. Who heard of it names it soon.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final, NamedTuple

from p2pvalue_protocol.ids import CONTENT, ZERO32, Reference
from p2pvalue_protocol.operation import Core, decode_core

if TYPE_CHECKING:
    from p2pvalue_protocol.branches import Branch, Branches

_SOUGHT_MAX: Final = 128  # each remembers a place in each log
_ROWS_AT_ONCE: Final = 32


class _Sought(NamedTuple):
    """What is known of one operation that was sought: places that never change."""

    time: int
    leading: dict[int, int]  # by log: from here on it is in the past
    clean: dict[int, int]  # by log: up to here it is not


class Reach:
    """Answers for the folded content of one community; remembers what it found."""

    def __init__(self, branches: Branches) -> None:
        self._branches = branches
        self._sought: OrderedDict[tuple[int, int], _Sought] = OrderedDict()

    def past_among(self, later: Reference, wanted: Iterable[Reference]) -> frozenset[bytes]:
        """Return the ids of those of `wanted` that backlinks and parents of `later` lead to.

        All must be content; what is not folded here is in no past. Some tens of rows are read for
        each log of `wanted` if it was named soon; for what is not in the past all that is later,
        3 µs each, once for all that ask.
        """
        start = self._branches.find(later)
        if start is None or not start.is_folded:
            return frozenset()
        by_log: dict[int, list[Reference]] = {}
        for reference in wanted:
            place = self._branches.find(reference)
            if place is not None and place.is_folded:
                by_log.setdefault(place.branch.row.log, []).append(reference)
        found: set[bytes] = set()
        for log, references in by_log.items():
            branch = self._branches.numbered(log)
            found.update(self._first_of(start.branch, later.seq, branch, references))
        return frozenset(found)

    def _first_of(
        self, later: Branch, later_seq: int, branch: Branch, wanted: list[Reference]
    ) -> list[bytes]:
        """Return those of one log that lie in the past: all up to one of them."""
        wanted.sort(key=lambda reference: reference.seq)
        count = len(wanted)
        if not self._leads(later, later_seq, branch, wanted[-1].seq):
            count = bisect_left(
                wanted,
                True,
                hi=count - 1,
                key=lambda r: not self._leads(later, later_seq, branch, r.seq),
            )
        return [reference.op_id for reference in wanted[:count]]

    def _leads(self, later: Branch, later_seq: int, branch: Branch, seq: int) -> bool:
        sought = self._of(branch, seq)
        if later_seq <= sought.clean.get(later.row.log, -1):
            return False
        search = _Search(self._branches, sought)
        is_found = search.run(later, later_seq)
        if is_found:
            known = sought.leading.get(later.row.log, later_seq)
            sought.leading[later.row.log] = min(known, later_seq)
        else:
            sought.clean.update(search.reached)
        return is_found

    def _of(self, branch: Branch, seq: int) -> _Sought:
        key = (branch.row.log, seq)
        sought = self._sought.get(key)
        if sought is None:
            time, _ = self._branches.time_and_frontier(branch, seq)
            sought = self._sought[key] = _Sought(time, {branch.row.log: seq}, {})
            if len(self._sought) > _SOUGHT_MAX:
                self._sought.popitem(last=False)
        self._sought.move_to_end(key)
        return sought


class _Search:
    """One search: how far each log was reached, and what of it is still to be looked at."""

    def __init__(self, branches: Branches, sought: _Sought) -> None:
        self.reached: dict[int, int] = {}  # by log
        self.is_found = False
        self._branches = branches
        self._sought = sought
        self._rest: dict[int, tuple[Core, Iterator[Core]]] = {}  # by log: beyond what was reached
        self._due: list[tuple[int, int, Core, Iterator[Core]]] = []  # a heap by time and log

    def run(self, branch: Branch, seq: int) -> bool:
        """Return whether an operation leads to what is sought."""
        self._reach(branch, seq)
        while self._due and not self.is_found:
            _, log, core, rest = heappop(self._due)
            for parent in core.parents:
                if parent.log_class == CONTENT:
                    self._reach(self._owner(parent), parent.seq)
            self._keep(log, rest)
        return self.is_found

    def _owner(self, parent: Reference) -> Branch:
        branches = self._branches.of(parent.device, CONTENT)
        if len(branches) == 1:
            return branches[0]  # the only place for what is held: no read
        place = self._branches.find(parent)
        assert place is not None, "what is folded has its past here"
        return place.branch

    def _reach(self, branch: Branch, seq: int) -> None:
        """Note that all of a log up to an operation lies in the past."""
        log = branch.row.log
        if seq <= max(self.reached.get(log, -1), self._sought.clean.get(log, -1)):
            return
        if seq >= self._sought.leading.get(log, seq + 1):
            self.is_found = True
            return
        is_new = log not in self.reached
        self.reached[log] = seq
        if is_new:
            self._reach_base(branch)
            self._keep(log, self._later(branch))
        elif log in self._rest:
            self._queue(log, *self._rest.pop(log))

    def _reach_base(self, branch: Branch) -> None:
        row = branch.row
        if row.base_id != ZERO32:
            last = row.first_seq - 1
            base = self._branches.owner(row.device, row.log_class, last, row.base_id)
            assert base is not None, "a branch starts from an operation that is held"
            self._reach(base, last)

    def _keep(self, log: int, rest: Iterator[Core]) -> None:
        core = next(rest, None)
        if core is not None:
            self._queue(log, core, rest)

    def _queue(self, log: int, core: Core, rest: Iterator[Core]) -> None:
        if core.seq <= self.reached[log]:
            heappush(self._due, (core.time, log, core, rest))
        else:
            self._rest[log] = core, rest

    def _later(self, branch: Branch) -> Iterator[Core]:
        """Yield what a log holds that is later than what is sought, and was not looked at."""
        first = max(branch.row.first_seq, self._sought.clean.get(branch.row.log, -1) + 1)
        seqs = range(first, branch.folded_seq + 1)
        seq = first + bisect_right(
            seqs, self._sought.time, key=lambda s: self._branches.time_and_frontier(branch, s)[0]
        )
        while rows := self._branches.rows(branch, seq, _ROWS_AT_ONCE):
            yield from (decode_core(row.core) for row in rows)
            seq = rows[-1].seq + 1
