"""Laws of membership over random communities: what members write, and what strangers try."""

from __future__ import annotations

import random

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.causal import AuthGraph
from p2pvalue_protocol.invitation import invite_key
from p2pvalue_protocol.membership import Membership
from p2pvalue_protocol.operation import Operation
from tests.protocol.authoring import SECRET, Author, membership_of

PEOPLE = 8
STEPS = 40
RUNS = 25


class RandomCommunity:
    """People who grant, invite, admit and add devices, each seeing some of the others."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        founder = Author("person 0")
        self.genesis = founder.found(invite_rank=rng.choice([auth.ADMIN, auth.MEMBER]))
        self.community = founder.community
        self.people = [founder]
        self.operations = [self.genesis]
        self.invites: list[Operation] = []
        for number in range(1, PEOPLE):
            root = f"person {rng.randrange(number)}" if rng.random() < 0.3 else None
            person = Author(f"person {number}", self.community, root)
            certifier = rng.choice(self.people) if root and rng.random() < 0.5 else None
            self.operations.append(person.add_device(self.genesis, certifier))
            self.people.append(person)
        for _ in range(STEPS):
            self._step()

    def _seen(self) -> list[Operation]:
        return self.rng.sample(self.operations, min(len(self.operations), self.rng.randint(1, 6)))

    def _step(self) -> None:
        rng = self.rng
        author, other = rng.choice(self.people), rng.choice(self.people)
        seen = list({op.op_id: op for op in self._seen()}.values())
        match rng.choice(["grant", "grant", "invite", "admit", "seen"]):
            case "grant":
                op = author.grant(other.root.public, rng.randint(1, 3), *seen)
            case "invite":
                op = author.invite(rng.randint(1, 3), *seen)
                self.invites.append(op)
            case "admit" if self.invites:
                op = author.admit(other, rng.choice(self.invites), *seen)
            case _:
                op = author.write(auth.AUTH_SEEN, b"", seen)
        self.operations.append(op)


def facts(membership: Membership, community: RandomCommunity) -> object:
    """Everything that membership says, without any of its numbers."""
    graph = membership._graph
    judged = []
    for op in community.operations:
        frontier = graph.frontier([op.op_id])
        judged.append([membership.judge(p.device, 32, frontier) for p in community.people])
    return (
        membership.members(),
        membership.devices(),
        [membership.standing(person.device) for person in community.people],
        [membership.knows_root(person.root.public) for person in community.people],
        membership.invite_for(invite_key(SECRET).public),
        judged,
    )


def in_some_causal_order(operations: list[Operation], rng: random.Random) -> list[Operation]:
    """The operations, each after its past, in an order drawn at random."""
    taken: list[Operation] = []
    done: set[bytes] = set()
    left = list(operations)
    while left:
        ready = [op for op in left if named_by(op) <= done]
        chosen = rng.choice(ready)
        left.remove(chosen)
        taken.append(chosen)
        done.add(chosen.op_id)
    return taken


def named_by(op: Operation) -> set[bytes]:
    named = {parent.op_id for parent in op.core.parents}
    return named | {op.core.backlink} if op.core.seq else named


def test_membership_does_not_depend_on_the_order_of_arrival(rng: random.Random) -> None:
    admitted = 0
    for _ in range(RUNS):
        community = RandomCommunity(rng)
        first = membership_of(community.community, community.operations)
        shuffled = in_some_causal_order(community.operations, rng)
        second = membership_of(community.community, shuffled)
        assert facts(first, community) == facts(second, community)
        admitted += len(first.members()) - 1
    assert admitted > RUNS / 2, "the generator makes too few members to show anything"


def test_members_asked_between_arrivals_change_nothing(rng: random.Random) -> None:
    community = RandomCommunity(rng)
    asked = Membership(community.community, AuthGraph())
    for op in community.operations:
        asked.integrate(op)
        asked.members()
    whole = membership_of(community.community, community.operations)
    assert facts(asked, community) == facts(whole, community)


def test_more_operations_never_weaken_anybody(rng: random.Random) -> None:
    for _ in range(RUNS):
        community = RandomCommunity(rng)
        membership = Membership(community.community, AuthGraph())
        ranks: dict[bytes, int] = {}
        for op in community.operations:
            membership.integrate(op)
            for member in membership.members():
                assert member.rank <= ranks.get(member.root, auth.GUEST)
                ranks[member.root] = member.rank


def test_what_strangers_write_changes_no_standing(rng: random.Random) -> None:
    for _ in range(RUNS):
        community = RandomCommunity(rng)
        before = membership_of(community.community, community.operations)
        strangers = [
            person for person in community.people if before.standing(person.device) is None
        ]
        noise = []
        for stranger in strangers:
            for target in community.people:
                noise.append(
                    stranger.grant(
                        target.root.public, rng.randint(1, 3), *[community.operations[-1]]
                    )
                )
            invite = stranger.invite(rng.randint(1, 3))
            noise += [invite, stranger.admit(stranger, invite)]
        after = membership_of(community.community, [*community.operations, *noise])
        assert after.members() == before.members()


class ReadNaively:
    """The rules of the spec page read off word by word, with sets, recursion and no signatures."""

    def __init__(self, community: RandomCommunity) -> None:
        self.ops = {op.op_id: op for op in community.operations}
        self.invite_rank = auth.read_payload(
            auth.GenesisPayload, community.genesis.payload
        ).invite_rank  # type: ignore[union-attr]  # written above
        self.pasts: dict[bytes, set[bytes]] = {}
        for op in community.operations:
            before = named_by(op)
            self.pasts[op.op_id] = before.union(*(self.pasts[name] for name in before))
        self.given: dict[bytes, tuple[bytes, int] | None] = {}

    def standing(self, device: bytes, past: set[bytes]) -> tuple[bytes, int] | None:
        found = []
        for root in {root for root, _ in self.certificates(device, past)}:
            ranks = [g[1] for name in past if (g := self.gives(name)) and g[0] == root]
            if self.belongs(device, root, past, ()):
                found += [(rank, root) for rank in ranks]
        founders = auth.read_payload(auth.GenesisPayload, self.genesis(past))
        for founder in founders.founders if founders else ():
            roots = {founder.root} if founder.device == device else set()
            roots |= {root for root, _ in self.certificates(device, past)}
            if founder.root in roots and self.belongs(device, founder.root, past, ()):
                found.append((auth.FOUNDER, founder.root))
        return (min(found)[1], min(found)[0]) if found else None

    def genesis(self, past: set[bytes]) -> bytes | None:
        return next((self.ops[n].payload for n in past if self.ops[n].core.kind == 0), None)

    def certificates(self, device: bytes, past: set[bytes]) -> list[tuple[bytes, bytes]]:
        payloads = [
            auth.read_payload(auth.DevAddPayload, self.ops[name].payload)
            for name in past
            if self.ops[name].core.kind == auth.DEV_ADD and self.ops[name].core.device == device
        ]
        return [(payload.root, payload.certifier) for payload in payloads if payload]

    def belongs(
        self, device: bytes, root: bytes, past: set[bytes], below: tuple[bytes, ...]
    ) -> bool:
        founders = auth.read_payload(auth.GenesisPayload, self.genesis(past))
        if founders and any((f.root, f.device) == (root, device) for f in founders.founders):
            return True
        return any(
            certified == root
            and (not certifier or self.belongs(certifier, root, past, (*below, device)))
            for certified, certifier in self.certificates(device, past)
            if certifier not in below
        )

    def gives(self, op_id: bytes) -> tuple[bytes, int] | None:
        if op_id not in self.given:
            self.given[op_id] = self._gives(self.ops[op_id])
        return self.given[op_id]

    def _gives(self, op: Operation) -> tuple[bytes, int] | None:
        past = self.pasts[op.op_id]
        author = self.standing(op.core.device, past)
        if op.core.kind == auth.GRANT:
            grant = auth.read_payload(auth.GrantPayload, op.payload)
            if grant and self.may_give(author, grant.rank):
                return grant.root, grant.rank
        if op.core.kind == auth.ADMIT:
            admit = auth.read_payload(auth.AdmitPayload, op.payload)
            if admit is None or admit.invite not in past or author is None:
                return None
            invite_op = self.ops[admit.invite]
            invite = auth.read_payload(auth.InvitePayload, invite_op.payload)
            if invite is None or not self.belongs(admit.device, admit.root, past, ()):
                return None
            sights = (self.pasts[admit.invite], past)
            inviters = [self.standing(invite_op.core.device, sight) for sight in sights]
            if all(self.may_give(inviter, invite.rank) for inviter in inviters):
                return admit.root, invite.rank
        return None

    def may_give(self, giver: tuple[bytes, int] | None, rank: int) -> bool:
        return giver is not None and giver[1] < rank and giver[1] <= self.invite_rank


def test_membership_is_what_the_rules_say_read_word_by_word(rng: random.Random) -> None:
    for _ in range(RUNS):
        community = RandomCommunity(rng)
        membership = membership_of(community.community, community.operations)
        naive = ReadNaively(community)
        for op in community.operations:
            frontier = membership._graph.frontier([op.op_id])
            past = {op.op_id, *naive.pasts[op.op_id]}
            for person in community.people:
                judged = membership.judge(person.device, auth.AUTH_SEEN, frontier)
                assert judged == naive.standing(person.device, past)
