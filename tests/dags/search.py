"""Looks for a DAG that the code that runs judges otherwise than the rules: `make dags`.

    python -m tests.dags.search random --count 100000
    python -m tests.dags.search small        every small DAG, over a million

Prints how many were judged, and the first that is wrong, made small, as JSON. Random ones come
after those that were written down as vectors, and have their numbers as seeds: `--from N --count 1`
judges number N again. `--resume FILE` goes on where the last run with that file ended.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from itertools import chain, islice
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.dags.compare import problems, report
from tests.dags.families import FAMILIES
from tests.dags.model import Dag
from tests.dags.scenes import SCENES
from tests.dags.small import Part, dags_of, parts
from tests.dags.village import random_dag
from tests.dags.written import read_dag

KNOWN = Path(__file__).resolve().parents[2] / "protocol" / "vectors" / "dags.json"
NUMBERS_PER_PART = 100
RANDOM_THOROUGH_EVERY, SMALL_THOROUGH_EVERY = 25, 250
JOBS = len(os.sched_getaffinity(0))
SHOWN_EVERY_S = 10


class Judged(NamedTuple):
    """How many DAGs were judged, and what was wrong with the first bad one; empty: nothing."""

    number: int
    wrong: str = ""


def judge(dag: Dag, number: int, thorough_every: int, is_brief: bool = False) -> str:
    """Return what is wrong with a DAG, or nothing; now and then one is judged thoroughly."""
    found = problems(dag, Random(number), number % thorough_every == 0)
    if not found:
        return ""
    return f"number {number}: {found[0] if is_brief else report(dag, found)}"


def judge_random(
    numbers: range, is_brief: bool = False, thorough_every: int = RANDOM_THOROUGH_EVERY
) -> Judged:
    """Judge the random DAGs of these numbers, one of so many thoroughly."""
    for count, number in enumerate(numbers, start=1):
        dag = random_dag(Random(number), SCENES)
        wrong = judge(dag, number, thorough_every, is_brief)
        if wrong:
            return Judged(count, wrong)
    return Judged(len(numbers))


def judge_known(file: Path, is_brief: bool = False) -> Judged:
    """Judge the DAGs of a file of vectors."""
    for vector in json.loads(file.read_text(encoding="utf-8"))["vectors"]:
        wrong = judge(read_dag(vector["input"]), 0, 1, is_brief)
        if wrong:
            return Judged(0, f"{vector['id']}, {wrong}")
    return Judged(0)


def judge_small(part: Part) -> Judged:
    """Judge all DAGs of a part of a family."""
    count = 0
    for count, dag in enumerate(dags_of(FAMILIES[part.family], part), start=1):
        wrong = judge(dag, count, SMALL_THOROUGH_EVERY)
        if wrong:
            return Judged(count, f"{FAMILIES[part.family].name}, {wrong}")
    return Judged(count)


class Progress:
    """Counts what was judged, says it now and then, and remembers it in a file if there is one."""

    def __init__(self, file: Path | None) -> None:
        self.parts, self.count = 0, 0
        self._file = file
        if file is not None and file.exists():
            known = json.loads(file.read_text(encoding="utf-8"))
            self.parts, self.count = int(known["parts"]), int(known["count"])
        self._begun = self.count
        self._start = self._shown = time.monotonic()

    def add(self, count: int) -> None:
        self.parts += 1
        self.count += count
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            known = {"parts": self.parts, "count": self.count}
            self._file.write_text(json.dumps(known), encoding="utf-8")
        now = time.monotonic()
        if now - self._shown >= SHOWN_EVERY_S:
            self._shown = now
            rate = (self.count - self._begun) / (now - self._start)
            print(f"{self.count:,} judged, {rate:,.0f}/s", flush=True)


def judge_all(work: Iterator[tuple[Callable[..., Judged], object]], progress: Progress) -> str:
    """Do the work that is left on all cores; return what is wrong with the first bad DAG."""
    waiting: deque[Future[Judged]] = deque()
    work = islice(work, progress.parts, None)
    with ProcessPoolExecutor(JOBS) as pool:
        waiting.extend(pool.submit(do, part) for do, part in islice(work, 4 * JOBS))
        while waiting:
            judged = waiting.popleft().result()
            if judged.wrong:
                pool.shutdown(cancel_futures=True)
                return judged.wrong
            waiting.extend(pool.submit(do, part) for do, part in islice(work, 1))
            progress.add(judged.number)
    return ""


def main() -> int:
    """Search as the arguments say; 1 if something was found."""
    parser = argparse.ArgumentParser(description="Compare authority with the rules, DAG by DAG.")
    parser.add_argument("dags", choices=["random", "small"])
    parser.add_argument("--count", type=int, default=100_000, help="random DAGs to judge")
    parser.add_argument("--from", type=int, default=0, dest="first", help="number of the first")
    parser.add_argument(
        "--thorough-every",
        type=int,
        default=RANDOM_THOROUGH_EVERY,
        help="judge one random DAG of so many at every moment; 1 is all, eight times the work",
    )
    parser.add_argument("--brief", action="store_true", help="do not make what is wrong small")
    parser.add_argument("--resume", type=Path, help="file that remembers how far it was")
    given = parser.parse_args()
    work: Iterator[tuple[Callable[..., Judged], object]]
    if given.dags == "small":
        work = ((judge_small, part) for part in parts(FAMILIES))
    else:
        numbers = range(given.first, given.first + given.count)
        starts = range(0, given.count, NUMBERS_PER_PART)
        every = given.thorough_every
        do = partial(judge_random, is_brief=given.brief, thorough_every=every)
        known = partial(judge_known, is_brief=given.brief)
        work = ((do, numbers[at : at + NUMBERS_PER_PART]) for at in starts)
        work = chain([(known, KNOWN)], work)
    progress = Progress(given.resume)
    wrong = judge_all(work, progress)
    print(f"{progress.count:,} DAGs judged: {'all agree' if not wrong else 'one does not'}")
    if wrong:
        print(wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
