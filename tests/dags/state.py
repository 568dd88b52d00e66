"""What people see of a DAG, by the oracle: who is there, what is visible, who is gone."""

from __future__ import annotations

from p2pvalue_protocol.acts import (
    OUT,
    Admit,
    Found,
    Give,
    OpenInvite,
    ProveFork,
    Remove,
    RemoveDevice,
    SetPolicy,
    Vote,
    WithdrawInvite,
)
from tests.dags.model import Content, Dag, State
from tests.dags.oracle import Oracle
from tests.dags.reading import GUEST, MEMBER, Chain, Claim, Place


def state_of(dag: Dag) -> State:
    """Return the whole state; exponential in the worst case, about a millisecond for ten acts."""
    oracle = Oracle(dag)
    alone = {e.op_id: oracle.alone(oracle.before[e.op_id]) for e in dag.events}
    standings = {device: oracle.standing(oracle.end(device)) for device in dag.devices()}
    return State(
        standings={e.op_id: oracle.standing(oracle.place(e.op_id)) for e in dag.events},
        standings_alone={
            e.op_id: alone[e.op_id].standing(alone[e.op_id].end(e.device)) for e in dag.events
        },
        effective=sorted(e.op_id for e in dag.events if is_effective(oracle, e.op_id)),
        devices={device: standing for device, standing in standings.items() if standing},
        policy=oracle.policy(oracle.everything),
        visible=sorted(c.op_id for c in dag.contents if is_visible(oracle, c)),
        gone=[device for device in dag.devices() if is_gone(oracle, device)],
        uncovered=sorted(e.op_id for e in dag.events if is_uncovered(oracle, e.op_id)),
    )


def is_effective(oracle: Oracle, op_id: bytes) -> bool:
    """Tell whether an operation gives, invites, sets policy, or could take from somebody."""
    there = oracle.place(op_id)
    match oracle.events[op_id].act:
        case Found() | Give() | Admit() | OpenInvite():
            return oracle.is_giving(op_id)
        case SetPolicy():
            return oracle.is_at_most(there, 0)
        case WithdrawInvite(invite_key=key):
            return any(
                act.invite_key == key and oracle.is_at_most(there, act.rank - 1)
                for _, act in oracle.acts(OpenInvite)
            )
        case Remove(root=root):
            return any(takes_from(oracle, op_id, claim) for claim in claims_of(oracle, root))
        case Vote(root=root):
            return any(
                oracle.quorum(claim.rank) > 0
                and op_id not in oracle.before[claim.giving]
                and oracle.voter(op_id, claim.rank) not in (None, root)
                for claim in claims_of(oracle, root)
            )
        case RemoveDevice() | ProveFork():
            return any(
                takes_device(oracle, op_id, claim, device, oracle.end(b""))
                for device in oracle.dag.devices()
                for root in oracle.roots()
                if oracle.depth(device, root)
                for claim in claims_of(oracle, root)
            )
    return False


def claims_of(oracle: Oracle, root: bytes) -> list[Claim]:
    """Return every claim of a root, with effect or not."""
    return list(oracle.claims(oracle.end(b""), root))


def takes_from(oracle: Oracle, op_id: bytes, claim: Claim) -> bool:
    """Tell whether a REVOKE has authority over a claim it did not know."""
    if op_id in oracle.before[claim.giving]:
        return False
    if oracle.is_of(op_id, claim.root):
        return oracle.is_leave(op_id, claim)
    return oracle.is_strong(op_id, claim, oracle.end(b""))


def takes_device(oracle: Oracle, op_id: bytes, claim: Claim, device: bytes, asked: Place) -> bool:
    """Tell whether an operation removes a device, and has the authority to."""
    return oracle.names_device(op_id, claim.root, device) and (
        oracle.is_own_removal(op_id, claim, device)
        or (oracle.is_foreign(op_id, claim) and oracle.is_strong(op_id, claim, asked))
    )


def is_visible(oracle: Oracle, content: Content) -> bool:
    """Tell whether a content operation counts (R7): by its own past, and by all that is held."""
    past = oracle.before[content.op_id]
    alone = oracle.alone(past)
    end = alone.end(content.device)
    weakest = dict(alone.policy(past).write).get(content.kind, MEMBER)
    place = Place(content.device, past, content.op_id)
    return any(
        alone.is_giving(claim.giving)
        and any(alone.stands(claim, c, end, weakest) for c in alone.chains(end, root))
        and (
            is_kept_by_stronger(oracle, claim, place)
            or any(
                still_counts(oracle, claim, chain, place, weakest)
                and not is_doubtful(oracle, claim, place)
                for chain in oracle.chains(place, root)
            )
        )
        for root in oracle.roots()
        for claim in alone.claims(end, root)
    )


