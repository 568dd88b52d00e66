"""The rules of membership break no law on random DAGs, judged by the oracle alone."""

from __future__ import annotations

from random import Random

from tests.dags.laws import broken_laws
from tests.dags.scenes import SCENES
from tests.dags.state import state_of
from tests.dags.village import random_dag

RUNS = 150


def test_the_rules_themselves_break_no_law(rng: Random) -> None:
    for _ in range(RUNS):
        dag = random_dag(rng, SCENES)
        state = state_of(dag)
        assert list(broken_laws(dag, state, state_of, rng)) == []


def test_random_dags_are_about_something(rng: Random) -> None:
    states = [state_of(random_dag(rng, SCENES)) for _ in range(RUNS)]
    for part in ("effective", "devices", "visible", "gone", "uncovered"):
        assert sum(len(getattr(state, part)) > 0 for state in states) > RUNS / 10, part
