"""The plan that a scenario and a seed make: all faults and deeds of one world, as data."""

from __future__ import annotations

from random import Random
from typing import Final, get_args

from p2pvalue.sim.hostile import BEHAVIOURS
from p2pvalue.sim.hostile.casting import planned_for
from p2pvalue.sim.scenario import Count, Deed, Event, Fault, Plan, Scenario
from p2pvalue.sim.shell import AT_ONCE

DAY_MS: Final = 24 * 3_600 * 1_000
CLOCK_JUMPS_MS: Final = (60_000, 3_600_000, DAY_MS, 40 * DAY_MS, 3_653 * DAY_MS)
DRAFTS_PER_WRITE: Final = 3  # on average
PUBLIC_SHARE: Final = 0.3
SQLITE_SHARE: Final = 0.1
OF_COMING_IN: Final = 2  # operations that each machine's founding or joining makes by itself
VOTERS: Final = 2
COMING: Final = ("join", "ask")


def plan_of(scenario: Scenario, seed: int) -> Plan:
    """Return the plan of a seed: the same in every process."""
    rng = Random(f"plan {seed}")
    machines = rng.randint(*scenario.machines)
    hostile = {int(number): name for number, name in scenario.hostile_at.items()}
    if not hostile:
        hostile = _hostile(rng, scenario, machines)
    is_public = scenario.community == "public"
    if scenario.community == "any":
        is_public = rng.random() < PUBLIC_SHARE
    on_sqlite = scenario.disk == "sqlite" or (
        scenario.disk == "both" and rng.random() < SQLITE_SHARE
    )
    events = scenario.events
    if events is None:
        events = _Planner(rng, scenario, machines, hostile).events()
    return Plan(seed, scenario, machines, hostile, is_public, on_sqlite, events)


def _hostile(rng: Random, scenario: Scenario, machines: int) -> dict[int, str]:
    chosen: list[str] = []
    for name, wanted in sorted(scenario.hostile.items()):
        count = wanted if isinstance(wanted, int) else rng.randint(0, int(wanted * machines))
        for _ in range(count):
            chosen.append(rng.choice(list(BEHAVIOURS)) if name == "any" else name)
    numbers = rng.sample(range(1, machines), min(len(chosen), machines - 1))
    return dict(zip(sorted(numbers), chosen, strict=False))