def is_kept_by_stronger(oracle: Oracle, claim: Claim, place: Place) -> bool:
    """Tell whether somebody stronger than the claim kept what was written under it."""
    keepers = oracle.keepers(claim.root, place.op_id)
    return any(oracle.is_strong(keeper, claim, place) for keeper in keepers)


def still_counts(oracle: Oracle, claim: Claim, chain: Chain, place: Place, rank: int) -> bool:
    """Tell whether a claim outlives whatever its writer did not know of."""
    unknown = oracle.everything - place.before
    return oracle.is_giving(claim.giving) and oracle.stands(
        claim, chain, place, rank, counted=unknown, are_leaves_counted=False
    )


def is_doubtful(oracle: Oracle, claim: Claim, place: Place) -> bool:
    """Tell whether proofs of a fork without authority hide an operation for the time being."""
    if any(takes_device(oracle, i, claim, place.device, place) for i in oracle.events):
        return False
    proofs = [act for _, act in proofs_of(oracle, place.device)]
    return bool(proofs) and not any(oracle.is_kept(place.op_id, act.keeps) for act in proofs)


def proofs_of(oracle: Oracle, device: bytes) -> list[tuple[bytes, ProveFork]]:
    """Return the FORKs of a device by members, where both operations are held."""
    return [
        (op_id, act)
        for op_id, act in oracle.acts(ProveFork)
        if act.first.device == device
        and oracle.is_proven(act)
        and oracle.is_at_most(oracle.place(op_id), MEMBER)
    ]


def roots_ever(oracle: Oracle, device: bytes) -> list[bytes]:
    """Return the roots of a device that had a rank in the eyes of whoever gave it."""
    return [
        root
        for root in oracle.roots()
        if oracle.chains(oracle.end(device), root)
        and any(
            oracle.alone(oracle.before[claim.giving] | {claim.giving}).is_giving(claim.giving)
            for claim in claims_of(oracle, root)
        )
    ]


def is_gone(oracle: Oracle, device: bytes) -> bool:
    """Tell whether others put a device out, or somebody proved that it forked."""
    roots = roots_ever(oracle, device)
    end = oracle.end(device)
    is_there = any(
        oracle.is_giving(claim.giving)
        and any(
            oracle.stands(claim, chain, end, GUEST, are_leaves_counted=False)
            for chain in oracle.chains(end, root)
        )
        for root in roots
        for claim in claims_of(oracle, root)
    )
    return (bool(roots) and not is_there) or bool(proofs_of(oracle, device))


def removals_of(oracle: Oracle, device: bytes) -> list[bytes]:
    """Return what put a device or its member out, as far as it has effect."""
    roots = roots_ever(oracle, device)
    return [
        op_id
        for op_id, event in oracle.events.items()
        if (
            (isinstance(event.act, Remove) and event.act.rank == OUT and event.act.root in roots)
            or (isinstance(event.act, Vote) and event.act.root in roots)
            or any(oracle.names_device(op_id, root, device) for root in roots)
        )
        and is_effective(oracle, op_id)
    ]


def is_uncovered(oracle: Oracle, op_id: bytes) -> bool:
    """Tell whether an EPOCH that knows all up to an operation leaves somebody removed a key."""
    view = oracle.before[op_id] | {op_id}
    return any(not is_covered(oracle, device, view) for device in oracle.dag.devices())


def is_covered(oracle: Oracle, device: bytes, view: frozenset[bytes]) -> bool:
    """Tell whether a device is not out, or is out for good in the eyes of a view."""
    roots = roots_ever(oracle, device)
    if not roots or oracle.standing(oracle.end(device)) is not None:
        return True
    alone = oracle.alone(view)
    givings = [giving for root in roots for giving in givings_of(oracle, root)]
    is_known_out = not view.isdisjoint(removals_of(oracle, device)) or any(
        alone.depth(device, root) and not view.isdisjoint(givings_of(oracle, root))
        for root in roots
    )
    return (
        is_known_out
        and alone.standing(alone.end(device)) is None
        and all(giving in view for giving in givings if oracle.is_giving(giving))
    )


def givings_of(oracle: Oracle, root: bytes) -> list[bytes]:
    return [claim.giving for claim in claims_of(oracle, root)]
