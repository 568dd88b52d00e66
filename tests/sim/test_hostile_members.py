"""What hostile members try in particular, and what of it reaches others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from p2pvalue.sim.hostile.act_after_removal import ActAfterRemoval
from p2pvalue.sim.hostile.backdate import Backdate
from p2pvalue.sim.hostile.close_falsely import CloseFalsely
from p2pvalue.sim.hostile.coup import Coup
from p2pvalue.sim.needs import standings
from p2pvalue_protocol import vouching
from p2pvalue_protocol.fork_watch import ForkWatch
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.kind import EntryKind
from p2pvalue_protocol.kinds import KINDS, chat
from p2pvalue_protocol.operation import read_core
from tests.sim.attacked import Attacked, attacked


def shown_by(outcome: Attacked, device: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (machine, operation) of the entries that honest machines show of a device."""
    community = outcome.world.shell.community
    for actor in outcome.honest:
        for kind in (kind.number for kind in KINDS if isinstance(kind, EntryKind)):
            for container in actor.store.containers(community, kind):
                for entry in actor.store.entries(community, container, kind, limit=10_000):
                    if read_core(entry.core).device == device:
                        yield actor.number, entry.order.op_id


def removed(outcome: Attacked) -> list[int]:
    """The hostile machines that are out by what the founder holds."""
    membership = outcome.replica(outcome.honest[0]).membership
    return [n.number for n in outcome.hostile if membership.is_gone(n.device.public)]


def words_held(outcome: Attacked, device: bytes) -> set[bytes]:
    """The messages of a device that honest machines store, seen or not."""
    branches = [(a, b) for a in outcome.honest for b in outcome.replica(a).branches.of(device, 1)]
    return {
        row.op_id
        for actor, branch in branches
        for row in outcome.replica(actor).branches.rows(branch, branch.row.first_seq, 1_000)
        if read_core(row.core).kind == chat.NUMBER
    }


def test_what_is_written_after_a_removal_arrives_by_friends_and_shows_nowhere() -> None:
    unseen = 0
    for seed in (1, 3):  # worlds in which it let nobody in while it might
        outcome = attacked("act-after-removal", seed)
        assert outcome.report.failures == (), outcome.again
        out = removed(outcome)
        assert out, outcome.again
        founder = outcome.replica(outcome.honest[0]).membership
        roots = {member.root for member in founder.members()}
        for node in (node for node in outcome.hostile if node.number in out):
            behaviour = node.behaviour
            assert isinstance(behaviour, ActAfterRemoval)
            assert behaviour.guests, outcome.again
            assert not roots.intersection(behaviour.guests), outcome.again
            shown = {op_id for _, op_id in shown_by(outcome, node.device.public)}
            assert not shown.intersection(head.op_id for head in behaviour.written), outcome.again
            unseen += len(words_held(outcome, node.device.public) - shown)
    assert unseen > 0, "nothing that was written after a removal was ever brought to anybody"


def test_who_may_not_close_a_need_closes_none_whatever_time_she_gives() -> None:
    held = 0
    for seed in (1, 2):
        outcome = attacked("close-falsely", seed)
        assert outcome.report.failures == (), outcome.again
        for node in outcome.hostile:
            behaviour = node.behaviour
            assert isinstance(behaviour, CloseFalsely)
            held += sum(len(outcome.holders(closed)) for closed in behaviour.written)
            for actor in outcome.honest:
                found = standings(outcome.replica(actor), actor.store).values()
                counted = {order.op_id for each in found for order, *_ in each.closings}
                assert not counted.intersection(c.op_id for c in behaviour.written), outcome.again
    assert held > 0, "no false CLOSE was ever brought to anybody"


def test_backdated_words_from_after_a_removal_are_held_by_some_and_shown_by_none() -> None:
    held = 0
    for seed in (1, 2):
        outcome = attacked("backdate", seed, community="public")
        assert outcome.report.failures == (), outcome.again
        for node in (n for n in outcome.hostile if n.number in removed(outcome)):
            behaviour = node.behaviour
            assert isinstance(behaviour, Backdate)
            times = [
                read_core(entry_core).time
                for entry_core in cores_of(outcome, behaviour.written[:3])
            ]
            assert all(time < 1_000 for time in times), "old times, as they can be"
            shown = {op_id for _, op_id in shown_by(outcome, node.device.public)}
            assert behaviour.written[-1].op_id not in shown, outcome.again
            held += sum(bool(outcome.holders(reference)) for reference in behaviour.written)
    assert held > 0


def cores_of(outcome: Attacked, references: list[Reference]) -> Iterator[bytes]:
    """The bytes of operations that the founder holds."""
    replica = outcome.replica(outcome.honest[0])
    for reference in references:
        place = replica.branches.find(reference)
        row = replica.branches.row(place.branch, reference.seq) if place is not None else None
        if row is not None:
            yield row.core


def test_after_a_coup_everybody_is_back_and_its_creatures_are_out() -> None:
    taken = 0
    for seed in (1, 2):
        outcome = attacked("coup", seed)
        assert outcome.report.failures == (), outcome.again
        members = outcome.replica(outcome.honest[0]).membership.members()
        roots = {member.root for member in members}
        wanted = {outcome.world.shell.root_of(actor) for actor in outcome.honest}
        assert wanted == roots, outcome.again
        for node in outcome.hostile:
            assert isinstance(node.behaviour, Coup)
            taken += node.behaviour.acts["removed"]
            assert not roots.intersection(node.behaviour.sybils), outcome.again
    assert taken > 0


def test_who_is_surrounded_hears_what_was_invented_for_it_and_sees_what_all_see() -> None:
    told = 0
    for seed in (1, 2):
        outcome = attacked("eclipse", seed)
        assert outcome.report.failures == (), outcome.again
        (victim,) = {node.behaviour.victim for node in outcome.hostile}
        surrounded = next(actor for actor in outcome.honest if actor.number == victim)
        others = [n for n in surrounded.neighbours if outcome.world.shell.machines[n].is_honest]
        assert len(others) == 1
        replica = outcome.replica(surrounded)
        told += sum(len(replica.branches.of(node.device.public, 1)) > 1 for node in outcome.hostile)
    assert told > 0, "the victim never held the second history that it was shown"


def test_strangers_are_never_let_in_and_hold_nothing() -> None:
    outcome = attacked("garbage-joins", 3)
    assert outcome.report.failures == (), outcome.again
    for node in outcome.hostile:
        assert not node.is_member
        assert node.store.figures().operations <= 2  # GENESIS, and its own first operation
        for actor in outcome.honest:
            assert outcome.replica(actor).membership.standing(node.device.public) is None


def test_a_core_that_takes_any_signature_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vouching, "verify", lambda key, message, signature: True)
    reports = [attacked("corrupt", seed).report for seed in (4, 5)]
    assert any(report.failures for report in reports)


def test_a_core_that_tells_of_no_fork_leaves_the_culprit_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ForkWatch, "tell", lambda watch, replica, now_ms: None)
    outcome = attacked("equivocate", 1)
    founder = outcome.replica(outcome.honest[0])
    assert founder.membership.forked_devices() == []
    assert founder.branches.forked_devices()
