"""Becoming a member over a link of its own (spec: joining).

The newcomer proves that it holds an invite's key, learns the community's secrets and its GENESIS,
and hands over the operation that begins its log; the member that it called stores that and admits
it. Who cannot prove anything learns nothing, not even which communities are here. What follows,
the rest of the community, is ordinary sync.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import limits
from p2pvalue_protocol.access import is_public
from p2pvalue_protocol.admission import (
    admission,
    certified_root,
    genesis_run,
    may_admit,
    refusal_of,
)
from p2pvalue_protocol.dialogue import Dialogue
from p2pvalue_protocol.effects import CloseSession, Effect, Joined
from p2pvalue_protocol.errors import LocalProtocolError, Reason, Refused
from p2pvalue_protocol.gossip import public_topic_secret
from p2pvalue_protocol.hello import Transcript
from p2pvalue_protocol.ids import AUTH
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.invitation import invite_key
from p2pvalue_protocol.join_frames import (
    Admitted,
    Declined,
    Introduction,
    JoinFrame,
    NonceAnswered,
    NonceOffered,
    Refusal,
    Request,
    Welcome,
    decode_join_frame,
    request_message,
)
from p2pvalue_protocol.keys import SigningKey, verify
from p2pvalue_protocol.log import Run, decode_batch, encode_batch, operations_of
from p2pvalue_protocol.operation import GENESIS, Operation, community_id_of
from p2pvalue_protocol.replica import Replica

_WORDS: dict[int, str] = {
    Refusal.USED_UP: "this invite was already used; ask for a new one",
    Refusal.NOT_OPEN: "this community is not open to everybody; ask a member for an invite",
    Refusal.CANNOT_ADMIT: "the member you reached may not let people in; ask for another invite",
    Refusal.INVALID: "the member you reached did not accept this device; update both and retry",
}
_NO_ANSWER = (
    "nobody there knows this invite (yet): check that it is the newest one, "
    "and that whoever made it is online"
)
_UNEXPECTED = "the node you reached answered something unexpected; update both and retry"


class _JoinSide(Dialogue[JoinFrame]):
    def _decoded(self, data: bytes) -> JoinFrame:
        return decode_join_frame(data)


class JoinServer(_JoinSide):
    """The member's side of one join link."""

    def __init__(
        self,
        replicas: Sequence[Replica],
        *,
        session: int,
        peer_id: str,
        own_peer_id: str,
        nonce: bytes,
    ) -> None:
        """Serve whichever of `replicas` the newcomer is invited to; `nonce` is 32 random bytes."""
        super().__init__(session, NonceOffered)
        self._replicas = replicas
        self._peer_ids = (peer_id, own_peer_id)
        self._nonce = nonce
        self._transcript: Transcript | None = None
        self._replica: Replica | None = None
        self._request: Request | None = None

    def _answer(self, frame: JoinFrame, now_ms: int) -> list[Effect]:
        match frame:
            case NonceOffered(nonce):
                self._transcript = Transcript((nonce, self._nonce), self._peer_ids)
                self._awaited = (Request,)
                return [self._send(NonceAnswered(self._nonce))]
            case Request():
                return self._judge(frame)
            case Introduction():
                return self._admit(frame, now_ms)
        raise Refused(Reason.FRAME_INVALID)

    def _judge(self, request: Request) -> list[Effect]:
        replica = self._proven(request)
        if replica is None:
            return self._end(None)
        if not may_admit(replica):
            return self._decline(Refusal.CANNOT_ADMIT)
        refusal = refusal_of(replica, request)
        if refusal is not None:
            return self._decline(refusal)
        genesis = genesis_run(replica)
        if genesis is None:
            return self._decline(Refusal.CANNOT_ADMIT)
        self._replica = replica
        self._request = request
        self._awaited = (Introduction,)
        secrets = list(replica.topic_secrets[: limits.TOPIC_SECRETS_MAX])
        return [self._send(Welcome(secrets, encode_batch([genesis])))]

    def _proven(self, request: Request) -> Replica | None:
        """Return the community that the newcomer proved to be invited to, if it is here."""
        assert self._transcript is not None
        for replica in self._replicas:
            message = request_message(replica.community, self._transcript, request.device)
            if request.invite_key:
                if replica.membership.invite_for(request.invite_key) is None:
                    continue
                if not verify(request.invite_key, message, request.invite_signature):
                    return None
            elif request.community != replica.community or not is_public(replica):
                continue
            if not verify(request.device, message, request.device_signature):
                return None
            return replica
        return None

    def _admit(self, introduction: Introduction, now_ms: int) -> list[Effect]:
        replica, request = self._replica, self._request
        assert replica is not None
        assert request is not None
        if replica.membership.was_ever_admitted(request.device):
            return self._admitted()  # the answer was lost the last time
        refusal = refusal_of(replica, request)
        if refusal is not None:
            return self._decline(refusal)
        first = _first_run_of(introduction, request.device)
        root = certified_root(replica, request.device, first.items[0].payload)
        if root is None or not _is_past_held(replica, first):
            return self._decline(Refusal.INVALID)
        draft = admission(replica, request, root, introduction.admit_signature)
        if draft is None:
            return self._decline(Refusal.INVALID)
        # Only now: a first operation that no admission names would stay here and be nowhere else.
        replica.expect(request.device)
        for reason, is_offence in replica.receive([first], now_ms).refused:
            if is_offence:
                raise Refused(reason)
        try:
            replica.write([draft], now_ms)
        except LocalProtocolError:
            return self._decline(Refusal.CANNOT_ADMIT)
        if not replica.membership.was_ever_admitted(request.device):
            return self._decline(Refusal.CANNOT_ADMIT)
        replica.seal()
        return self._admitted()

    def _admitted(self) -> list[Effect]:
        self._awaited = ()  # the newcomer closes; a close of ours could overtake the answer
        return [self._send(Admitted())]

    def _decline(self, refusal: Refusal) -> list[Effect]:
        self._awaited = ()
        return [self._send(Declined(refusal))]


