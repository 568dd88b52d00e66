"""How much is written in a world: as much as it is to hold, by whoever may write."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest

from p2pvalue.sim import Scenario, Weather, World
from p2pvalue.sim.campaign import run_plan
from p2pvalue.sim.people import People
from p2pvalue.sim.plan import OF_COMING_IN, plan_of
from p2pvalue.sim.scenario import Event

KIND = Weather(hint_loss=0, hint_duplication=0, hint_delay_ms_max=0)
CALM = Scenario("calm", machines=(4, 4), weather=KIND, operations_min=60)
SEEDS = (1, 2, 3)


@pytest.mark.parametrize("seed", SEEDS)
def test_as_much_is_planned_as_a_world_is_to_hold(seed: int) -> None:
    plan = plan_of(CALM, seed)
    planned = sum(event.amount for event in plan.events if event.what == "write")
    report = run_plan(plan)
    assert report.failures == (), f"seed {seed}"
    assert planned == CALM.operations_min - OF_COMING_IN * plan.machines
    assert CALM.operations_min <= report.operations <= CALM.operations_min + 2 * plan.machines


@pytest.mark.parametrize("seed", SEEDS)
def test_who_was_put_out_lets_others_write_instead(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(CALM, seed)
    removal = Event(0, "remove", 0, other=3)
    late = tuple(Event(20_000, "write", 3, amount=1) for _ in range(10))
    tried: Counter[int] = Counter()
    write = People._write

    def counting(people: People, event: Event) -> bool:
        if event.at_ms == late[0].at_ms:
            tried[event.machine] += 1
        return write(people, event)

    monkeypatch.setattr(People, "_write", counting)
    report = run_plan(msgspec.structs.replace(plan, events=(removal, *late)))
    assert report.failures == (), f"seed {seed}"
    assert report.deeds["remove"] == 1
    assert tried == {3: 10, 0: 10}
    assert report.deeds["write"] >= 10


def test_whose_machine_is_down_writes_when_it_is_up_again() -> None:
    people = World(plan_of(CALM, 1))._people
    people._shell.machines[2].is_up = False
    writing = Event(1, "write", 2, amount=3)
    assert people.next_try(writing) == writing
    people._shell.machines[2].is_up = people._shell.machines[2].is_member = True
    assert people.next_try(writing) == msgspec.structs.replace(writing, machine=3)
    joining = Event(1, "join", 2)
    assert people.next_try(joining) == joining
