"""How long the rules of authority take: whole communities, one operation more, and opening.

A community grows as communities do: people are invited and admitted, add a phone, are promoted,
and one act in twenty removes somebody, some of them without having seen what she did last, some
keeping what she wrote. The rules are timed apart from signatures; `opening` is with them, and
without those that were found valid before. CPU time, for the machine has other things to do. Prints
one JSON line with medians over repetitions:

    python -m tests.bench.authority --operations 2000 20000 --repetitions 5
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from random import Random
from statistics import median

from p2pvalue_protocol import acts
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.auth_record import NoContent
from p2pvalue_protocol.authority import Authority
from p2pvalue_protocol.causal import AuthGraph
from p2pvalue_protocol.ids import AUTH, ZERO32, Reference
from p2pvalue_protocol.membership import Membership
from p2pvalue_protocol.visibility import Visibility
from tests.protocol.authoring import Author

FOUNDERS = 3
REMOVALS_SHARE = 0.05
UNSEEN_SHARE = 0.3  # of removals, by somebody who had not seen the last act of whom she removes
KEEPS_SHARE = 0.3
POLICY = acts.Policy(auth.JOIN_INVITE, auth.MEMBER, ())
PEOPLE_SIGNED = 500


class Village:
    """A growing community, as events; `operations` is how many there will be at least."""

    def __init__(self, rng: Random, operations: int) -> None:
        self.rng = rng
        self.events: list[acts.Event] = []
        self.heads: dict[bytes, Reference] = {}
        self.ranks: dict[bytes, int] = {}  # of members with a device, by root
        self.devices: dict[bytes, bytes] = {}  # first device, by root
        self.invites: dict[int, tuple[bytes, bytes]] = {}  # by rank: INVITE and its key
        self.newest: list[bytes] = []
        roots = [self._name() for _ in range(FOUNDERS)]
        founders = tuple(sorted((root, self._name()) for root in roots))
        self.devices |= dict(founders)
        self.ranks |= dict.fromkeys(roots, auth.FOUNDER)
        self.genesis = self._write(founders[0][1], acts.Found(founders, 2, 0, POLICY))
        while len(self.events) < operations:
            self._step()

    def _name(self) -> bytes:
        return self.rng.randbytes(32)

    def _write(self, device: bytes, act: acts.Act, named: list[bytes] | None = None) -> bytes:
        head = self.heads.get(device)
        op_id = self._name()
        parents = self.newest if named is None else named
        seq, backlink = (head.seq + 1, head.op_id) if head is not None else (0, ZERO32)
        self.events.append(acts.Event(op_id, device, seq, backlink, tuple(parents), act))
        self.heads[device] = Reference(device, AUTH, seq, op_id)
        if named is None:
            self.newest = [op_id]
        return op_id

    def _somebody(self, weakest: int) -> tuple[bytes, bytes]:
        root = self.rng.choice([r for r, rank in self.ranks.items() if rank <= weakest][-50:])
        return root, self.devices[root]

    def _step(self) -> None:
        dice = self.rng.random()
        if dice < REMOVALS_SHARE:
            self._remove()
        elif dice < 0.10:
            root, device = self._somebody(auth.MEMBER)
            phone = self._name()
            added = self._write(phone, acts.AddDevice(root, device), [self.genesis])
            self._write(device, acts.Nothing(), [added, *self.newest])
        elif dice < 0.13:
            root, _ = self._somebody(auth.GUEST)
            if self.ranks[root] > auth.ADMIN:
                self._write(self._somebody(auth.FOUNDER)[1], acts.Give(root, auth.ADMIN))
                self.ranks[root] = auth.ADMIN
        else:
            self._admit()

    def _admit(self) -> None:
        rank = self.rng.choice([auth.MEMBER, auth.MEMBER, auth.GUEST])
        if rank not in self.invites or self.rng.random() < 0.2:
            key = self._name()
            inviter = self._somebody(auth.ADMIN)[1]
            self.invites[rank] = self._write(inviter, acts.OpenInvite(key, rank)), key
        invite, key = self.invites[rank]
        root, device = self._name(), self._name()
        added = self._write(device, acts.AddDevice(root, b""), [self.genesis])
        admit = acts.Admit(root, device, key, invite)
        op_id = self._write(self._somebody(auth.MEMBER)[1], admit, [added, *self.newest])
        self.newest = [op_id]
        self.devices[root], self.ranks[root] = device, rank

    def _remove(self) -> None:
        root, device = self._somebody(auth.GUEST)
        rank = self.ranks[root]
        if rank == auth.FOUNDER:
            return
        remover = self._somebody(rank - 1)[1]
        named = None
        if self.rng.random() < UNSEEN_SHARE:
            named = [*self.newest]
            self._write(device, acts.OpenInvite(self._name(), auth.GUEST))
        keeps: tuple[Reference, ...] = ()
        if self.rng.random() < KEEPS_SHARE and device in self.heads:
            keeps = (self.heads[device],)
        removal = self._write(remover, acts.Remove(root, keeps=keeps), named)
        self.newest = sorted({removal, *self.newest})
        del self.ranks[root]


class Opened:
    """The rules over the events of a village."""

    def __init__(self) -> None:
        self.graph = AuthGraph()
        self.authority = Authority(self.graph, NoContent())
        self.visibility = Visibility(self.authority)

    def take(self, event: acts.Event) -> None:
        named = [*event.named, *([event.backlink] if event.seq else [])]
        self.graph.add(event.op_id, named)
        self.authority.add(event)

    def look(self) -> None:
        """Ask for everything that is shown: who is there, and what is to be judged again."""
        self.visibility.take_reconsidered()
        self.authority.view().live_devices()


def seconds(work: Callable[[], object]) -> float:
    start_s = time.process_time()
    work()
    return time.process_time() - start_s


def judged(village: Village, count: int | None = None) -> Opened:
    """Take the first operations of a village and look."""
    opened = Opened()
    for event in village.events[:count]:
        opened.take(event)
    opened.look()
    return opened


def one_more(village: Village) -> dict[str, float]:
    """Take the last operations one by one, each looked at; medians in ms by what they do."""
    last = len(village.events) // 10
    opened = judged(village, len(village.events) - last)
    took: dict[str, list[float]] = {}
    for event in village.events[-last:]:
        kind = type(event.act).__name__
        took.setdefault(kind, []).append(seconds(partial(take_and_look, opened, event)))
    return {f"one_{kind}_ms": round(median(times) * 1e3, 3) for kind, times in took.items()} | {
        "one_slowest_ms": round(max(max(times) for times in took.values()) * 1e3, 1)
    }


def take_and_look(opened: Opened, event: acts.Event) -> None:
    opened.take(event)
    opened.visibility.take_reconsidered()
    opened.authority.view().standing(event.device)


def opening() -> dict[str, float]:
    """Return the CPU time that a signed community takes per auth operation, checked or not."""
    ada = Author("ada")
    operations = [ada.found()]
    invite = ada.invite(auth.MEMBER)
    operations.append(invite)
    for number in range(PEOPLE_SIGNED):
        newcomer = Author(f"newcomer {number}", ada.community)
        added = newcomer.add_device(operations[0])
        operations += [added, ada.admit(newcomer, invite, added)]

    def opened(is_proven: bool) -> None:
        membership = Membership(ada.community, AuthGraph())
        for op in operations:
            membership.integrate(op, is_proven=is_proven)
        membership.members()

    return {
        name: round(seconds(partial(opened, is_proven)) / len(operations) * 1e6, 1)
        for name, is_proven in (("first_us_each", False), ("opening_us_each", True))
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, nargs="+", default=[2_000, 20_000])
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    for operations in args.operations:
        village = Village(Random(args.seed), operations)
        whole_s = [seconds(partial(judged, village)) for _ in range(args.repetitions)]
        names = sha256(b"".join(event.op_id for event in village.events)).hexdigest()[:8]
        found = {"village": names, "operations": len(village.events)}
        found |= {"whole_s": round(median(whole_s), 3), **one_more(village)}
        print(json.dumps(found), flush=True)
    print(json.dumps(opening()))


if __name__ == "__main__":
    main()
