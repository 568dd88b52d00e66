from __future__ import annotations

import msgspec
import pytest

from p2pvalue_protocol.kinds.need import NeedLine
from p2pvalue_protocol.kinds.pledge import Condition
from tests.needs.by_hand import BARROW, CLOSES, HOURS, Board, root

DAY_MS = 24 * 3_600_000


# --- whether a need comes about


@pytest.mark.parametrize(
    ("trigger", "state"), [("all", "lapsed"), ("any", "triggered"), ("none", "open")]
)
def test_the_trigger_says_how_many_lines_must_have_their_minimum(trigger: str, state: str) -> None:
    board = Board(HOURS, BARROW, trigger=trigger)
    board.offer("bea", 120)
    assert board.state() == "open"
    board.close("ana")
    assert board.state() == state


def test_a_line_without_a_minimum_is_not_waited_for() -> None:
    board = Board(HOURS, NeedLine("money", "EUR", 0, 5_000))
    board.offer("bea", 120)
    board.close("ana")
    assert board.state() == "triggered"


def test_where_a_need_lapses_nobody_is_bound() -> None:
    board = Board()
    offered = board.offer("bea", 119)
    board.close("ana")
    assert (board.state(), board.states(offered)) == ("lapsed", ["void"])


def test_what_stands_when_a_need_is_triggered_binds() -> None:
    board = Board()
    bea, carl = board.offer("bea"), board.offer("carl")
    assert board.states(bea, carl) == ["offered", "offered"]
    board.close("ana")
    standing = board.standing()
    assert (standing.state, standing.is_closed, standing.is_met) == ("triggered", True, True)
    assert [tuple(total) for total in standing.totals] == [(120, 2)]
    assert board.states(bea, carl) == ["binding", "binding"]


def test_without_a_trigger_an_offer_binds_at_once() -> None:
    board = Board(trigger="none", closes=0)
    offered = board.offer("bea", 30)
    assert (board.state(), board.states(offered)) == ("open", ["binding"])
    board.offer("carl", 90)
    assert board.state() == "triggered"


def test_drafts_and_dropped_needs_say_so_and_a_dropped_one_binds_nobody() -> None:
    board = Board()
    offered = board.offer("bea", 120)
    board.need = msgspec.structs.replace(board.need, status="draft")
    assert board.state() == "draft"
    board.close("ana")
    assert board.state() == "triggered"
    board.need = msgspec.structs.replace(board.need, status="dropped")
    assert (board.state(), board.states(offered)) == ("dropped", ["void"])


# --- who may close, and what that counts


def test_nothing_closes_before_its_time() -> None:
    board = Board()
    board.offer("bea", 120)
    board.close("ana", at=CLOSES - 1)
    assert board.state() == "open"
    board.close("ana", at=CLOSES)
    assert board.state() == "triggered"


def test_a_stewards_word_closes_and_the_authors_does_where_there_is_no_steward() -> None:
    board = Board(stewards=["sam"])
    board.offer("bea", 120)
    board.close("ana")
    assert board.state() == "open"
    board.close("sam")
    assert board.state() == "triggered"


def test_two_who_have_no_part_in_it_can_close_after_its_time_and_one_cannot() -> None:
    board = Board()
    board.offer("bea", 120)
    board.close("carl")
    board.close("carl")
    assert board.state() == "open"
    board.close("dora")
    assert board.state() == "triggered"


def test_who_pledged_cannot_close_with_her_own_word() -> None:
    board = Board()
    board.offer("bea", 120)
    board.close("carl")
    board.close("bea")
    assert board.state() == "open"


def test_two_others_cannot_close_what_has_no_closing_time() -> None:
    board = Board(closes=0)
    board.offer("bea", 120)
    board.close("carl")
    board.close("dora")
    assert board.state() == "open"
    board.close("ana")
    assert board.state() == "triggered"


def test_a_close_by_somebody_who_counts_no_more_closes_nothing() -> None:
    board = Board()
    board.offer("bea", 120)
    board.close("ana", is_hidden=True)
    assert board.state() == "open"


def test_a_branch_that_counts_no_more_does_not_use_up_the_close_of_its_device() -> None:
    board = Board()
    board.offer("bea", 120)
    board.close("ana", but=[], at=CLOSES, is_hidden=True)
    board.close("ana", at=CLOSES + 1)
    assert board.state() == "triggered"


def test_who_closed_can_add_what_came_later_to_her() -> None:
    board = Board()
    first = board.offer("bea", 120)
    second = board.offer("carl", 60)
    board.close("ana", but=[second])
    assert board.states(first, second) == ["binding", "late"]
    board.close("ana")
    assert board.states(first, second) == ["binding", "binding"]


def test_what_comes_after_the_closing_time_is_late_even_if_a_close_names_it() -> None:
    board = Board()
    in_time, late = board.offer("bea", 120), board.offer("carl", 60, at=CLOSES + 1)
    board.close("ana", at=CLOSES + 2)
    assert board.states(in_time, late) == ["binding", "late"]


