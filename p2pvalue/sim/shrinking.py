"""Making a world that fails smaller: fewer lines in its plan, fewer machines, kinder weather.

Lines are left out in halves, quarters and so on down to single ones (delta debugging: Zeller and
Hildebrandt, 2002), and what still fails in the same way is kept. What is left is a scenario of its
own, to be read by people and run for ever.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import msgspec

from p2pvalue.sim.campaign import run_plan
from p2pvalue.sim.scenario import Event, Plan, Scenario
from p2pvalue.sim.world import Report

TRIES_MAX = 300
"""Worlds run in search of a smaller one; some minutes."""


def shrunk(
    plan: Plan, report: Report, run: Callable[[Plan], Report] = run_plan, tries: int = TRIES_MAX
) -> Plan:
    """Return a smaller plan whose world fails as this one does; runs up to `tries` worlds."""
    return _Shrinker(sorts_of(report), run, tries).shrink(plan)


def scenario_of(plan: Plan, about: str) -> Scenario:
    """Return the scenario that makes exactly this plan."""
    return Scenario(
        about=about,
        machines=(plan.machines, plan.machines),
        operations_min=0,
        community="public" if plan.is_public else "members-only",
        busy_s=plan.scenario.busy_s,
        weather=plan.scenario.weather,
        disk="sqlite" if plan.on_sqlite else "memory",
        seed=plan.seed,
        hostile_at={str(number): name for number, name in sorted(plan.hostile.items())},
        events=plan.events,
    )


def sorts_of(report: Report) -> set[str]:
    """Return the failures of a world without the numbers in them, by which they differ."""
    return {re.sub(r"[0-9a-f]{8}|\d+", "N", failure) for failure in report.failures}


class _Shrinker:
    def __init__(self, sorts: set[str], run: Callable[[Plan], Report], tries: int) -> None:
        self._sorts = sorts
        self._run = run
        self._tries = tries

    def shrink(self, plan: Plan) -> Plan:
        before = None
        while before != plan and self._tries > 0:
            before = plan
            plan = self._with_fewer_events(plan)
            for smaller in self._variants(plan):
                if self._fails(smaller):
                    plan = smaller
                    break
        return plan

    def _fails(self, plan: Plan) -> bool:
        if self._tries <= 0:
            return False
        self._tries -= 1
        return bool(self._sorts & sorts_of(self._run(plan)))

    def _with_fewer_events(self, plan: Plan) -> Plan:
        size = len(plan.events) // 2
        while size:
            start = 0
            while start < len(plan.events):
                fewer = _with_events(plan, plan.events[:start] + plan.events[start + size :])
                if self._fails(fewer):
                    plan = fewer
                else:
                    start += size
            size //= 2
        return plan

    def _variants(self, plan: Plan) -> Iterator[Plan]:
        last = plan.machines - 1
        is_named = any(last in (e.machine, e.other) for e in plan.events) or last in plan.hostile
        if plan.machines > 2 and not is_named:
            yield msgspec.structs.replace(plan, machines=last)
        for number in plan.hostile:
            hostile = {other: name for other, name in plan.hostile.items() if other != number}
            yield msgspec.structs.replace(plan, hostile=hostile)
        weather = plan.scenario.weather
        for name in weather.__struct_fields__:
            if getattr(weather, name):
                kinder = msgspec.structs.replace(weather, **{name: 0})
                yield _with(plan, weather=kinder)
        ends_s = max((event.at_ms for event in plan.events), default=0) // 1_000 + 2
        if ends_s < plan.scenario.busy_s:
            yield _with(plan, busy_s=ends_s)


def _with(plan: Plan, **fields: object) -> Plan:
    scenario = msgspec.structs.replace(plan.scenario, **fields)
    return msgspec.structs.replace(plan, scenario=scenario)


def _with_events(plan: Plan, events: Sequence[Event]) -> Plan:
    return msgspec.structs.replace(plan, events=tuple(events))
