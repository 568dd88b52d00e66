"""What must hold of every DAG, whatever the rules are: each law returns how it is broken.

A law compares states, never rules, so that it can find the rules themselves wrong. What it needs
of a DAG it reads off the acts: who could have done it, not who did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from p2pvalue_protocol.acts import (
    OUT,
    Admit,
    Event,
    Give,
    ProveFork,
    Remove,
    RemoveDevice,
    Vote,
)
from tests.dags.additions import backdated, roots_of, shortened
from tests.dags.model import KEEPING, Content, Dag, State
from tests.dags.reading import FOUNDER, GUEST, Reading

Judge = Callable[[Dag], State]
NOBODY = GUEST + 1  # weaker than every rank


def broken_laws(dag: Dag, state: State, judge: Judge, rng: Random) -> Iterator[str]:
    """Yield a sentence for every law that a DAG breaks; judges it again with parts taken away."""
    reading = Reading(dag)
    yield from founders_stay(reading, state)
    yield from the_removed_are_inert(reading, state)
    for event in last_events(dag):
        less = judge(dag.without([event.op_id]))
        yield from only_the_weaker_change(reading, event, less, state)
        yield from what_is_kept_stays(reading, event, less, state)
    removals = list(removals_for_good(reading, state))
    if removals:
        more = backdated(reading, rng, *rng.choice(removals))
        yield from nothing_changes_but_hers(Reading(more), more.events[-1], state, judge(more))
    keepers = [i for i in reading.events if reading.names_in_some_keep(i, state.visible)]
    if keepers:
        more = shortened(reading, rng, rng.choice(keepers))
        yield from what_is_kept_stays(Reading(more), more.events[-1], state, judge(more))


def last_events(dag: Dag) -> list[Event]:
    """Return the auth operations that nothing names, as a predecessor or in a keep."""
    named: set[bytes] = set()
    for operation in dag.operations():
        named |= {*operation.named, operation.backlink}
    for event in dag.events:
        act = event.act
        if isinstance(act, KEEPING):
            named |= {keep.op_id for keep in act.keeps}
        if isinstance(act, ProveFork):
            named |= {act.first.op_id, act.second.op_id}
    return [event for event in dag.events[1:] if event.op_id not in named]


def rank_at(state: State, op_id: bytes) -> int:
    standing = state.standings[op_id]
    return NOBODY if standing is None else standing.rank


def authority(reading: Reading, event: Event, state: State) -> int:
    """Return the rank that an operation may speak with: a member's in her own devices' matters."""
    rank = rank_at(state, event.op_id)
    if is_vote(event):  # who is voted out at the same time still votes
        alone = state.standings_alone[event.op_id]
        return rank if alone is None else min(rank, alone.rank)
    if isinstance(event.act, RemoveDevice | ProveFork):
        own = [c for root in hers(reading, event) for c in reading.claims(reading.end(b""), root)]
        return min([rank, *(claim.rank for claim in own)])
    if isinstance(event.act, Admit) and event.act.invite in state.standings:  # who invited answers
        return min(rank, rank_at(state, event.act.invite))
    return rank


def is_of_any(reading: Reading, device: bytes, roots: set[bytes]) -> bool:
    return not roots.isdisjoint(roots_of(reading, device))


def hers(reading: Reading, event: Event) -> set[bytes]:
    """Return the roots that an operation may always act on: its author's, or who signed in it."""
    roots = roots_of(reading, event.device)
    if isinstance(event.act, RemoveDevice) and event.act.is_by_root:
        roots.add(event.act.root)
    return roots


def founders_stay(reading: Reading, state: State) -> Iterator[str]:
    """Founders go only by leaving or by a quorum; or the root takes the device."""
    for root, device in reading.found.founders:
        voters = {reading.events[i].device for i, act in reading.acts(Vote) if act.root == root}
        quorum = reading.found.founder_quorum
        is_untouched = (
            not reading.leaves(root)
            and (quorum == 0 or len(voters) < quorum)
            and not any(
                act.is_by_root and (act.root, act.device) == (root, device)
                for _, act in reading.acts(RemoveDevice)
            )
        )
        standing = state.devices.get(device)
        if is_untouched and (standing is None or standing.rank != FOUNDER):
            yield f"founder {root!r} went without leaving or votes"


def is_vote(event: Event) -> bool:
    return isinstance(event.act, Vote)


def removals_for_good(reading: Reading, state: State) -> Iterator[tuple[bytes, bytes]]:
    """Yield removals of members by who was stronger than all they ever got, and never again."""
    for op_id, act in reading.acts(Remove):
        claims = reading.claims(reading.end(b""), act.root)
        if (
            act.rank == OUT
            and claims
            and not reading.is_of(op_id, act.root)
            and all(rank_at(state, op_id) < claim.rank for claim in claims)
            and not any(op_id in reading.before[claim.giving] for claim in claims)
        ):
            yield op_id, act.root


