"""What sessions wrote: the runs of a document by session and clock, and the branches they are in.

A *strand* is what one session wrote in one branch of its device's log. Where a fork began, the
strand of the new branch goes on from that of the old one: its clocks begin where the session was.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from p2pvalue_protocol.documents.known import Foreign, Known
from p2pvalue_protocol.documents.numbers import write_number
from p2pvalue_protocol.documents.op_ids import IdOf, OpIds
from p2pvalue_protocol.documents.placement import Placement
from p2pvalue_protocol.documents.update_form import (
    CLOCK_MAX,
    HAS_ORIGIN,
    HAS_RIGHT,
    STRING,
    lows_of,
)
from p2pvalue_protocol.documents.verdict import Applies


class Node:
    """A type that holds content: a root, or one that an update made. `depth` of a root is 0."""

    __slots__ = ("depth", "kind")

    def __init__(self, kind: int, depth: int) -> None:
        self.kind = kind
        self.depth = depth


class Run:
    """Units that follow each other: all but the first have the unit before them as left origin.

    `node` and `key` say what they are in; `node` is None for what was collected at once. `depth` is
    how many runs it was begun after, one after the other, -1 if that is not known yet; `jump` is
    one of these (`chains`).
    """

    __slots__ = ("depth", "jump", "key", "node", "origin")

    def __init__(
        self, node: Node | None, key: str | None, origin: tuple[Strand, int] | None
    ) -> None:
        self.node = node
        self.key = key
        self.origin = origin
        self.depth = -1
        self.jump: Run | None = None


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
        self.ends = array("I")  # by update that writes: the next clock
        self.places = array("I")  # and its place in the branch
        self.run_starts = array("I")
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
        """Add a run that begins at a clock, which is the end."""
        self.run_starts.append(clock)
        self.runs.append(run)

    def expect(self, right: tuple[int, int] | None) -> None:
        """Expect that a typist goes on where she was, left of the same unit."""
        sides = HAS_ORIGIN if right is None else HAS_ORIGIN | HAS_RIGHT
        self.info = bytes((STRING | sides,)) + self.name
        self.tail = b"" if right is None else write_number(right[0]) + write_number(right[1])

    def typed(self, place: int, data: bytes) -> Applies | None:
        """Take a typist's next word, which needs no rules: it stands where the last one ended.

        What it names was found true for the last one, and is asked for byte by byte.
        """
        end = self.ends[-1]
        assert self.tail is not None
        prefix = self.head + write_number(end) + self.info + write_number(end - 1) + self.tail
        at = len(prefix)
        if not data.startswith(prefix) or len(data) < at + 3:
            return None
        size = data[at]
        if size >= 0x80 or at + size + 2 != len(data) or data[-1] or not size:
            return None
        try:
            text = data[at + 1 : -1].decode()
        except UnicodeDecodeError:
            return None
        lows = () if text.isascii() else lows_of(text)
        next_end = end + len(text) + len(lows)
        if next_end > CLOCK_MAX:
            return None
        if lows:
            self.lows.update(end + low for low in lows)
        self.ends.append(next_end)
        self.places.append(place)
        return Applies(None, (self.client, end, next_end))

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
        *("base", "base_count", "checked", "device", "foreign", "ids", "is_valid", "known"),
        *("number", "queue", "strands", "void", "waits_for"),
    )

    def __init__(
        self,
        number: int,
        device: bytes,
        id_of: IdOf,
        base: Branch | None = None,
        base_count: int = 0,
    ) -> None:
        """Begin after the first `base_count` updates of `base`."""
        self.number = number
        self.device = device
        self.base = base
        self.base_count = base_count
        self.ids = OpIds(number, id_of)
        self.is_valid = bytearray()
        self.strands: dict[int, Strand] = {}
        self.void: dict[int, int] = {}  # session -> place of the update that broke a rule
        self.queue: deque[Waiting] = deque()
        self.waits_for = b""
        self.known = Known()
        self.foreign: Foreign = {}  # what the last one knows of other branches
        self.checked: Foreign = {}  # what the last that counts knows of other branches

    @property
    def last_seq(self) -> int:
        """The seq of the last update taken, -1 if there is none."""
        if self.queue:
            return self.queue[-1].placement.seq
        return self.ids.seqs[-1] if self.ids else -1

    def foreign_at(self, count: int) -> Foreign:
        """Return what the first `count` updates know of other branches."""
        if count:
            return self.known_at(count - 1)
        if self.base is None:
            return {}
        foreign = dict(self.base.foreign_at(self.base_count))
        if self.base_count:
            foreign[self.base.number] = self.base_count
        return foreign

    def known_at(self, place: int) -> Foreign:
        """Return what the update at a place knows of other branches."""
        return self.foreign if place == len(self.ids) - 1 else self.known.at(place)

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
