"""The code that runs agrees with the rules read word by word, on random DAGs and on small ones."""

from __future__ import annotations

from random import Random

import pytest

from p2pvalue_protocol import authority
from p2pvalue_protocol.acts import Nothing, ProveFork
from tests.dags.compare import problems, report
from tests.dags.families import FAMILIES, peers
from tests.dags.scenes import SCENES
from tests.dags.search import KNOWN, RANDOM_THOROUGH_EVERY, judge_known
from tests.dags.small import Family, Move, dags_of, parts, sample
from tests.dags.village import random_dag

RUNS, PARTS = 100, 20  # small parts: a fault in the rules is often noticed by the first
SMALL_SAMPLE = 120


@pytest.mark.parametrize("part", range(PARTS))
def test_random_dags_are_judged_by_the_rules(rng: Random, part: int) -> None:
    first = rng.randrange(1 << 40)
    for number in range(first, first + RUNS):
        dag = random_dag(Random(number), SCENES)
        found = problems(dag, Random(number), number % RANDOM_THOROUGH_EVERY == 0)
        assert not found, f"number {number}: {report(dag, found)}"


def test_verdicts_that_are_kept_no_longer_are_made_again(
    rng: Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authority, "_SETTLED_KEPT_MAX", 1)
    first = rng.randrange(1 << 40)
    for number in range(first, first + RUNS // 2):
        found = problems(random_dag(Random(number), SCENES), Random(number), is_thorough=False)
        assert not found, f"number {number}: {found}"


def test_what_was_written_down_is_judged_by_the_rules_at_every_moment() -> None:
    assert judge_known(KNOWN).wrong == ""


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_sample_of_all_small_dags_is_judged_by_the_rules(family: Family) -> None:
    for number, dag in enumerate(sample(family, SMALL_SAMPLE)):
        found = problems(dag, Random(number), is_thorough=False)
        assert not found, report(dag, found)


def test_a_fork_is_proven_by_two_operations_at_one_place_wherever_the_log_parts() -> None:
    moves = (Move(b"a1", Nothing()), Move(b"b1", Nothing(), proves=b"a1"))
    family = Family("a log that parts at once or one operation later", peers, moves, 4)
    proven = [
        event.act
        for part in parts([family])
        for dag in dags_of(family, part)
        for event in dag.events
        if isinstance(event.act, ProveFork)
    ]
    assert {act.first.seq for act in proven} == {1, 2}  # 0 is how the device began
    assert all(act.first.seq == act.second.seq for act in proven)


def test_small_dags_are_all_there_and_each_once() -> None:
    moves = (Move(b"a1", Nothing()), Move(b"b1", Nothing()))
    family = Family("two that know or do not know each other", peers, moves, 2)
    written = [dag for part in parts([family]) for dag in dags_of(family, part)]
    assert len(written) == 7  # one after the other: 2 x 2; side by side: aa, ab, bb
    assert len({dag.events for dag in written}) == 7
