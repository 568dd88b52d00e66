"""Random DAGs that look for trouble: few people, many quarrels, little knowledge.

Uniformly random acts are nearly all without effect. So people mostly act where they have rank, on
somebody who was just dealt with, knowing part of what happened; and *scenes* set up what chance
finds too rarely: old links, dormant removals, sleeping certificates, coups.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from p2pvalue_protocol.acts import (
    OUT,
    Act,
    AddDevice,
    Admit,
    Event,
    Give,
    OpenInvite,
    Policy,
    ProveFork,
    Remove,
    RemoveDevice,
    SetPolicy,
    Vote,
    WithdrawInvite,
)
from p2pvalue_protocol.ids import Reference
from tests.dags.builder import GENESIS, NOBODYS, Builder
from tests.dags.model import CARD, CHAT, DOCUMENT, WRITE, Dag, reference_to

KINDS = (CARD, DOCUMENT, CHAT)
MEMBERS = (b"A", b"B", b"C")
KEYS = (b"key1", b"key2")
STEPS = (
    *("remove", "remove", "demote", "give", "give", "vote", "vote", "leave", "policy"),
    *("device", "device", "add", "fork", "fork", "invite", "invite", "say"),
)
Scene = Callable[["Village"], None]


class Village(Builder):
    """Founders and members who are let in, and what they then do to each other."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        founders = rng.choice([1, 1, 2, 3])
        super().__init__(
            [(b"FGH"[n : n + 1], b"fgh"[n : n + 1] + b"1") for n in range(founders)],
            founder_quorum=rng.choice([0, founders // 2 + 1]),
            admin_quorum=rng.choice([0, 1, 2]),
            invite_rank=rng.choice([0, 1, 2, 2]),
        )
        self.owner = dict(self._founding())
        self.ranks = dict.fromkeys(self.owner.values(), 0)
        for root in MEMBERS[: rng.choice([1, 2, 2, 3])]:
            self.let_in(root, rng.choice([1, 1, 2, 2, 3]))

    def _founding(self) -> list[tuple[bytes, bytes]]:
        return [(device, root) for root, device in self.dag().found().founders]

    # Who, and knowing what.

    def new_id(self, letter: bytes) -> bytes:
        """Return a name that sorts anywhere, so that ties fall both ways."""
        return letter + b"%03d.%02d" % (self.rng.randrange(1000), len(self.operations))

    def devices_of(self, root: bytes) -> list[bytes]:
        return [device for device, owner in self.owner.items() if owner == root]

    def some_device(self, root: bytes | None = None) -> bytes:
        return self.rng.choice(self.devices_of(root) if root else list(self.owner))

    def somebody(self, rank_max: int = 3) -> bytes:
        roots = [root for root, rank in self.ranks.items() if rank <= rank_max]
        return self.rng.choice(roots)

    def own(self, device: bytes) -> list[bytes]:
        return [event.op_id for event in self.events if event.device == device]

    def knowledge(self, device: bytes) -> list[bytes]:
        """Return operations that the author knows: all, some, or nothing new; rarely a fork."""
        rng, own = self.rng, self.own(device)
        written = [event.op_id for event in self.events]
        match rng.choice(["all", "all", "one", "one", "prefix", "own"]):
            case "all":
                return written
            case "one":
                known = [rng.choice(written)]
            case "prefix":
                known = written[: rng.randrange(1, len(written) + 1)]
            case _:
                known = []
        if own and rng.random() < 0.15:
            own = own[: rng.randrange(len(own))] if self.is_founding(device) else own[:1]
        return [*known, *own[-1:], GENESIS]

    def is_founding(self, device: bytes) -> bool:
        return device in dict(self._founding())

    def act(self, device: bytes, act: Act, knows: list[bytes] | None = None) -> bytes:
        knows = self.knowledge(device) if knows is None else [*knows, *self.own(device)[-1:]]
        return self.write(device, act, knows, self.new_id(b"o"))

    def one_of(self, *acts: Act) -> Act:
        return self.rng.choice(acts)

    def some_keeps(self, root: bytes) -> tuple[Reference, ...]:
        """Return none, or heads of a member's logs; sometimes of another's, or not held."""
        rng = self.rng
        if rng.random() < 0.5:
            return ()
        devices = self.devices_of(root) if rng.random() < 0.9 else list(self.owner)
        hers = [reference_to(o) for o in self.operations.values() if o.device in devices]
        picked = rng.sample(hers, min(len(hers), rng.choice([1, 1, 2])))
        if rng.random() < 0.05:
            picked.append(NOBODYS)
        return tuple(sorted(picked))

    # Acts.

    def new_device(self, root: bytes, certifier: bytes = b"", knows: bytes = GENESIS) -> bytes:
        device = root.lower() + b"%d" % (len(self.devices_of(root)) + 1)
        self.owner[device] = root
        self.write(device, AddDevice(root, certifier), [knows], self.new_id(b"d"))
        return device

    def let_in(self, root: bytes, rank: int) -> None:
        device = self.new_device(root)
        self.ranks[root] = rank
        giver = self.some_device(self.somebody(rank_max=max(0, rank - 1)))
        everything = list(self.known)
        if self.rng.random() < 0.6:
            self.act(giver, Give(root, rank), everything)
        else:
            invite = self.act(giver, OpenInvite(KEYS[0], rank), everything)
            self.act(giver, Admit(root, device, KEYS[0], invite), [*everything, invite])

    def step(self) -> None:
        """Let somebody do something to somebody."""
        rng, target = self.rng, self.somebody()
        device = self.some_device(self.somebody(rng.choice([0, 1, 1, 2, 3])))
        match rng.choice(STEPS):
            case "remove":
                self.act(device, Remove(target, OUT, self.some_keeps(target)))
            case "demote":
                self.act(device, Remove(target, rng.choice([2, 3]), self.some_keeps(target)))
            case "give":
                self.act(device, Give(target, rng.choice([1, 2, 3]), self.some_keeps(target)))
            case "vote":
                self.act(device, Vote(target, self.some_keeps(target)))
            case "leave":
                leaver = self.some_device(target)
                self.act(leaver, Remove(target, rng.choice([OUT, OUT, 2, 3])))
            case "device":
                self.take_device(device if rng.random() < 0.5 else self.some_device(target), target)
            case "add":
                self.new_device(target, rng.choice([b"", *self.devices_of(target)]))
            case "fork":
                self.prove_fork(device)
            case "invite":
                self.invite_or_withdraw(device, target)
            case "policy":
                policy = Policy(0, rng.choice([0, 1, 2]), (*WRITE[:1], (CHAT, rng.choice([1, 3]))))
                self.act(device, SetPolicy(policy))
            case _:
                self.talk(self.some_device(target))

    def take_device(self, device: bytes, root: bytes) -> None:
        rng = self.rng
        knows = self.knowledge(device)
        seen: tuple[bytes, ...] = ()
        is_by_root = rng.random() < 0.4
        if is_by_root and rng.random() < 0.8:
            known = sorted(self.past(knows) if rng.random() < 0.9 else self.known)
            seen = tuple(sorted(rng.sample(known, min(len(known), rng.choice([1, 2])))))
            seen = tuple(name for name in seen if name in {e.op_id for e in self.events})
        taken = RemoveDevice(root, self.some_device(root), is_by_root, seen, self.some_keeps(root))
        self.write(device, taken, knows, self.new_id(b"o"))

    def prove_fork(self, device: bytes) -> None:
        """Name two operations at one place if there are, making them if not; or lie."""
        places: dict[tuple[bytes, bool, int], list[bytes]] = {}
        for o in self.operations.values():
            places.setdefault((o.device, isinstance(o, Event), o.seq), []).append(o.op_id)
        pairs = [names[:2] for names in places.values() if len(names) > 1]
        if not pairs:
            forker = self.some_device()
            pairs = [[self.say(forker, [self.rng.choice(self.events).op_id]) for _ in range(2)]]
        first, second = self.rng.choice(pairs)
        root = self.owner[self.operations[first].device]
        proof = self.fork(first, second)._replace(keeps=self.some_keeps(root))
        if self.rng.random() < 0.1:
            proof = with_lie(proof)
        self.act(device, proof)

    def invite_or_withdraw(self, device: bytes, target: bytes) -> None:
        rng, key = self.rng, self.rng.choice(KEYS)
        invites = [e for e in self.events if isinstance(e.act, OpenInvite)]
        match rng.choice(["open", "admit", "admit", "withdraw"]):
            case "admit" if invites:
                invite = rng.choice(invites)
                assert isinstance(invite.act, OpenInvite)
                admit = Admit(target, self.some_device(target), invite.act.invite_key, invite.op_id)
                self.write(
                    device, admit, [*self.knowledge(device), invite.op_id], self.new_id(b"o")
                )
            case "withdraw":
                self.act(device, WithdrawInvite(key))
            case _:
                self.act(device, OpenInvite(key, rng.choice([1, 2, 3])))

    def talk(self, device: bytes) -> None:
        """Write content, after the last of the log that is known or beside it."""
        own = [c for c in self.contents if c.device == device]
        after = own[-1].op_id if own and self.rng.random() < 0.8 else None
        knows = self.knowledge(device)
        self.say(device, knows, self.rng.choice(KINDS), after, self.new_id(b"c"))


def with_lie(proof: ProveFork) -> ProveFork:
    """Return the proof with one operation that nobody wrote."""
    first = proof.first
    lie = Reference(first.device, first.log_class, first.seq, b"not held")
    one, other = sorted((first, lie))
    return proof._replace(first=one, second=other)


def random_dag(rng: Random, scenes: tuple[Scene, ...], steps_max: int = 6) -> Dag:
    """Return a village in which a scene was played, with random acts around it."""
    village = Village(rng)
    for _ in range(rng.randrange(3)):
        village.talk(village.some_device())
    if scenes and rng.random() < 0.7:
        rng.choice(scenes)(village)
    for _ in range(rng.randrange(1, steps_max)):
        village.step()
    for device in list(village.owner):
        if rng.random() < 0.7:
            village.talk(device)
    return village.dag()
