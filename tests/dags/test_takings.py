"""`Takings` says of every history what looking it up pair by pair says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random

import pytest

from p2pvalue_protocol import acts
from p2pvalue_protocol.acts import (
    Admit,
    Event,
    Give,
    OpenInvite,
    Remove,
    RemoveDevice,
    Vote,
    WithdrawInvite,
)
from p2pvalue_protocol.takings import Takings
from tests.dags.compare import arrival
from tests.dags.families import FOUNDER, village
from tests.dags.looked_up import LookedUp
from tests.dags.model import Content, Dag
from tests.dags.running import Running
from tests.dags.scenes import SCENES
from tests.dags.search import KNOWN
from tests.dags.village import KEYS, random_dag
from tests.dags.written import read_dag

RUNS, PARTS = 20, 10
NOBODY = b"nobody"

Said = Iterator[tuple[str, object, object]]
"""What is asked, what `Takings` says, and what is looked up."""


def of_kinds(takings: Takings, looked: LookedUp) -> Said:
    """Yield what stands in operations by themselves."""
    record, where = takings.record, looked.where
    yield "VOTEs", takings.all_votes, where(lambda _, act: isinstance(act, Vote))
    yield "GRANTs", takings.grants, where(lambda _, act: isinstance(act, acts.Give))
    yield "FORKs", takings.forks, where(lambda _, act: isinstance(act, acts.ProveFork))
    yield "leaves", takings.leaves, where(lambda at, _: at in record.leaves)
    yield "what puts out", takings.puts_out, where(lambda at, _: record.puts_out(at))
    roots = [*record.removals]
    for rank, found in ((2, takings.to_members), (3, takings.to_guests)):
        yield f"REVOKEs to {rank}", found, sum(looked.about(root, Remove, rank) for root in roots)
    yield "with keeps", takings.with_keeps, where(lambda at, _: bool(record.keeps_of(at)))
    by_root = sum(1 << removal.at for removal in looked.removals if removal.is_by_root)
    yield "by root", takings.by_root, by_root


def of_members(takings: Takings, looked: LookedUp) -> Said:
    """Yield what speaks of each member."""
    record = takings.record
    for root in sorted({NOBODY, *record.devices_of, *record.removals, *record.votes_on}):
        to_members, to_guests = (looked.about(root, Remove, rank) for rank in (2, 3))
        revokes = looked.about(root, Remove, acts.OUT) | to_members | to_guests
        yield f"REVOKEs of {root!r}", takings.revokes.get(root, 0), revokes
        yield f"VOTEs on {root!r}", takings.votes.get(root, 0), looked.about(root, Vote)
        yield f"demotions of {root!r}", takings.demotions(root), to_members | to_guests
        by_others = looked.about(root, Remove, acts.OUT) & ~takings.leaves
        yield f"what puts {root!r} out", takings.put_out(root), by_others
        weakest = (to_guests and 3) or (to_members and 2)
        yield f"weakest left of {root!r}", takings.weakest_left(root), weakest
        givings = [looked.givings(root, rank) for rank in range(4)]
        yield f"givings to {root!r}", takings.givings.get(root, [0] * 4), givings
        yield f"written by {root!r}", takings.written_by({root}), looked.written_by(root)
        has_removed = any(root in looked.perhaps(looked.removed(r.at)) for r in looked.removals)
        yield f"removals of {root!r}", takings.has_removed_devices(root), has_removed
        everything = (1 << len(record.events)) - 1
        yield f"by {root!r}", takings.by_member(everything, root), looked.by_member(root)
        for index in (at for at in looked.acts if takings.all_votes >> at & 1):
            found = takings.vote_before(index, root)
            yield f"vote on {root!r} before {index}", found, looked.vote_before(index, root)


def of_devices_and_keys(takings: Takings, looked: LookedUp) -> Said:
    """Yield what speaks of each device, and of each invite key."""
    record = takings.record
    roots = sorted({NOBODY, *record.devices_of})
    for device in sorted({NOBODY, *record.roots_of, *record.device_removals}):
        found = takings.of_devices.get(device, 0)
        yield f"removals of {device!r}", found, looked.of_device(device)
        for root in roots:
            of_root = looked.of_device(device, root, None)
            yield f"removals for {root!r} of {device!r}", takings.of_device(device, root), of_root
        removers = takings.removers.get(device, {})
        yield f"removers of {device!r}", removers, looked.by_author(looked.of_device(device))
        yield f"keeping {device!r}", takings.keeping.get(device, 0), looked.keeping(device)
        certifies = any(c.certifier for c in record.certificates.get(device, ()))
        yield f"{device!r} certified", device in takings.certified_by_devices, certifies
    for key in KEYS:
        withdrawals = looked.withdrawals(key)
        yield f"withdrawals of {key!r}", takings.withdrawals.get(key, 0), withdrawals
        yield f"admitted by {key!r}", takings.admitted_by(key), looked.admitted_by(key)


def of_pairs(takings: Takings, looked: LookedUp) -> Said:
    """Yield what needs two readings: what must be in is missing, what may not be in is there."""
    dividing, perhaps = looked.dividing(), looked.perhaps_dividing()
    yield "missing of what divides", dividing & ~takings.dividing, 0
    yield "what does not divide", takings.dividing & ~perhaps, 0
    for at in looked.acts:
        found = takings.meeting(at) & ~takings.record.past(at)
        yield f"missing of what meets {at}", looked.unseen(at, looked.surely) & ~found, 0
        yield f"what does not meet {at}", found & ~looked.unseen(at, looked.perhaps), 0
    for root in sorted({NOBODY, *takings.record.devices_of}):
        rest, nobody = takings.resting_on({root}), set[bytes]()
        must, may = (looked.resting_on({root}, of) for of in (looked.surely, looked.perhaps))
        yield f"missing who rests on {root!r}", must - rest, nobody
        yield f"who does not rest on {root!r}", rest - may, nobody
        can_be = takings.may_be_voted_out(root)
        is_sure = looked.has_enough_voters(root, looked.surely)
        yield f"enough vote {root!r} out", can_be or not is_sure, True
        is_possible = looked.has_enough_voters(root, looked.perhaps)
        yield f"too few vote {root!r} out", can_be and not is_possible, False
    sure, possible = (looked.makers_of_policy(of) for of in (looked.surely, looked.perhaps))
    yield "missing who makes policy", sure - takings.policy_makers, set()
    yield "who makes no policy", takings.policy_makers - possible, set()


def wrong(dag: Dag, order: list[Event | Content]) -> list[str]:
    """Return where the takings of a history that came in an order are not what is looked up."""
    takings = Running(dag).take_all(order).authority.takings
    looked = LookedUp(takings.record)
    return [
        f"{what}: found {found}, looked up {expected}"
        for said in (of_kinds, of_members, of_devices_and_keys, of_pairs)
        for what, found, expected in said(takings, looked)
        if found != expected
    ]


def some_order(dag: Dag, rng: Random) -> list[Event | Content]:
    return arrival(dag, lambda ready: rng.choice(ready))


@pytest.mark.parametrize("part", range(PARTS))
def test_what_is_noted_of_random_dags_is_what_is_looked_up(rng: Random, part: int) -> None:
    first = rng.randrange(1 << 40)
    for number in range(first, first + RUNS):
        dag = random_dag(Random(number), SCENES)
        assert wrong(dag, some_order(dag, Random(number))) == [], f"number {number}"


def test_what_is_noted_of_known_dags_is_what_is_looked_up() -> None:
    for vector in json.loads(KNOWN.read_text(encoding="utf-8"))["vectors"]:
        dag = read_dag(vector["input"])
        assert wrong(dag, dag.operations()) == [], vector["id"]


def test_who_is_admitted_rests_on_who_was_heard_to_withdraw_the_invitation_before() -> None:
    builder = village(1, 1)
    opened = builder.write(b"a1", OpenInvite(KEYS[0], 3), [*builder.known])
    started = builder.add_device(b"x1", b"X")
    builder.write(b"b1", WithdrawInvite(KEYS[0]), [opened])
    builder.write(b"a1", Admit(b"X", b"x1", KEYS[0], opened), [opened, started])
    assert wrong(builder.dag(), builder.dag().operations()) == []


def test_a_second_vote_on_somebody_who_never_had_a_rank_adds_nothing() -> None:
    builder = village(1)
    first = builder.write(b"a1", Vote(b"Z"), [*builder.known])
    builder.write(b"a1", Vote(b"Z"), [first])
    assert wrong(builder.dag(), builder.dag().operations()) == []


def test_only_what_puts_out_a_member_whose_device_is_taken_meanwhile_divides() -> None:
    builder = village(1, founders=2)
    known = builder.write(b"g1", Remove(b"A"), [*builder.known])
    again = builder.write(FOUNDER, Give(b"A", 1), [known])
    builder.write(FOUNDER, RemoveDevice(b"A", b"a1"), [again])
    demotes = builder.write(b"g1", Remove(b"A", 2), [again])
    puts_out = builder.write(b"g1", Remove(b"A"), [demotes])
    order = builder.dag().operations()
    assert wrong(builder.dag(), order) == []
    running = Running(builder.dag()).take_all(order)
    index = running.graph.index(puts_out)
    assert running.authority.takings.dividing == 1 << index


def test_a_device_that_would_certify_itself_meets_its_removal() -> None:
    builder = village(1)
    before = [*builder.known]
    builder.add_device(b"a2", b"A", b"a2", before)
    builder.write(b"a1", RemoveDevice(b"A", b"a2"), before)
    assert wrong(builder.dag(), builder.dag().operations()) == []
