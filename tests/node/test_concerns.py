"""What of a need concerns whom, and why; what one did oneself is no news."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import islice
from typing import get_args

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from p2pvalue.node.needs.need_closer import NODES_CLOSE_AFTER_MS
from p2pvalue.node.needs.stand_ins import Others, nearest
from p2pvalue.node.notifications.concern_words import ABOUT
from p2pvalue.node.notifications.concerns import (
    AHEAD_MS,
    Concern,
    HeldNeed,
    LastEdit,
    concerns,
    is_concerned,
    next_ms,
)
from p2pvalue.notify_types import NotificationKind
from p2pvalue_protocol.auth_payloads import ADMIN, MEMBER
from p2pvalue_protocol.kinds.pledge import Condition
from p2pvalue_protocol.members import Member
from p2pvalue_protocol.needs.acts import sorted_acts
from p2pvalue_protocol.needs.standing import standing_of
from tests.needs.by_hand import CLOSES, NEED, Board, root
from tests.needs.test_laws import PEOPLE, boards

LATER = CLOSES + 10
OUTCOMES = {"need-triggered", "need-lapsed", "pledge-triggered", "pledge-lapsed"}
FROM_TIME = {"due-tomorrow", "need-closing"}


def of(board: Board, who: str, *, now: int = LATER, editor: str = "ana") -> list[Concern]:
    edit = LastEdit(root(editor), 0)
    held = HeldNeed(NEED, board.need, edit, board.standing(), sorted_acts(board.acts))
    return concerns(held, root(who), now, near(board))


def near(board: Board, *wanting: str) -> Others:
    """All the people; Zoe is of higher rank."""
    members = [Member(root(name), MEMBER, (), None) for name in PEOPLE]
    everybody = [*members, Member(root("zoe"), ADMIN, (), None)]
    return Others(lambda: nearest(everybody, board.standing(), [root(name) for name in wanting]))


def kinds(board: Board, who: str, *, now: int = LATER, editor: str = "ana") -> list[str]:
    return sorted(concern.kind for concern in of(board, who, now=now, editor=editor))


def node_closes(board: Board, *, but: Sequence[bytes] = ()) -> None:
    """Ana's node closes by itself."""
    board.close("ana", but=but, at=CLOSES + NODES_CLOSE_AFTER_MS)


def bound() -> tuple[Board, bytes]:
    """Bea pledged two hours to Ana's need, and it came about."""
    board = Board()
    pledge = board.offer("bea", 120)
    node_closes(board)
    return board, pledge


def test_a_pledge_to_my_need_concerns_me_and_not_its_author() -> None:
    board = Board()
    board.offer("bea", 60)
    [told] = of(board, "ana")
    assert (told.kind, told.because, told.by) == ("need-pledged", "asked", root("bea"))
    assert told.amount == ("hours", "minute", 60)
    assert kinds(board, "bea") == kinds(board, "carl") == []


def test_what_came_about_is_told_to_who_pledged_and_to_who_asked() -> None:
    board, _ = bound()
    assert kinds(board, "bea") == ["pledge-triggered"]
    assert kinds(board, "ana") == ["need-pledged", "need-triggered"]
    assert kinds(board, "carl") == []


def test_who_asked_and_pledged_hears_once_that_it_came_about() -> None:
    board = Board()
    board.offer("ana", 120)
    node_closes(board)
    assert kinds(board, "ana") == ["pledge-triggered"]


def test_what_did_not_come_about_frees_who_pledged() -> None:
    board = Board()
    board.offer("bea", 60)
    node_closes(board)
    assert kinds(board, "bea") == ["pledge-lapsed"]
    assert kinds(board, "ana") == ["need-lapsed"]


def test_a_pledge_whose_condition_failed_says_so() -> None:
    board = Board()
    board.offer("bea", 120)
    board.offer("carl", 60, Condition(others=5))
    assert kinds(board, "carl") == []  # it may hold still
    node_closes(board)
    [told] = of(board, "carl")
    assert (told.kind, told.said) == ("pledge-lapsed", "its conditions did not hold")


def test_a_pledge_that_was_left_out_is_told_as_late() -> None:
    board = Board()
    left_out = board.offer("carl", 60)
    board.offer("bea", 120)
    node_closes(board, but=[left_out])
    [told] = of(board, "carl")
    assert (told.kind, told.said) == ("pledge-lapsed", "it arrived too late")


def test_changed_terms_are_told_until_one_renews_and_not_to_who_changed_them() -> None:
    board = Board()
    board.offer("bea", 60)
    board.change(closes=CLOSES + 5)
    assert kinds(board, "bea") == ["pledge-outdated"]
    assert kinds(board, "bea", editor="bea") == []
    board.offer("bea", 60)
    assert kinds(board, "bea") == []


