"""Verdicts that were reached, for all views that must reach the same ones (spec: membership)."""

from __future__ import annotations

from collections import defaultdict

from p2pvalue_protocol.acts import Policy
from p2pvalue_protocol.bit_sets import Answers, bits_of


class Ballots:
    """Who voted against one member, as far as it was asked, if she has a rank."""

    __slots__ = ("asked", "by_voter")

    def __init__(self) -> None:
        self.asked = 0
        self.by_voter: dict[bytes, int] = {}

    def forget(self, votes: int) -> None:
        """Ask about some VOTEs anew."""
        if self.asked & votes:
            self.asked &= ~votes
            left = ((voter, ballots & ~votes) for voter, ballots in self.by_voter.items())
            self.by_voter = {voter: ballots for voter, ballots in left if ballots}


class SettledOfRoot:
    """Verdicts on what was given to one member; givings of just the same rank share one."""

    def __init__(self) -> None:
        self.leaving: defaultdict[int, Answers] = defaultdict(Answers)  # REVOKEs by her, by rank
        self.revoking: defaultdict[tuple[int, int], Answers] = defaultdict(Answers)
        """Removals of her devices by her devices, by rank and links."""


class Settled:
    """Verdicts on operations, and on what was given to each member."""

    def __init__(self) -> None:
        self.acting: defaultdict[int, Answers] = defaultdict(Answers)  # by level
        self.giving: defaultdict[int, Answers] = defaultdict(Answers)  # of GRANTs, by level
        self.effective = Answers()  # of GRANTs and ADMITs
        self.voters: defaultdict[int, dict[int, bytes | None]] = defaultdict(dict)  # by rank
        self.voters_asked: defaultdict[int, int] = defaultdict(int)  # the same VOTEs, by rank
        self.ballots: defaultdict[tuple[bytes, int], Ballots] = defaultdict(Ballots)
        """On whom, as what."""
        self.policies: dict[int, Policy] = {}  # by the POLICYs held
        self.of: defaultdict[bytes, SettledOfRoot] = defaultdict(SettledOfRoot)

    def forget(self, roots: set[bytes], operations: int) -> None:
        """Forget the verdicts on members and on operations."""
        for root in roots:
            self.of.pop(root, None)
        for answers in (*self.acting.values(), *self.giving.values(), self.effective):
            answers.forget(operations)
        for ballots in self.ballots.values():
            ballots.forget(operations)
        for rank, voters in self.voters.items():
            for vote in bits_of(operations & self.voters_asked[rank]):
                del voters[vote]
            self.voters_asked[rank] &= ~operations
