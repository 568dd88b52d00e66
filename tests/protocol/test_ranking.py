"""The order of needs, case by case."""

from __future__ import annotations

import msgspec
import pytest

from p2pvalue_protocol.needs.explain import Change, explain, told
from p2pvalue_protocol.needs.parts import DAY_MS, Line, Weights
from p2pvalue_protocol.needs.ranking import Ranking, rank
from tests.protocol.ranked import (
    AS_OF_MS,
    name,
    need,
    offers,
    only,
    order,
    summed,
    voices,
    with_newcomers,
)


def test_a_pledge_more_weighs_other_needs_of_the_pledger_again() -> None:
    together = [need(number, offers=offers({1: 100, 2: 100})) for number in (1, 2, 3)]
    ranking = Ranking(together, only("quadratic"), AS_OF_MS)
    before = ranking.place(name(1)).score
    ranking.put(need(4, offers=offers({1: 100, 2: 100})))
    damped_more = ranking.place(name(1)).score
    ranking.put(need(5, offers=offers({1: 100})))
    damped_less = ranking.place(name(1)).score
    assert damped_more < before < damped_less
    ranking.remove(name(4))
    ranking.remove(name(5))
    assert ranking.place(name(1)).score == before
    assert len(ranking) == 3


def test_who_pledges_on_is_not_counted_with_others_once_more() -> None:
    together = [need(number, offers=offers({1: 100, 2: 100})) for number in (1, 2, 3)]
    joined = need(1, offers=offers({1: 100, 2: 100, 3: 100}))
    ranking = Ranking(together, only("quadratic"), AS_OF_MS)
    ranking.put(joined)
    assert ranking.places() == rank([joined, *together[1:]], only("quadratic"), AS_OF_MS)
    ranking.put(together[0])
    assert ranking.places() == rank(together, only("quadratic"), AS_OF_MS)


def test_what_is_not_there_has_no_place() -> None:
    ranking = Ranking([need(1)], Weights(), AS_OF_MS)
    ranking.remove(name(2))
    with pytest.raises(KeyError):
        ranking.place(name(2))
    with pytest.raises(KeyError):
        ranking.place_if(summed(2))
    assert len(ranking) == 1


def test_a_need_that_is_asked_about_stays_as_it_was() -> None:
    ranking = Ranking([need(1), need(2, voices=voices([1]))], Weights(), AS_OF_MS)
    assert ranking.place_if(summed(1, voices=voices([1, 2]))) == 1
    assert ranking.sums(name(1)) == summed(1)
    assert ranking.place(name(1)).place == 2


def test_money_never_lifts() -> None:
    asked = need(1, lines=(Line("money", 100), Line("hours", 60)))
    paid = msgspec.structs.replace(asked, offers=offers({1: 10**12, 2: 10**12}))
    weights = Weights(quadratic=500)
    assert rank([paid], weights, AS_OF_MS) == rank([asked], weights, AS_OF_MS)


def test_old_voices_of_a_few_stand_below_new_ones_of_many() -> None:
    year_old = need(1, created_ms=AS_OF_MS - 365 * DAY_MS, voices=voices([1]))
    new = need(2, voices=voices(range(10)))
    assert order([year_old, new], Weights()) == [2, 1]


def test_the_first_has_nothing_above_it() -> None:
    ranking = Ranking([need(1, voices=voices([1])), need(2)], Weights(), AS_OF_MS)
    assert explain(ranking, name(1)).changes == ()


def test_changes_of_each_kind_are_named_and_the_reasons_add_up() -> None:
    first = need(1, voices=voices([1, 2, 3]), offers=offers({1: 60}))
    second = need(2, voices=voices([1]), offers=offers({1: 60}))
    explanation = explain(Ranking([first, second], Weights(), AS_OF_MS), name(2))
    assert [change.kind for change in explanation.changes] == ["voices", "minutes", "members"]
    assert explanation.changes[0] == Change("voices", 3, 1)
    assert sum(reason.points for reason in explanation.reasons) == explanation.place.score
    assert [reason.part for reason in explanation.reasons] == [
        "voices",
        "hours",
        "closeness",
        "urgency",
        "age",
    ]


def test_the_points_that_are_shown_add_up_to_what_is_shown_of_the_whole() -> None:
    for count in range(1, 40):
        asked = need(1, created_ms=AS_OF_MS - count * DAY_MS, voices=voices(range(count)))
        asked = msgspec.structs.replace(asked, offers=offers({1: 7 * count}))
        head, *parts = told(explain(Ranking([asked], Weights(), AS_OF_MS), name(1)))
        shown = sum(round(10 * float(part.rpartition("= ")[2])) for part in parts)
        assert f"{shown // 10}.{shown % 10} points" in head


def test_what_counts_for_nothing_lifts_nothing() -> None:
    ranking = Ranking([need(1), need(2)], only("age"), AS_OF_MS)
    assert explain(ranking, name(2)).changes == ()


def test_minutes_are_named_for_the_line_that_lacks_most() -> None:
    lines = (Line("material", 900), Line("hours", 60), Line("hours", 300))
    asked = need(2, lines=lines, offers=offers({1: 200}))
    above = need(1, lines=(Line("hours", 100),), offers=offers({1: 50}))
    explanation = explain(Ranking([asked, above], only("hours"), AS_OF_MS), name(2))
    assert explanation.changes == (Change("minutes", 181, 1), Change("members", 2, 1))


