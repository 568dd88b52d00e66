"""Fuzz targets: bytes of a stranger go in, and nothing but a documented refusal comes out.

A `Target` is a function of bytes. It returns whether the bytes were accepted; whatever it raises is
a finding: an exception that nobody documented, a promise that an `assert` in it names, or one of
the budgets below. The tables of targets stand in the modules named after the rooms, and `TARGETS`
in `table` lists all. `run` fuzzes them for hours, guided by coverage where atheris is installed;
`test_fuzz` replays what was found and mutates a little on every change.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from time import process_time_ns
from typing import Literal

_CALIBRATIONS = 7
_TRIES = 5
_UNIT_STEPS = 4_000


class TooSlow(Exception):
    """An input took more CPU time than its target allows."""


class TooLarge(Exception):
    """An input took more memory than its target allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one input may cost; a unit of CPU time is what `unit_ns` measures, some 0.6 ms."""

    units: float = 10.0
    units_per_kib: float = 1.0
    memory_bytes: int = 512 * 1_024
    memory_per_byte: int = 64

    def cpu_ns(self, size: int) -> float:
        """Return the CPU time that so many bytes may take."""
        return (self.units + self.units_per_kib * size / 1_024) * unit_ns()

    def memory(self, size: int) -> int:
        """Return how many bytes may be held at once for so many."""
        return self.memory_bytes + self.memory_per_byte * size


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One door for strangers' bytes.

    `shape` says how bytes are best mutated: as they are, as values in MessagePack or JSON, or as a
    program for `Choices`.
    """

    name: str
    run: Callable[[bytes], bool]
    seeds: Callable[[], Iterable[bytes]]
    covers: tuple[str, ...]  # the functions of the project that these bytes enter by
    shape: Literal["bytes", "msgpack", "json", "program"] = "bytes"
    bytes_max: int = 4_096
    budget: Budget = Budget()
    mutations_in_tests: int = 200
    refuses_all: bool = False  # no input is ever accepted, for nobody knows the key


def try_input(target: Target, data: bytes, *, weighs: bool = False) -> bool:
    """Return whether a target accepts an input; raises whatever is a finding.

    CPU time that is too long is measured again before it counts: a collection of garbage or a first
    import is nobody's fault. Memory is weighed on demand, for that slows everything down.
    """
    started_ns = process_time_ns()
    is_accepted = target.run(data)
    taken_ns = process_time_ns() - started_ns
    budget_ns = target.budget.cpu_ns(len(data))
    for _ in range(_TRIES):
        if taken_ns <= budget_ns:
            break
        started_ns = process_time_ns()
        target.run(data)
        taken_ns = process_time_ns() - started_ns
    else:
        shown = f"{taken_ns / unit_ns():.1f} units of at most {budget_ns / unit_ns():.1f}"
        raise TooSlow(f"{target.name}: {len(data)} bytes took {shown}")
    if weighs:
        weigh(target, data)
    return is_accepted


def weigh(target: Target, data: bytes) -> None:
    """Run an input again and raise TooLarge if it holds more memory at once than it may."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        target.run(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    budget = target.budget.memory(len(data))
    if peak - before > budget:
        raise TooLarge(f"{target.name}: {len(data)} bytes took {peak - before} of {budget} bytes")


@cache
def unit_ns() -> int:
    """Return the CPU time of one unit on this machine now: the least of some measurements."""
    return min(_calibrate() for _ in range(_CALIBRATIONS))


def _calibrate() -> int:
    started_ns = process_time_ns()
    steady_work()
    return process_time_ns() - started_ns


def steady_work() -> int:
    """Do the work of one unit: what interpreted code does, and some hashing."""
    held: dict[int, bytes] = {}
    total = 0
    for step in range(_UNIT_STEPS):
        if step % 3:
            total += len(str(step))
        held[step % 64] = total.to_bytes(8, "big")
    for step in range(64):
        total += sha256(held[step] * 64).digest()[0]
    return total
