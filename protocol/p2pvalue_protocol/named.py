"""What is taken of logs that nobody lists any more: what something held names (spec: sync).

The logs of a device that was removed, or proven to have forked, are not among the heads: or its
owner could make everybody store what she writes on. Some of it still counts, and that is asked for
by name: heads that somebody kept, what operations held rest on, and the two operations that a FORK
calls as witnesses.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.branches import Branches
from p2pvalue_protocol.causal import AuthGraph
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.ids import AUTH, CONTENT, Reference
from p2pvalue_protocol.keys import verify
from p2pvalue_protocol.log import Run
from p2pvalue_protocol.membership import Membership
from p2pvalue_protocol.operation import Operation
from p2pvalue_protocol.sought import Sought


def is_cut_off(membership: Membership, device: bytes, log_class: int) -> bool:
    """Return whether a log is neither listed nor taken further, but for what is named.

    What a weaker member's FORK says of a device hides content; no authority follows from it, and so
    the auth log goes on. A member who left is not cut off.
    """
    if not membership.is_gone(device):
        return False
    return log_class == CONTENT or not membership.is_live(device)


def is_listed(membership: Membership, device: bytes, log_class: int) -> bool:
    """Return whether the heads of a log are told: a device's that was admitted, unless cut off.

    A stranger's log is here because something names it, perhaps nothing that others have; who needs
    it asks for it by name.
    """
    return membership.was_ever_admitted(device) and not is_cut_off(membership, device, log_class)


def is_to_be_named(membership: Membership, branches: Branches, reference: Reference) -> bool:
    """Return whether a writer names this tip: not where all would have to fetch what is cut off.

    What somebody kept of such a log they fetch anyway.
    """
    if not is_cut_off(membership, reference.device, reference.log_class):
        return True
    keeps = membership.keeps_of(reference.device)
    return any(branches.is_in_chain(reference, keep) for keep in keeps)


def heads_to_name(
    membership: Membership, branches: Branches, graph: AuthGraph, held: Mapping[bytes, Reference]
) -> list[Reference]:
    """Return the auth heads that a writer names; `held` finds each auth operation by its id."""
    heads = (held[op_id] for op_id in graph.heads())
    return [head for head in heads if is_to_be_named(membership, branches, head)]


def admissions_unheard_of(
    membership: Membership,
    branches: Branches,
    graph: AuthGraph,
    held: Mapping[bytes, Reference],
    writer: bytes,
) -> list[Reference]:
    """Return what makes a member, or her live device, or takes one, and only cut off logs lead to.

    Whoever was let in by another's invite is in, though who answered the door was put out. Nobody
    lists that log any more, so who holds it names this: else others would never hear of her, and
    what she writes would not know that she is in. That she names it herself helps nobody who does
    not list her log either; but `writer` need not name it twice. Of what takes one device by its
    author's standing the first is named, so that who is out cannot have more and more stored. Costs
    a look at each head, and at each operation so hidden.
    """
    named = heads_to_name(membership, branches, graph, held)
    named = _heard_of(membership, graph, held, named, {writer: True})
    heads = graph.heads()
    if len(named) == len(heads):
        return []
    left = 0
    for op_id in heads:
        left |= graph.past_of(op_id)
    for head in named:
        left &= ~graph.past_of(head.op_id)
    found: list[Reference] = []
    taking: dict[bytes, Reference] = {}  # by the device that is taken
    while left:
        index = left.bit_length() - 1
        left ^= 1 << index
        reference = held[graph.op_id(index)]
        is_certificate = reference.seq == 0 and membership.is_live(reference.device)
        if is_certificate or membership.decides_members(reference.op_id):
            found.append(reference)
            left &= ~graph.past_at(index)
        elif (taken := membership.takes_device(reference.op_id)) is not None:
            taking[taken] = reference
    return [*found, *taking.values()]


def _heard_of(
    membership: Membership,
    graph: AuthGraph,
    held: Mapping[bytes, Reference],
    heads: list[Reference],
    known: dict[bytes, bool],
) -> list[Reference]:
    """Return those heads that others come to hold: of whom they know by what they hold so."""
    found = [head for head in heads if _is_known(membership, graph, held, head.device, known)]
    rest = [head for head in heads if not known[head.device]]
    new = found
    while rest and new:
        heard = 0
        for head in found:
            heard |= graph.past_of(head.op_id)
        new = [
            head
            for head in rest
            if any(heard >> graph.index(a) & 1 for a in membership.admissions_of(head.device))
        ]
        found += new
        rest = [head for head in rest if head not in new]
    return found


def _is_known(
    membership: Membership,
    graph: AuthGraph,
    held: Mapping[bytes, Reference],
    device: bytes,
    known: dict[bytes, bool],
) -> bool:
    """Return whether a device is in by GENESIS, or by a listed log of one that is known so.

    Also of who is in no more: whether that is listed is asked elsewhere. `known` keeps answers.
    """
    if device not in known:
        known[device] = False  # who is known only by whom she let in is not
        admissions = membership.admissions_of(device)
        givers = [held[op_id].device for op_id in admissions]
        known[device] = (
            not admissions
            or any(graph.past_of(op_id).bit_count() == 1 for op_id in admissions)
            or any(
                not is_cut_off(membership, giver, AUTH)
                and _is_known(membership, graph, held, giver, known)
                for giver in givers
            )
        )
    return known[device]


def is_by_words(membership: Membership, op: Operation) -> bool:
    """Return whether an operation takes a live device away by its root's own signature."""
    if op.core.kind != auth.DEV_REVOKE or membership.genesis is None:
        return False
    payload = auth.read_payload(auth.DevRevokePayload, op.payload)
    if payload is None or membership.member_of(payload.device) != payload.root:
        return False
    message = auth.revocation_message(
        membership.genesis.nonce,
        payload.root,
        payload.device,
        payload.seen,
        auth.references_of(payload.keeps),
    )
    return verify(payload.root, message, payload.certificate)


