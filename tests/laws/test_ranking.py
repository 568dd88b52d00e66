"""Laws of the order of needs: equal everywhere, no voice harms, the floor holds, none starves."""

from __future__ import annotations

from random import Random
from typing import TypeVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p2pvalue_protocol.needs.explain import ChangeKind, explain
from p2pvalue_protocol.needs.pairs import Pairs
from p2pvalue_protocol.needs.parts import (
    DAY_MS,
    MILLION,
    Offer,
    Ranked,
    Voice,
    Weights,
    sums_of,
)
from p2pvalue_protocol.needs.ranking import Ranking, rank
from tests.laws.ranking_by_the_page import order_by_the_page, scores_by_the_page
from tests.protocol.ranked import AS_OF_MS, WEIGHTS, many_needs, member, name, with_newcomers

NEEDS = many_needs(most=14)
FEW = settings(max_examples=40)
T = TypeVar("T")
CARE = ("care", "maintain")


@FEW
@given(NEEDS, WEIGHTS)
def test_the_order_is_what_the_page_says(needs: list[Ranked], weights: Weights) -> None:
    places = rank(needs, weights, AS_OF_MS)
    scores = scores_by_the_page(needs, weights, AS_OF_MS)
    assert [place.need for place in places] == order_by_the_page(needs, weights, AS_OF_MS)
    assert {place.need: place.score for place in places} == scores


@FEW
@given(NEEDS, WEIGHTS, st.randoms(use_true_random=False))
def test_the_order_is_the_same_from_whatever_order_needs_come_in(
    needs: list[Ranked], weights: Weights, rng: Random
) -> None:
    places = rank(needs, weights, AS_OF_MS)
    shuffled = [
        msgspec.structs.replace(
            need, voices=_shuffled(need.voices, rng), offers=_shuffled(need.offers, rng)
        )
        for need in _shuffled(tuple(needs), rng)
    ]
    assert rank(shuffled, weights, AS_OF_MS) == places


@FEW
@given(NEEDS, WEIGHTS)
def test_parts_add_up_and_none_is_beyond_a_million(needs: list[Ranked], weights: Weights) -> None:
    for index, place in enumerate(rank(needs, weights, AS_OF_MS)):
        assert place.place == index + 1
        assert all(0 <= part <= MILLION for part in place.parts)
        factors = weights.of_parts()
        assert place.score == sum(p * w for p, w in zip(place.parts, factors, strict=True))


@FEW
@given(NEEDS, many_needs(most=5), WEIGHTS, st.data())
def test_an_order_that_changes_need_by_need_is_the_order_of_all(
    needs: list[Ranked], later: list[Ranked], weights: Weights, data: st.DataObject
) -> None:
    ranking = Ranking(needs, weights, AS_OF_MS)
    held = {need.need: need for need in needs}
    for need in later:
        if data.draw(st.booleans()):
            ranking.put(need)
            held[need.need] = need
        else:
            ranking.remove(need.need)
            held.pop(need.need, None)
    expected = rank(held.values(), weights, AS_OF_MS)
    assert ranking.places() == expected
    assert [ranking.place(place.need) for place in expected] == expected


@FEW
@given(many_needs(most=3), WEIGHTS)
def test_few_changes_put_into_a_long_order_leave_the_order_of_all(
    later: list[Ranked], weights: Weights
) -> None:
    others = [Ranked(number.to_bytes(16), AS_OF_MS, class_name="care") for number in range(100)]
    ranking = Ranking(others, weights, AS_OF_MS)
    assert ranking.settle()
    for need in later:
        ranking.put(need)
        ranking.settle(1)
    changed = {need.need: need for need in (*others, *later)}
    assert ranking.places() == rank(changed.values(), weights, AS_OF_MS)


@FEW
@given(NEEDS, WEIGHTS, st.data())
def test_a_voice_more_never_lowers_a_need(
    needs: list[Ranked], weights: Weights, data: st.DataObject
) -> None:
    ranking = Ranking(needs, weights, AS_OF_MS)
    need = data.draw(st.sampled_from(needs))
    before = ranking.place(need.need)
    ranking.put(with_newcomers(need, "voices", 1))
    after = ranking.place(need.need)
    assert after.place <= before.place
    assert (after.score > before.score) == (weights.voices > 0)


