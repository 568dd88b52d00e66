"""Runs real daemons on a bad network of this machine's own, and says what it cost them.

    make badnet                                        all scenes, 10 people
    make badnet PEOPLE=30
    .venv/bin/python -m tests.badnet.run churn partition --people 20 --seed 7

It needs root. A scene that fails is told with the last words of every daemon, and the exit code
is 1.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

from tests.badnet import odd_peers, scenes
from tests.badnet.places import PLACES_MAX, why_not
from tests.badnet.town import Town, town

ABSENT_PEOPLE = 4
"""Each of them holds 100,000 operations and has to fetch them once."""

SCENES: dict[str, Callable[[Town], None]] = {
    "join-storm": scenes.join_storm,
    "churn": scenes.churn,
    "partition": scenes.partition,
    "slow-peer": odd_peers.slow_peer,
    "hostile-peer": odd_peers.hostile_peer,
    "absent-peer": odd_peers.absent_peer,
}


def play(name: str, people: int, seed: int) -> bool:
    """Play one scene in a fresh town; return whether it ended as it should."""
    scene = SCENES[name]
    if scene is odd_peers.absent_peer:
        people = min(people, ABSENT_PEOPLE)
    folder = Path(tempfile.mkdtemp(prefix="p2pvalue-badnet-"))
    print(f"\n== {name}, {people} people, seed {seed}: {scene.__doc__}", flush=True)
    try:
        with town(folder, people, seed) as played:
            try:
                scene(played)
            except Exception:  # noqa: BLE001 - whatever it is, the scene has failed
                traceback.print_exc()
                print(played.complaints())
                print(f"FAILED: {name}, seed {seed}", flush=True)
                return False
            finally:
                print(played.costs(), flush=True)
    finally:
        shutil.rmtree(folder)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help=f"of {', '.join(SCENES)}")
    parser.add_argument("--people", type=int, default=10)
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    asked = parser.parse_args()
    unknown = [name for name in asked.scenes if name not in SCENES]
    if unknown or not 3 <= asked.people <= PLACES_MAX:
        parser.error(f"name scenes of {', '.join(SCENES)}, and 3 to {PLACES_MAX} people")
    if (reason := why_not()) is not None:
        print(f"CANNOT RUN: this {reason}", file=sys.stderr)
        return 2
    failed = [n for n in asked.scenes or SCENES if not play(n, asked.people, asked.seed)]
    print(f"failed: {', '.join(failed)}" if failed else "\nall scenes ended as they should")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
