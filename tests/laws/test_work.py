"""Where needs stand depends on the set of operations held, and on nothing else."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.laws.histories import deliver, rebuilt
from tests.laws.work import WorkHistory, standings
from tests.needs.by_hand import told
from tests.protocol.replicas import Copy

SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=30)
@given(seed=SEEDS)
def test_who_holds_the_same_sees_the_same_of_every_need_in_whatever_order_it_came(
    seed: int,
) -> None:
    rng = Random(seed)
    history = WorkHistory(rng, rng.randint(20, 90))
    first, second = (deliver(history, rng) for _ in range(2))
    assert first.seen() == second.seen()
    assert seen_of_needs(first) == seen_of_needs(second) == seen_of_needs(rebuilt(first))


def seen_of_needs(copy: Copy) -> dict[bytes, str]:
    return {subject: told(standing) for subject, standing in standings(copy).items()}


def test_these_histories_meet_needs_that_close_and_pledges_that_bind() -> None:
    met: Counter[str] = Counter()
    for seed in range(40):
        rng = Random(seed)
        for standing in standings(deliver(WorkHistory(rng, 60), rng)).values():
            met[standing.state] += 1
            met.update(one.state for one in standing.pledges)
    states = {"open", "triggered", "dropped"}
    assert states | {"offered", "withdrawn", "outdated", "unmet", "late", "binding"} <= set(met), (
        met
    )