def keeps_named(reading: Reading) -> set[bytes]:
    """Return every operation that any keep names, and what precedes it in its log."""
    return {
        op_id
        for op_id in reading.held
        for keeper in reading.events
        if reading.names_in_keep(keeper, op_id)
    }


def the_removed_are_inert(reading: Reading, state: State) -> Iterator[str]:
    """Nothing of who was removed counts outside the removal's past and the keeps.

    But for content that knows of the removal: if it was void there, it is void for that content.
    """
    kept = keeps_named(reading)
    for removal, root in removals_for_good(reading, state):
        before = reading.before[removal]
        for op_id, operation in reading.held.items():
            if op_id in before | kept or roots_of(reading, operation.device) != {root}:
                continue
            if isinstance(operation, Content) and removal in reading.before[op_id]:
                continue
            counts = (
                op_id in state.visible
                if isinstance(operation, Content)
                else state.standings[op_id] is not None
            )
            if counts:
                yield f"{op_id!r} counts although {removal!r} removed its author"
        for device, standing in state.devices.items():
            if standing.root == root and roots_of(reading, device) == {root}:
                yield f"{device!r} has a rank although {removal!r} removed its member"


def only_the_weaker_change(
    reading: Reading, event: Event, less: State, more: State
) -> Iterator[str]:
    """An operation changes only ranks weaker than its author's; votes, also equal ones."""
    rank = authority(reading, event, more)
    untouched = rank if not is_vote(event) else rank - 1
    own = hers(reading, event)
    for device in sorted(less.devices.keys() | more.devices.keys()):
        old, new = less.devices.get(device), more.devices.get(device)
        if old == new or is_of_any(reading, device, own):
            continue
        ranks = [standing.rank for standing in (old, new) if standing is not None]
        if min(ranks) <= untouched:
            yield f"{event.op_id!r} by rank {rank} makes of {device!r} {new}, who was {old}"
    for op_id, old in less.standings.items():
        new = more.standings[op_id]
        if old == new or is_of_any(reading, reading.events[op_id].device, own):
            continue
        ranks = [standing.rank for standing in (old, new) if standing is not None]
        if min(ranks) <= untouched:
            yield f"{event.op_id!r} by rank {rank} changes {op_id!r} from {old} to {new}"
    if less.policy != more.policy and rank != FOUNDER:
        yield f"{event.op_id!r} by rank {rank} changes the policy"


def what_is_kept_stays(reading: Reading, event: Event, less: State, more: State) -> Iterator[str]:
    """Nobody hides what was kept by somebody no weaker, who was stronger than its author."""
    for op_id in sorted(set(less.visible) - set(more.visible)):
        device = reading.held[op_id].device
        for root in roots_of(reading, device):
            ranks = [claim.rank for claim in reading.claims(reading.end(b""), root)]
            for keeper in reading.events.values():
                act = keeper.act
                if (
                    isinstance(act, Remove | RemoveDevice | Give)
                    and act.root == root
                    and roots_of(reading, device) == {root}
                    and keeper.op_id != event.op_id
                    and not reading.is_of(keeper.op_id, root)
                    and not (isinstance(act, RemoveDevice) and act.is_by_root)
                    and reading.names_in_keep(keeper.op_id, op_id)
                    and keeper.op_id in more.effective
                    and rank_at(more, keeper.op_id) < min(ranks)
                ):
                    yield f"{event.op_id!r} hides {op_id!r}, which {keeper.op_id!r} kept"


def nothing_changes_but_hers(
    reading: Reading, event: Event, less: State, more: State
) -> Iterator[str]:
    """What the removed write after the fact changes nothing of anybody else."""
    own = hers(reading, event)
    for device in reading.dag.devices():
        # Who never was in may be let in by the removed, and is out with them: she is as far out.
        is_back = device in less.gone and device not in more.gone
        is_other = less.devices.get(device) != more.devices.get(device)
        if not is_of_any(reading, device, own) and (is_back or is_other):
            yield f"{event.op_id!r} {event.act} changes {device!r}"
    for op_id, operation in reading.held.items():
        if op_id == event.op_id or is_of_any(reading, operation.device, own):
            continue
        if less.standings.get(op_id) != more.standings.get(op_id) or (op_id in less.visible) != (
            op_id in more.visible
        ):
            yield f"{event.op_id!r} {event.act} changes {op_id!r}"
    if less.policy != more.policy:
        yield f"{event.op_id!r} changes the policy"
