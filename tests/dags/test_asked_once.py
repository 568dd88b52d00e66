"""Verdicts cost what they must: nothing is asked again that was found and not forgotten."""

from __future__ import annotations

from p2pvalue_protocol.acts import Vote
from p2pvalue_protocol.settled import Ballots, Settled
from p2pvalue_protocol.verdicts import Verdicts
from p2pvalue_protocol.votes import Votes
from tests.dags.families import village
from tests.dags.running import Running

ADMIN = 1


class Counting(Votes):
    """Votes that remember about which VOTEs somebody asked, and which of these they judged."""

    def __init__(self) -> None:
        builder = village(1, 1, 1, admin_quorum=2)
        before = [*builder.known]
        named = [builder.write(voter, Vote(b"A"), before) for voter in (b"b1", b"c1")]
        named.append(builder.write(b"b1", Vote(b"A"), named[:1]))
        named.append(builder.write(b"c1", Vote(b"A"), named))
        running = Running(builder.dag()).take_all(builder.events)
        verdicts = Verdicts(running.authority.takings, None, {}, Settled())
        super().__init__(verdicts)
        verdicts.votes = self
        self.written = [running.graph.index(op_id) for op_id in named]
        self.asked: list[int] = []
        self.judged: list[int] = []

    def voter(self, index: int, rank: int) -> bytes | None:
        self.asked.append(index)
        return super().voter(index, rank)

    def _voter(self, index: int, rank: int) -> bytes | None:
        self.judged.append(index)
        return super()._voter(index, rank)


def test_a_vote_is_looked_at_once_for_whom_it_is_against() -> None:
    votes = Counting()
    first, second, *others = votes.written
    every = sum(1 << index for index in votes.written)
    votes.voters_of(1 << first | 1 << second, b"A", ADMIN)
    assert votes.asked == [first, second]
    assert votes.voters_of(every, b"A", ADMIN).keys() == {b"B", b"C"}
    assert votes.asked == [first, second, *others]
    votes.voters_of(every, b"A", ADMIN)
    assert votes.asked == [first, second, *others]


def test_a_vote_is_judged_once_with_those_before_it_and_no_others() -> None:
    votes = Counting()
    for last in (1, 0, 2, 3):
        votes.voter(votes.written[last], ADMIN)
    first, second, third, fourth = votes.written
    assert votes.judged == [second, first, third, fourth]


def test_of_votes_that_nobody_asked_about_there_is_nothing_to_forget() -> None:
    ballots = Ballots()
    ballots.asked |= 0b0110
    known = ballots.by_voter = {b"A": 0b0110}
    ballots.forget(0b1001)
    assert ballots.by_voter is known