def _first_run_of(introduction: Introduction, device: bytes) -> Run:
    """Return the run that holds a newcomer's DEV_ADD alone; raises Refused(frame-invalid)."""
    runs = decode_batch(introduction.first)
    is_first = (
        len(runs) == 1
        and runs[0].device == device
        and runs[0].log_class == AUTH
        and runs[0].first_seq == 0
        and len(runs[0].items) == 1
        and runs[0].items[0].kind == auth.DEV_ADD
    )
    if not is_first:
        raise Refused(Reason.FRAME_INVALID)
    return runs[0]


def _is_past_held(replica: Replica, first: Run) -> bool:
    """Return whether nothing that a first operation names is missing here."""
    return all(parent.op_id in replica.graph for parent in first.items[0].parents)


class JoinClient(_JoinSide):
    """The newcomer's side of one join link."""

    def __init__(
        self,
        *,
        session: int,
        peer_id: str,
        own_peer_id: str,
        nonce: bytes,
        community: bytes,
        invite_secret: bytes,
        signer: SigningKey,
        prekey: bytes,
        root_entropy: bytes,
        replica_for: Callable[[bytes, SigningKey, Sequence[bytes]], Replica],
    ) -> None:
        """Join `community`; `replica_for` makes our copy of it, or returns the one that is here.

        `invite_secret` is empty for an open community.
        """
        super().__init__(session, NonceAnswered)
        self._peer_ids = (own_peer_id, peer_id)
        self._nonce = nonce
        self._community = community
        self._invite = invite_key(invite_secret) if invite_secret else None
        self._signer = signer
        self._prekey = prekey
        self._root_entropy = root_entropy
        self._replica_for = replica_for

    def _begin(self) -> list[Effect]:
        return [self._send(NonceOffered(self._nonce))]

    def lost(self) -> list[Effect]:
        """Return what to tell the person when the other side closed the link before the end."""
        return self._failed(_NO_ANSWER)

    def _end(self, reason: Reason | None) -> list[Effect]:
        words = _NO_ANSWER if reason is None else f"{_UNEXPECTED} ({reason})"
        return [*self._failed(words), CloseSession(self._session, reason)]

    def _failed(self, words: str) -> list[Effect]:
        if self._due_ms is None:
            return []
        self._due_ms = None
        return [self._joined("failed", message=words)]

    def _answer(self, frame: JoinFrame, now_ms: int) -> list[Effect]:
        match frame:
            case NonceAnswered(nonce):
                self._awaited = (Welcome, Declined)
                return [self._send(self._ask(Transcript((self._nonce, nonce), self._peer_ids)))]
            case Welcome():
                return self._introduce(frame, now_ms)
            case Admitted():
                self._due_ms = None
                return [self._joined("admitted"), CloseSession(self._session, None)]
            case Declined(refusal):
                words = _WORDS.get(refusal, _WORDS[Refusal.INVALID])
                return [*self._failed(words), CloseSession(self._session, None)]
        raise Refused(Reason.FRAME_INVALID)

    def _ask(self, transcript: Transcript) -> Request:
        message = request_message(self._community, transcript, self._signer.public)
        device, signature = self._signer.public, self._signer.sign(message)
        if self._invite is None:
            return Request(b"", b"", self._community, device, signature)
        return Request(self._invite.public, self._invite.sign(message), b"", device, signature)

    def _introduce(self, welcome: Welcome, now_ms: int) -> list[Effect]:
        run, genesis = _checked_genesis(welcome, self._community)
        payload = auth.read_payload(auth.GenesisPayload, genesis.payload)
        if payload is None:
            raise Refused(Reason.FRAME_INVALID)
        is_public_community = payload.read == auth.READ_PUBLIC
        secrets = (
            [public_topic_secret(self._community)] if is_public_community else welcome.topic_secrets
        )
        if not secrets:
            raise Refused(Reason.FRAME_INVALID)
        replica = self._replica_for(self._community, self._signer, secrets)
        for reason, is_offence in replica.receive([run], now_ms).refused:
            if is_offence:
                raise Refused(reason)
        root = SigningKey(auth.root_seed(self._root_entropy, payload.nonce))
        try:
            first = self._first_run(replica, root, payload.nonce, now_ms)
        except LocalProtocolError as error:
            return [*self._failed(str(error)), CloseSession(self._session, None)]
        signature = b""
        if self._invite is not None:
            message = auth.admit_message(self._community, root.public, self._signer.public)
            signature = self._invite.sign(message)
        self._awaited = (Admitted, Declined)
        return [
            self._joined("welcomed", nonce=payload.nonce, topic_secret=secrets[0]),
            self._send(Introduction(encode_batch([first]), signature)),
        ]

    def _first_run(self, replica: Replica, root: SigningKey, nonce: bytes, now_ms: int) -> Run:
        """Return the run that begins our log, writing it if an earlier attempt did not."""
        device = self._signer.public
        if not replica.branches.of(device, AUTH):
            message = auth.certificate_message(nonce, root.public, device, self._prekey)
            payload = auth.dev_add_payload(root.public, self._prekey, root.sign(message))
            replica.write([Draft(auth.DEV_ADD, b"", payload)], now_ms)
            replica.seal()
        head = replica.branches.of(device, AUTH)[0].head_id
        runs, _ = replica.runs(AUTH, device, 0, head, 1)
        assert runs, "what stands at the beginning of a log was signed when it was first shown"
        return runs[0]

    def _joined(
        self,
        state: Literal["welcomed", "admitted", "failed"],
        *,
        nonce: bytes = b"",
        topic_secret: bytes = b"",
        message: str = "",
    ) -> Effect:
        return Joined(self._session, self._community, state, nonce, topic_secret, message)


def _checked_genesis(welcome: Welcome, community: bytes) -> tuple[Run, Operation]:
    """Return GENESIS and its run; raises Refused unless it founds this very community."""
    runs = decode_batch(welcome.genesis)
    if len(runs) != 1 or len(runs[0].items) != 1:
        raise Refused(Reason.FRAME_INVALID)
    op = operations_of(runs[0], community)[0]
    if op.core.kind != GENESIS or community_id_of(op.core) != community:
        raise Refused(Reason.WRONG_COMMUNITY)
    return runs[0], op
