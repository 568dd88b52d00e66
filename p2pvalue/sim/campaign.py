"""Many worlds, one after the other or on several cores, and what they came to.

A world takes half a second, so a thousand seeds are minutes. Which seeds were run is kept in a file
by who soaks for nights: a seed is never run twice by one version.
"""

from __future__ import annotations

import gc
import multiprocessing
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path

import msgspec

from p2pvalue.sim.plan import plan_of
from p2pvalue.sim.scenario import Plan, Scenario, load
from p2pvalue.sim.world import Report, World
from p2pvalue_protocol.errors import ConfigError

CRASHES = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""What a defect of ours raises."""


class Tally(msgspec.Struct):
    """What many worlds came to."""

    seeds: int = 0
    operations: int = 0
    inputs: int = 0
    frames: int = 0
    settled_ms_max: int = 0
    faults: dict[str, int] = msgspec.field(default_factory=dict)
    deeds: dict[str, int] = msgspec.field(default_factory=dict)
    blamed: dict[str, int] = msgspec.field(default_factory=dict)
    hostile: dict[str, int] = msgspec.field(default_factory=dict)
    failed: list[tuple[str, int]] = msgspec.field(default_factory=list)  # scenario and seed
    trace: str = ""  # over the traces of all, in their order

    def add(self, report: Report) -> None:
        """Take one world in."""
        self.seeds += 1
        self.operations += report.operations
        self.inputs += report.inputs
        self.frames += report.frames
        self.settled_ms_max = max(self.settled_ms_max, report.settled_ms or 0)
        for sums, found in (
            (self.faults, report.faults),
            (self.deeds, report.deeds),
            (self.blamed, report.blamed),
            (self.hostile, Counter(report.hostile)),
        ):
            for name, count in found.items():
                sums[name] = sums.get(name, 0) + count
        if report.failures:
            self.failed.append((report.scenario, report.seed))
        self.trace = sha256((self.trace + report.trace).encode()).hexdigest()


def scenario_named(name: str, machines: int | None = None) -> Scenario:
    """Return a scenario, with another number of machines if one is given; raises as `load`."""
    scenario = load(name)
    if machines is None:
        return scenario
    return msgspec.structs.replace(scenario, machines=(machines, machines))


def run_plan(plan: Plan, name: str = "") -> Report:
    """Return what becomes of a world; a crash of the core is one of its failures."""
    world = World(plan, name)
    try:
        return world.run()
    except CRASHES as crash:
        place = traceback.extract_tb(crash.__traceback__)[-1]
        return world.broken_off(f"{type(crash).__name__} in {place.name}: {crash}")
    finally:
        world.close()


def run_seed(name: str, seed: int | None, machines: int | None = None) -> Report:
    """Return what becomes of a scenario's world; without a seed of the one that the file names."""
    scenario = scenario_named(name, machines)
    return run_plan(plan_of(scenario, _seed_of(scenario, seed)), name)


def _seed_of(scenario: Scenario, seed: int | None) -> int:
    if seed is not None:
        return seed
    return scenario.seed if scenario.seed is not None else 1


def run_many(
    name: str, seeds: Iterable[int], jobs: int, machines: int | None = None
) -> Iterator[Report]:
    """Yield what becomes of each seed's world, in their order; in `jobs` processes at a time."""
    run = partial(_run_alone, name, machines)
    if jobs == 1:
        yield from map(partial(run_seed, name, machines=machines), seeds)
        return
    # Forked: a worker is there in a millisecond, and reads no module again.
    with multiprocessing.get_context("fork").Pool(jobs, _begin_worker) as pool:
        yield from pool.imap(run, seeds, chunksize=2)


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for who gives us work
    gc.freeze()
    gc.disable()


def _run_alone(name: str, machines: int | None, seed: int) -> Report:
    """Run a world and drop it whole: it hardly makes any garbage before it ends."""
    report = run_seed(name, seed, machines)
    gc.collect()
    return report


class Soak(msgspec.Struct):
    """What a soak keeps between two nights."""

    next_seed: int = 1
    tally: Tally = msgspec.field(default_factory=Tally)


def soak(
    name: str, hours: float, jobs: int, state: Path, told: Callable[[Report, Tally], object]
) -> Tally:
    """Run seeds that were never run for some hours; return what all came to, those before too.

    `state` is read first and written after every hundred worlds. Raises ConfigError if it is none.
    """
    kept = _kept(state)
    ends_s = time.monotonic() + hours * 3600
    while time.monotonic() < ends_s:
        seeds = range(kept.next_seed, kept.next_seed + 100)
        for report in run_many(name, seeds, jobs):
            kept.tally.add(report)
            told(report, kept.tally)
        kept.next_seed = seeds.stop
        part = state.with_name(state.name + ".part")
        part.write_bytes(msgspec.json.encode(kept))
        part.replace(state)
    return kept.tally


def _kept(state: Path) -> Soak:
    if not state.exists():
        return Soak()
    try:
        return msgspec.json.decode(state.read_bytes(), type=Soak)
    except msgspec.MsgspecError as error:
        raise ConfigError(f"{state} is no state of a soak ({error}): name another file") from None


def replay_command(report: Report, machines: int | None = None) -> str:
    """Return the command line that runs one world again."""
    size = f" --machines {machines}" if machines is not None else ""
    return f"p2pvalue sim run --seed {report.seed} --scenario {report.scenario}{size}"