def test_a_later_close_adds_what_a_steward_left_out_and_is_told_with_its_author() -> None:
    board = Board()
    bea, carl = board.offer("bea"), board.offer("carl")
    board.close("ana", but=[carl])
    assert board.state() == "lapsed"
    board.close("dora")
    assert board.state() == "lapsed"
    board.close("emil")
    assert board.states(bea, carl) == ["binding", "binding"]
    told = [(closing.member, closing.changed) for closing in board.standing().closings]
    assert told == [(root("ana"), True), (root("dora"), True), (root("emil"), False)]


def test_the_closed_set_goes_on_counting_when_its_author_is_removed() -> None:
    board = Board()
    offered = board.offer("bea", 120, is_hidden=True)
    other = board.offer("carl", 60, is_hidden=True)
    board.close("ana", but=[other])
    assert board.states(offered) == ["binding"]
    assert [p.offer.pledge for p in board.standing().pledges] == [offered]


def test_hidden_offers_count_for_nothing_while_a_need_is_open() -> None:
    board = Board()
    board.offer("bea", 120, is_hidden=True)
    standing = board.standing()
    assert (standing.pledges, standing.is_met) == ((), False)


def test_what_a_close_names_and_is_not_held_makes_nothing_final() -> None:
    board = Board()
    board.offer("bea", 120)
    gone = board.acts[0]
    board.close("ana")
    assert board.standing().missing == 0
    board.acts.remove(gone)
    assert (board.standing().missing, board.state()) == (1, "lapsed")


# --- terms


def test_a_word_is_not_turned_into_another_by_a_change_of_the_terms() -> None:
    board = Board()
    before = board.offer("bea", 120)
    board.change(closes=CLOSES + 500)
    assert board.states(before) == ["outdated"]
    again = board.offer("bea", 120)
    board.close("ana")
    assert board.states(before, again) == ["outdated", "binding"]


def test_terms_that_are_closed_stand_whatever_is_changed_later() -> None:
    board = Board()
    offered = board.offer("bea", 120)
    closed = board.terms
    board.close("ana")
    board.change(trigger="any", closes=CLOSES * 3)
    assert board.standing().terms == closed
    assert board.states(offered) == ["binding"]


def test_an_offer_to_a_line_that_there_is_not_binds_nobody() -> None:
    board = Board()
    offered = board.offer("bea", 120, line=1)
    assert board.states(offered) == ["outdated"]


def test_an_offer_that_was_forgotten_for_half_a_year_is_expired() -> None:
    board = Board(closes=200 * DAY_MS)
    old = board.offer("bea", 120, at=20 * DAY_MS - 1)
    young = board.offer("carl", 120, at=20 * DAY_MS)
    board.close("ana")
    assert board.states(old, young) == ["expired", "binding"]


def test_an_offer_before_the_first_day_is_early_and_counts_when_it_is_made_again() -> None:
    board = Board(opens=500)
    early = board.offer("bea", 120, at=499)
    assert board.states(early) == ["early"]
    again = board.offer("bea", 120, at=500)
    assert board.states(early, again) == ["early", "offered"]
    board.close("ana", at=CLOSES)
    assert board.states(early, again) == ["early", "binding"]


def test_what_was_early_binds_nobody_though_a_close_names_it() -> None:
    board = Board(opens=500)
    early = board.offer("bea", 120, at=499)
    board.close("ana", at=CLOSES)
    assert board.states(early) == ["early"]
    assert board.standing().state == "lapsed"


# --- on conditions


def test_i_will_if_five_others_do() -> None:
    board = Board(NeedLine("skill", "digger", 1, 9))
    mine = board.offer("mia", 1, Condition(others=5))
    for number in range(4):
        board.offer(f"other {number}", 1)
    assert board.states(mine) == ["unmet"]
    board.offer("other 0", 1)  # the same person twice is one
    assert board.states(mine) == ["unmet"]
    board.offer("other 5", 1)
    assert board.states(mine) == ["offered"]


def test_two_who_each_go_if_the_other_goes_both_go() -> None:
    board = Board()
    bea = board.offer("bea", 60, Condition(member=root("carl")))
    assert board.states(bea) == ["unmet"]
    carl = board.offer("carl", 60, Condition(member=root("bea")))
    assert board.states(bea, carl) == ["offered", "offered"]
    board.say("carl", "withdraw", carl)
    assert board.states(bea) == ["unmet"]


def test_after_a_date_is_what_the_latest_close_says() -> None:
    board = Board(NeedLine("hours", "minute", 0, 600))
    offered = board.offer("bea", 60, Condition(after=CLOSES + 10))
    board.close("ana", at=CLOSES)
    assert board.states(offered) == ["unmet"]
    board.close("carl", at=CLOSES + 10)
    assert board.states(offered) == ["unmet"]
    board.close("dora", at=CLOSES + 11)
    assert board.states(offered) == ["binding"]