def test_a_claim_asks_confirmers_and_tells_other_stewards() -> None:
    board = Board(confirmers=["carl"])
    pledge = board.offer("bea", 120)
    node_closes(board)
    board.say("bea", "claim", pledge, 120)
    assert kinds(board, "carl") == ["confirm-asked"]
    assert kinds(board, "ana") == ["need-claimed", "need-pledged", "need-triggered"]


def test_a_claim_that_somebody_confirmed_asks_nobody_any_more() -> None:
    board, pledge = bound()
    board.say("bea", "claim", pledge, 120)
    assert "confirm-asked" in kinds(board, "ana")
    board.say("ana", "confirm", pledge, 120)
    assert "confirm-asked" not in kinds(board, "ana")
    [told] = of(board, "bea")
    assert (told.kind, told.by) == ("pledge-confirmed", root("ana"))


def test_who_claims_the_same_again_is_no_news() -> None:
    board, pledge = bound()
    board.say("bea", "claim", pledge, 60)
    first = {concern.key for concern in of(board, "ana")}
    board.say("bea", "claim", pledge, 60)
    assert {concern.key for concern in of(board, "ana")} == first
    board.say("bea", "claim", pledge, 120)
    assert {concern.key for concern in of(board, "ana")} != first


def test_a_quarrel_is_told_to_who_did_it_and_to_who_settles_it() -> None:
    board = Board(stewards=["sam"], confirmers=["carl"])
    pledge = board.offer("bea", 120)
    board.close("sam")
    board.say("bea", "claim", pledge, 120)
    board.say("carl", "dispute", pledge, reason="half of it")
    [told] = of(board, "bea")
    assert (told.kind, told.by, told.said) == ("pledge-disputed", root("carl"), "half of it")
    assert "settle-asked" in kinds(board, "sam")
    assert kinds(board, "carl") == []
    board.say("sam", "settle", pledge, 60)
    assert kinds(board, "bea") == ["pledge-settled"]
    assert "settle-asked" not in kinds(board, "sam")


def test_a_released_word_asks_its_heir_or_tells_who_asked_for_the_work() -> None:
    board, pledge = bound()
    board.say("bea", "withdraw", pledge, to="carl", reason="ill")
    [told] = of(board, "carl")
    assert (told.kind, told.because, told.said) == ("handed-over", "named", "ill")
    assert "need-released" in kinds(board, "ana")
    board.offer("carl", 120, takes=pledge)
    assert kinds(board, "carl") == []
    assert "need-released" not in kinds(board, "ana")


def test_a_deadline_and_a_last_day_are_told_within_the_day_before() -> None:
    board = Board(closes=3 * AHEAD_MS)
    board.offer("bea", 60)
    ends = 3 * AHEAD_MS
    for now, told in [
        (ends - AHEAD_MS - 1, ["need-pledged"]),
        (ends - AHEAD_MS, ["need-closing", "need-pledged"]),
        (ends, ["need-pledged"]),
    ]:
        assert kinds(board, "ana", now=now) == told
    standing = board.standing()
    assert next_ms(board.need, standing, root("ana"), 0) == ends - AHEAD_MS
    assert next_ms(board.need, standing, root("ana"), ends - AHEAD_MS) == ends
    assert next_ms(board.need, standing, root("ana"), ends) is None
    assert next_ms(board.need, standing, root("bea"), 0) is None
    board.need = msgspec.structs.replace(board.need, created=ends - AHEAD_MS)
    assert "need-closing" not in kinds(board, "ana", now=ends - AHEAD_MS)  # asked for that day


def test_what_i_promised_is_due() -> None:
    board, pledge = bound()
    board.need = msgspec.structs.replace(board.need, deadline=10**9)
    due = 10**9 - AHEAD_MS
    assert next_ms(board.need, board.standing(), root("bea"), LATER) == due
    assert kinds(board, "bea", now=due) == ["due-tomorrow", "pledge-triggered"]
    assert kinds(board, "bea", now=10**9) == ["pledge-triggered"]
    board.say("bea", "claim", pledge, 120)
    assert kinds(board, "bea", now=due) == []


def test_what_i_took_over_on_the_day_itself_is_no_reminder() -> None:
    board, pledge = bound()
    board.need = msgspec.structs.replace(board.need, deadline=10**9)
    board.say("bea", "withdraw", pledge, to="carl")
    board.offer("carl", 120, takes=pledge, at=10**9 - AHEAD_MS)
    assert kinds(board, "carl", now=10**9 - 1) == []


def test_who_took_over_too_late_is_told() -> None:
    board, pledge = bound()
    board.say("bea", "withdraw", pledge)
    board.offer("carl", 120, takes=pledge)
    board.offer("dora", 120, takes=pledge)
    [told] = of(board, "dora")
    assert (told.kind, told.said) == ("pledge-lapsed", "it arrived too late")


