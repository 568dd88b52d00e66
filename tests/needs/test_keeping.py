from __future__ import annotations

from collections.abc import Sequence

import msgspec

from p2pvalue_protocol.kinds.pledge import Condition
from p2pvalue_protocol.needs.standing import standing_of
from tests.needs.by_hand import BARROW, CLOSES, HOURS, Board, root

# --- withdrawing and releasing


def test_a_withdrawal_in_time_takes_the_offer_back() -> None:
    board = Board()
    offered = board.offer("bea", 120)
    board.say("bea", "withdraw", offered, reason="I fell ill")
    board.close("ana")
    assert (board.state(), board.states(offered)) == ("lapsed", ["withdrawn"])
    assert board.pledge(offered).reason == "I fell ill"


def test_a_withdrawal_that_is_late_is_a_release() -> None:
    board = Board()
    offered = board.offer("bea", 120)
    board.close("ana")
    board.say("bea", "withdraw", offered, reason="I fell ill", to="carl")
    found = board.pledge(offered)
    assert (found.state, found.reason) == ("released", "I fell ill")
    assert (board.state(), board.standing().is_met) == ("triggered", False)


def test_nobody_withdraws_for_another() -> None:
    board = Board()
    offered = board.offer("bea", 120)
    board.say("ana", "withdraw", offered)
    assert board.states(offered) == ["offered"]
    board.close("ana")
    board.say("ana", "withdraw", offered)
    assert board.states(offered) == ["binding"]


def test_a_late_offer_can_be_withdrawn_at_any_time() -> None:
    board = Board()
    board.offer("bea", 120)
    late = board.offer("carl", 60, at=CLOSES + 1)
    board.close("ana", but=[late])
    board.say("carl", "withdraw", late)
    assert board.states(late) == ["withdrawn"]


def test_what_was_released_binds_who_takes_it_over_as_far_as_it_reaches() -> None:
    board = Board()
    offered = board.offer("bea", 120)
    board.close("ana")
    early = board.offer("carl", 60, takes=offered)
    board.say("bea", "withdraw", offered)
    dora = board.offer("dora", 90, takes=offered)
    emil = board.offer("emil", 90, takes=offered)
    flo = board.offer("flo", 90, takes=offered)
    assert board.states(offered, early, dora, emil, flo) == [
        "released",
        "late",
        "binding",
        "binding",
        "late",
    ]
    assert [tuple(total) for total in board.standing().totals] == [(120, 2)]


def test_a_release_that_names_a_successor_is_taken_over_by_her_alone() -> None:
    board = Board(HOURS, BARROW, trigger="any")
    offered = board.offer("bea", 120)
    board.close("ana")
    board.say("bea", "withdraw", offered, to="dora")
    carl = board.offer("carl", 120, takes=offered)
    elsewhere = board.offer("dora", 1, takes=offered, line=1)
    dora = board.offer("dora", 120, takes=offered)
    assert board.states(carl, elsewhere, dora) == ["late", "late", "binding"]


def test_who_takes_over_what_was_released_does_so_under_these_terms_without_a_condition() -> None:
    board = Board()
    first = board.terms
    board.change(trigger="any")
    offered = board.offer("bea", 120)
    board.close("ana")
    board.say("bea", "withdraw", offered)
    of_before = board.offer("carl", 60, takes=offered, terms=first)
    if_others = board.offer("dora", 60, Condition(others=1), takes=offered)
    plain = board.offer("emil", 120, takes=offered)
    assert board.states(of_before, if_others, plain) == ["outdated", "late", "binding"]
    assert [tuple(total) for total in board.standing().totals] == [(120, 1)]


# --- claiming, confirming, disputing, settling


def triggered(stewards: Sequence[str] = (), confirmers: Sequence[str] = ()) -> tuple[Board, bytes]:
    board = Board(stewards=stewards, confirmers=confirmers)
    offered = board.offer("bea", 120)
    board.close(stewards[0] if stewards else "ana")
    return board, offered


def test_delivered_is_what_another_confirms() -> None:
    board, offered = triggered()
    board.say("bea", "claim", offered, 60)
    assert (board.state(), board.states(offered)) == ("claimed", ["claimed"])
    board.say("bea", "confirm", offered, 120)
    board.say("carl", "confirm", offered, 120)
    assert board.states(offered) == ["claimed"]
    board.say("ana", "confirm", offered, 60)
    assert (board.state(), board.states(offered)) == ("triggered", ["binding"])
    board.say("ana", "confirm", offered, 120)
    assert (board.state(), board.states(offered)) == ("confirmed", ["confirmed"])
    assert [tuple(total) for total in board.standing().delivered] == [(120, 1)]