class _Planner:
    def __init__(
        self, rng: Random, scenario: Scenario, machines: int, hostile: dict[int, str]
    ) -> None:
        self._rng = rng
        self._hostile = hostile
        self._scenario = scenario
        self._machines = machines
        self._honest = [number for number in range(machines) if number not in hostile]
        self._busy_ms = scenario.busy_s * 1_000
        self._next = machines + scenario.readers  # the number of the next machine
        self._untouched = [number for number in self._honest if number != 0]
        rng.shuffle(self._untouched)
        self._is_founder_whole = True
        self._events: list[Event] = []

    def events(self) -> tuple[Event, ...]:
        """Return all lines, in the order of time."""
        for fault in get_args(Fault):
            for _ in range(self._times(self._scenario.faults.get(fault, 0))):
                self._fault(fault)
        for deed in get_args(Deed):
            for _ in range(self._times(self._scenario.people.get(deed, 0))):
                self._deed(deed)
        self._events += planned_for(self._hostile, self._honest, self._rng, self._busy_ms)
        self._writes()
        return tuple(sorted(self._events, key=lambda event: (event.at_ms, event.what)))

    def _times(self, count: Count) -> int:
        return count if isinstance(count, int) else self._rng.randint(*count)

    def _at_ms(self, first: float = 0.0, last: float = 1.0) -> int:
        return self._rng.randint(int(first * self._busy_ms), int(last * self._busy_ms))

    def _any(self) -> int:
        return self._rng.randrange(self._machines)

    def _somebody(self) -> int | None:
        """Return an honest machine that nothing lasting befalls yet, but not the founder's."""
        return self._untouched.pop() if self._untouched else None

    def _struck(self) -> int | None:
        """Return an honest machine that nothing lasting befalls yet; perhaps the founder's."""
        if self._is_founder_whole and self._rng.random() < 1 / len(self._honest):
            self._is_founder_whole = False
            return 0
        return self._somebody()

    def _add(self, event: Event) -> None:
        self._events.append(event)

    def _fault(self, fault: Fault) -> None:
        rng = self._rng
        at_ms = self._at_ms()
        for_ms = rng.randint(200, 10_000)
        match fault:
            case "cut":
                count = rng.randint(1, max(1, self._machines // 2))
                others = tuple(sorted(rng.sample(range(self._machines), count)))
                for_ms = rng.randint(2_000, 20_000)
                ways = rng.randint(1, 2)
                self._add(Event(at_ms, fault, others=others, amount=ways, for_ms=for_ms))
            case "break":
                self._add(Event(at_ms, fault, self._any()))
            case "flip":
                self._add(Event(at_ms, fault, self._any()))
            case "crash" | "power":
                after = rng.choice((AT_ONCE, 0, 0, 1, 1, 2, 3, 5))
                for_ms = rng.choice((0, 0, 500, for_ms))
                self._add(Event(at_ms, fault, self._any(), amount=after, for_ms=for_ms))
            case "full":
                self._add(Event(at_ms, fault, self._any(), for_ms=for_ms))
            case "clock":
                amount = rng.choice(CLOCK_JUMPS_MS) * rng.choice((-1, 1))
                self._add(Event(at_ms, fault, self._any(), amount=amount, for_ms=for_ms))
            case "backup":
                pass  # planned with what it is for
            case "restore":
                number = self._struck()
                if number is not None:
                    at_ms = self._at_ms(0.2, 0.6)
                    self._add(Event(at_ms, "backup", number))
                    self._add(Event(rng.randint(at_ms, self._busy_ms), fault, number))
            case "clone":
                number = self._struck()
                if number is not None:
                    at_ms = self._at_ms(0.3, 0.6)
                    self._add(Event(at_ms, fault, number, other=self._new()))
                    again_ms = min(at_ms + rng.randint(5_000, 20_000), self._busy_ms)
                    self._add(Event(again_ms, "recover", number, amount=1))

    def _new(self) -> int:
        self._next += 1
        return self._next - 1

    def _deed(self, deed: Deed) -> None:
        rng = self._rng
        if deed == "share":
            self._add(Event(self._at_ms(0.1, 0.9), deed, self._any()))
            return
        is_lasting = deed in ("link", "recover")
        number = self._struck() if is_lasting else self._somebody()
        if number is None:
            return
        match deed:
            case "join" | "ask":
                self._add(Event(self._at_ms(0.1, 0.8), deed, number))
            case "promote":
                self._add(Event(self._at_ms(0.2, 0.5), deed, 0, other=number))
            case "remove":
                self._add(Event(self._at_ms(0.3, 0.9), deed, self._remover(), other=number))
            case "readmit":
                at_ms = self._at_ms(0.3, 0.6)
                self._add(Event(at_ms, "remove", self._remover(), other=number))
                back_ms = at_ms + rng.randint(1_000, 10_000)
                self._add(Event(back_ms, deed, 0, other=number))
            case "leave":
                self._add(Event(self._at_ms(0.3, 0.9), deed, number))
            case "link":
                self._add(Event(self._at_ms(0.2, 0.8), deed, self._new(), other=number))
            case "recover":
                keeps_disk = rng.randint(0, 1)
                self._add(Event(self._at_ms(0.3, 0.8), deed, number, amount=keeps_disk))
            case "policy":
                at_ms = self._at_ms(0.1, 0.6)
                self._add(Event(at_ms, deed, 0, amount=1))
                self._add(Event(at_ms + rng.randint(1_000, 10_000), deed, 0, amount=0))
            case "vote":
                self._votes(number)
            case "write" | "share":
                pass  # as many as there are to be operations

    def _votes(self, number: int) -> None:
        """Let two admins vote an equal out, if nothing lasting befalls them before."""
        admins = [event.other for event in self._events if event.what == "promote"]
        others = [*dict.fromkeys((*admins, *self._untouched))]
        voters = self._rng.sample(others, min(VOTERS, len(others)))
        for admin in (number, *voters):
            self._add(Event(self._at_ms(0.1, 0.4), "promote", 0, other=admin))
        for voter in voters:
            self._add(Event(self._at_ms(0.4, 0.9), "vote", voter, other=number))

    def _remover(self) -> int:
        admins = [event.other for event in self._events if event.what == "promote"]
        return self._rng.choice([0, 0, *admins])

    def _writes(self) -> None:
        left = self._scenario.operations_min - OF_COMING_IN * self._machines
        late = {event.machine: event.at_ms for event in self._events if event.what in COMING}
        while left > 0:
            amount = min(self._rng.randint(1, 2 * DRAFTS_PER_WRITE - 1), left)
            number = self._any()
            at_ms = self._at_ms(min(late.get(number, 0) / self._busy_ms, 0.95), 0.95)
            self._add(Event(at_ms, "write", number, amount=amount))
            left -= amount