def is_certified(membership: Membership, run: Run) -> bool:
    """Return whether a run begins the log of a device that its member's root, or device, certified.

    Such a device is live, and listed by whoever holds that run: what named it there may be cut off
    here. Costs a signature check for a run that begins a log.
    """
    is_first = (run.log_class, run.first_seq, run.items[0].kind) == (AUTH, 0, auth.DEV_ADD)
    genesis = membership.genesis
    if not is_first or genesis is None:
        return False
    added = auth.read_payload(auth.DevAddPayload, run.items[0].payload)
    if added is None or not membership.is_member(added.root):
        return False
    if added.certifier and membership.member_of(added.certifier) != added.root:
        return False
    message = auth.certificate_message(genesis.nonce, added.root, run.device, added.prekey)
    return verify(added.certifier or added.root, message, added.certificate)


def still_taken(
    membership: Membership, missing: Collection[Reference], operations: list[Operation]
) -> list[Operation]:
    """Return what is taken of consecutive operations of a log that is cut off.

    That is what is `missing` of that log, since something held names it, and what leads to it; and
    what a root key signed: a person may have only this device left to take another away by her
    words. On to a signature, or it could not be checked. Raises Refused(unknown-author) if nothing.
    """
    if any(reference.seq > operations[-1].core.seq for reference in missing):
        return operations
    op_ids = {reference.op_id for reference in missing}
    last = -1
    for number, op in enumerate(operations):
        if op.op_id in op_ids or is_by_words(membership, op):
            last = number
    for number in range(last, len(operations)) if last >= 0 else ():
        if operations[number].signature:
            return operations[: number + 1]
    raise Refused(Reason.UNKNOWN_AUTHOR)


class Named:
    """The operations that are named and not held, of one community."""

    def __init__(self, membership: Membership, branches: Branches) -> None:
        self._membership = membership
        self._branches = branches
        self.sought = Sought()
        self._roots: set[bytes] = set()  # whom some removal names, effective or not
        self._devices: set[bytes] = set()
        self._witnesses: dict[bytes, dict[bytes, Reference]] = {}  # by device and op id
        self._listed: dict[tuple[bytes, int], bool] = {}

    def is_listed(self, device: bytes, log_class: int) -> bool:
        """Return whether the heads of a log are told; 0.2 µs until authority changes."""
        log = (device, log_class)
        listed = self._listed.get(log)
        if listed is None:
            listed = self._listed[log] = is_listed(self._membership, device, log_class)
        return listed

    def note(self, op: Operation) -> None:
        """Take note of what an auth operation names; bring the witnesses that are held."""
        self._listed.clear()
        match op.core.kind:
            case auth.REVOKE:
                revoke = auth.read_payload(auth.RevokePayload, op.payload)
                self._roots.update([revoke.key] if revoke is not None else ())
            case auth.VOTE:
                vote = auth.read_payload(auth.VotePayload, op.payload)
                self._roots.update([vote.root] if vote is not None else ())
            case auth.DEV_REVOKE:
                removed = auth.read_payload(auth.DevRevokePayload, op.payload)
                self._devices.update([removed.device] if removed is not None else ())
            case auth.FORK:
                fork = auth.read_payload(auth.ForkPayload, op.payload)
                for reference in auth.references_of(fork.operations) if fork is not None else ():
                    self._devices.add(reference.device)
                    self._call(reference)
            case _:
                pass

    def _call(self, reference: Reference) -> None:
        if not self._membership.awaits(reference.op_id):
            return
        if self._branches.find(reference) is not None:
            self._membership.evidence(reference)
        else:
            self._witnesses.setdefault(reference.device, {})[reference.op_id] = reference

    def arrived(self, op: Operation) -> bool:
        """Take note that an operation is held; return whether it was waited for as a witness."""
        if not self._membership.awaits(op.op_id):
            return False
        self._listed.clear()
        self._membership.evidence(op.reference)
        self._witnesses.get(op.core.device, {}).pop(op.op_id, None)
        return True

    def missing(self) -> list[Reference]:
        """Return what removals, FORKs and documents name and is not held, ascending.

        Costs a look at each device that one names, effective or not.
        """
        devices = set(self._devices)
        for root in self._roots:
            devices.update(self._membership.devices_of(root))
        devices.update(place.device for place in self.sought.places())
        return sorted(r for device in devices for r in self.missing_of(device))

    def is_kept(self, device: bytes, log_class: int, seq: int) -> bool:
        """Return whether a counting keep, or what is sought, reaches as far as a place in a log."""
        if self.sought.reaches(device, log_class, seq):
            return True
        return self._membership.is_gone(device) and any(
            kept.log_class == log_class and kept.seq >= seq
            for kept in self._membership.keeps_of(device)
        )

    def missing_of(self, device: bytes) -> list[Reference]:
        """Return what removals, FORKs and documents name of one device's logs, and is not held."""
        found = set(self._witnesses.get(device, {}).values())
        found.update(place for place in self.sought.places() if place.device == device)
        if self._membership.is_gone(device):
            found.update(self._membership.keeps_of(device))
        return sorted(r for r in found if self._branches.find(r) is None)
