"""Becoming a member over a link of its own, the newcomer's side (spec: joining)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, assert_never

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import limits
from p2pvalue_protocol.dialogue import Dialogue
from p2pvalue_protocol.effects import CloseSession, Effect, Joined
from p2pvalue_protocol.errors import LocalProtocolError, Reason
from p2pvalue_protocol.first_operation import Proofs, begin_log, founding_of, take_runs
from p2pvalue_protocol.handover import take_secrets
from p2pvalue_protocol.hello import LinkEnd, Transcript
from p2pvalue_protocol.inputs import JoinStarted
from p2pvalue_protocol.invitation import invite_key
from p2pvalue_protocol.join_frames import (
    Admitted,
    CommunityShown,
    Declined,
    Introduction,
    InviteShown,
    JoinFrame,
    MembersFrame,
    NonceAnswered,
    NonceOffered,
    Pending,
    Plea,
    Proof,
    Refusal,
    Welcome,
    community_proof,
    decode_join_frame,
    request_message,
)
from p2pvalue_protocol.keys import SigningKey
from p2pvalue_protocol.log import encode_batch
from p2pvalue_protocol.replica import Replica

_WORDS: dict[int, str] = {
    Refusal.USED_UP: "this invite was already used; ask for a new one",
    Refusal.NOT_OPEN: "this community is not open to everybody; ask a member for an invite",
    Refusal.CANNOT_ADMIT: "the member you reached may not let people in; ask for another invite",
    Refusal.INVALID: "the member you reached did not accept this device; update both and retry",
    Refusal.WITHDRAWN: "this invite was withdrawn; ask for a new one",
    Refusal.PUT_OUT: "you were removed from this community, and no invite brings you back; "
    "ask an admin to take you in again",
    Refusal.BUSY: "the member you reached takes nobody more today; ask another one, or tomorrow",
    Refusal.NOT_APPROVED: "somebody there said no to your request",
}
_FINAL = frozenset(
    (Refusal.USED_UP, Refusal.NOT_OPEN, Refusal.WITHDRAWN, Refusal.PUT_OUT, Refusal.NOT_APPROVED)
)
_NO_ANSWER = (
    "nobody there knows this invite (yet): check that it is the newest one, "
    "and that whoever made it is online"
)
_UNEXPECTED = "the node you reached answered something unexpected; update both and retry"


class JoinClient(Dialogue[MembersFrame]):
    """The newcomer's side of one join link."""

    _replica: Replica

    def __init__(
        self,
        link: LinkEnd,
        started: JoinStarted,
        replica_for: Callable[[bytes, SigningKey], Replica],
    ) -> None:
        """Join as was `started`; `replica_for` makes our copy, or returns the one that is here."""
        super().__init__(link, NonceAnswered)
        self._community = started.community
        self._invite = invite_key(started.invite_secret) if started.invite_secret else None
        self._signer = started.signer
        self._prekey = started.prekey
        self._root_entropy = started.root_entropy
        self._name = started.name[: limits.NAME_CHARACTERS_MAX]
        self._message = started.message[: limits.PLEA_CHARACTERS_MAX]
        self._replica_for = replica_for
        self._proofs = Proofs()

    def lost(self) -> list[Effect]:
        """Return what to tell the person when the other side closed the link before the end."""
        return self._failed(_NO_ANSWER)

    def _begin(self) -> list[Effect]:
        return [self._send(NonceOffered(self._link.nonce))]

    def _decoded(self, data: bytes) -> JoinFrame:
        return decode_join_frame(data)

    def _end(self, reason: Reason | None) -> list[Effect]:
        words = _NO_ANSWER if reason is None else f"{_UNEXPECTED} ({reason})"
        return [*self._failed(words), CloseSession(self._session, reason)]

    def _failed(self, words: str, *, is_final: bool = False) -> list[Effect]:
        self._due_ms = None
        return [self._joined("failed", message=words, is_final=is_final)]

    def _answer(self, frame: MembersFrame, now_ms: int) -> list[Effect]:
        match frame:
            case NonceAnswered(nonce):
                self._awaited = (Welcome, Declined)
                return [self._send(self._ask(self._link.calling(nonce)))]
            case Welcome():
                return self._introduce(frame, now_ms)
            case Proof(batch):
                self._proofs.gather(batch)
                return []
            case Admitted():
                return self._admitted(frame, now_ms)
            case Pending():
                return self._done("pending")
            case Declined(refusal):
                words = _WORDS.get(refusal, _WORDS[Refusal.INVALID])
                told = self._failed(words, is_final=refusal in _FINAL)
                return [*told, CloseSession(self._session, None)]
            case _:
                assert_never(frame)

    def _ask(self, transcript: Transcript) -> InviteShown | CommunityShown:
        message = request_message(self._community, transcript, self._signer.public)
        device, signature = self._signer.public, self._signer.sign(message)
        if self._invite is None:
            return CommunityShown(community_proof(self._community, transcript), device, signature)
        return InviteShown(self._invite.public, self._invite.sign(message), device, signature)

    def _introduce(self, welcome: Welcome, now_ms: int) -> list[Effect]:
        run, founding = founding_of(welcome.genesis, self._community)
        replica = self._replica = self._replica_for(self._community, self._signer)
        take_runs(replica, [run], now_ms)
        root = SigningKey(auth.root_seed(self._root_entropy, founding.nonce))
        device = self._signer.public
        certificate = auth.certificate_message(founding.nonce, root.public, device, self._prekey)
        payload = auth.dev_add_payload(root.public, self._prekey, root.sign(certificate))
        try:
            first = encode_batch([begin_log(replica, self._signer, payload, now_ms)])
        except LocalProtocolError as error:
            return [*self._failed(str(error)), CloseSession(self._session, None)]
        self._awaited = (Proof, Admitted, Pending, Declined)
        welcomed = self._joined("welcomed", nonce=founding.nonce)
        if welcome.is_decided_by_person:
            return [welcomed, self._send(Plea(first, self._name, self._message))]
        signature = b""
        if self._invite is not None:
            signature = self._invite.sign(auth.admit_message(self._community, root.public, device))
        return [welcomed, self._send(Introduction(first, signature))]

    def _admitted(self, frame: Admitted, now_ms: int) -> list[Effect]:
        """Take what shows others that we were admitted, and what opens what they write."""
        self._proofs.store(self._replica, now_ms)
        take_secrets(self._replica, frame.secrets)
        return self._done("admitted")

    def _done(self, state: Literal["pending", "admitted"]) -> list[Effect]:
        self._due_ms = None
        return [
            self._joined(state),
            CloseSession(self._session, None),
        ]

    def _joined(
        self,
        state: Literal["welcomed", "pending", "admitted", "failed"],
        *,
        nonce: bytes = b"",
        message: str = "",
        is_final: bool = False,
    ) -> Effect:
        return Joined(self._session, self._community, state, nonce, message, is_final)
