"""The rules of membership break no law on random DAGs; bent rules do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from random import Random
from typing import Any

import pytest

from p2pvalue_protocol.acts import Admit, Give, OpenInvite, Remove
from tests.dags.families import FOUNDER, PEER, village
from tests.dags.laws import broken_laws
from tests.dags.model import Dag
from tests.dags.oracle import Oracle
from tests.dags.reading import Claim, Place
from tests.dags.scenes import SCENES
from tests.dags.state import state_of
from tests.dags.village import random_dag

RUNS = 100
TRIES = 300  # in which a bent rule must show; most do in ten


def random_dags(rng: Random, count: int) -> Iterator[Dag]:
    return (random_dag(rng, SCENES) for _ in range(count))


def test_the_rules_themselves_break_no_law(rng: Random) -> None:
    for dag in random_dags(rng, RUNS):
        assert list(broken_laws(dag, state_of(dag), state_of, rng)) == []


def gives_anything(self: Oracle, place: object, rank: int) -> bool:
    return True


def never(*_: object) -> bool:
    return False


def no_quorum_is_needed(self: Oracle, rank: int) -> int:
    return 1


def nobody_keeps(self: Oracle, root: bytes, op_id: bytes) -> list[bytes]:
    return []


def acts_on_who_knows(self: Oracle, op_id: bytes, claim: Claim, place: Place, *_: int) -> bool:
    return op_id in place.before and self.is_strong(op_id, claim, None)


def removed_admin() -> Dag:
    """An admin who let somebody in, and a founder who knows and removes her."""
    builder = village(1)
    start = builder.add_device(b"x1", b"X")
    given = builder.write(b"a1", Give(b"X", 3), [*builder.known, start])
    builder.write(FOUNDER, Remove(b"A"), [given])
    return builder.dag()


def stranger() -> Dag:
    """A guest, and somebody without rank who would make her an admin."""
    builder = village(3)
    builder.add_device(b"x1", b"X")
    builder.write(b"x1", Give(b"A", 1), list(builder.known))
    return builder.dag()


def kept_member() -> Dag:
    """A member and an admin; a founder kept what the member wrote."""
    builder = village(1, 2)
    written = next(c.op_id for c in builder.contents if c.device == PEER)
    builder.write(FOUNDER, Give(b"B", 2, builder.keep(written)), list(builder.known))
    return builder.dag()


def test_a_guest_may_open_the_door_to_whom_an_admin_invited_as_a_member(rng: Random) -> None:
    builder = village(1, 3)
    invite = builder.write(b"a1", OpenInvite(b"key", 2, 0), list(builder.known))
    start = builder.add_device(b"x1", b"X")
    builder.write(PEER, Admit(b"X", b"x1", b"key", invite), [invite, start, *builder.known])
    dag = builder.dag()
    assert b"x1" in state_of(dag).devices
    assert list(broken_laws(dag, state_of(dag), state_of, rng)) == []


@pytest.mark.parametrize(
    ("dag", "method", "bent", "law"),
    [
        (None, "removes", never, "removed its"),
        (None, "quorum", no_quorum_is_needed, "went without leaving or votes"),
        (stranger(), "may_give", gives_anything, "by rank 4"),
        (removed_admin(), "removes", acts_on_who_knows, "zz added"),
        (removed_admin(), "was_let_stand", never, "zz added"),
        (kept_member(), "keepers", nobody_keeps, "hides"),
    ],
)
def test_a_bent_rule_breaks_a_law(
    rng: Random,
    monkeypatch: pytest.MonkeyPatch,
    dag: Dag | None,
    method: str,
    bent: Callable[..., Any],
    law: str,
) -> None:
    monkeypatch.setattr(Oracle, method, bent)
    tried = (dag or random_dag(rng, SCENES) for _ in range(TRIES))
    broken = (s for d in tried for s in broken_laws(d, state_of(d), state_of, rng) if law in s)
    assert list(islice(broken, 1)) != []


def test_random_dags_are_about_something(rng: Random) -> None:
    states = [state_of(dag) for dag in random_dags(rng, RUNS)]
    for part in ("effective", "devices", "visible", "gone", "uncovered"):
        assert sum(len(getattr(state, part)) > 0 for state in states) > RUNS / 10, part
