"""What is remembered to answer quickly is bounded, and whether it is remembered changes nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from p2pvalue_protocol import authority, causal, verdicts, visibility
from p2pvalue_protocol.auth_payloads import MEMBER
from p2pvalue_protocol.causal import AuthGraph
from p2pvalue_protocol.operation import Operation
from tests.protocol.hamlet import CARD, CHAT, Hamlet


def answers(hamlet: Hamlet, frontiers: list[int]) -> list[object]:
    """All that is asked of a membership about content, twice, in turns."""
    authors = (hamlet.ada, hamlet.cy, hamlet.bo, hamlet.dee)
    return [
        (
            hamlet.membership.judge(author.device, kind, frontier),
            hamlet.shows(author, frontier, hamlet.wrote(author, 1), kind),
            hamlet.membership.policy(frontier),
        )
        for _ in range(2)
        for frontier in frontiers
        for author in authors
        for kind in (CHAT, CARD)
    ]


def history() -> tuple[Hamlet, list[int]]:
    """A hamlet with its frontiers after each of some removals."""
    hamlet = Hamlet()
    frontiers = [hamlet.frontier()]
    steps: list[Callable[[list[Operation]], Operation]] = [
        lambda heads: hamlet.ada.remove(hamlet.cy.root.public, *heads, rank=MEMBER),
        lambda heads: hamlet.ada.decide(*heads, write=((CHAT, MEMBER),)),
        lambda heads: hamlet.ada.decide(*heads, write=((CARD, MEMBER),)),
        lambda heads: hamlet.ada.remove(hamlet.dee.root.public, *heads),
        lambda heads: hamlet.ada.grant(hamlet.dee.root.public, MEMBER, *heads),
        lambda heads: hamlet.ada.remove(hamlet.bo.root.public, *heads),
    ]
    for step in steps:
        hamlet.take(step(hamlet.heads()))
        frontiers.append(hamlet.frontier())
    return hamlet, frontiers


@pytest.mark.parametrize(
    ("module", "limit"),
    [
        (visibility, "_REMEMBERED_MAX"),
        (authority, "_SETTLED_KEPT_MAX"),
        (verdicts, "_POLICIES_KEPT_MAX"),
    ],
    ids=["judgements", "verdicts", "policies"],
)
def test_who_remembers_next_to_nothing_answers_the_same(
    module: object, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = answers(*history())
    assert len(set(map(repr, expected))) > 6
    monkeypatch.setattr(module, limit, 1)
    hamlet, frontiers = history()
    assert answers(hamlet, frontiers) == expected
    parts = hamlet.membership._visibility, hamlet.membership._authority
    if module is visibility:
        assert parts[0]._placed_count == len(parts[0]._judged) == parts[0]._left_count == 1
        assert sum(map(len, parts[0]._left.values())) == len(parts[0]._policies) == 1
    elif module is authority:
        assert len(parts[1]._settled) == 1
    else:
        kept = [len(settled.policies) for settled in parts[1]._settled.values()]
        assert max(kept) == 1


def test_unions_of_frontiers_are_the_same_whether_they_are_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unions() -> list[object]:
        graph = AuthGraph()
        for number in range(6):
            graph.add(b"%d" % number, [b"%d" % (number - 2)] if number > 1 else [])
        singles = [graph.frontier([b"%d" % number]) for number in range(6)]
        pairs = [(one, other) for one in singles for other in singles]
        found = [graph.members_of(graph.union(pair)) for pair in [*pairs, *pairs]]
        return [found, len(graph._unions)]

    expected, remembered = unions()
    monkeypatch.setattr(causal, "_UNIONS_CACHED_MAX", 2)
    found, few = unions()
    assert found == expected
    assert few <= 2 < remembered  # type: ignore[operator]  # both are numbers
