"""What was confirmed or settled is a contribution by itself (spec: needs, "What was done")."""

from __future__ import annotations

import msgspec

from p2pvalue_protocol.needs.facts import Fact, facts_of
from tests.needs.by_hand import BARROW, HOURS, Board, root


def facts(board: Board) -> tuple[Fact, ...]:
    return facts_of(board.need, board.standing())


def closed(*, confirmers: tuple[str, ...] = ("ana", "carl", "dora")) -> tuple[Board, bytes]:
    """A need to which Bea pledged two hours that bind."""
    board = Board(confirmers=confirmers)
    board.need = msgspec.structs.replace(board.need, class_name="care")
    offered = board.offer("bea", 120)
    board.close("ana")
    return board, offered


def test_a_claim_alone_is_none_and_what_was_confirmed_says_who_how_much_and_who_saw_it() -> None:
    board, offered = closed()
    board.say("bea", "claim", offered, 120)
    assert facts(board) == ()
    board.say("ana", "confirm", offered, 90, at=5_000)
    assert facts(board) == (Fact(offered, root("bea"), HOURS, 90, "care", (root("ana"),), 5_000),)


def test_who_confirmed_less_is_no_witness_of_more() -> None:
    board, offered = closed()
    board.say("carl", "confirm", offered, 60, at=5_000)
    board.say("ana", "confirm", offered, 120, at=6_000)
    [fact] = facts(board)
    assert (fact.quantity, fact.witnesses, fact.time) == (120, (root("ana"),), 6_000)


def test_a_second_confirmation_adds_a_witness_and_leaves_the_time() -> None:
    board, offered = closed()
    board.say("dora", "confirm", offered, 120, at=5_000)
    board.say("ana", "confirm", offered, 120, at=6_000)
    [fact] = facts(board)
    assert (fact.witnesses, fact.time) == ((root("ana"), root("dora")), 5_000)


def test_what_is_disputed_is_none_until_it_is_settled() -> None:
    board, offered = closed()
    board.say("carl", "confirm", offered, 120)
    board.say("dora", "dispute", offered, reason="It was an hour")
    assert facts(board) == ()
    board.say("ana", "settle", offered, 60, at=9_000)
    [fact] = facts(board)
    assert (fact.quantity, fact.witnesses, fact.time) == (60, (root("ana"),), 9_000)


def test_what_is_settled_as_nothing_is_none() -> None:
    board, offered = closed()
    board.say("carl", "confirm", offered, 120)
    board.say("ana", "settle", offered, 0)
    assert facts(board) == ()


def test_what_was_done_remains_if_the_need_is_dropped() -> None:
    board, offered = closed()
    board.say("ana", "confirm", offered, 30)
    before = facts(board)
    board.need = msgspec.structs.replace(board.need, status="dropped")
    assert facts(board) == before != ()


def test_each_line_counts_in_its_own_unit_in_the_order_of_the_pledges() -> None:
    board = Board(HOURS, BARROW)
    barrow, hours = board.offer("carl", 1, line=1), board.offer("bea", 120)
    board.close("ana")
    board.say("ana", "confirm", hours, 120)
    board.say("ana", "confirm", barrow, 1)
    assert [(fact.line.unit, fact.quantity) for fact in facts(board)] == [
        ("wheelbarrow", 1),
        ("minute", 120),
    ]
