"""From the bytes of an auth operation to what it does (spec: membership, "Auth kinds").

Forms and signatures are checked here and nowhere else: what says something that cannot be read or
proven does nothing, whatever the rules make of its author.
"""

from __future__ import annotations

from p2pvalue_protocol import acts
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.keys import is_valid_exchange_key, verify
from p2pvalue_protocol.operation import Operation, community_id_of

NOTHING = acts.Nothing()


def read_founding(op: Operation, community: bytes) -> auth.GenesisPayload | None:
    """Return what founds a community; None for anything else. One signature check per founder."""
    payload = auth.read_payload(auth.GenesisPayload, op.payload)
    if payload is None or not auth.is_well_formed_genesis(payload):
        return None
    if community_id_of(op.core) != community:
        return None
    for entry in payload.founders:
        message = auth.certificate_message(payload.nonce, entry.root, entry.device, entry.prekey)
        if not verify(entry.root, message, entry.certificate):
            return None
    return payload


def founding_act(payload: auth.GenesisPayload) -> acts.Found:
    """Return what a checked GENESIS does."""
    return acts.Found(
        tuple((entry.root, entry.device) for entry in payload.founders),
        payload.founder_quorum,
        payload.admin_quorum,
        auth.policy_of(payload),
    )


def event_of(op: Operation, act: acts.Act) -> acts.Event:
    """Return an operation as the rules see it."""
    core = op.core
    named = tuple(parent.op_id for parent in core.parents)
    return acts.Event(op.op_id, core.device, core.seq, core.backlink, named, act)


def has_proof(act: acts.Act) -> bool:
    """Return whether reading an act took a signature check."""
    is_by_root = isinstance(act, acts.RemoveDevice) and act.is_by_root
    return is_by_root or isinstance(act, acts.AddDevice | acts.Admit)


def read_act(op: Operation, nonce: bytes, *, is_proven: bool = False) -> acts.Act:
    """Return what an auth operation other than GENESIS does.

    At most one signature check; none if `is_proven` says that it was valid.
    """
    match op.core.kind:
        case auth.GRANT:
            grant = auth.read_payload(auth.GrantPayload, op.payload)
            if grant is not None:
                return acts.Give(grant.root, grant.rank, auth.references_of(grant.keeps))
        case auth.REVOKE:
            return _revoke(op)
        case auth.VOTE:
            vote = auth.read_payload(auth.VotePayload, op.payload)
            if vote is not None:
                return acts.Vote(vote.root, auth.references_of(vote.keeps))
        case auth.INVITE:
            invite = auth.read_payload(auth.InvitePayload, op.payload)
            if invite is not None:
                return acts.OpenInvite(invite.invite_key, invite.rank, invite.uses_max)
        case auth.ADMIT:
            return _admit(op, is_proven)
        case auth.DEV_ADD:
            return _dev_add(op, nonce, is_proven)
        case auth.DEV_REVOKE:
            return _dev_revoke(op, nonce, is_proven)
        case auth.FORK:
            return _fork(op)
        case auth.POLICY:
            policy = auth.read_payload(auth.PolicyPayload, op.payload)
            if policy is not None and auth.is_ascending(policy.write):
                return acts.SetPolicy(auth.policy_of(policy))
    return NOTHING


def _revoke(op: Operation) -> acts.Act:
    payload = auth.read_payload(auth.RevokePayload, op.payload)
    if payload is None:
        return NOTHING
    if payload.what == auth.MEMBER_KEY and payload.rank != auth.ADMIN:
        return acts.Remove(payload.key, payload.rank, auth.references_of(payload.keeps))
    if payload.what == auth.INVITE_KEY and payload.rank == acts.OUT and not payload.keeps:
        return acts.WithdrawInvite(payload.key)
    return NOTHING


def _admit(op: Operation, is_proven: bool) -> acts.Act:
    payload = auth.read_payload(auth.AdmitPayload, op.payload)
    if payload is None:
        return NOTHING
    message = auth.admit_message(op.core.community, payload.root, payload.device)
    if not is_proven and not verify(payload.invite_key, message, payload.signature):
        return NOTHING
    return acts.Admit(payload.root, payload.device, payload.invite_key, payload.invite)


def _dev_add(op: Operation, nonce: bytes, is_proven: bool) -> acts.Act:
    payload = auth.read_payload(auth.DevAddPayload, op.payload)
    if payload is None or op.core.seq != 0 or len(payload.certifier) not in (0, 32):
        return NOTHING
    if not is_valid_exchange_key(payload.prekey):
        return NOTHING
    message = auth.certificate_message(nonce, payload.root, op.core.device, payload.prekey)
    if not is_proven and not verify(
        payload.certifier or payload.root, message, payload.certificate
    ):
        return NOTHING
    return acts.AddDevice(payload.root, payload.certifier)


def _dev_revoke(op: Operation, nonce: bytes, is_proven: bool) -> acts.Act:
    payload = auth.read_payload(auth.DevRevokePayload, op.payload)
    if payload is None or len(payload.certificate) not in (0, 64):
        return NOTHING
    keeps = auth.references_of(payload.keeps)
    if not payload.certificate:
        if payload.seen:
            return NOTHING
        return acts.RemoveDevice(payload.root, payload.device, keeps=keeps)
    message = auth.revocation_message(nonce, payload.root, payload.device, payload.seen, keeps)
    if not is_proven and not verify(payload.root, message, payload.certificate):
        return NOTHING
    return acts.RemoveDevice(payload.root, payload.device, True, payload.seen, keeps)


def _fork(op: Operation) -> acts.Act:
    payload = auth.read_payload(auth.ForkPayload, op.payload)
    if payload is None:
        return NOTHING
    first, second = auth.references_of(payload.operations)
    if first.op_id >= second.op_id or auth.place_of(first) != auth.place_of(second):
        return NOTHING
    return acts.ProveFork(first, second, auth.references_of(payload.keeps))
