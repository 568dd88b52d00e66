"""Looks for a DAG that the code that runs judges otherwise than the rules: `make dags`.

    python -m tests.dags.search random --count 100000
    python -m tests.dags.search small                  every small DAG, over a million
    python -m tests.dags.search random --count 10000000 --resume build/soak.json

Prints how many were judged, and the first that is wrong, made small, as JSON. Random DAGs have
their numbers as seeds: `--from N --count 1` judges number N again.
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
from itertools import islice
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.dags.compare import problems, report
from tests.dags.families import FAMILIES
from tests.dags.model import Dag
from tests.dags.scenes import SCENES
from tests.dags.small import Part, dags_of, parts
from tests.dags.village import random_dag

NUMBERS_PER_PART = 200
RANDOM_THOROUGH_EVERY, SMALL_THOROUGH_EVERY = 25, 250
JOBS = len(os.sched_getaffinity(0))
SHOWN_EVERY_S = 10


class Judged(NamedTuple):
    """How many DAGs were judged, and what was wrong with the first bad one; empty: nothing."""

    number: int
    wrong: str = ""


def judge(dag: Dag, number: int, thorough_every: int) -> str:
    """Return what is wrong with a DAG, or nothing; now and then one is judged thoroughly."""
    found = problems(dag, Random(number), number % thorough_every == 0)
    return f"number {number}: {report(dag, found)}" if found else ""


def judge_random(first: int, count: int) -> Judged:
    """Judge the random DAGs of these numbers."""
    for number in range(first, first + count):
        wrong = judge(random_dag(Random(number), SCENES), number, RANDOM_THOROUGH_EVERY)
        if wrong:
            return Judged(number - first + 1, wrong)
    return Judged(count)


def judge_small(part: Part) -> Judged:
    """Judge all DAGs of a part of a family."""
    count = 0
    for count, dag in enumerate(dags_of(FAMILIES[part.family], part), start=1):
        wrong = judge(dag, count, SMALL_THOROUGH_EVERY)
        if wrong:
            return Judged(count, f"{FAMILIES[part.family].name}, {wrong}")
    return Judged(count)


def judge_all(
    work: Iterator[tuple[Callable[..., Judged], tuple[object, ...]]], done: Callable[[int], None]
) -> Judged:
    """Do the work on all cores; `done` hears of each count that follows on the counts before."""
    waiting: deque[Future[Judged]] = deque()
    total = 0
    with ProcessPoolExecutor(JOBS) as pool:
        waiting.extend(pool.submit(do, *what) for do, what in islice(work, 4 * JOBS))
        while waiting:
            judged = waiting.popleft().result()
            total += judged.number
            if judged.wrong:
                pool.shutdown(cancel_futures=True)
                return Judged(total, judged.wrong)
            waiting.extend(pool.submit(do, *what) for do, what in islice(work, 1))
            done(total)
    return Judged(total)


class Progress:
    """Says now and then how far it is, and remembers it in a file if there is one."""

    def __init__(self, of: str, begun: int, resume: Path | None) -> None:
        self._of, self._begun, self._resume = of, begun, resume
        self._start = self._shown = time.monotonic()

    def __call__(self, count: int) -> None:
        now = time.monotonic()
        if self._resume is not None:
            self._resume.parent.mkdir(parents=True, exist_ok=True)
            self._resume.write_text(json.dumps({"judged": self._begun + count}), encoding="utf-8")
        if now - self._shown >= SHOWN_EVERY_S:
            self._shown = now
            rate = count / (now - self._start)
            print(f"{self._begun + count:,} of {self._of} judged, {rate:,.0f}/s", flush=True)


def main() -> int:
    """Search as the arguments say; 1 if something was found."""
    parser = argparse.ArgumentParser(description="Compare authority with the rules, DAG by DAG.")
    parser.add_argument("dags", choices=["random", "small"])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--resume", type=Path, help="file that remembers how far it was")
    given = parser.parse_args()
    begun = 0
    if given.resume is not None and given.resume.exists():
        begun = int(json.loads(given.resume.read_text(encoding="utf-8"))["judged"])
    if given.dags == "small":
        progress = Progress("all small DAGs", 0, None)
        judged = judge_all(((judge_small, (part,)) for part in parts(FAMILIES)), progress)
    else:
        progress = Progress(f"{given.count:,}", begun, given.resume)
        starts = range(begun, given.count, NUMBERS_PER_PART)
        work = (
            (judge_random, (given.first + at, min(NUMBERS_PER_PART, given.count - at)))
            for at in starts
        )
        judged = judge_all(work, progress)
    print(
        f"{begun + judged.number:,} DAGs judged: {'one is wrong' if judged.wrong else 'all agree'}"
    )
    print(judged.wrong, end="\n" if judged.wrong else "")
    return 1 if judged.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