def test_more_than_was_promised_is_not_confirmed() -> None:
    board, offered = triggered()
    board.say("ana", "confirm", offered, 10**12)
    assert [tuple(total) for total in board.standing().delivered] == [(120, 1)]


def test_where_confirmers_are_named_they_alone_confirm() -> None:
    board, offered = triggered(confirmers=["carl"])
    board.say("ana", "confirm", offered, 120)
    assert board.states(offered) == ["binding"]
    board.say("carl", "confirm", offered, 120)
    assert board.states(offered) == ["confirmed"]


def test_who_alone_could_confirm_her_own_word_leaves_it_to_anybody_else() -> None:
    board, offered = triggered(confirmers=["bea"])
    board.say("bea", "confirm", offered, 120)
    assert board.states(offered) == ["binding"]
    board.say("dora", "confirm", offered, 120)
    assert board.states(offered) == ["confirmed"]


def test_where_all_who_are_named_are_out_any_other_member_confirms() -> None:
    board, offered = triggered(confirmers=["carl", "dora"])
    board.say("emil", "confirm", offered, 60)
    board.say("emil", "confirm", offered, 60, absent=["carl"])
    assert board.states(offered) == ["binding"], "Dora is left"
    board.say("bea", "confirm", offered, 120, absent=["carl", "dora"])
    assert board.states(offered) == ["binding"], "nobody confirms her own word"
    board.say("emil", "confirm", offered, 120, absent=["carl", "dora"])
    assert board.states(offered) == ["confirmed"]


def test_what_was_judged_in_somebodys_place_counts_when_she_is_back() -> None:
    board, offered = triggered(confirmers=["carl"])
    board.say("bea", "claim", offered, 120)
    board.say("emil", "confirm", offered, 60, absent=["carl"])
    board.say("emil", "confirm", offered, 120)
    assert [tuple(total) for total in board.standing().delivered] == [(60, 1)]
    board.say("carl", "confirm", offered, 120)
    assert board.states(offered) == ["confirmed"]


def test_where_the_steward_is_out_any_other_member_settles() -> None:
    board, offered = triggered(stewards=["sam"])
    board.say("bea", "claim", offered, 120)
    board.say("ana", "dispute", offered)
    board.say("carl", "settle", offered, 120)
    assert board.state() == "disputed"
    for party in ("ana", "bea"):
        board.say(party, "settle", offered, 60, absent=["sam"])
    assert board.state() == "disputed"
    board.say("carl", "settle", offered, 90, absent=["sam"])
    assert board.state() == "settled"


def test_a_dispute_stands_until_its_author_confirms() -> None:
    board, offered = triggered()
    board.say("bea", "claim", offered, 120)
    board.say("carl", "dispute", offered, reason="I saw nobody")
    assert board.state() == "claimed"
    board.say("ana", "dispute", offered, reason="half of it")
    assert (board.state(), board.pledge(offered).reason) == ("disputed", "half of it")
    board.say("ana", "confirm", offered, 120)
    assert board.state() == "confirmed"


def test_a_steward_who_is_no_party_settles_a_dispute() -> None:
    board, offered = triggered(stewards=["sam", "ana"])
    board.say("bea", "claim", offered, 120)
    board.say("ana", "dispute", offered)
    for party in ("bea", "ana", "carl"):
        board.say(party, "settle", offered, 120)
    assert board.state() == "disputed"
    board.say("sam", "settle", offered, 90, reason="we counted")
    found = board.pledge(offered)
    assert (board.state(), found.state, found.reason) == ("settled", "settled", "we counted")
    assert [tuple(total) for total in board.standing().delivered] == [(90, 1)]


def test_no_more_is_settled_than_is_bound() -> None:
    board, offered = triggered()
    for much, counted in ((500, 120), (120, 120), (119, 119)):
        board.say("ana", "dispute", offered)
        board.say("carl", "settle", offered, much)
        assert [tuple(total) for total in board.standing().delivered] == [(counted, 1)]


def test_what_is_settled_is_released_no_more() -> None:
    board, offered = triggered()
    board.say("ana", "dispute", offered)
    board.say("carl", "settle", offered, 30, reason="half an hour, we counted")
    board.say("bea", "withdraw", offered, reason="the rest is too much", to="dora")
    found = board.pledge(offered)
    assert (found.state, found.reason) == ("settled", "half an hour, we counted")
    taken = board.offer("dora", 60, takes=offered)
    assert board.states(taken) != ["binding"]


