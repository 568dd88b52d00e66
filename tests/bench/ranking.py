"""How long it takes to rank needs: all of them, one that changed, and why one stands where it does.

CPU time, for the machine has other things to do; the best of some turns, as in a quiet minute. Of
ten needs one is for care; each has up to 20 voices and 8 pledges of 500 people. Prints one JSON
line for each way of weighing:

    python -m tests.bench.ranking --needs 10000 --turns 7
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from random import Random

import msgspec

from p2pvalue_protocol.needs.parts import DAY_MS, Line, Offer, Ranked, Voice, Weights
from p2pvalue_protocol.needs.ranking import Ranking, rank

AS_OF_MS = 20_000 * DAY_MS
PEOPLE = 500
CHANGES = 50
WAYS = {"default": Weights(), "with quadratic": Weights(quadratic=200)}


def people(count: int) -> list[bytes]:
    return [number.to_bytes(32) for number in range(count)]


def some_need(rng: Random, name: int, crowd: list[bytes]) -> Ranked:
    """Return a need of the last year as communities have them."""
    lines = [Line("hours", rng.randint(2, 40) * 30), Line("material", rng.randint(1, 5))]
    offers = tuple(
        Offer(member, 2, 0, rng.randint(1, 8) * 30, AS_OF_MS - rng.randint(0, 120) * DAY_MS)
        for member in rng.sample(crowd, rng.randint(0, 8))
    )
    return Ranked(
        need=name.to_bytes(16),
        created_ms=AS_OF_MS - rng.randint(0, 365) * DAY_MS,
        lines=tuple(lines[: rng.randint(1, 2)]),
        voices=tuple(Voice(member, 2) for member in rng.sample(crowd, rng.randint(0, 20))),
        offers=offers,
        class_name=rng.choice(["build"] * 8 + ["learn", "care"]),
        deadline_ms=rng.choice([0, AS_OF_MS + rng.randint(-10, 60) * DAY_MS]),
    )


def with_one_more(rng: Random, need: Ranked, crowd: list[bytes]) -> Ranked:
    """Return a need after somebody said that she wants it, too, and pledged two hours."""
    member = rng.choice(crowd)
    return msgspec.structs.replace(
        need,
        voices=(*need.voices, Voice(member, 2)),
        offers=(*need.offers, Offer(member, 2, 0, 120, AS_OF_MS)),
    )


def some_needs(seed: int, count: int) -> list[Ranked]:
    rng = Random(seed)
    crowd = people(PEOPLE)
    return [some_need(rng, name, crowd) for name in range(count)]


def least_ms(work: Callable[[], object], turns: int) -> float:
    """Return the least CPU time of some turns."""
    took = []
    for _ in range(turns):
        start_s = time.process_time()
        work()
        took.append(time.process_time() - start_s)
    return round(min(took) * 1_000, 3)


def measured(weights: Weights, seed: int, count: int, turns: int) -> dict[str, float]:
    """Return milliseconds for all needs, for one that changed with its place, and for its order."""
    needs = some_needs(seed, count)
    ranking = Ranking(needs, weights, AS_OF_MS)
    ranking.settle()
    rng, crowd = Random(seed + 1), people(PEOPLE)
    changed = [with_one_more(rng, rng.choice(needs), crowd) for _ in range(CHANGES)]

    def change(need: Ranked) -> None:
        ranking.put(need)
        ranking.place(need.need)

    one_by_one = [least_ms(partial(change, need), 1) for need in changed]
    return {
        "all_ms": least_ms(lambda: rank(needs, weights, AS_OF_MS), turns),
        "one_ms": sorted(one_by_one)[CHANGES // 2],
        "one_slowest_ms": max(one_by_one),
        "order_ms": least_ms(ranking.places, turns),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--needs", type=int, default=10_000)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    for way, weights in WAYS.items():
        found = measured(weights, args.seed, args.needs, args.turns)
        print(json.dumps({"weights": way, "needs": args.needs, **found}), flush=True)


if __name__ == "__main__":
    main()
