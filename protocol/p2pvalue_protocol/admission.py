"""Whether and how a member lets a newcomer in (spec: joining, "Admitting")."""

from __future__ import annotations

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.ids import AUTH
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.join_frames import Refusal, Request
from p2pvalue_protocol.keys import is_valid_exchange_key, verify
from p2pvalue_protocol.log import Run
from p2pvalue_protocol.operation import GENESIS
from p2pvalue_protocol.replica import Replica


def may_admit(replica: Replica) -> bool:
    """Return whether our own device is a member's, so that its ADMIT can have an effect."""
    own = replica.device
    return own is not None and replica.membership.standing(own) is not None


def refusal_of(replica: Replica, request: Request) -> Refusal | None:
    """Return why a proven request is not granted, None if it is."""
    if replica.membership.was_ever_admitted(request.device):
        return None
    if not request.invite_key:
        policy = replica.membership.policy()
        is_open = policy is not None and policy.join == auth.JOIN_OPEN
        return None if is_open else Refusal.NOT_OPEN
    invite = replica.membership.invite_for(request.invite_key)
    if invite is None:
        return Refusal.CANNOT_ADMIT
    return Refusal.USED_UP if invite.is_used_up else None


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
    replica: Replica, request: Request, root: bytes, admit_signature: bytes
) -> Draft | None:
    """Return the ADMIT, or the GRANT of an open community; None if its signature is wrong."""
    if not request.invite_key:
        assert replica.signer is not None
        is_allowed = replica.membership.may_invite(replica.signer.public, auth.MEMBER)
        rank = auth.MEMBER if is_allowed else auth.GUEST
        return Draft(auth.GRANT, b"", auth.grant_payload(root, rank))
    message = auth.admit_message(replica.community, root, request.device)
    invite = replica.membership.invite_for(request.invite_key)
    if invite is None or not verify(request.invite_key, message, admit_signature):
        return None
    payload = auth.admit_payload(
        root, request.device, request.invite_key, admit_signature, invite.op_id
    )
    return Draft(auth.ADMIT, b"", payload)


def genesis_run(replica: Replica) -> Run | None:
    """Return the run that holds GENESIS alone; it is among the first operations ever held."""
    held = sorted(replica.auth_references.values(), key=lambda r: replica.graph.index(r.op_id))
    for reference in held:
        if reference.seq == 0:
            runs, _ = replica.runs(AUTH, reference.device, 0, reference.op_id, 1)
            if runs and runs[0].items[0].kind == GENESIS and len(runs[0].items) == 1:
                return runs[0]
    return None