@FEW
@given(NEEDS, WEIGHTS)
def test_the_floor_is_kept_for_care_when_there_is_some(
    needs: list[Ranked], weights: Weights
) -> None:
    classes = {need.need: need.class_name for need in needs}
    order = [classes[place.need] for place in rank(needs, weights, AS_OF_MS)]
    first = order[: max(10, weights.floor + 1)]
    there_are = sum(class_name in CARE for class_name in order)
    assert sum(class_name in CARE for class_name in first) >= min(weights.floor, there_are)


@FEW
@given(many_needs(least=12, most=20), WEIGHTS)
def test_what_waits_long_is_among_the_first_within_as_many_days_as_needs_wait(
    needs: list[Ranked], weights: Weights
) -> None:
    waiting = {one.need for one in needs if AS_OF_MS - one.created_ms >= 90 * DAY_MS}
    starving = set(waiting)
    only_these = [need for need in needs if need.need in waiting or need.created_ms == AS_OF_MS]
    for day in range(len(waiting)):
        places = rank(only_these, weights, AS_OF_MS + day * DAY_MS)
        starving -= {place.need for place in places[: max(10, weights.floor + 1)]}
    assert starving == set()


@FEW
@given(NEEDS, st.data())
def test_halves_of_a_need_have_at_most_twice_its_squares_each_and_what_it_has_if_all_split(
    needs: list[Ranked], data: st.DataObject
) -> None:
    whole = data.draw(st.sampled_from(needs))
    is_alike = data.draw(st.booleans())
    halves: list[list[Offer]] = [[], []]
    for offer in whole.offers:
        share = offer.quantity // 2 if is_alike else data.draw(st.integers(0, offer.quantity))
        for half, quantity in zip(halves, (share, offer.quantity - share), strict=True):
            half += [offer._replace(quantity=quantity)] if quantity else []
    one, other = (
        msgspec.structs.replace(whole, need=name(1_000 + index), offers=tuple(half))
        for index, half in enumerate(halves)
    )
    others = [need for need in needs if need.need != whole.need]
    before = squares(whole, [*others, whole])
    rounding = 10_000 * 36 * 2  # of roots, for each pair
    for split in (one, other):
        after = squares(split, [*others, one, other])
        assert after <= 2 * before + rounding
        if is_alike and all(offer.quantity > 1 for offer in whole.offers):
            assert after <= before + rounding


def squares(need: Ranked, needs: list[Ranked]) -> int:
    minutes = {one.need: sums_of(one, AS_OF_MS, has_pairs=True).minutes for one in needs}
    return Pairs(minutes.items()).squares(minutes[need.need])


@FEW
@given(many_needs(least=2, most=14), WEIGHTS, st.data())
def test_a_change_that_is_named_lifts_and_one_less_does_not(
    needs: list[Ranked], weights: Weights, data: st.DataObject
) -> None:
    ranking = Ranking(needs, weights, AS_OF_MS)
    before = ranking.places()
    need = data.draw(st.sampled_from(needs))
    explanation = explain(ranking, need.need)
    assert ranking.places() == before
    others = [one for one in needs if one.need != need.need]

    def place_after(kind: ChangeKind, count: int) -> int:
        with_it = with_newcomers(need, kind, count)
        after = rank([*others, with_it], weights, AS_OF_MS)
        return next(place.place for place in after if place.need == need.need)

    for change in explanation.changes:
        assert place_after(change.kind, change.count) == change.place
        assert change.place < explanation.place.place
        assert place_after(change.kind, change.count - 1) >= explanation.place.place


@pytest.mark.parametrize("rank_", [0, 1, 2, 3])
def test_members_alone_have_a_voice(rank_: int) -> None:
    need = Ranked(name(1), AS_OF_MS, voices=(Voice(member(1), rank_),))
    assert (rank([need], Weights(), AS_OF_MS)[0].score > 0) == (rank_ <= 2)


def _shuffled(values: tuple[T, ...], rng: Random) -> tuple[T, ...]:
    return tuple(rng.sample(values, len(values)))
