"""Random histories of honest people and liars: all who hold the same updates show the same.

python -m tests.documents.hostile --histories 100000      what `make documents` runs

`--resume FILE` goes on where the last run with that file ended, and counts what it met too.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.documents.edits import edit_anything
from tests.documents.liars import Liar
from tests.documents.peers import Person, Replica, Written

SHAPES = ("plain", "rich")
STEPS = 22
RELOADS_SHARE = 0.2
SHOWN_EVERY = 1_000
KEPT_EVERY = 100


class Party(NamedTuple):
    """Who took part in a history, and who came late; all hold all updates."""

    people: list[Person]
    liars: list[Liar]
    late: Replica

    @property
    def hostile(self) -> frozenset[bytes]:
        """The devices of the liars."""
        return frozenset(liar.device for liar in self.liars)


def play(seed: int) -> Counter[str]:
    """Play one history; return how many updates of liars met which verdict.

    Raises AssertionError if two replicas differ in a verdict or in what they show, or if an honest
    update is refused.
    """
    people, liars, late = party = played(seed)
    everybody: list[Replica] = [*people, *liars]
    check(seed, [*everybody, late], party.hostile)
    return Counter(late.reason(op) or "counts" for op in late.held.values()) + Counter(
        rebuilt=sum(replica.rebuilt for replica in everybody),
        misled=sum(person.misled for person in people),
    )


def played(seed: int) -> Party:
    """Play one history; raises AssertionError if an honest update is refused."""
    rng = Random(seed)
    shape = SHAPES[seed % len(SHAPES)]
    people = [Person(b"person %d" % number, shape) for number in range(2)]
    liars = [Liar(b"liar %d" % number, shape) for number in range(1 + seed // 2 % 2)]
    everybody: list[Replica] = [*people, *liars]
    inboxes: dict[Replica, list[Written]] = {replica: [] for replica in everybody}
    writers: list[Person | Liar] = [*people, *liars, *liars]
    for _ in range(STEPS):
        one = rng.choice(writers)
        if rng.random() < 0.4 and inboxes[one]:
            deliver(one, inboxes[one], rng.randint(1, len(inboxes[one])), rng)
            continue
        said = one.write(edit_anything, rng) if isinstance(one, Person) else [one.lie(rng)]
        for other in everybody:
            inboxes[other] += said if other is not one else ()
    for replica, inbox in inboxes.items():
        deliver(replica, inbox, len(inbox), rng)
    late = Replica(shape, 7)
    deliver(late, [*people[0].held.values()], len(people[0].held), rng, RELOADS_SHARE)
    return Party(people, liars, late)


def deliver(
    one: Replica, inbox: list[Written], count: int, rng: Random, reloads_share: float = 0
) -> None:
    """Give somebody so many updates, in any order in which logs are in theirs."""
    for _ in range(count):
        ready = [op for op in inbox if not op.backlink or op.backlink in one.held]
        op = rng.choice(ready)
        inbox.remove(op)
        if op.op_id not in one.held:
            one.take(op)
        if rng.random() < reloads_share:
            one.reload()


def check(seed: int, replicas: list[Replica], liars: frozenset[bytes]) -> None:
    """Assert that replicas agree on everything."""
    reasons = [{op.op_id: one.reason(op) for op in one.held.values()} for one in replicas]
    assert all(found == reasons[0] for found in reasons), f"verdicts differ: seed {seed}"
    shown = {one.shown for one in replicas}
    assert len(shown) == 1, f"texts differ: seed {seed}: {shown}"
    hidden = {one.shown_without(liars) for one in replicas}
    assert len(hidden) == 1, f"texts differ with hidden updates: seed {seed}: {hidden}"


class Progress:
    """How many histories were played, and what was met; remembered in a file if there is one."""

    def __init__(self, file: Path | None) -> None:
        self.played = self.wrong = 0
        self.met: Counter[str] = Counter()
        self._file = file
        if file is not None and file.exists():
            known = json.loads(file.read_text(encoding="utf-8"))
            self.played, self.wrong = known["played"], known["wrong"]
            self.met.update(known["met"])

    def play(self, seed: int) -> None:
        """Play a history more; says so if it fails."""
        try:
            self.met += play(seed)
        except BaseException as error:  # a panic of the library is no Exception
            if isinstance(error, KeyboardInterrupt):
                raise
            self.wrong += 1
            print(f"history {seed} fails: {error!r}", flush=True)
        self.played += 1

    def keep(self) -> None:
        """Write down how far it is."""
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            known = {"played": self.played, "wrong": self.wrong, "met": self.met}
            self._file.write_text(json.dumps(known), encoding="utf-8")

    def __str__(self) -> str:
        return f"{self.played} histories, {self.wrong} wrong: {dict(self.met)}"


def main() -> int:
    """Play histories; 1 if replicas differ in one, or an honest update is refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--resume", type=Path, help="file that remembers how far it was")
    asked = parser.parse_args()
    progress = Progress(asked.resume)
    while progress.played < asked.histories:
        progress.play(asked.first + progress.played)
        if progress.played % KEPT_EVERY == 0:
            progress.keep()
        if progress.played % SHOWN_EVERY == 0:
            print(progress, flush=True)
    progress.keep()
    print(progress)
    return 1 if progress.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
