"""Worlds as a whole: what goes wrong in them, that all comes right, and that they repeat."""

from __future__ import annotations

import msgspec
import pytest

from p2pvalue.sim import Report, Scenario, Weather, World
from p2pvalue.sim.campaign import run_plan
from p2pvalue.sim.network import Network
from p2pvalue.sim.plan import plan_of
from p2pvalue.sim.virtual_disk import SqliteDisk
from p2pvalue.store import SqliteStore, StoreFailed

KIND = Weather(hint_loss=0, hint_duplication=0, hint_delay_ms_max=0)
ROUGH = Scenario("rough", faults={"cut": 3, "crash": 4, "break": 2})
CALM = Scenario("calm", weather=KIND)
SEEDS = (1, 2, 3)  # others are for `make sim` and `make soak`


def run(scenario: Scenario, seed: int) -> Report:
    return World(plan_of(scenario, seed)).run()


def smaller(scenario: Scenario, machines: int = 3) -> Scenario:
    return msgspec.structs.replace(scenario, machines=(machines, machines), operations_min=40)


@pytest.mark.parametrize("seed", SEEDS)
def test_all_come_to_see_the_same_within_a_minute_of_the_heal(seed: int) -> None:
    report = run(ROUGH, seed)
    assert report.failures == (), f"seed {seed}"
    assert report.operations >= 200
    assert report.faults == {"cut": 3, "crash": 4, "break": 2}


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_depends_on_hints(seed: int) -> None:
    deaf = msgspec.structs.replace(smaller(ROUGH), weather=Weather(hint_loss=1.0))
    report = run(deaf, seed)
    assert report.failures == (), f"seed {seed}"
    assert report.hints == report.hints_lost > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_without_faults_all_is_equal_soon_after_the_last_word(seed: int) -> None:
    report = run(smaller(CALM), seed)
    assert report.failures == (), f"seed {seed}"
    assert report.settled_ms is not None
    assert report.settled_ms <= 5_000


@pytest.mark.parametrize("seed", SEEDS)
def test_who_asks_is_let_in_and_what_is_shared_comes_to_all(seed: int) -> None:
    busy = Scenario("busy", machines=(4, 4), weather=KIND, people={"ask": 1, "share": 4})
    report = run(busy, seed)
    assert report.failures == (), f"seed {seed}"
    assert report.deeds["let in who asked"] > 0
    assert report.members == 4
    assert report.chunks > 0
    assert report.deeds["chunk fetched"] == 3 * report.chunks
    assert report.operations >= 200


def test_a_world_that_is_never_healed_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Network, "heal", lambda network, number=None: None)
    report = run(smaller(ROUGH), 3)
    assert report.settled_ms is None
    assert report.failures


def test_other_seeds_give_other_traces() -> None:
    assert run(smaller(CALM), 1).trace != run(smaller(CALM), 2).trace


def test_a_world_leaves_no_database_open(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[SqliteStore] = []
    open_store = SqliteDisk.open

    def note(disk: SqliteDisk) -> SqliteStore:
        opened.append(open_store(disk))
        return opened[-1]

    monkeypatch.setattr(SqliteDisk, "open", note)
    plan = plan_of(smaller(ROUGH), 1)
    report = run_plan(msgspec.structs.replace(plan, on_sqlite=True))
    assert report.failures == ()
    assert len(opened) > plan.machines
    for store in opened:
        with pytest.raises(Exception, match="closed"):
            store.communities()


@pytest.mark.parametrize("asked", ["state_digest", "states", "figures"])
def test_a_disk_found_damaged_by_who_looks_is_replaced(
    asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, figures = getattr(SqliteStore, asked), SqliteStore.figures
    broken: list[SqliteStore] = []

    def break_once(store: SqliteStore, *question: object, **more: object) -> object:
        if not broken and figures(store).operations >= 40:
            broken.append(store)
            raise StoreFailed("damaged on purpose")
        return answer(store, *question, **more)

    monkeypatch.setattr(SqliteStore, asked, break_once)
    report = run_plan(msgspec.structs.replace(plan_of(smaller(CALM), 1), on_sqlite=True))
    assert report.failures == ()
    assert broken
    assert report.deeds["disk replaced"] == 1
