"""What is done of a need speaks for it as what is promised, while the rest waits."""

from __future__ import annotations

import msgspec

from p2pvalue_protocol.auth_payloads import MEMBER
from p2pvalue_protocol.needs.pledged import offers_of
from tests.needs.by_hand import CLOSES, Board, root

RANKS = {root(name): MEMBER for name in ("ana", "bea", "carl", "dora")}


def speaking(board: Board) -> list[tuple[str, int, int]]:
    """Whose pledges speak for a need, how much, since when."""
    return [
        (offer.member.decode().rstrip("."), offer.quantity, offer.at_ms)
        for offer in offers_of(board.standing(), RANKS)
    ]


def begun() -> tuple[Board, bytes]:
    """Bea and Carl each gave half of what the minimum asks."""
    board = Board()
    bea = board.offer("bea", 60, at=10)
    board.offer("carl", 60, at=20)
    board.close("ana")
    return board, bea


def test_what_is_done_speaks_for_its_need_as_what_is_promised() -> None:
    board, bea = begun()
    promised = [("bea", 60, 10), ("carl", 60, 20)]
    assert speaking(board) == promised
    board.say("bea", "claim", bea, 60, at=CLOSES + 10)
    assert speaking(board) == promised
    board.say("ana", "confirm", bea, 60, at=CLOSES + 20)
    assert board.states(bea) == ["confirmed"]
    assert speaking(board) == [("bea", 60, CLOSES + 20), ("carl", 60, 20)]
    board.say("dora", "dispute", bea)
    board.say("ana", "dispute", bea)
    assert board.states(bea) == ["disputed"]
    assert speaking(board) == [("bea", 60, CLOSES + 20), ("carl", 60, 20)]


def test_what_was_settled_speaks_as_it_was_settled() -> None:
    board, bea = begun()
    board.say("bea", "claim", bea, 60)
    board.say("ana", "dispute", bea)
    board.say("dora", "settle", bea, 0)
    assert [one[:2] for one in speaking(board)] == [("carl", 60)]
    board.say("dora", "settle", bea, 15)
    assert [one[:2] for one in speaking(board)] == [("bea", 15), ("carl", 60)]


def test_what_was_released_speaks_no_more() -> None:
    board, bea = begun()
    board.say("bea", "claim", bea, 20)
    board.say("bea", "withdraw", bea)
    assert [one[:2] for one in speaking(board)] == [("bea", 20), ("carl", 60)]
    board.offer("dora", 90, takes=bea)
    assert [one[:2] for one in speaking(board)] == [("bea", 20), ("carl", 60), ("dora", 40)]


def test_what_is_void_or_taken_back_says_nothing() -> None:
    board = Board()
    bea = board.offer("bea", 60)
    board.offer("carl", 60)
    board.offer("zoe", 60)
    board.say("bea", "withdraw", bea)
    assert [one[:2] for one in speaking(board)] == [("carl", 60)], "Zoe is no member"
    dropped, _ = begun()
    dropped.need = msgspec.structs.replace(dropped.need, status="dropped")
    assert speaking(dropped) == []
