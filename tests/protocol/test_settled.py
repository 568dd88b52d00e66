"""What is remembered of verdicts: each is asked for once, and again when it was forgotten."""

from __future__ import annotations

import pytest

from p2pvalue_protocol.bit_sets import Answers
from p2pvalue_protocol.settled import Ballots, Settled

FAR = 1 << 70


def test_each_operation_is_asked_about_once_until_it_is_forgotten() -> None:
    asked: list[int] = []
    yes = {1, 3, 5}

    def ask(index: int) -> bool:
        asked.append(index)
        return index in yes

    answers = Answers()
    for _ in range(2):
        assert [answers.of(index, ask) for index in range(4)] == [False, True, False, True]
        assert answers.among(0b111111, ask) == 0b101010
    assert asked == [0, 1, 2, 3, 4, 5]
    yes.symmetric_difference_update({2, 3, 4, 5})
    answers.forget(0b001100)
    assert answers.among(0b111111, ask) == 0b100110, "4 and 5 are not asked about again"
    assert asked == [0, 1, 2, 3, 4, 5, 2, 3]


@pytest.mark.parametrize(
    ("forgotten", "asked", "by_voter"),
    [
        (0, 0b1110, {b"A": 0b1010, b"B": 0b0100}),
        (FAR, 0b1110, {b"A": 0b1010, b"B": 0b0100}),
        (0b0100, 0b1010, {b"A": 0b1010}),
        (0b0110, 0b1000, {b"A": 0b1000}),
        (0b1110, 0, {}),
    ],
)
def test_votes_are_forgotten_and_the_others_stay(
    forgotten: int, asked: int, by_voter: dict[bytes, int]
) -> None:
    ballots = Ballots()
    ballots.asked |= 0b1110
    ballots.by_voter = {b"A": 0b1010, b"B": 0b0100}
    ballots.forget(forgotten)
    assert (ballots.asked, ballots.by_voter) == (asked, by_voter)


def test_for_whom_a_vote_speaks_is_forgotten_with_it() -> None:
    settled = Settled()
    settled.voters[0].update({1: b"A", 2: None, 3: b"B"})
    settled.voters_asked[0] = 0b1110
    settled.forget(set(), 0b0110)
    assert settled.voters[0] == {3: b"B"}
    assert settled.voters_asked[0] == 0b1000