def test_more_is_tried_than_one_member_may_count_with_and_more_than_is_asked_for() -> None:
    above, asked = need(1, offers=offers({1: 540})), need(2)
    explanation = explain(Ranking([above, asked], only("hours"), AS_OF_MS), name(2))
    assert explanation.changes == (Change("minutes", 541, 1), Change("members", 5, 1))
    little = (Line("hours", 60),)
    above, asked = need(1, lines=little, offers=offers({1: 300})), need(2, lines=little)
    explanation = explain(Ranking([above, asked], only("quadratic"), AS_OF_MS), name(2))
    assert explanation.changes == (Change("minutes", 301, 1), Change("members", 2, 1))


def test_members_are_tried_with_two_hours_each() -> None:
    above, asked = need(1, offers=offers({1: 240})), need(2)
    explanation = explain(Ranking([above, asked], only("hours"), AS_OF_MS), name(2))
    assert explanation.changes == (Change("minutes", 241, 1), Change("members", 3, 1))


def test_newcomers_with_more_hours_take_the_places_of_pledgers_with_fewer() -> None:
    """Of 32 pledgers who count two give way, at this need and in their pairs at the other."""
    weights = only("quadratic")
    asked = need(1, offers=offers(dict.fromkeys(range(32), 60)))
    other = need(2, offers=offers({0: 480, 31: 480, 40: 400, 41: 400, 42: 400, 43: 240}))
    above = need(3, offers=offers(dict.fromkeys(range(100, 132), 62)))
    needs = [asked, other, above]
    ranking = Ranking(needs, weights, AS_OF_MS)
    before = ranking.places()
    tried = 0
    for change in explain(ranking, name(1)).changes:
        for count in (change.count - 1, change.count):
            lifted = with_newcomers(asked, change.kind, count)
            places = rank([lifted, other, above], weights, AS_OF_MS)
            [place] = [place.place for place in places if place.need == name(1)]
            assert (place == change.place) == (count == change.count)
            tried += 1
    assert tried
    assert ranking.places() == before


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (59, "59 min more pledged"),
        (60, "1 h more"),
        (144, "2 h 24 min more"),
        (60_001, "1,000 h 1 min"),
    ],
)
def test_minutes_are_told_as_people_write_them(minutes: int, said: str) -> None:
    above, asked = need(1, lines=(Line("hours", 10**6),), offers=offers({1: minutes - 1})), need(2)
    asked = msgspec.structs.replace(asked, lines=above.lines)
    ranking = Ranking([above, asked], only("hours", voices=0), AS_OF_MS)
    assert f"  {said}" in next(line for line in told(explain(ranking, name(2))) if "more" in line)


def test_a_need_without_hours_is_lifted_by_voices_alone() -> None:
    ranking = Ranking([need(1, voices=voices([1])), need(2, lines=())], Weights(), AS_OF_MS)
    assert explain(ranking, name(2)).changes == (Change("voices", 2, 1),)
    assert told(explain(ranking, name(2)))[-1] == "  2 more voices → place 1"


def test_what_is_kept_above_and_what_gave_way_is_told() -> None:
    many = [need(number, voices=voices(range(20 - number))) for number in range(1, 12)]
    kept = need(20, class_name="care")
    waits = need(21, created_ms=AS_OF_MS - 100 * DAY_MS)
    ranking = Ranking([*many, kept, waits], Weights(), AS_OF_MS)
    said = {number: told(explain(ranking, name(number))) for number in (1, 9, 20, 21)}
    assert "  kept among the first for care; by points it is 13." in said[20]
    assert "  waits long, and today is its turn; by points it is 12." in said[21]
    assert "  others are kept above it; by points it is 9." in said[9]
    assert said[1] == [
        "place 1 of 13, 262.0 points:",
        "  voices: 65 % of 400 = 262.0",
        "  hours: 0 % of 150 = 0.0",
        "  closeness: 0 % of 150 = 0.0",
        "  urgency: 0 % of 150 = 0.0",
        "  age: 0 % of 150 = 0.0",
    ]


@pytest.mark.parametrize(
    ("created_ms", "has_turn"),
    [(AS_OF_MS - 90 * DAY_MS, True), (AS_OF_MS - 90 * DAY_MS + 1, False), (1, True)],
)
def test_a_need_waits_long_after_ninety_days_whatever_day_it_names(
    created_ms: int, has_turn: bool
) -> None:
    many = [need(number, voices=voices(range(20 - number))) for number in range(1, 12)]
    ranking = Ranking([*many, need(20, created_ms=created_ms)], Weights(age=0), AS_OF_MS)
    assert (ranking.place(name(20)).lifted == "turn") == has_turn


def test_one_more_is_told_in_the_singular() -> None:
    ranking = Ranking([need(1), need(2)], only("voices", hours=1_000), AS_OF_MS)
    lines = told(explain(ranking, name(2)))
    assert lines[-3:] == [
        "  1 more voice → place 1",
        "  1 min more pledged → place 1",
        "  1 more member with 2 hours → place 1",
    ]
    credited = Ranking([need(1, has_credit=True)], only("voices"), AS_OF_MS)
    assert told(explain(credited, name(1)))[-1] == "  credit: 100 % of 100 = 100.0"
