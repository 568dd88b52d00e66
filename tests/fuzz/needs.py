"""A target for needs: programs of acts by six people, hidden ones, late ones and CLOSEs among them.

Whoever holds the same acts sees the same, in whatever order they came, and nobody is bound to more
than she offered.
"""

from __future__ import annotations

from random import Random

from p2pvalue_protocol.kinds.need import NeedLine
from p2pvalue_protocol.kinds.pledge import Condition
from p2pvalue_protocol.needs.standing import standing_of
from tests.fuzz.choices import Choices
from tests.fuzz.target import Budget, Target
from tests.needs.by_hand import CLOSES, Board, root

_PEOPLE = ("ana", "bea", "carl", "dora", "emil", "sam")
_ACTS_MAX = 48


def _conditions(program: Choices) -> list[Condition]:
    options = [
        Condition(others=1 + program.number(4)),
        Condition(member=root(program.pick(_PEOPLE))),
        Condition(after=CLOSES + program.number(4)),
    ]
    return program.some(options, 2)


def _board(program: Choices) -> Board:
    board = Board(
        NeedLine("hours", "minute", program.number(5), 9),
        NeedLine("material", "barrow", program.number(2), 1),
        trigger=program.pick(("all", "any", "none")),
        closes=program.pick((CLOSES, 0)),
        stewards=sorted(set(program.some(_PEOPLE, 2))),
        confirmers=sorted(set(program.some(_PEOPLE, 2))),
    )
    pledges: list[bytes] = [bytes(16)]
    while not program.is_spent and len(board.acts) < _ACTS_MAX:
        who, at = program.pick(_PEOPLE), program.pick((None, 1, CLOSES - 1, CLOSES, CLOSES + 9))
        terms = program.pick(board.need.terms)
        match program.number(5):
            case 0 | 1:
                pledges.append(
                    board.offer(
                        who,
                        1 + program.number(4),
                        *_conditions(program),
                        line=program.number(3),
                        takes=program.pick((None, program.pick(pledges))),
                        terms=terms,
                        at=at,
                        is_hidden=program.number(8) == 7,
                    )
                )
            case 2:
                left_out, unread = program.some(pledges, 2), program.some(pledges, 2)
                is_hidden = program.number(8) == 7
                board.close(
                    who, but=left_out, at=at, terms=terms, is_hidden=is_hidden, unread=unread
                )
            case 3:
                acts = ("withdraw", "claim", "confirm", "dispute", "settle")
                act, pledge = program.pick(acts), program.pick(pledges)
                board.say(who, act, pledge, 1 + program.number(4), at=at)
            case _:
                board.change(trigger=program.pick(("all", "any")), opens=program.number(3))
    return board


def _stand(data: bytes) -> bool:
    board = _board(Choices(data))
    standing = board.standing()
    again = standing_of(board.need, reversed(board.acts))
    assert standing._replace(pledges=()) == again._replace(pledges=()), "two orders, two states"
    for pledge, same in zip(standing.pledges, again.pledges, strict=True):
        assert pledge._replace(word=None) == same._replace(word=None)
        if pledge.word is not None:
            assert same.word is not None
            assert pledge.word.delivered == same.word.delivered
            assert (
                0 <= pledge.word.delivered <= pledge.word.bound <= (pledge.offer.said.quantity or 0)
            )
    return bool(standing.pledges)


NEEDS = (
    Target(
        name="need-acts",
        run=_stand,
        seeds=lambda: [Random(seed).randbytes(60 + 40 * seed) for seed in range(12)],
        covers=("p2pvalue_protocol.needs.standing",),
        shape="program",
        budget=Budget(units=60, units_per_kib=60),
    ),
)
