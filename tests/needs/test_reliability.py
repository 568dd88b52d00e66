from __future__ import annotations

import msgspec
import pytest

from p2pvalue_protocol.needs.reliability import (
    DAY_MS,
    GRACE_MS,
    MILLION,
    Ending,
    Reliability,
    endings_of,
    reliability,
)
from tests.needs.by_hand import CLOSES, Board, root

DUE = CLOSES + 10 * DAY_MS
LATER = DUE + GRACE_MS + 1


def promised(deadline: int = DUE) -> tuple[Board, bytes]:
    """A need to be done by a day, and Bea's word that binds."""
    board = Board()
    board.need = msgspec.structs.replace(board.need, deadline=deadline)
    offered = board.offer("bea", 120)
    board.close("ana")
    return board, offered


def ended(board: Board, who: str = "bea", *, as_of: int = LATER, changed: int = 0) -> list[Ending]:
    return list(endings_of(board.need, changed, board.standing(), root(who), as_of))


def test_who_says_nothing_for_fourteen_days_after_the_day_broke_her_word() -> None:
    board, _ = promised()
    assert ended(board, as_of=LATER - 1) == []
    assert ended(board) == [Ending(DUE + GRACE_MS, 0)]
    assert ended(board, "ana") == []


def test_where_no_day_is_said_nobody_breaks_a_word() -> None:
    board, _ = promised(deadline=0)
    assert ended(board, as_of=10**15) == []


def test_a_day_that_is_said_afterwards_counts_from_when_it_was_said() -> None:
    board, _ = promised(deadline=1)
    assert ended(board, as_of=LATER + DAY_MS, changed=LATER) == []
    assert ended(board, as_of=LATER + GRACE_MS + 1, changed=LATER) == [Ending(LATER + GRACE_MS, 0)]
    assert ended(board, as_of=CLOSES + GRACE_MS) == []


@pytest.mark.parametrize("act", ["claim", "withdraw", "dispute"])
def test_a_word_that_was_answered_is_not_broken(act: str) -> None:
    board, offered = promised()
    who = "ana" if act == "dispute" else "bea"
    board.say(who, act, offered, 60 if act == "claim" else None)
    assert ended(board) == []


def test_what_was_confirmed_was_kept_and_what_was_settled_in_part_in_part() -> None:
    board, offered = promised()
    board.say("ana", "confirm", offered, 60)
    assert ended(board) == []
    board.say("ana", "confirm", offered, 120, at=DUE)
    assert ended(board) == [Ending(DUE, MILLION)]
    board.say("ana", "dispute", offered)
    board.say("sam", "settle", offered, 90, at=DUE + 1)
    assert ended(board) == [Ending(DUE + 1, 750_000)]


def test_what_was_settled_at_nothing_and_what_is_void_is_no_broken_word() -> None:
    board, offered = promised()
    board.say("ana", "dispute", offered)
    board.say("sam", "settle", offered, 0)
    assert ended(board) == []
    dropped, _ = promised()
    dropped.need = msgspec.structs.replace(dropped.need, status="dropped")
    assert ended(dropped) == []


def test_of_fewer_than_five_words_nothing_is_said() -> None:
    kept = Ending(0, MILLION)
    assert reliability([kept] * 4, 0) is None
    assert reliability([kept] * 5, 0) == Reliability(100, 5)
    assert reliability([*[kept] * 4, Ending(0, 0)], 0) == Reliability(80, 5)


def test_words_fade_over_180_days_day_by_day() -> None:
    old, new = [Ending(0, MILLION)] * 5, [Ending(120 * DAY_MS, 0)] * 5
    assert reliability([*old, *new], 120 * DAY_MS) == Reliability(25, 10)
    assert reliability([*old, *new], 179 * DAY_MS) == Reliability(0, 10)
    assert reliability([*old, *new], 180 * DAY_MS) == Reliability(0, 5)
    assert reliability(old, 180 * DAY_MS) is None


def test_a_word_with_a_time_to_come_weighs_no_more_than_one_of_today() -> None:
    words = [Ending(10**15, MILLION)] * 5 + [Ending(0, 0)] * 5
    assert reliability(words, 0) == Reliability(50, 10)