def test_what_is_hidden_is_not_quoted() -> None:
    board, pledge = bound()
    board.say("bea", "claim", pledge, 120, reason="rude")
    board.acts[-1] = board.acts[-1]._replace(is_hidden=True)
    assert all(concern.said == "" for concern in of(board, "ana"))


@given(boards(), st.sampled_from(PEOPLE))
@settings(max_examples=100)
def test_nobody_hears_of_her_own_deeds_and_each_thing_has_one_key(board: Board, who: str) -> None:
    found = of(board, who)
    assert all(concern.by != root(who) for concern in found)
    without_author = {c.kind for c in found if c.by is None}
    assert without_author <= OUTCOMES | FROM_TIME | {"pledge-lapsed"}
    keys = [concern.key for concern in found]
    assert len(set(keys)) == len(keys)
    if found:
        assert is_concerned(board.need, board.standing(), root(who), near(board), frozenset())


@given(boards(), st.sampled_from(PEOPLE), st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_the_order_of_arrival_changes_nothing(board: Board, who: str, dice: random.Random) -> None:
    before = of(board, who)
    acts = [*board.acts]
    dice.shuffle(acts)
    standing = standing_of(board.need, acts)
    held = HeldNeed(NEED, board.need, LastEdit(root("ana"), 0), standing, sorted_acts(acts))
    assert concerns(held, root(who), LATER, near(board)) == before


@given(boards())
@settings(max_examples=50)
def test_what_time_alone_tells_comes_at_the_times_that_were_foretold(board: Board) -> None:
    for who in islice(PEOPLE, 3):
        now: int | None = 0
        looks = 0
        while now is not None:
            now = next_ms(board.need, board.standing(), root(who), now)
            looks += 1
        assert looks <= 5


def asked(board: Board, kind: str) -> set[str]:
    return {who for who in (*PEOPLE, "zoe") if kind in kinds(board, who)}


def test_two_are_asked_to_confirm_what_who_asked_for_it_did_herself() -> None:
    board = Board()
    pledge = board.offer("ana", 120)
    board.offer("dora", 60)
    node_closes(board)
    board.say("ana", "claim", pledge, 120)
    assert asked(board, "confirm-asked") == {"dora", "zoe"}
    [told] = [one for one in of(board, "zoe") if one.kind == "confirm-asked"]
    assert told.because == "stand-in"
    board.say("carl", "confirm", pledge, 120)  # who was not asked may, too
    assert asked(board, "confirm-asked") == set()


def test_two_are_asked_to_settle_where_every_steward_is_a_party() -> None:
    board, pledge = bound()
    board.offer("dora", 60)
    board.say("bea", "claim", pledge, 120)
    board.say("ana", "dispute", pledge, reason="half of it")
    assert asked(board, "settle-asked") == {"dora", "zoe"}
    board.say("zoe", "settle", pledge, 60)
    assert asked(board, "settle-asked") == set()


def test_who_wants_a_need_is_nearer_to_it_than_who_is_of_rank() -> None:
    board = Board()
    board.offer("bea", 60)
    first = near(board, "carl").near()[:3]
    assert first == [root("bea"), root("carl"), root("zoe")]


def test_what_is_told_of_a_pledge_names_it_and_what_was_pledged() -> None:
    board, pledge = bound()
    board.say("bea", "claim", pledge, 120)
    board.say("ana", "confirm", pledge, 60)
    [told] = [one for one in of(board, "bea") if one.kind == "pledge-confirmed"]
    assert (told.amount, told.pledged) == (("hours", "minute", 60), ("hours", "minute", 120))
    assert told.pledge == pledge


def test_every_kind_is_explained() -> None:
    assert set(ABOUT) == set(get_args(NotificationKind))


def test_who_closed_a_need_by_hand_knows_what_came_of_it_on_every_device() -> None:
    for closes in (0, CLOSES):
        board = Board(closes=closes)
        board.offer("bea", 120)
        board.offer("ana", 1)
        board.close("ana")
        assert kinds(board, "ana") == ["need-pledged"]
        assert kinds(board, "bea") == ["pledge-triggered"]
        lapsed = Board(closes=closes)
        lapsed.offer("ana", 1)
        lapsed.close("ana")
        assert kinds(lapsed, "ana") == []


def test_what_others_changed_of_a_need_that_was_closed_by_hand_is_news() -> None:
    board = Board()
    left_out = board.offer("bea", 120)
    board.close("ana", but=[left_out])
    assert kinds(board, "ana") == []
    for other in ("carl", "dora"):
        board.close(other)
    assert kinds(board, "ana") == ["need-pledged", "need-triggered"]
