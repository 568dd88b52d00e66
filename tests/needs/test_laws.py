"""What holds of every need, whatever is said about it and in whatever order it arrives."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from p2pvalue_protocol.kinds.need import NeedLine
from p2pvalue_protocol.kinds.pledge import Condition, Pledge
from p2pvalue_protocol.needs.acts import sorted_acts
from p2pvalue_protocol.needs.closing import Closed, closed, closed_set, held_of
from p2pvalue_protocol.needs.conditions import holding
from p2pvalue_protocol.needs.standing import standing_of
from tests.needs.by_hand import CLOSES, Board, root, told

MANY = settings(max_examples=300)
PEOPLE = ["ana", "bea", "carl", "dora", "emil", "sam"]
WHO = st.sampled_from(PEOPLE)

IN_COMPANY = st.one_of(
    st.builds(Condition, others=st.integers(1, 4)), st.builds(Condition, member=WHO.map(root))
)
CONDITIONS = IN_COMPANY | st.builds(Condition, after=st.sampled_from([1, CLOSES, CLOSES + 5]))


@st.composite
def boards(draw: st.DrawFn, conditions: st.SearchStrategy[Condition] = CONDITIONS) -> Board:
    """A need and up to 25 acts of six people, before and after its closing time, some hidden."""
    board = Board(
        NeedLine("hours", "minute", draw(st.sampled_from([0, 2, 4])), 9),
        NeedLine("material", "barrow", draw(st.integers(0, 1)), 1),
        trigger=draw(st.sampled_from(["all", "any", "none"])),
        closes=draw(st.sampled_from([0, CLOSES])),
        stewards=draw(st.lists(st.sampled_from(["sam", "bea"]), max_size=2, unique=True)),
        confirmers=draw(st.lists(st.sampled_from(["dora", "carl"]), max_size=2, unique=True)),
    )
    if draw(st.booleans()):
        board.change(trigger=draw(st.sampled_from(["all", "any"])))
    pledges: list[bytes] = []
    for _ in range(draw(st.integers(0, 25))):
        at = draw(st.sampled_from([None, None, 1, 5, CLOSES - 1, CLOSES, CLOSES + 5]))
        what = draw(st.sampled_from(["offer", "offer", "close", "say", "say"]))
        if what == "offer":
            pledges.append(
                board.offer(
                    draw(WHO),
                    draw(st.integers(1, 3)),
                    *draw(st.lists(conditions, max_size=2)),
                    line=draw(st.integers(0, 1)),
                    takes=draw(st.none() | st.sampled_from(pledges)) if pledges else None,
                    terms=draw(st.sampled_from(board.need.terms)),
                    at=at,
                    is_hidden=draw(st.integers(0, 5)) == 0,
                )
            )
        elif what == "close":
            board.close(
                draw(WHO),
                but=draw(st.lists(st.sampled_from(pledges), max_size=2)) if pledges else (),
                at=at,
                terms=draw(st.sampled_from(board.need.terms)),
                is_hidden=draw(st.integers(0, 5)) == 0,
                unread=draw(st.lists(st.sampled_from(pledges), max_size=2)) if pledges else (),
            )
        elif pledges:
            board.say(
                draw(WHO),
                draw(st.sampled_from(["withdraw", "claim", "confirm", "dispute", "settle"])),
                draw(st.sampled_from(pledges)),
                draw(st.integers(1, 3)),
                to=draw(st.none() | WHO),
                at=at,
            )
    return board


def closed_of(board: Board) -> tuple[Closed, dict[bytes, int]]:
    acts = sorted_acts(board.acts)
    found = closed(board.need, acts.closes, held_of(acts))
    return found, closed_set(found.closings, held_of(acts))


@MANY
@given(boards(), st.data())
def test_whoever_holds_the_same_sees_the_same_in_whatever_order_it_came(
    board: Board, data: st.DataObject
) -> None:
    before = board.standing()
    shuffled = data.draw(st.permutations([*board.acts, *board.acts[:3]]))
    after = standing_of(board.need, shuffled)
    assert told(after) == told(before)


@MANY
@given(boards(IN_COMPANY))
def test_of_the_sets_in_which_all_conditions_hold_the_one_that_stands_holds_every_other(
    board: Board,
) -> None:
    offers = sorted_acts(board.acts).offers[:9]
    found = holding(offers, CLOSES)

    def is_consistent(pledges: frozenset[bytes]) -> bool:
        members = {offer.member for offer in offers if offer.pledge in pledges}
        return all(
            (condition.others is None or len(members - {offer.member}) >= condition.others)
            and (condition.member is None or condition.member in members)
            for offer in offers
            if offer.pledge in pledges
            for condition in offer.said.conditions
        )

    assert is_consistent(found)
    ids = [offer.pledge for offer in offers]
    for size in range(len(ids) + 1):
        for some in combinations(ids, size):
            if is_consistent(frozenset(some)):
                assert found >= frozenset(some)


@MANY
@given(boards(), WHO, st.integers(CLOSES, CLOSES + 9))
def test_a_later_close_only_adds_to_the_closed_set(board: Board, who: str, at: int) -> None:
    found, before = closed_of(board)
    board.close(who, at=at, terms=found.terms)
    later, after = closed_of(board)
    if later.terms == found.terms:
        assert before.keys() <= after.keys()
        assert all(after[name] <= cut for name, cut in before.items())


@MANY
@given(boards(), WHO)
def test_nobody_binds_another(board: Board, who: str) -> None:
    """What binds somebody is her own offer, and never more than she offered."""
    offered = {o.pledge: o for o in sorted_acts(board.acts).offers}
    for pledge in board.standing().pledges:
        if pledge.word is not None:
            offer = offered[pledge.offer.pledge]
            assert 0 <= pledge.word.delivered <= pledge.word.bound <= (offer.said.quantity or 0)
            assert pledge.word.offer.member == offer.act.member
    others = [
        act
        for act in board.acts
        if act.member != root(who) or (isinstance(act.payload, Pledge) and act.payload.act)
    ]
    assert all(
        pledge.offer.member != root(who) for pledge in standing_of(board.need, others).pledges
    )


@MANY
@given(boards())
def test_before_a_close_counts_nobody_is_bound_unless_there_is_no_trigger(board: Board) -> None:
    standing = board.standing()
    if not standing.closings and standing.terms.trigger != "none":
        assert standing.state in ("open", "draft", "dropped")
        assert all(pledge.word is None for pledge in standing.pledges)


@MANY
@given(boards())
def test_no_more_is_taken_over_than_was_released(board: Board) -> None:
    words = [pledge.word for pledge in board.standing().pledges if pledge.word is not None]
    for word in words:
        taken = [w.quantity for w in words if w.offer.said.takes == word.offer.pledge]
        assert word.taken <= word.released
        assert sum(taken) == word.taken


@MANY
@given(boards(), WHO, st.integers(0, CLOSES + 9))
def test_without_a_trigger_what_bound_never_stops_having_bound(
    board: Board, who: str, at: int
) -> None:
    """Whatever is said last, even a withdrawal: it is kept, released, or void with the need."""
    before = board.standing()
    if before.terms.trigger != "none":
        return
    bound = [pledge.offer.pledge for pledge in before.pledges if pledge.word is not None]
    last = max((act.order.time for act in board.acts), default=0)
    for pledge in bound:
        board.say(who, "withdraw", pledge, at=last + 1)
    board.offer(who, 1, at=at)
    words = {pledge.offer.pledge: pledge.word for pledge in board.standing().pledges}
    assert all(words[pledge] is not None for pledge in bound)
