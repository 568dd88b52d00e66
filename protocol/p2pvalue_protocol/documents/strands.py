"""What sessions wrote: the runs of a document by session and clock, and the branches they are in.

A *strand* is what one session wrote in one branch of its device's log. Where a fork began, the
strand of the new branch goes on from that of the old one: its clocks begin where the session was.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from p2pvalue_protocol.documents.numbers import write_number
from p2pvalue_protocol.documents.placement import Placement
from p2pvalue_protocol.documents.update_form import HAS_ORIGIN, HAS_RIGHT, STRING

Foreign = dict[int, int]
"""By branch number, how many updates of other branches a past holds; never changed once made."""


class Node:
    """A type that holds content: a root, or one that an update made. `depth` of a root is 0."""

    __slots__ = ("depth", "kind")

    def __init__(self, kind: int, depth: int) -> None:
        self.kind = kind
        self.depth = depth


class Run(NamedTuple):
    """Units that follow each other: all but the first have the unit before them as left origin.

    `node` and `key` say what they are in; `node` is None for what was collected at once.
    """

    node: Node | None
    key: str | None
    origin: tuple[Strand, int] | None


class Strand:
    """What one session wrote in one branch; clocks below `start` are those of `base`."""

    __slots__ = (
        *("base", "branch", "client", "ends", "head", "info", "lows", "name", "places"),
        *("run_starts", "runs", "session", "start", "tail", "types"),
    )

    def __init__(
        self, branch: Branch, session: int, client: int, base: Strand | None, start: int
    ) -> None:
        self.branch = branch
        self.session = session
        self.client = client
        self.base = base
        self.start = start
        self.ends: list[int] = []  # by update that writes: the next clock
        self.places: list[int] = []  # and its place in the branch
        self.run_starts: list[int] = []
        self.runs: list[Run] = []
        self.types: dict[int, Node] = {}
        self.lows: set[int] = set()  # second halves of surrogate pairs
        self.name = write_number(client)
        self.head = b"\x01\x01" + self.name
        self.info = b""  # how a typist's next struct begins
        self.tail: bytes | None = None  # and what it names on its right; None if nothing is known

    @property
    def end(self) -> int:
        """The next clock."""
        return self.ends[-1] if self.ends else self.start

    def clock_at(self, place: int) -> int:
        """Return the next clock before the update at a place of the branch."""
        at = bisect_left(self.places, place)
        return self.ends[at - 1] if at else self.start

    def place_of(self, clock: int) -> int:
        """Return the place of the update that wrote a clock."""
        return self.places[bisect_right(self.ends, clock)]

    def has_written_at(self, place: int) -> bool:
        """Return whether the update at a place of the branch wrote here."""
        at = bisect_left(self.places, place)
        return at < len(self.places) and self.places[at] == place

    def run_of(self, clock: int) -> int:
        """Return the index of the run that a clock is in."""
        return bisect_right(self.run_starts, clock) - 1

    def add(self, clock: int, run: Run) -> None:
        """Add what begins at a clock, which is the end; it joins the run that it follows."""
        origin = run.origin
        if origin is not None and origin[0] is self and origin[1] == clock - 1:
            return
        self.run_starts.append(clock)
        self.runs.append(run)

    def expect(self, right: tuple[int, int] | None) -> None:
        """Expect that a typist goes on where she was, left of the same unit."""
        sides = HAS_ORIGIN if right is None else HAS_ORIGIN | HAS_RIGHT
        self.info = bytes((STRING | sides,)) + self.name
        self.tail = b"" if right is None else write_number(right[0]) + write_number(right[1])

    def cut(self, clock: int, runs: int) -> None:
        """Forget what was added from a clock on, when there were so many runs."""
        del self.run_starts[runs:], self.runs[runs:]
        for at in [at for at in self.types if at >= clock]:
            del self.types[at]
        self.lows = {at for at in self.lows if at < clock}


Char = tuple[Strand, int]
"""One unit of content: the strand that wrote it, and its clock there."""


class Waiting(NamedTuple):
    """An update that cannot be judged yet."""

    placement: Placement
    session: int
    heads: tuple[bytes, ...]
    data: bytes


class Branch:
    """One branch of a device's log, as far as it writes this document."""

    __slots__ = (
        *("base", "base_count", "checked", "device", "foreign", "foreigns", "ids", "is_valid"),
        *("number", "queue", "seqs", "strands", "void", "waits_for"),
    )

    def __init__(
        self, number: int, device: bytes, base: Branch | None = None, base_count: int = 0
    ) -> None:
        """Begin after the first `base_count` updates of `base`."""
        self.number = number
        self.device = device
        self.base = base
        self.base_count = base_count
        self.ids: list[bytes] = []
        self.seqs: list[int] = []
        self.is_valid = bytearray()
        self.strands: dict[int, Strand] = {}
        self.void: dict[int, int] = {}  # session -> place of the update that broke a rule
        self.queue: deque[Waiting] = deque()
        self.waits_for = b""
        self.foreigns: list[Foreign] = []
        self.foreign: Foreign = {}
        self.checked: Foreign = {}  # what the last that counts knows of other branches

    @property
    def last_seq(self) -> int:
        """The seq of the last update taken, -1 if there is none."""
        return self.queue[-1].placement.seq if self.queue else self.seqs[-1] if self.seqs else -1

    def foreign_at(self, count: int) -> Foreign:
        """Return what the first `count` updates know of other branches."""
        if count:
            return self.foreigns[count - 1]
        if self.base is None:
            return {}
        foreign = dict(self.base.foreign_at(self.base_count))
        if self.base_count:
            foreign[self.base.number] = self.base_count
        return foreign

    def is_void(self, session: int) -> bool:
        """Return whether a session broke a rule in this branch or before it began."""
        if session in self.void:
            return True
        return any(branch.void.get(session, count) < count for branch, count in self._bases())

    def line(self, session: int) -> tuple[Strand | None, int]:
        """Return the strand that a session without one here goes on from, and the clock there."""
        for branch, count in self._bases():
            strand = branch.strands.get(session)
            clock = 0 if strand is None else strand.clock_at(count)
            if strand is not None and clock > strand.start:
                return strand, clock
        return None, 0

    def _bases(self) -> Iterator[tuple[Branch, int]]:
        """Yield the branches that this one goes on from, and how many updates of each."""
        branch = self
        while branch.base is not None:
            yield branch.base, branch.base_count
            branch = branch.base
