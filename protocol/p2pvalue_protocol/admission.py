"""Whether and how a member lets a newcomer in (spec: joining, "Admitting")."""

from __future__ import annotations

from enum import Enum

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import limits
from p2pvalue_protocol.access import heads_of_past, is_public, proof_of
from p2pvalue_protocol.ids import AUTH
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.join_frames import Refusal
from p2pvalue_protocol.keys import is_valid_exchange_key, verify
from p2pvalue_protocol.log import Run, encode_batch
from p2pvalue_protocol.members import Invite
from p2pvalue_protocol.operation import GENESIS, decode_core
from p2pvalue_protocol.replica import Replica
from p2pvalue_protocol.serving import runs_up_to

_DAY_MS = 24 * 3_600 * 1_000
_FRAME_OVERHEAD_BYTES = 16


class Asking(Enum):
    """What becomes of somebody who knows the community and has no invite."""

    ADMITTED = "admitted"
    DECIDED = "decided"  # by a person
    REFUSED = "refused"  # and told so: that this community is here is no secret


def may_admit(replica: Replica) -> bool:
    """Return whether our own device is a member's, so that its ADMIT can have an effect."""
    own = replica.device
    return own is not None and replica.membership.standing(own) is not None


def asking_mode(replica: Replica) -> Asking | None:
    """Return what the policy makes of who asks without an invite; None: nothing is answered."""
    policy = replica.membership.policy()
    if policy is None:
        return None
    if policy.join == auth.JOIN_REQUEST:
        return Asking.DECIDED
    if not is_public(replica):
        return None
    return Asking.ADMITTED if policy.join == auth.JOIN_OPEN else Asking.REFUSED


def refusal_of_invite(replica: Replica, invite: Invite, device: bytes) -> Refusal | None:
    """Return why a proven invite lets nobody in, None if it does, or did let this device in."""
    membership = replica.membership
    if membership.is_live(device):
        return None
    if membership.was_ever_admitted(device) and not _is_leaver(replica, device):
        return Refusal.PUT_OUT
    if invite.is_withdrawn:
        return Refusal.WITHDRAWN
    return Refusal.USED_UP if invite.is_used_up else None


def _is_leaver(replica: Replica, device: bytes) -> bool:
    """Return whether a device is of somebody who left by herself: an invite brings her back."""
    membership = replica.membership
    former = (known for known in membership.former_members() if known.is_leave)
    return any(device in membership.devices_of(known.root) for known in former)


def is_put_out(replica: Replica, root: bytes) -> bool:
    """Return whether others removed a person, so that an ADMIT would have no effect."""
    former = replica.membership.former_members()
    return any(known.root == root and not known.is_leave for known in former)


def may_admit_today(replica: Replica, now_ms: int) -> bool:
    """Return whether fewer than 20 of our own GRANTs are of the last 24 hours.

    Counted in our log, so that a restart forgets none; among the last 64 operations there.
    """
    assert replica.device is not None
    count = 0
    for branch in replica.branches.of(replica.device, AUTH):
        first_seq = max(branch.row.first_seq, branch.head_seq + 1 - limits.SIGNATURE_EVERY)
        for row in replica.branches.rows(branch, first_seq, limits.SIGNATURE_EVERY):
            core = decode_core(row.core)
            count += core.kind == auth.GRANT and core.time > now_ms - _DAY_MS
    return count < limits.OPEN_ADMISSIONS_MAX


def certified_root(replica: Replica, device: bytes, payload: bytes) -> bytes | None:
    """Return the root key that a DEV_ADD says its device is of, None if its proofs are wrong.

    A newcomer's first device is certified by the root itself.
    """
    genesis = replica.membership.genesis
    added = auth.read_payload(auth.DevAddPayload, payload)
    if genesis is None or added is None or added.certifier:
        return None
    if not is_valid_exchange_key(added.prekey):
        return None
    certified = auth.certificate_message(genesis.nonce, added.root, device, added.prekey)
    return added.root if verify(added.root, certified, added.certificate) else None


def admission(
    replica: Replica, invite_key: bytes, root: bytes, device: bytes, admit_signature: bytes
) -> Draft | None:
    """Return the ADMIT, or without an invite the GRANT; None if nobody invited or signed that."""
    if not invite_key:
        assert replica.signer is not None
        is_allowed = replica.membership.may_invite(replica.signer.public, auth.MEMBER)
        rank = auth.MEMBER if is_allowed else auth.GUEST
        return Draft(auth.GRANT, b"", auth.grant_payload(root, rank))
    message = auth.admit_message(replica.community, root, device)
    invite = replica.membership.invite_for(invite_key)
    if invite is None or invite.is_used_up or not verify(invite_key, message, admit_signature):
        return None
    payload = auth.admit_payload(root, device, invite_key, admit_signature, invite.op_id)
    return Draft(auth.ADMIT, b"", payload)


def proof_batches(replica: Replica, device: bytes) -> list[bytes]:
    """Return batches that show any member, who may hold nothing else, that a device is one's.

    The operations that say so and all before them; none if they do not fit, which leaves it to
    sync, or where everybody may read, so that nothing need be shown. Reads every log in that past.
    """
    if is_public(replica):
        return []
    batches: list[bytes] = []
    runs: list[Run] = []
    room = limits.PROOF_BYTES_TARGET
    for head in heads_of_past(replica, proof_of(replica, device)):
        next_seq: int | None = 0
        while next_seq is not None:
            found, next_seq = runs_up_to(replica.branches, head, next_seq, room)
            runs += found
            room -= sum(len(item.payload) + 220 for run in found for item in run.items)
            if room <= 0:
                batches.append(encode_batch(runs))
                runs, room = [], limits.PROOF_BYTES_TARGET
            if len(batches) == limits.PROOF_FRAMES_MAX:
                return []
    if runs:
        batches.append(encode_batch(runs))
    fits = all(len(b) + _FRAME_OVERHEAD_BYTES <= limits.FRAME_BYTES_MAX for b in batches)
    return batches if fits else []


def genesis_run(replica: Replica) -> Run | None:
    """Return the run that holds GENESIS alone; it is among the first operations ever held.

    None if that is not held, or not signed itself: then nobody can be shown it alone.
    """
    held = sorted(replica.auth_references.values(), key=lambda r: replica.graph.index(r.op_id))
    firsts = (r for r in held if r.seq == 0)
    begun = (run for r in firsts for run in runs_up_to(replica.branches, r, 0, 1)[0])
    return next((run for run in begun if [item.kind for item in run.items] == [GENESIS]), None)
