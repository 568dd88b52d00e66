"""How our own device writes: place, parents, time, and when to sign (spec: operation, "Writing").

Our operations climb the same ladder as everybody's. A signature costs a third of an append, and the
newest one vouches for all before it, so the head is signed when it leaves the node or when the node
is idle, and besides only where `vouching` demands it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from p2pvalue_protocol import limits
from p2pvalue_protocol.auth_payloads import AUTH_KINDS, AUTH_SEEN
from p2pvalue_protocol.encoding import PayloadInvalid
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted
from p2pvalue_protocol.ids import AUTH, CONTENT, ZERO32, Reference, op_id_of, payload_hash_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds import SEEN, kind_of
from p2pvalue_protocol.operation import (
    GENESIS,
    KIND_AUTH_MAX,
    SIGNED,
    VERSION,
    Core,
    Operation,
    encode_core,
)

_TIMES_LEFT_MIN = 1_000_000
"""Milliseconds that must be left to be counted on with, one for each operation of a write."""

if TYPE_CHECKING:
    from p2pvalue_protocol.branches import Branch
    from p2pvalue_protocol.keys import SigningKey
    from p2pvalue_protocol.replica import Replica


def write(replica: Replica, drafts: tuple[Draft, ...], now_ms: int) -> list[Reference]:
    """Append drafts, all of one class, to our log; raises before anything has changed."""
    signer = replica.signer
    if signer is None:
        raise NotAdmitted("this node only reads here: join the community with an invite first")
    classes = {AUTH if draft.kind <= KIND_AUTH_MAX else CONTENT for draft in drafts}
    if len(classes) != 1:
        raise LocalProtocolError("one write takes drafts of one class, and at least one")
    log_class = classes.pop()
    for draft in drafts:
        _check(replica, signer, draft)
    branches = replica.branches.of(signer.public, log_class)
    if any(branch.is_waiting for branch in branches) or len(branches) > 1:
        raise LocalProtocolError(
            "this device's own log is incomplete or forked (was the data folder copied?): give "
            "this folder a new device with `p2pvalue device link` or `p2pvalue community recover`"
        )
    _check_time(replica, signer, branches, now_ms)
    is_auth = log_class == AUTH
    named = _gather(replica, signer, is_auth, now_ms)
    references: list[Reference] = []
    for draft in drafts:
        references.append(_append(replica, signer, draft, named, now_ms))
        named = []
    return references


def orders_of(replica: Replica, references: Sequence[Reference]) -> list[Order]:
    """Return where operations of one log, just written, stand in the folding order."""
    place = replica.branches.find(references[-1])
    assert place is not None, "what we wrote is held"
    orders: list[Order] = []
    for reference in references:
        time, _ = replica.branches.time_and_frontier(place.branch, reference.seq)
        orders.append(Order(time, reference.device, reference.seq, reference.op_id))
    return orders


def _check(replica: Replica, signer: SigningKey, draft: Draft) -> None:
    if len(draft.payload) > limits.PAYLOAD_BYTES_MAX:
        raise LocalProtocolError(
            f"this is {len(draft.payload):,} bytes long; {limits.PAYLOAD_BYTES_MAX:,} fit in one "
            "operation: split it"
        )
    is_auth = draft.kind <= KIND_AUTH_MAX
    if draft.kind > 255 or (is_auth and draft.kind not in AUTH_KINDS - {GENESIS}):
        raise LocalProtocolError(f"this version writes no operation of kind {draft.kind}")
    if draft.subject and (is_auth or len(draft.subject) != 16):
        raise LocalProtocolError("a subject has 16 bytes, and auth operations have none")
    if is_auth:
        return
    if replica.membership.judge(signer.public, draft.kind, replica.graph.head_frontier()) is None:
        raise NotAdmitted(
            "your rank in this community may not write this; ask an admin for a higher rank"
            if replica.membership.standing(signer.public)
            else "this device is not admitted here yet: wait for the join to finish"
        )
    kind = kind_of(draft.kind)
    if kind is None:
        return
    try:
        kind.decode(draft.payload)
    except PayloadInvalid:
        raise LocalProtocolError(f"this is no valid {kind.name}: nothing was written") from None


def _check_time(replica: Replica, signer: SigningKey, branches: list[Branch], now_ms: int) -> None:
    times = [time for _, time in _near_tips(replica, signer, now_ms)]
    times += [branch.folded_time for branch in branches]
    if max([now_ms, *times]) > limits.TIME_MS_MAX - _TIMES_LEFT_MIN:
        raise LocalProtocolError("the clock is at the end of time: set this device's date")


def _own(replica: Replica, signer: SigningKey, log_class: int) -> Branch | None:
    branches = replica.branches.of(signer.public, log_class)
    return branches[0] if branches else None


def _gather(
    replica: Replica, signer: SigningKey, is_auth: bool, now_ms: int
) -> list[tuple[Reference, int]]:
    """Return the frontier to name, at most ten wide; SEEN operations gather a wider one."""
    if is_auth:
        heads = [(replica.auth_references[h], 0) for h in replica.graph.heads()]
    else:
        heads = _near_tips(replica, signer, now_ms)
    own = _own(replica, signer, AUTH if is_auth else CONTENT)
    own_head = own.head_id if own is not None else b""
    named = sorted(
        (h for h in heads if h[0].op_id != own_head),
        key=lambda h: (h[0].device, h[0].log_class, h[0].op_id),
    )
    seen = Draft(AUTH_SEEN if is_auth else SEEN, b"", b"")
    while len(named) > limits.PARENTS_MAX:
        _append(replica, signer, seen, named[: limits.PARENTS_MAX], now_ms)
        named = named[limits.PARENTS_MAX :]
    return named


def _near_tips(replica: Replica, signer: SigningKey, now_ms: int) -> list[tuple[Reference, int]]:
    """Return the tips to name, with the times that bind us: none far ahead of our clock.

    Our time must be later than that of what we name. Who names content from far ahead would be held
    back by everybody whose clock is right, and never write anything timely again.
    """
    own = _own(replica, signer, CONTENT)
    latest_ms = max(now_ms, own.folded_time if own is not None else 0) + limits.NAMED_AHEAD_MS_MAX
    # The times of auth operations bind nobody: one far ahead would carry all logs with it.
    near = {
        tip.op_id: (tip, time if tip.log_class == CONTENT else 0)
        for tip, time, _ in replica.tips.values()
        if tip.log_class == AUTH or time <= latest_ms
    }
    if len(near) < len(replica.tips):
        # What is left out may be alone in naming an admission that our operation needs in its past.
        near |= {h: (replica.auth_references[h], 0) for h in replica.graph.heads()}
    return list(near.values())


def _append(
    replica: Replica,
    signer: SigningKey,
    draft: Draft,
    named: list[tuple[Reference, int]],
    now_ms: int,
) -> Reference:
    log_class = AUTH if draft.kind <= KIND_AUTH_MAX else CONTENT
    branch = _own(replica, signer, log_class)
    seq = branch.head_seq + 1 if branch is not None else 0
    time = max(now_ms, branch.folded_time + 1 if branch is not None else 1)
    for _, parent_time in named:
        time = max(time, parent_time + 1)
    core = Core(
        VERSION,
        replica.community,
        signer.public,
        seq,
        branch.head_id if branch is not None else ZERO32,
        draft.kind,
        draft.subject,
        tuple(reference for reference, _ in named),
        time,
        b"",
        len(draft.payload),
        payload_hash_of(draft.payload),
    )
    core_bytes = encode_core(core)
    op_id = op_id_of(core_bytes)
    if branch is None:
        branch = replica.open_branch(signer.public, log_class, 0, ZERO32, op_id)
    own_bytes = len(core_bytes) + len(draft.payload)
    if branch.unsigned_bytes and branch.unsigned_bytes + own_bytes > limits.UNSIGNED_BYTES_MAX:
        _sign_head(replica, signer, branch)
    unsigned_bytes = branch.unsigned_bytes + own_bytes
    # A part of an auth log may be all that somebody is shown: each of its operations ends a run.
    must_sign = (
        log_class == AUTH
        or seq % limits.SIGNATURE_EVERY == limits.SIGNATURE_EVERY - 1
        or unsigned_bytes > limits.SIGN_AFTER_BYTES
    )
    signature = signer.sign(SIGNED + core_bytes) if must_sign else b""
    replica.append(branch, Operation(op_id, core, core_bytes, signature, draft.payload))
    assert branch.folded_seq == seq, "what we write follows what we have folded"
    return Reference(signer.public, log_class, seq, op_id)


def seal(replica: Replica) -> None:
    """Sign the heads of our logs that are not signed yet; at most two signatures."""
    signer = replica.signer
    if signer is None:
        return
    for log_class in (AUTH, CONTENT):
        for branch in replica.branches.of(signer.public, log_class):
            if branch.signed_seq != branch.head_seq:
                _sign_head(replica, signer, branch)


def _sign_head(replica: Replica, signer: SigningKey, branch: Branch) -> None:
    row = replica.branches.row(branch, branch.head_seq)
    assert row is not None
    signature = signer.sign(SIGNED + row.core)
    replica.branches.put(row._replace(signature=signature))
    replica.batch.signatures.append((signature, row.log, row.seq))
    branch.signed_seq = row.seq
    branch.unsigned_bytes = 0
