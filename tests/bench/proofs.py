"""How large the file is that proves what became of a need, and what it costs to make and to check.

A community for members only in which people chat for half a
year, with a new epoch each week; at the end one need with so many pledges, closed, claimed and
confirmed. One store holds all: each operation is written by the next person, who knows all before.
CPU time, the best of some turns. Prints one JSON line:

    python -m tests.bench.proofs --operations 10000 --members 40 --pledges 40
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

from p2pvalue.node.needs.need_proofs import proof_of
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import close, need, pledge, profile
from p2pvalue_protocol.kinds.close import operation_name
from p2pvalue_protocol.proof.reading import read_proof
from tests.bench.filler import Filler
from tests.protocol.authoring import key_named
from tests.protocol.replicas import NOW_MS, Copy, admitted, founded, invited, said

WEEK_MS = 7 * 86_400_000
HALF_YEAR_MS = 26 * WEEK_MS
LINE = need.NeedLine("hours", "minute", 60, 60_000)
TERMS = need.terms_id(need.Terms((LINE,)))


class World:
    """A community in one store, written by all its members in turn."""

    def __init__(self, members: int) -> None:
        self.copy: Copy = founded("ana", read=auth.READ_MEMBERS)
        invite = invited(self.copy)
        self.names = ["ana", *(f"member {number}" for number in range(1, members))]
        self.now_ms = NOW_MS
        for name in self.names[1:]:
            admitted(self.copy, name, invite)
        for name in self.names:
            self.write(name, Draft(profile.NUMBER, b"", profile.encode_profile(name)))

    def write(self, name: str, *drafts: Draft) -> list[bytes]:
        """Write as one of the members, or make an epoch; return the op ids."""
        self.now_ms += 1
        replica = self.copy.replica
        replica.signer = key_named(f"{name} device")
        replica.begin()
        written = replica.write(drafts, self.now_ms) if drafts else []
        if not drafts:
            replica.renew(self.now_ms)
        replica.seal()
        self.copy.commit()
        return [reference.op_id for reference in written]

    def chat(self, count: int) -> None:
        """Chat for half a year; once a week somebody makes an epoch."""
        filler, renewed_ms = Filler(1), self.now_ms
        for number in range(count):
            self.now_ms += HALF_YEAR_MS // count
            if self.now_ms - renewed_ms > WEEK_MS:
                self.write("ana")
                renewed_ms = self.now_ms
            self.write(self.names[number % len(self.names)], said(filler.pad("", 80)))

    def need(self, pledges: int) -> bytes:
        """Ask for something, pledge, close, claim and confirm; return the need's subject."""
        asked = need.encode_need("Dig the pond", [LINE])
        subject = subject_of(self.write("ana", Draft(need.NUMBER, b"", asked))[0])
        made: list[tuple[str, bytes]] = []
        for number in range(pledges):
            name = self.names[number % len(self.names)]
            offer = Draft(pledge.NUMBER, b"", pledge.encode_pledge(subject, TERMS, 0, 60))
            made.append((name, self.write(name, offer)[0]))
        counted = [operation_name(op_id) for _, op_id in made]
        self.write("ana", Draft(close.NUMBER, b"", close.encode_close(subject, TERMS, counted)))
        for name, op_id in made:
            confirmer = self.names[1] if name == "ana" else "ana"
            for who, act in ((name, "claim"), (confirmer, "confirm")):
                said_of = pledge.encode_pledge_act(
                    subject,
                    subject_of(op_id),
                    act,  # type: ignore[arg-type]  # one of the words
                    quantity=60,
                )
                self.write(who, Draft(pledge.NUMBER, b"", said_of))
        return subject


def least_ms(work: Callable[[], object], turns: int) -> float:
    """Return the least CPU time of some turns."""
    took = []
    for _ in range(turns):
        start_s = time.process_time()
        work()
        took.append(time.process_time() - start_s)
    return round(min(took) * 1_000, 1)


def measured(operations: int, members: int, pledges: int, turns: int) -> dict[str, Any]:
    """Return bytes and milliseconds of one proof."""
    world = World(members)
    world.chat(max(0, operations - 3 * pledges - 3 * members))
    row = world.copy.store.state(world.copy.community, world.need(pledges))
    assert row is not None
    replica, store = world.copy.replica, world.copy.store
    data = proof_of(replica, store, row)
    proven = read_proof(data)
    return {
        "operations": proven.operations,
        "state": proven.standing.state,
        "bytes": len(data),
        "make_ms": least_ms(lambda: proof_of(replica, store, row), turns),
        "check_ms": least_ms(lambda: read_proof(data), turns),
    }


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="the file that proves what became of a need")
    arguments.add_argument("--operations", type=int, default=10_000)
    arguments.add_argument("--members", type=int, default=40)
    arguments.add_argument("--pledges", type=int, default=40)
    arguments.add_argument("--turns", type=int, default=3)
    given = arguments.parse_args()
    print(json.dumps(measured(given.operations, given.members, given.pledges, given.turns)))
