"""Cuts the power of a virtual disk under the production store, and looks at what is left.

A store appends chained operations, is closed, tidied and opened again; at a random call of the disk
all stops, and whatever was not flushed is lost, kept or torn. Then the store must open, hold every
acknowledged operation, and go on where it stopped:

    python -m tests.store.power --cuts 100000 --seed 7
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
from collections import Counter

import apsw

from p2pvalue.sim.virtual_disk import SqliteDisk
from p2pvalue.store import Durability, SqliteStore, StoreFailed
from p2pvalue_protocol.ids import tagged_hash
from p2pvalue_protocol.kind import NO_SUBJECT
from tests.store.chains import CHAT, COMMUNITY, Chain, log_faults
from tests.store.crash import NOTHING, continued, next_batches

CUTS_PER_DISK = 100
CALLS_MEAN = 60
BIRTH_CALLS = 100  # a new store's first commit is acknowledged after some more
TIDY_SHARE = 0.02
CLOSE_SHARE = 0.05
OTHER_COMMUNITY = tagged_hash("test", b"a community to be forgotten")


class Writer:
    """Goes on with what a disk holds until it fails; remembers what was acknowledged."""

    def __init__(self, disk: SqliteDisk, rng: random.Random) -> None:
        self._disk = disk
        self._rng = rng
        self.acknowledged = NOTHING
        self.closed = self.lost = 0

    def opened(self) -> tuple[SqliteStore, Chain]:
        """Return the store and its log's end; raises AssertionError if what was promised is not."""
        store = self._disk.open()
        is_kept = self._disk.durability == "power-cut"
        chain = continued(store, self.acknowledged if is_kept else NOTHING)
        self.lost += max(0, self.acknowledged[0] + 1 - chain.seq)
        self.acknowledged = (chain.seq - 1, chain.backlink)
        return store, chain

    def write_until_stopped(self) -> None:
        """Use the store; return when the disk has stopped, or after a close."""
        try:
            store, chain = self.opened()
            while True:
                store.commit(next_batches(chain, self._rng))
                self.acknowledged = (chain.seq - 1, chain.backlink)
                if self._rng.random() < TIDY_SHARE:
                    self._forget_others(store)
                if self._rng.random() < CLOSE_SHARE:
                    with contextlib.suppress(apsw.IOError):  # of a real disk, nobody is told
                        store.close()
                    self.closed += 1
                    return
        except StoreFailed as failure:
            if "the machine stopped here" not in str(failure):
                raise AssertionError("the store fails otherwise than the disk does") from failure

    def _forget_others(self, store: SqliteStore) -> None:
        store.forget(OTHER_COMMUNITY)
        other = Chain(2, community=OTHER_COMMUNITY)
        store.commit([other.message_batch(b"of others") for _ in range(10)])


def cut_many(cuts: int, seed: str, durability: Durability = "power-cut") -> dict[str, int | str]:
    """Return what happened in so many cuts; raises AssertionError at the first thing wrong.

    Under `durability="kill"` acknowledged operations may be lost, but only from a log's end.
    """
    counts = Counter[str]()
    for first in range(0, cuts, CUTS_PER_DISK):
        rng = random.Random(f"{seed}/{first}")
        disk = SqliteDisk(durability=durability)
        writer = Writer(disk, rng)
        for cut in range(first, min(first + CUTS_PER_DISK, cuts)):
            is_birth = cut == first
            life = rng.randrange(BIRTH_CALLS) if is_birth else rng.expovariate(1 / CALLS_MEAN)
            disk.die_after(int(life))
            try:
                writer.write_until_stopped()
                disk.cut_power(rng)
            except AssertionError as error:
                error.add_note(f"cut {cut} of seed {seed}")
                raise
            counts["before_the_first_commit"] += writer.acknowledged == NOTHING
        _, chain = writer.opened()
        counts["operations"] += chain.seq
        counts["lost"] += writer.lost
        counts["just_after_a_close"] += writer.closed
        check_whole(disk, chain)
    return {"cuts": cuts, "seed": seed, **counts}


def check_whole(disk: SqliteDisk, chain: Chain) -> None:
    """Raise AssertionError unless all that is stored is sound."""
    store = disk.open()
    assert store.verify(deep=False).faults == ()
    assert log_faults(store) == ()
    assert store.entry_count(COMMUNITY, NO_SUBJECT, CHAT) == chain.seq


def main() -> None:
    """Read the arguments and print one line of JSON."""
    parser = argparse.ArgumentParser(description="cut the power of a virtual disk, again and again")
    parser.add_argument("--cuts", type=int, default=2_000)
    parser.add_argument("--seed", default="1")
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    print(json.dumps(cut_many(asked.cuts, asked.seed)))


if __name__ == "__main__":
    main()
