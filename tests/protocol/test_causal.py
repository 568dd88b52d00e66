"""The graph of auth operations says what precedes what, whatever the order of arrival."""

from __future__ import annotations

import random

import pytest

from p2pvalue_protocol import causal
from p2pvalue_protocol.causal import AuthGraph

Named = dict[bytes, list[bytes]]


def graph_of(named: Named) -> AuthGraph:
    graph = AuthGraph()
    for op_id, before in named.items():
        graph.add(op_id, before)
    return graph


DIAMOND: Named = {b"a": [], b"b": [b"a"], b"c": [b"a"], b"d": [b"b", b"c"]}


def random_named(rng: random.Random, count: int) -> Named:
    named: Named = {}
    for index in range(count):
        held = list(named)
        named[index.to_bytes(4, "big")] = rng.sample(held, min(len(held), rng.randrange(4)))
    return named


def past_by_walking(named: Named, op_ids: list[bytes]) -> set[bytes]:
    reached: set[bytes] = set()
    stack = list(op_ids)
    while stack:
        op_id = stack.pop()
        if op_id not in reached:
            reached.add(op_id)
            stack.extend(named[op_id])
    return reached


def shuffled_causally(named: Named, rng: random.Random) -> Named:
    shuffled: Named = {}
    while len(shuffled) < len(named):
        ready = [o for o in named if o not in shuffled and set(named[o]) <= shuffled.keys()]
        chosen = rng.choice(ready)
        shuffled[chosen] = named[chosen]
    return shuffled


def test_a_frontier_drops_what_precedes_another_of_its_operations() -> None:
    graph = graph_of(DIAMOND)
    assert graph.members_of(graph.frontier([b"a", b"b"])) == (b"b",)
    assert graph.members_of(graph.frontier([b"c", b"b"])) == (b"b", b"c")
    assert graph.members_of(graph.frontier([b"a", b"b", b"c", b"d"])) == (b"d",)


def test_nothing_is_frontier_zero() -> None:
    graph = graph_of(DIAMOND)
    assert graph.frontier([]) == 0
    assert graph.union([]) == 0
    assert graph.union([0, 0]) == 0
    assert graph.members_of(0) == ()
    assert graph.past(0) == 0


def test_heads_precede_nothing() -> None:
    graph = graph_of({b"a": [], b"b": [b"a"], b"c": [b"a"]})
    assert graph.heads() == [b"b", b"c"]
    graph.add(b"d", [b"b", b"c"])
    assert graph.heads() == [b"d"]


def test_an_operation_taken_again_changes_nothing() -> None:
    graph = graph_of(DIAMOND)
    graph.add(b"a", [])
    assert len(graph) == 4
    assert graph.heads() == [b"d"]


def test_an_operation_before_its_past_is_a_broken_invariant() -> None:
    with pytest.raises(AssertionError):
        AuthGraph().add(b"b", [b"a"])


def test_the_union_with_itself_or_with_nothing_is_itself() -> None:
    graph = graph_of(DIAMOND)
    both = graph.frontier([b"b", b"c"])
    assert graph.union([both]) == graph.union([both, both]) == graph.union([0, both, 0]) == both


def test_new_numbers_are_told_once_and_can_be_restored() -> None:
    graph = graph_of(DIAMOND)
    b, both = graph.frontier([b"b"]), graph.frontier([b"b", b"c"])
    told = graph.take_new()
    assert told == [(b, (b"b",)), (both, (b"b", b"c"))]
    assert graph.take_new() == []
    again = AuthGraph()
    for number, op_ids in told:
        again.define(number, op_ids)
    for op_id, before in DIAMOND.items():
        again.add(op_id, before)
    assert again.frontier([b"c", b"b", b"a"]) == both
    assert again.take_new() == []
    assert again.frontier([b"d"]) not in (0, b, both)


def test_restored_numbers_may_have_gaps() -> None:
    graph = graph_of(DIAMOND)
    graph.define(1, (b"a",))
    graph.define(3, (b"b",))
    made = [graph.frontier([b"c"]), graph.frontier([b"d"])]
    assert len({1, 3, *made}) == 4


def test_unions_and_pasts_are_those_of_walking_the_graph(rng: random.Random) -> None:
    named = random_named(rng, 120)
    graph = graph_of(named)
    op_ids = list(named)
    for _ in range(300):
        picks = [rng.sample(op_ids, rng.randint(1, 4)) for _ in range(rng.randint(1, 3))]
        walked = past_by_walking(named, [op_id for pick in picks for op_id in pick])
        union = graph.union(graph.frontier(pick) for pick in picks)
        assert graph.past(union) == sum(1 << graph.index(op_id) for op_id in walked)
        maximal = sorted(o for o in walked if not any(o in named[other] for other in walked))
        assert graph.members_of(union) == tuple(maximal)


def test_what_leaves_the_graph_does_not_depend_on_arrival(rng: random.Random) -> None:
    named = random_named(rng, 60)
    first, second = graph_of(named), graph_of(shuffled_causally(named, rng))
    assert first.heads() == second.heads()
    for _ in range(100):
        pick = rng.sample(list(named), 5)
        assert first.members_of(first.frontier(pick)) == second.members_of(second.frontier(pick))


def test_pasts_that_were_asked_for_are_not_all_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(causal, "_PASTS_CACHED_MAX", 8)
    graph = graph_of({bytes([at]): [] for at in range(40)})
    frontiers = [graph.frontier([bytes([at])]) for at in range(40)]
    assert [graph.past(frontier) for frontier in frontiers] == [1 << at for at in range(40)]
    assert len(graph._frontier_pasts) <= 8