def test_acts_that_had_effect_are_told_from_those_that_had_none() -> None:
    board, offered = triggered()
    board.say("carl", "claim", offered, 120)
    board.say("bea", "claim", offered, 90)
    others, own = (act.name for act in board.acts[-2:])
    heard: set[bytes] = set()
    standing_of(board.need, board.acts, heard)
    assert own in heard
    assert others not in heard


def test_where_every_steward_is_a_party_anybody_else_settles() -> None:
    board, offered = triggered()
    board.say("ana", "dispute", offered)
    board.say("ana", "settle", offered, 0)
    assert board.state() == "disputed"
    board.say("carl", "settle", offered, 0)
    assert board.state() == "settled"


def test_a_release_leaves_what_was_claimed_already() -> None:
    board, offered = triggered()
    board.say("bea", "claim", offered, 90)
    board.say("bea", "withdraw", offered)
    assert (board.state(), board.states(offered)) == ("in-progress", ["claimed"])
    taken = board.offer("carl", 60, takes=offered)
    board.say("carl", "claim", taken, 30)
    assert board.state() == "claimed"
    for pledge, quantity in ((offered, 90), (taken, 30)):
        board.say("ana", "confirm", pledge, quantity)
    assert board.state() == "confirmed"


def test_an_act_before_a_word_binds_does_nothing_to_it() -> None:
    board = Board()
    offered = board.offer("bea", 120, at=10)
    board.say("ana", "confirm", offered, 120, at=5)
    board.close("ana")
    assert board.states(offered) == ["binding"]


def test_who_claimed_keeps_her_word_when_a_need_is_dropped() -> None:
    board, offered = triggered()
    other = board.offer("carl", 60)
    board.say("bea", "claim", offered, 60)
    board.need = msgspec.structs.replace(board.need, status="dropped")
    assert (board.state(), board.states(offered, other)) == ("dropped", ["claimed", "late"])


def test_who_claimed_all_has_nothing_to_release() -> None:
    board, offered = triggered()
    board.say("bea", "claim", offered, 120)
    board.say("bea", "withdraw", offered, reason="too late")
    found = board.pledge(offered)
    assert (found.state, found.reason) == ("claimed", "")


# --- corrections


def test_a_claim_that_was_too_high_is_corrected_by_a_later_one() -> None:
    board, offered = triggered()
    board.say("bea", "claim", offered, 120)
    board.say("ana", "dispute", offered, reason="I saw half of it")
    board.say("bea", "claim", offered, 60)
    board.say("ana", "confirm", offered, 60)
    assert (board.state(), board.states(offered)) == ("triggered", ["binding"])
    board.say("bea", "withdraw", offered, reason="not the rest")
    assert (board.state(), board.states(offered)) == ("in-progress", ["confirmed"])
    assert [tuple(total) for total in board.standing().totals] == [(60, 1)]


def test_who_claimed_by_mistake_claims_nothing_and_can_release() -> None:
    board, offered = triggered()
    board.say("bea", "claim", offered, 120)
    board.say("bea", "claim", offered, 0)
    assert board.states(offered) == ["binding"]
    board.say("bea", "withdraw", offered)
    assert board.states(offered) == ["released"]


def test_what_was_confirmed_stays_when_the_claim_is_taken_back() -> None:
    board, offered = triggered()
    board.say("bea", "claim", offered, 120)
    board.say("ana", "confirm", offered, 90)
    board.say("bea", "claim", offered, 30)
    board.say("bea", "withdraw", offered)
    standing = board.standing()
    assert board.states(offered) == ["confirmed"]
    assert [tuple(total) for total in (*standing.totals, *standing.delivered)] == [(90, 1)] * 2


def test_who_takes_over_what_is_left_of_a_release_is_named_anew() -> None:
    board, offered = triggered()
    board.say("bea", "withdraw", offered, reason="my back", to="carl")
    first = board.offer("carl", 30, takes=offered)
    board.say("bea", "withdraw", offered, reason="Carl cannot", to="dora")
    carl, dora = (board.offer(who, 90, takes=offered) for who in ("carl", "dora"))
    assert board.states(offered, first, carl, dora) == ["released", "binding", "late", "binding"]
    board.say("bea", "withdraw", offered, reason="all is taken")
    assert board.pledge(offered).reason == "Carl cannot"


def test_who_took_over_before_the_close_releases_too() -> None:
    board = Board()
    offered = board.offer("bea", 120)
    board.say("bea", "withdraw", offered)
    taken = board.offer("carl", 120, takes=offered)
    board.say("carl", "withdraw", taken)
    of_carl = [act.name for act in board.acts if act.member == root("carl")]
    board.close("ana", naming=[board.acts[0].name, *of_carl])
    assert board.states(offered, taken) == ["released", "released"]
