"""How our own device writes: place, parents, time, and when to sign (spec: operation, "Writing").

Our operations climb the same ladder as everybody's. A signature costs a third of an append, and the
newest one vouches for all before it, so the head is signed when it leaves the node or when the node
is idle, and besides only where `vouching` demands it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec.structs import replace

from p2pvalue_protocol import limits
from p2pvalue_protocol.auth_payloads import AUTH_KINDS, AUTH_SEEN, DEV_ADD
from p2pvalue_protocol.encoding import PayloadInvalid
from p2pvalue_protocol.epochs import EVERYBODY, EpochKey
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted
from p2pvalue_protocol.ids import (
    AUTH,
    CONTENT,
    ZERO32,
    Reference,
    op_id_of,
    payload_hash_of,
    subject_of,
)
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kind import NO_SUBJECT, Order
from p2pvalue_protocol.kinds import SEEN, kind_of
from p2pvalue_protocol.kinds.epoch import AUDIENCE_MAX
from p2pvalue_protocol.named import admissions_unheard_of, heads_to_name, is_to_be_named
from p2pvalue_protocol.operation import (
    CLEAR_KINDS,
    GENESIS,
    KIND_AUTH_MAX,
    SIGNED,
    VERSION,
    Core,
    Operation,
    encode_core,
)
from p2pvalue_protocol.rotation import epoch_drafts, may_make_epochs
from p2pvalue_protocol.sealing import PLAINTEXT_BYTES_MAX, SALT_BYTES, seal_payload

_TIMES_LEFT_MIN = 1_000_000
"""Milliseconds that must be left to be counted on with, one for each operation of a write."""

if TYPE_CHECKING:
    from p2pvalue_protocol.branches import Branch
    from p2pvalue_protocol.keys import SigningKey
    from p2pvalue_protocol.membership import Membership
    from p2pvalue_protocol.replica import Replica


def write(replica: Replica, drafts: tuple[Draft, ...], now_ms: int) -> list[Reference]:
    """Append drafts, all of one class, to our log; raises before anything has changed."""
    signer = replica.signer
    if signer is None:
        raise NotAdmitted(
            "this node only reads here: join with an invite, or come back with your words"
        )
    if replica.has_work and any(
        branch.is_waiting
        for log_class in (AUTH, CONTENT)
        for branch in replica.branches.of(signer.public, log_class)
    ):
        raise LocalProtocolError(
            "what this node holds is still being read anew: try again in a moment"
        )
    if replica.membership.is_gone(signer.public):
        raise NotAdmitted(
            "this device was removed from the community, or its data folder was run twice: what "
            "it holds can still be read, and `p2pvalue doctor` says how to write again"
        )
    classes = {AUTH if draft.kind <= KIND_AUTH_MAX else CONTENT for draft in drafts}
    if len(classes) != 1:
        raise LocalProtocolError("one write takes drafts of one class, and at least one")
    log_class = classes.pop()
    for draft in drafts:
        _check(replica, signer, draft.about(NO_SUBJECT))
    keys = {} if log_class == AUTH else _keys_for(replica, signer, drafts, now_ms)
    near = _near_tips(replica, signer, now_ms)
    _check_log(replica.branches.of(signer.public, log_class), near, now_ms)
    # Who lets a device in need not hold what it does, so the operation that says so names nothing.
    is_first = drafts[0].kind == DEV_ADD
    heads = _auth_heads(replica) if log_class == AUTH else near
    named = [] if is_first else _gather(replica, signer, heads, log_class, now_ms)
    for audience in sorted(audience for audience, key in keys.items() if key is None):
        _write_epoch(replica, signer, audience, named, now_ms)
        named = []
        keys[audience] = replica.epochs.current(_latest_ms(replica, signer, now_ms), audience)
        assert keys[audience] is not None, "an epoch made after all that is held can be used"
    references: list[Reference] = []
    made = NO_SUBJECT
    for draft in drafts:
        key = keys.get(draft.audience) if draft.kind not in CLEAR_KINDS else None
        references.append(_append(replica, signer, draft.about(made), named, now_ms, key))
        if draft.payload_of is None:
            made = subject_of(references[-1].op_id)
        named = []
    if log_class == AUTH and replica.epochs.has_any and not replica.epochs.usable():
        with suppress(LocalProtocolError):  # our content log is forked: somebody else will
            renew(replica, now_ms)
    return references


def renew(replica: Replica, now_ms: int) -> None:
    """Write an epoch for everybody after all that is held, if our device may.

    Raises LocalProtocolError if our log is forked.
    """
    signer = replica.signer
    if signer is None or not may_make_epochs(replica):
        return
    near = _near_tips(replica, signer, now_ms)
    _check_log(replica.branches.of(signer.public, CONTENT), near, now_ms)
    named = _gather(replica, signer, near, CONTENT, now_ms)
    _write_epoch(replica, signer, EVERYBODY, named, now_ms)


def begin_epochs(replica: Replica, now_ms: int) -> None:
    """Write the first epoch of a community that was founded just now, if it is for members only."""
    signer = replica.signer
    if signer is not None and replica.epochs.is_sealed:
        near = _near_tips(replica, signer, now_ms)
        named = _gather(replica, signer, near, CONTENT, now_ms)
        _write_epoch(replica, signer, EVERYBODY, named, now_ms)


def _write_epoch(
    replica: Replica,
    signer: SigningKey,
    audience: tuple[bytes, ...],
    named: list[tuple[Reference, int]],
    now_ms: int,
) -> None:
    for draft in epoch_drafts(replica, audience):
        written = _append(replica, signer, draft, named, now_ms, None)
        named = []
    assert replica.epochs.holds(written.op_id), "an epoch of ours is valid and ours to open"


def _keys_for(
    replica: Replica, signer: SigningKey, drafts: Sequence[Draft], now_ms: int
) -> dict[tuple[bytes, ...], EpochKey | None]:
    """Return what to seal drafts under, by audience; None where an epoch must be made first."""
    if not replica.epochs.is_sealed:
        return {}
    latest_ms = _latest_ms(replica, signer, now_ms)
    audiences = {draft.audience for draft in drafts if draft.kind not in CLEAR_KINDS}
    keys = {audience: replica.epochs.current(latest_ms, audience) for audience in audiences}
    if None in keys.values() and not (replica.epochs.has_any and may_make_epochs(replica)):
        raise LocalProtocolError(
            "the keys of this community are being renewed by its members: try again in a few "
            "minutes"
            if replica.epochs.has_any
            else "what the community wrote is still on its way here: try again in a moment"
        )
    return keys


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
    is_sealed = replica.epochs.is_sealed and draft.kind not in CLEAR_KINDS
    bytes_max = PLAINTEXT_BYTES_MAX if is_sealed else limits.PAYLOAD_BYTES_MAX
    if len(draft.payload) > bytes_max:
        raise LocalProtocolError(
            f"this is {len(draft.payload):,} bytes long; {bytes_max:,} fit in one operation: "
            "split it"
        )
    if draft.audience:
        _check_audience(replica, signer, draft.audience, is_sealed=is_sealed)
    is_auth = draft.kind <= KIND_AUTH_MAX
    if draft.kind > 255 or (is_auth and draft.kind not in AUTH_KINDS - {GENESIS}):
        raise LocalProtocolError(f"this version writes no operation of kind {draft.kind}")
    if draft.subject and (is_auth or len(draft.subject) != 16):
        raise LocalProtocolError("a subject has 16 bytes, and auth operations have none")
    if is_auth:
        return
    if replica.membership.judge(signer.public, draft.kind, replica.graph.head_frontier()) is None:
        raise NotAdmitted(_why_not(replica.membership, signer.public))
    kind = kind_of(draft.kind)
    if kind is None:
        return
    try:
        kind.decode(draft.payload)
    except PayloadInvalid:
        raise LocalProtocolError(f"this is no valid {kind.name}: nothing was written") from None


def _why_not(membership: Membership, device: bytes) -> str:
    if membership.standing(device) is not None:
        return "your rank in this community may not write this; ask an admin for a higher rank"
    if membership.was_ever_admitted(device):
        return "this device is no member's any more: who is in can let you in again, by a new link"
    return "this device is not admitted here yet: wait for the join to finish"


def _check_audience(
    replica: Replica, signer: SigningKey, audience: tuple[bytes, ...], *, is_sealed: bool
) -> None:
    if not is_sealed:
        raise LocalProtocolError("an audience can be named for sealed content only: name none")
    members = {member.root for member in replica.membership.members()}
    is_listed = list(audience) == sorted(set(audience)) and members.issuperset(audience)
    own = replica.membership.member_of(signer.public)
    if not is_listed or own not in audience or len(audience) > AUDIENCE_MAX:
        raise LocalProtocolError(
            f"an audience is up to {AUDIENCE_MAX} members by their root keys, ascending, and you "
            "among them: list the members"
        )


def _check_log(branches: list[Branch], near: list[tuple[Reference, int]], now_ms: int) -> None:
    if len(branches) > 1 or (branches and branches[0].is_waiting):
        raise LocalProtocolError(
            "this device's own log is incomplete or forked (was the data folder copied?): give "
            "this folder a new device with `p2pvalue device link` or `p2pvalue community recover`"
        )
    times = [time for _, time in near]
    times += [branch.folded_time for branch in branches]
    if max([now_ms, *times]) > limits.TIME_MS_MAX - _TIMES_LEFT_MIN:
        raise LocalProtocolError("the clock is at the end of time: set this device's date")


def _own(replica: Replica, signer: SigningKey, log_class: int) -> Branch | None:
    branches = replica.branches.of(signer.public, log_class)
    return branches[0] if branches else None


def _gather(
    replica: Replica,
    signer: SigningKey,
    heads: list[tuple[Reference, int]],
    log_class: int,
    now_ms: int,
) -> list[tuple[Reference, int]]:
    """Return what to name of `heads`, at most ten wide; SEEN operations gather a wider frontier."""
    own = _own(replica, signer, log_class)
    own_head = own.head_id if own is not None else b""
    named = sorted(
        (h for h in heads if h[0].op_id != own_head),
        key=lambda h: (h[0].device, h[0].log_class, h[0].op_id),
    )
    if named and log_class == CONTENT:
        reference, time = named[0]
        named[0] = reference, max(time, _floor_ms(replica, _latest_ms(replica, signer, now_ms)))
    seen = Draft(AUTH_SEEN if log_class == AUTH else SEEN, b"", b"")
    while len(named) > limits.PARENTS_MAX:
        _append(replica, signer, seen, named[: limits.PARENTS_MAX], now_ms, None)
        named = named[limits.PARENTS_MAX :]
    return named


def _auth_heads(replica: Replica) -> list[tuple[Reference, int]]:
    parts = (replica.membership, replica.branches, replica.graph, replica.auth_references)
    unheard = admissions_unheard_of(*parts, replica.device or b"")
    return [(reference, 0) for reference in dict.fromkeys([*heads_to_name(*parts), *unheard])]


def _near_tips(replica: Replica, signer: SigningKey, now_ms: int) -> list[tuple[Reference, int]]:
    """Return the tips to name, with the times that bind us: none far ahead of our clock.

    Our time must be later than that of what we name. Who names content from far ahead would be held
    back by everybody whose clock is right, and never write anything timely again.
    """
    latest_ms = _latest_ms(replica, signer, now_ms)
    # The times of auth operations bind nobody: one far ahead would carry all logs with it.
    tips = replica.tips()
    near = {
        tip.op_id: (tip, time if tip.log_class == CONTENT else 0)
        for tip, time in tips
        if (tip.log_class == AUTH or time <= latest_ms)
        and is_to_be_named(replica.membership, replica.branches, tip)
    }
    if len(near) < len(tips):
        # What is left out may be alone in naming an admission that our operation needs in its past.
        near |= {head.op_id: (head, time) for head, time in _auth_heads(replica)}
    return list(near.values())


def _floor_ms(replica: Replica, latest_ms: int) -> int:
    """Return the newest time of what we saw and do not name, none far ahead; 0 if there is none.

    What was kept of a log that is cut off counts, and what we write comes after it.
    """
    times = [
        time
        for tip, time in replica.tips()
        if tip.log_class == CONTENT
        and time <= latest_ms
        and not is_to_be_named(replica.membership, replica.branches, tip)
    ]
    return max(times, default=0)


def _latest_ms(replica: Replica, signer: SigningKey, now_ms: int) -> int:
    own = _own(replica, signer, CONTENT)
    return max(now_ms, own.folded_time if own is not None else 0) + limits.NAMED_AHEAD_MS_MAX


def _append(
    replica: Replica,
    signer: SigningKey,
    draft: Draft,
    named: list[tuple[Reference, int]],
    now_ms: int,
    key: EpochKey | None,
) -> Reference:
    log_class = AUTH if draft.kind <= KIND_AUTH_MAX else CONTENT
    branch = _own(replica, signer, log_class)
    seq = branch.head_seq + 1 if branch is not None else 0
    time = max(now_ms, branch.folded_time + 1 if branch is not None else 1)
    for _, parent_time in named:
        time = max(time, parent_time + 1)
    epoch = b""
    if key is not None:
        epoch, time = key.record.epoch, max(time, key.record.time + 1)
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
        epoch,
        0,
        ZERO32,
    )
    payload = draft.payload
    if key is not None:
        payload = seal_payload(key.secret, core, draft.payload, replica.random_bytes(SALT_BYTES))
        replica.epochs.sealed_here(payload, draft.payload)
    if payload:
        core = replace(core, payload_size=len(payload), payload_hash=payload_hash_of(payload))
    core_bytes = encode_core(core)
    op_id = op_id_of(core_bytes)
    if branch is None:
        branch = replica.open_branch(signer.public, log_class, 0, ZERO32, op_id)
    own_bytes = len(core_bytes) + len(payload)
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
    replica.append(branch, Operation(op_id, core, core_bytes, signature, payload))
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
