"""Votes of equals, by the verdicts of one view (spec: membership, R4).

Votes on a member are looked at as sets, by whom they speak for: there may be thousands of the same
few people.
"""

from __future__ import annotations

from typing import Protocol

from p2pvalue_protocol.auth_record import Giving, Record
from p2pvalue_protocol.bit_sets import bits_of
from p2pvalue_protocol.device_tree import UNDEMOTED, Case, Demotions
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.members import Standing
from p2pvalue_protocol.settled import Settled
from p2pvalue_protocol.takings import Takings


class Judge(Protocol):
    """What votes ask about the strength of others."""

    record: Record
    takings: Takings
    settled: Settled

    def case_of(self, index: int) -> Case: ...
    def at_most(self, index: int, level: int) -> bool: ...
    def best(self, case: Case, level: int = ...) -> Standing | None: ...
    def meeting(self, case: Case) -> int: ...
    def keeping(self, among: int, place: Reference) -> int: ...
    def is_spared(
        self, place: Reference | None, giving: Giving, demotions: Demotions, level: int
    ) -> bool: ...


class Votes:
    """The verdicts of one view about votes."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._record = judge.record
        self._takings = judge.takings

    def are_enough(self, giving: Giving, case: Case) -> bool:
        """Return whether equals voted a member out, as far as it takes a giving in a case."""
        votes, quorum = self._takings.votes.get(giving.root, 0), self._record.quorum(giving.rank)
        if not votes or not quorum:
            return False
        votes &= self._judge.meeting(case) & ~giving.past
        if case.votes_rank == giving.rank:
            votes &= case.votes
        if case.place is not None:  # the keeps of a VOTE say what it is not against
            votes &= ~self._judge.keeping(votes, case.place)
        voters, is_new = 0, False
        for voter, ballots in self.voters_of(votes, giving.root, giving.rank).items():
            if voter != giving.root and ballots & votes:
                voters += 1
                is_new = is_new or bool(ballots & votes & ~case.excluded)
        return (
            voters >= quorum
            and is_new
            and not self._judge.is_spared(case.place, giving, UNDEMOTED, giving.rank - 1)
        )

    def voter(self, index: int, rank: int) -> bytes | None:
        """Return for whom a VOTE speaks if its author has exactly a rank, else None.

        Votes of equals are looked at only in the VOTE's past: earlier ones are settled first.
        """
        settled = self._judge.settled
        voters = settled.voters[rank]
        if index not in voters:
            earlier = self._takings.all_votes & self._record.past(index)
            for vote in bits_of(earlier & ~settled.voters_asked[rank]):
                voters[vote] = self._voter(vote, rank)
                settled.voters_asked[rank] |= 1 << vote
        return voters[index]

    def voters_of(self, votes: int, root: bytes, rank: int) -> dict[bytes, int]:
        """Return for whom VOTEs on a member speak, and with which, others perhaps among them."""
        known = self._judge.settled.ballots[root, rank]
        for vote in bits_of(votes & ~known.asked):
            voter = self.voter(vote, rank)
            if voter is not None:
                known.by_voter[voter] = known.by_voter.get(voter, 0) | 1 << vote
            known.asked |= 1 << vote
        return known.by_voter

    def _voter(self, index: int, rank: int) -> bytes | None:
        if self._judge.at_most(index, rank - 1):
            return None
        case = self._judge.case_of(index)
        case = case._replace(votes=self._record.before(index), votes_rank=rank)
        standing = self._judge.best(case, rank)
        return None if standing is None else standing.member
