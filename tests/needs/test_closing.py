from __future__ import annotations

import pytest

from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.needs.closing import may_close
from p2pvalue_protocol.needs.standing import TOLD_APART_MAX
from tests.needs.by_hand import CLOSES, Board, root, told

A_MONTH_MS = 30 * 86_400_000
IN_2027_MS = 1_800_000_000_000

# --- what a CLOSE cannot do


def test_terms_that_were_replaced_are_not_closed_after_others_were() -> None:
    board = Board()
    first = board.terms
    board.change(trigger="any")
    offered = board.offer("bea", 120)
    board.close("ana")
    board.say("ana", "confirm", offered, 120)
    board.close("ana", terms=first)
    for peer in ("carl", "dora"):
        board.close(peer, terms=first)
    assert (board.state(), board.states(offered)) == ("confirmed", ["confirmed"])


def test_a_close_names_away_no_confirmation_and_no_dispute() -> None:
    board = Board(closes=0, stewards=["ana", "sam"])
    offered = board.offer("bea", 120)
    board.close("ana")
    board.say("bea", "claim", offered, 120)
    board.say("ana", "dispute", offered)
    board.close("sam", naming=[act.name for act in board.acts])
    assert board.state() == "disputed"


def test_a_release_stays_one_when_a_later_close_names_it() -> None:
    board = Board(closes=0, stewards=["ana", "sam"])
    offered = board.offer("bea", 120)
    board.close("ana")
    board.say("bea", "withdraw", offered)
    board.close("sam")
    assert (board.state(), board.states(offered)) == ("triggered", ["released"])


def test_others_close_for_a_month_and_stewards_at_any_time() -> None:
    board = Board()
    offered = board.offer("bea", 120)
    board.close("carl", at=CLOSES + A_MONTH_MS)
    board.close("dora", at=CLOSES + A_MONTH_MS + 1)
    assert board.state() == "open"
    board.close("ana", at=CLOSES + 2 * A_MONTH_MS)
    assert board.states(offered) == ["binding"]


@pytest.mark.parametrize(("late_ms", "state"), [(0, "triggered"), (1, "open")])
def test_the_last_moment_of_the_month_is_in_it(late_ms: int, state: str) -> None:
    board = Board(closes=IN_2027_MS)
    board.offer("bea", 120, at=IN_2027_MS - 1)
    for peer in ("carl", "dora"):
        board.close(peer, at=IN_2027_MS + A_MONTH_MS + late_ms)
    assert board.state() == state


def test_four_closes_of_one_member_count() -> None:
    board = Board()
    offers = [board.offer(f"m{number}", 120) for number in range(5)]
    for number in range(5):
        board.close("ana", but=[offer for offer in offers if offer != offers[number]])
    assert board.states(*offers) == [*["binding"] * 4, "late"]


def test_the_outcome_changes_are_told_of_the_first_closes_only() -> None:
    board = Board()
    offers = [board.offer(f"m{number}", 120) for number in range(40)]
    for number in range(40):
        others = [offer for offer in offers if offer != offers[number]]
        board.close(f"peer {number}", but=others, at=CLOSES + number)
    changed = [closing.changed for closing in board.standing().closings]
    assert changed == [*[True] * TOLD_APART_MAX, *[False] * 8]


@pytest.mark.parametrize(
    ("who", "closes", "may"),
    [
        ("ana", CLOSES, True),  # the author is the steward where nobody is named
        ("carl", CLOSES, True),
        ("carl", 0, False),
        ("bea", CLOSES, False),  # she pledged
    ],
)
def test_stewards_may_close_and_after_a_last_day_those_who_have_no_part(
    who: str, closes: int, may: bool
) -> None:
    board = Board(closes=closes)
    assert may_close(board.need, board.terms, root(who), frozenset([root("bea")])) is may


def test_an_author_who_is_no_steward_has_a_part() -> None:
    board = Board(stewards=["sam"])
    assert not may_close(board.need, board.terms, root("ana"), frozenset())


def test_a_close_counts_what_is_hidden_only_if_it_could_read_it() -> None:
    """So it is with both copies: with that which holds what the liar names, and with the other."""
    board = Board()
    offered = board.offer("bea", 120)
    beyond = board.offer("mal", 60, is_hidden=True)
    board.close("ana", unread=[beyond])
    assert [pledge.offer.pledge for pledge in board.standing().pledges] == [offered]
    assert board.standing().missing == 1
    before = told(board.standing())
    board.acts = [act for act in board.acts if subject_of(act.order.op_id) != beyond]
    assert told(board.standing()) == before


def test_what_one_close_could_not_read_counts_by_another_that_could() -> None:
    board = Board()
    hidden = board.offer("bea", 120, is_hidden=True)
    board.close("ana", unread=[hidden])
    assert board.state() == "lapsed"
    board.close("ana")
    assert board.states(hidden) == ["binding"]
    assert board.standing().missing == 0


def test_who_names_her_own_word_that_nobody_can_be_sent_is_no_party() -> None:
    """Else her CLOSE would count for those alone who do not hold the word."""
    board = Board()
    board.offer("bea", 120)
    own = board.offer("dora", 60, is_hidden=True)
    board.close("carl")
    board.close("dora", unread=[own])
    assert board.state() == "triggered"


def test_of_two_operations_with_one_name_the_one_that_could_be_read_counts() -> None:
    board = Board()
    offered = board.offer("bea", 120)
    act = board.acts[0]
    same = act.order.op_id[:16] + bytes(16)
    board.acts.append(act._replace(order=act.order._replace(op_id=same), is_hidden=True))
    board.close("ana", naming=[act.name], unread=[subject_of(same)])
    assert [pledge.offer.pledge for pledge in board.standing().pledges] == [offered]
