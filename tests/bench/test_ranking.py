"""What a change costs does not depend on how many needs there are, but for the list's own move.

Counted, not timed: the calls of Python and of its built-in functions.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from random import Random
from types import FrameType

import msgspec
import pytest

from p2pvalue_protocol.needs.explain import explain
from p2pvalue_protocol.needs.parts import Line, Offer, Ranked, Sums, Voice, Weights
from p2pvalue_protocol.needs.ranking import Ranking, rank
from tests.bench.ranking import AS_OF_MS, WAYS, measured, people, some_need, with_one_more

FEW, MANY = 200, 5_000


def calls_of(work: Callable[[], object]) -> int:
    count = 0

    def call(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(call)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def some_world(count: int) -> list[Ranked]:
    """Needs with as few pledges by each member, however many there are."""
    rng = Random(7)
    return [some_need(rng, number, people(count)) for number in range(count)]


def of_one_change(count: int) -> tuple[int, int]:
    """The work of a change to a need with its place, and of saying why it stands there."""
    needs = some_world(count)
    ranking = Ranking(needs, Weights(), AS_OF_MS)
    ranking.settle()
    changed = with_one_more(Random(8), needs[7], people(count))

    def change() -> None:
        ranking.put(changed)
        ranking.place(changed.need)

    return calls_of(change), calls_of(lambda: explain(ranking, changed.need))


def of_all(count: int) -> int:
    needs = some_world(count)
    return calls_of(lambda: rank(needs, Weights(), AS_OF_MS))


def test_a_change_and_its_reasons_take_as_much_work_among_many_needs() -> None:
    (few_change, few_why), (many_change, many_why) = of_one_change(FEW), of_one_change(MANY)
    assert many_change <= 1.2 * few_change
    assert many_why <= 2 * few_why  # a few trials more, for the gap may be wider


@pytest.mark.parametrize("way", WAYS)
def test_reasons_take_as_much_work_whatever_was_said_of_a_need(way: str) -> None:
    """Twenty thousand pledges and voices are added up once, not at each trial."""
    works = []
    for count in (200, 20_000):
        crowd = people(count)
        offers = tuple(Offer(member, 2, 0, 1, AS_OF_MS) for member in crowd)
        voices = tuple(Voice(member, 2) for member in crowd)
        asked = Ranked(b"a", AS_OF_MS, (Line("hours", 10**6),), voices, offers)
        above = msgspec.structs.replace(asked, need=b"b", has_credit=True)
        ranking = Ranking([asked, above, *some_world(20)], WAYS[way], AS_OF_MS)
        ranking.settle()
        works.append(calls_of(partial(explain, ranking, asked.need)))
    assert works[1] <= 2 * works[0]


def test_who_pledges_to_everything_has_each_need_weighed_once_a_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two members who are together at all needs come and go twenty times before somebody asks."""
    pair = people(2)
    offers = tuple(Offer(member, 2, 0, 60, AS_OF_MS) for member in pair)
    needs = [
        Ranked(number.to_bytes(16), AS_OF_MS, (Line("hours", 600),), (), offers)
        for number in range(FEW)
    ]
    ranking = Ranking(needs, WAYS["with quadratic"], AS_OF_MS)
    ranking.settle()
    weighed, weigh = [], Ranking._weigh

    def counted(self: Ranking, sums: Sums) -> tuple[int, bytes]:
        weighed.append(sums.need)
        return weigh(self, sums)

    monkeypatch.setattr(Ranking, "_weigh", counted)
    for _ in range(10):
        ranking.put(msgspec.structs.replace(needs[0], offers=()))
        ranking.put(needs[0])
    assert weighed == []
    while not ranking.settle(16):
        assert len(weighed) % 16 == 0
    assert len(weighed) == FEW
    assert ranking.places() == rank(needs, WAYS["with quadratic"], AS_OF_MS)


def test_work_that_grows_with_needs_is_noticed() -> None:
    few, many = (of_all(count) for count in (FEW, MANY))
    assert many > 10 * few


@pytest.mark.parametrize("way", WAYS)
def test_the_bench_runs(way: str) -> None:
    found = measured(WAYS[way], seed=1, count=20, turns=1)
    assert set(found) == {"all_ms", "one_ms", "one_slowest_ms", "order_ms"}
