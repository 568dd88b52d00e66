"""How strands are called that share a client id: relative to a set of updates.

Two updates may claim the same client and clock, after a fork of a log or by a collision of hashes.
Both count. Where the lines of sessions part, the one whose next update has the lowest op id keeps
the name, and each other is called after that update of its own, with clocks from 0. Everybody who
has the same updates calls them alike, and without such a claim everything is called by its bytes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import NamedTuple

from p2pvalue_protocol.documents.clients import fork_client_of
from p2pvalue_protocol.documents.strands import Char, Strand


class Piece(NamedTuple):
    """From clock `first` on, a strand is called `name`, with clocks smaller by `shift`."""

    first: int
    strand: Strand
    name: int
    shift: int


class _Line(NamedTuple):
    """A stretch that needs a name: from a clock of a strand on; `anchor` is its first op id."""

    anchor: bytes
    strand: Strand
    first: int


class Naming:
    """The names of strands that share client ids; all others are called by their own."""

    def __init__(self) -> None:
        self.by_strand: dict[Strand, list[Piece]] = {}
        self.by_name: dict[int, list[Piece]] = {}

    def called(self, strand: Strand, clock: int) -> tuple[int, int]:
        """Return the client and clock by which a unit is called."""
        piece = self.piece(strand, clock)
        return piece.name, clock - piece.shift

    def piece(self, strand: Strand, clock: int) -> Piece:
        """Return how a strand is called at a clock."""
        pieces = self.by_strand.get(strand)
        if pieces is None:
            return Piece(strand.start, strand, strand.client, 0)
        return pieces[bisect_right(pieces, clock, key=_first) - 1]

    def char(self, name: int, clock: int) -> Char | None:
        """Return the unit called so, whether or not it has been written; None if not renamed."""
        pieces = self.by_name.get(name)
        if pieces is None:
            return None
        piece = pieces[max(0, bisect_right(pieces, clock, key=_called_first) - 1)]
        return piece.strand, clock + piece.shift

    def next_name(self, name: int, clock: int) -> int | None:
        """Return the clock, above one, at which a name passes to another strand."""
        pieces = self.by_name.get(name, [])
        at = bisect_right(pieces, clock, key=_called_first)
        return _called_first(pieces[at]) if at < len(pieces) else None

    def next_piece(self, strand: Strand, clock: int) -> int | None:
        """Return the clock, above one, at which a strand changes its name."""
        pieces = self.by_strand.get(strand, [])
        at = bisect_right(pieces, clock, key=_first)
        return pieces[at].first if at < len(pieces) else None

    def differs(self, other: Naming, limit: Callable[[Strand], int]) -> bool:
        """Return whether another naming calls units below a limit otherwise."""
        for strand in {**self.by_strand, **other.by_strand}:
            pieces = [*self.by_strand.get(strand, ()), *other.by_strand.get(strand, ())]
            for first in {strand.start, *(piece.first for piece in pieces)}:
                is_same = self.called(strand, first) == other.called(strand, first)
                if not is_same and first < limit(strand):
                    return True
        return False

    def add(self, piece: Piece) -> None:
        """Add a piece; pieces of one strand, and of one name, come in their order."""
        self.by_strand.setdefault(piece.strand, []).append(piece)
        self.by_name.setdefault(piece.name, []).append(piece)


def _first(piece: Piece) -> int:
    return piece.first


def _called_first(piece: Piece) -> int:
    return piece.first - piece.shift


def naming_of(
    groups: Iterable[list[Strand]],
    limit: Callable[[Strand], int],
    is_taken: Callable[[int], bool],
) -> Naming:
    """Return the names within a set of updates that holds strands up to their `limit`.

    Each group is all strands of one client id; `is_taken` says whether the set has a strand of one.
    """
    naming = Naming()
    renamed: list[list[_Line]] = []
    for group in groups:
        members = [strand for strand in group if limit(strand) > strand.start]
        if members:
            keeps, *others = _stretches(_points(members, limit))
            renamed += others
            for line in keeps:
                naming.add(Piece(line.first, line.strand, line.strand.client, 0))
    for stretch in sorted(renamed, key=lambda stretch: stretch[0].anchor):
        name = _free_name(stretch[0].anchor, naming, is_taken)
        for line in stretch:
            naming.add(Piece(line.first, line.strand, name, stretch[0].first))
    for pieces in naming.by_strand.values():
        pieces.sort(key=_first)
    return naming


_Points = dict[Strand | None, dict[int, list[_Line]]]


def _points(members: list[Strand], limit: Callable[[Strand], int]) -> _Points:
    """Return by strand and clock the lines that go on from there; by None and 0, those that begin.

    Where only one line goes on, nothing parts.
    """
    points: _Points = {}
    for strand in members:
        anchor = strand.branch.ids.anchor(strand.places[0])
        points.setdefault(strand.base, {}).setdefault(strand.start, []).append(
            _Line(anchor, strand, strand.start)
        )
    for base, at in points.items():
        if base is not None:
            for clock in at:
                if limit(base) > clock:
                    anchor = base.branch.ids.anchor(base.place_of(clock))
                    at[clock].append(_Line(anchor, base, clock))
    return points


def _stretches(points: _Points) -> list[list[_Line]]:
    """Return the lines of each name; first those of the one that keeps the client id."""
    waiting = sorted(points[None][0])
    stretches = []
    while waiting:
        stretch = [waiting.pop(0)]
        stretches.append(stretch)
        strand, at = stretch[0].strand, stretch[0].first
        while later := [clock for clock in points.get(strand, {}) if clock > at]:
            at = min(later)
            goes_on, *others = sorted(points[strand][at])
            waiting += others
            if goes_on.strand is not strand:
                stretch.append(goes_on)
                strand = goes_on.strand
    return stretches


def _free_name(anchor: bytes, naming: Naming, is_taken: Callable[[int], bool]) -> int:
    number = 0
    while True:
        name = fork_client_of(anchor, number)
        if not is_taken(name) and name not in naming.by_name:
            return name
        number += 1
