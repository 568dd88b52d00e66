"""What to write when somebody is to go, to step down or to come back (spec: membership, "Keeps").

A removal is judged by what its author knew and kept: so every draft names the heads of the logs
that are held here, and what was written until then goes on counting. Each draft is checked first:
one that would have no effect is a caller's mistake.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import limits
from p2pvalue_protocol.acts import OUT
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted, NotFound
from p2pvalue_protocol.ids import AUTH, CONTENT, Reference
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.keys import SigningKey
from p2pvalue_protocol.operation import decode_core
from p2pvalue_protocol.replica import Replica

_STRONGER = "only who is stronger may do this: ask an admin or a founder"


class Keeps(NamedTuple):
    """Heads to keep, ascending, and those without room: what only they hold will not count."""

    references: tuple[Reference, ...]
    left_out: tuple[Reference, ...]


def keeps_for(replica: Replica, *, root: bytes = b"", device: bytes = b"") -> Keeps:
    """Return the heads held of the logs of a device, or of all devices that a member ever had.

    Of a device that is gone, what others kept of it: nothing that came later comes back by this. At
    most 800; then each log keeps its newest head first. Costs a look at each of its branches.
    """
    devices = [device] if device else replica.membership.devices_of(root)
    newest: list[Reference] = []
    others: list[Reference] = []
    for each in devices:
        if replica.membership.is_gone(each):
            newest += replica.membership.keeps_of(each)
            continue
        for log_class in (AUTH, CONTENT):
            heads = _heads(replica, each, log_class)
            newest += heads[:1]
            others += heads[1:]
    found = list(dict.fromkeys(newest + others))
    return Keeps(tuple(sorted(found[: limits.KEEPS_MAX])), tuple(sorted(found[limits.KEEPS_MAX :])))


def _heads(replica: Replica, device: bytes, log_class: int) -> list[Reference]:
    """Return how far the logs of a device are held; not what waits there for what is not held.

    Nobody here has seen that, and it may wait for places in her own log that are still to come.
    """
    heads = [
        Reference(device, log_class, branch.folded_seq, branch.folded_id)
        if branch.waits_for
        else Reference(device, log_class, branch.head_seq, branch.head_id)
        for branch in replica.branches.of(device, log_class)
        if (branch.folded_seq if branch.waits_for else branch.head_seq) >= branch.row.first_seq
    ]
    return sorted(heads, key=lambda head: (-head.seq, head.op_id))


def removal_draft(replica: Replica, root: bytes, rank: int = OUT) -> Draft:
    """Return the REVOKE that puts a member out, or down to rank 2 or 3; raises if it may not be.

    What is held of her keeps counting. For oneself see `leave_draft`.
    """
    own = _own_device(replica)
    if replica.membership.member_of(own) == root:
        raise LocalProtocolError("nobody removes herself: leave the community instead")
    _check_member(replica, root)
    if rank == OUT and not replica.membership.may_remove(own, root):
        raise NotAdmitted(f"your rank may not put this member out; {_STRONGER}")
    if rank != OUT and not replica.membership.may_demote(own, root, rank):
        raise NotAdmitted(
            f"your rank may not make this member weaker, or she is that weak already; {_STRONGER}"
        )
    keeps = keeps_for(replica, root=root).references
    return Draft(auth.REVOKE, b"", auth.revoke_payload(root, rank, keeps))


def leave_draft(replica: Replica) -> Draft:
    """Return the REVOKE by which we leave; it acts on what comes later and takes nothing back."""
    root = replica.membership.member_of(_own_device(replica))
    if root is None:
        raise NotAdmitted("this device is no member's any more: there is nothing to leave")
    return Draft(auth.REVOKE, b"", auth.revoke_payload(root))


def vote_draft(replica: Replica, root: bytes) -> Draft:
    """Return the VOTE to remove an equal, a founder or an admin; raises if it would not count."""
    own = _own_device(replica)
    _check_member(replica, root)
    if not replica.membership.may_vote(own, root):
        raise NotAdmitted("only founders vote on a founder and admins on an admin, none on herself")
    keeps = keeps_for(replica, root=root).references
    return Draft(auth.VOTE, b"", auth.vote_payload(root, keeps))


def return_draft(replica: Replica, root: bytes, rank: int) -> Draft:
    """Return the GRANT that gives a rank and lifts removals from what is held of a member's logs.

    Without its keeps it would only count for what she writes from then on. Of a device that was
    taken from her it keeps no more than was kept: a thief may have it.
    """
    own = _own_device(replica)
    if not replica.membership.may_grant(own, root, rank):
        raise NotAdmitted(f"your rank may not give that rank; {_STRONGER}")
    heads: list[Reference] = []
    for device in replica.membership.devices_of(root):
        if _is_removed_itself(replica, device):
            heads += replica.membership.keeps_of(device)
        else:
            for log_class in (AUTH, CONTENT):
                heads += _heads(replica, device, log_class)[:1]
    keeps = tuple(sorted(set(heads))[: limits.KEEPS_MAX])
    return Draft(auth.GRANT, b"", auth.grant_payload(root, rank, keeps))


def withdrawal_draft(replica: Replica, invite_key: bytes) -> Draft:
    """Return the REVOKE that ends an invite; who came in by it stays. Raises if we may not."""
    standing = replica.membership.standing(_own_device(replica))
    invites = [i for i in replica.membership.invites() if i.invite_key == invite_key]
    if not invites:
        raise NotFound("no invite with this key is known here: list the invites")
    if all(invite.is_withdrawn for invite in invites):
        raise LocalProtocolError("this invite was taken back already: nothing to do")
    if standing is None or all(standing.rank >= invite.rank for invite in invites):
        raise NotAdmitted(f"an invite is taken back by a stronger rank than it gives; {_STRONGER}")
    return Draft(auth.REVOKE, b"", auth.withdraw_payload(invite_key))


def device_removal_draft(replica: Replica, root: bytes, device: bytes) -> Draft:
    """Return the DEV_REVOKE of a lost device by one nearer the root, or by a stronger member."""
    _check_device(replica, root, device)
    if not replica.membership.may_remove_device(_own_device(replica), root, device):
        raise NotAdmitted(
            "a device is removed by one that its member had before, or by a stronger member: use "
            "such a device, or the 24 words"
        )
    keeps = keeps_for(replica, device=device).references
    return Draft(auth.DEV_REVOKE, b"", auth.dev_revoke_payload(root, device, keeps=keeps))


def device_removal_by_words(replica: Replica, root_key: SigningKey, device: bytes) -> Draft:
    """Return the DEV_REVOKE that a root key signs: it takes any device of hers, also the oldest.

    The draft must be the next thing written here: it says what its author knows.
    """
    root = root_key.public
    _own_device(replica)
    _check_device(replica, root, device)
    genesis = replica.membership.genesis
    assert genesis is not None, "who has a device has GENESIS"
    graph = replica.graph
    known_most = sorted(graph.heads(), key=lambda head: -graph.past_of(head).bit_count())
    seen = tuple(sorted(known_most[: limits.SEEN_MAX]))
    keeps = keeps_for(replica, device=device).references
    message = auth.revocation_message(genesis.nonce, root, device, seen, keeps)
    payload = auth.dev_revoke_payload(root, device, root_key.sign(message), seen, keeps)
    return Draft(auth.DEV_REVOKE, b"", payload)


def fork_draft(first: Reference, second: Reference, keeps: Iterable[Reference]) -> Draft:
    """Return the FORK that proves two operations for one place of a log, keeping these heads."""
    return Draft(auth.FORK, b"", auth.fork_payload(first, second, tuple(sorted(keeps))))


def _is_removed_itself(replica: Replica, device: bytes) -> bool:
    """Return whether a removal names the device, and not only its member."""
    for op_id in replica.membership.removals_of_device(device):
        reference = replica.auth_references[op_id]
        place = replica.branches.find(reference)
        row = None if place is None else replica.branches.row(place.branch, reference.seq)
        if row is not None and decode_core(row.core).kind in (auth.DEV_REVOKE, auth.FORK):
            return True
    return False


def _own_device(replica: Replica) -> bytes:
    if replica.device is None:
        raise NotAdmitted(
            "this node only reads here: join with an invite, or come back with your words"
        )
    return replica.device


def _check_member(replica: Replica, root: bytes) -> None:
    """Raise NotFound unless somebody is a member, or was one and left by herself."""
    membership = replica.membership
    left = [former.root for former in membership.former_members() if former.is_leave]
    if root not in left and not any(member.root == root for member in membership.members()):
        raise NotFound("there is no such member now: list the members")


def _check_device(replica: Replica, root: bytes, device: bytes) -> None:
    if device not in replica.membership.devices_of(root):
        raise NotFound("this member has no such device: list the devices")
    if not replica.membership.is_live(device):
        raise LocalProtocolError("this device is removed already: nothing to do")
