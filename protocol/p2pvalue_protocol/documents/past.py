"""The past of one update within its document: what it holds, and what things are called in it."""

from __future__ import annotations

from p2pvalue_protocol.documents.known import Foreign
from p2pvalue_protocol.documents.naming import Naming, Piece, naming_of
from p2pvalue_protocol.documents.strands import Branch, Char, Strand


class Claims:
    """All strands of a document by the client id that they claim."""

    def __init__(self) -> None:
        self.strands: dict[int, list[Strand]] = {}
        self.shared: dict[int, list[Strand]] = {}  # those with more than one
        self.count = 0

    @property
    def runs(self) -> int:
        """How many stretches were written in one go: most of the memory that facts take."""
        return sum(len(strand.runs) for claimed in self.strands.values() for strand in claimed)

    def add(self, strand: Strand) -> None:
        """Add a strand that has begun to write."""
        claimed = self.strands.setdefault(strand.client, [])
        claimed.append(strand)
        self.count += 1
        if len(claimed) > 1:
            self.shared[strand.client] = claimed


class Past:
    """What the update at a place of a branch may name; ask while that update is the next."""

    def __init__(self, claims: Claims, branch: Branch, place: int, foreign: Foreign) -> None:
        self.claims = claims
        self.branch = branch
        self.place = place
        self.foreign = foreign
        self.writing: Strand | None = None
        self.first = self.written = self.shift = 0
        self.name = -1
        self._limits: dict[Strand, int] = {}
        self._naming: Naming | None = None
        self._naming_of = 0

    def begin(self, strand: Strand | None) -> None:
        """Say which strand the update writes, None if it only deletes."""
        self.writing = strand
        self.name = -1
        if strand is not None:
            self.first = self.written = self.limit(strand)
            _, _, self.name, self.shift = self._next_name(strand)

    def limit(self, strand: Strand) -> int:
        """Return the next clock of a strand within this past."""
        if strand.branch is self.branch:
            places = strand.places
            if not places or places[-1] < self.place:
                return strand.end
            return strand.clock_at(self.place)
        limit = self._limits.get(strand)
        if limit is None:
            count = self.foreign.get(strand.branch.number, 0)
            limit = self._limits[strand] = strand.clock_at(count)
        return limit

    def holds(self, strand: Strand) -> bool:
        """Return whether anything that a strand wrote is in this past."""
        return self.limit(strand) > strand.start

    @property
    def naming(self) -> Naming:
        """What is called other than by its own client id in this past, or might be."""
        if self._naming is None or self._naming_of != self.claims.count:
            self._naming = naming_of(self.claims.shared.values(), self.limit, self._has)
            self._naming_of = self.claims.count
        return self._naming

    def _has(self, client: int) -> bool:
        return any(self.holds(strand) for strand in self.claims.strands.get(client, ()))

    def char(self, client: int, clock: int) -> Char | None:
        """Return the unit called so in this past or written since; None if there is none. ~0.5 µs.

        `written` is how far the update itself has come.
        """
        if client == self.name and clock + self.shift >= self.first:
            own = clock + self.shift
            assert self.writing is not None
            return (self.writing, own) if own < self.written else None
        shared = self.claims.shared
        if shared:
            char = self.naming.char(client, clock)
            if char is not None:
                return char if char[1] < self.limit(char[0]) else None
            if client in shared:
                return None
        strands = self.claims.strands.get(client)
        if strands is None or clock >= self.limit(strands[0]):
            return None
        return strands[0], clock

    def _next_name(self, strand: Strand) -> Piece:
        """Return how the next units of a strand are called in this past."""
        end = self.limit(strand)
        if self.claims.shared and end:
            if end > strand.start:
                return self.naming.piece(strand, end - 1)
            assert strand.base is not None, "a strand that begins late goes on from another"
            return self.naming.piece(strand.base, end - 1)
        return Piece(strand.start, strand, strand.client, 0)

    def is_taken(self, strand: Strand) -> bool:
        """Return whether this past holds another line that goes on where a strand is.

        That is so after a fork that the writer knows of, or if the client id is that of another.
        """
        end = self.limit(strand)
        owner = strand if end > strand.start else strand.base
        for other in self.claims.strands.get(strand.client, ()):
            goes_on = other.base is owner and other.start == end
            if other is not strand and goes_on and self.holds(other):
                return True
        if owner is not None and owner is not strand and self.limit(owner) > end:
            return True
        if end or not self.claims.shared:
            return False
        return strand.client in self.naming.by_name

    def parts(self, client: int, start: int, end: int) -> list[tuple[Strand, int, int]] | None:
        """Return the stretches of strands that a range of clocks is; None if some is not there."""
        found: list[tuple[Strand, int, int]] = []
        if client == self.name and end + self.shift > self.first:
            if self.char(client, end - 1) is None:
                return None
            assert self.writing is not None
            own_start = max(start, self.first - self.shift)
            found.append((self.writing, own_start + self.shift, end + self.shift))
            end = own_start
        while start < end:
            char = self.char(client, start)
            passes = self.naming.next_name(client, start) if self.claims.shared else None
            stop = end if passes is None else min(end, passes)
            if char is None or self.char(client, stop - 1) is None:
                return None
            found.append((char[0], char[1], char[1] + stop - start))
            start = stop
        return found
