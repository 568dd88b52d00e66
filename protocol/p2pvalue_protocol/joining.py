"""Becoming a member over a link of its own, the member's side (spec: joining).

The newcomer proves that it holds an invite's key, or knows the community; it is shown GENESIS and
hands over the operation that begins its log. The member that it called stores that and admits it,
or lets a person decide; only then are secrets handed over. Who cannot prove anything learns
nothing, not even which communities are here. What follows, the rest of the community, is ordinary
sync.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import assert_never

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.admission import (
    Asking,
    admission,
    asking_mode,
    certified_root,
    genesis_run,
    is_put_out,
    may_admit,
    may_admit_today,
    proof_batches,
    refusal_of_invite,
)
from p2pvalue_protocol.dialogue import Dialogue
from p2pvalue_protocol.effects import Effect, JoinRequested
from p2pvalue_protocol.first_operation import first_run, is_past_held, take_first
from p2pvalue_protocol.handover import secrets_for
from p2pvalue_protocol.hello import LinkEnd, Transcript
from p2pvalue_protocol.inputs import Answer, Draft
from p2pvalue_protocol.join_frames import (
    Admitted,
    CommunityShown,
    Declined,
    Introduction,
    InviteShown,
    JoinFrame,
    NewcomersFrame,
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
from p2pvalue_protocol.keys import verify
from p2pvalue_protocol.log import Run, encode_batch
from p2pvalue_protocol.replica import Replica

_ANSWERS = {"declined": Refusal.NOT_APPROVED, "busy": Refusal.BUSY}


class JoinServer(Dialogue[NewcomersFrame]):
    """The member's side of one join link. A stranger costs it one HMAC or check per community."""

    _transcript: Transcript
    _replica: Replica
    _device: bytes

    def __init__(self, replicas: Sequence[Replica], link: LinkEnd) -> None:
        """Serve whichever of `replicas` the newcomer is invited to."""
        super().__init__(link, NonceOffered)
        self._replicas = replicas
        self._invite_key = b""

    def _decoded(self, data: bytes) -> JoinFrame:
        return decode_join_frame(data)

    def _answer(self, frame: NewcomersFrame, now_ms: int) -> list[Effect]:
        match frame:
            case NonceOffered(nonce):
                self._transcript = self._link.called(nonce)
                self._awaited = (InviteShown, CommunityShown)
                return [self._send(NonceAnswered(self._link.nonce))]
            case InviteShown():
                return self._judge_invite(frame)
            case CommunityShown():
                return self._judge_caller(frame)
            case Introduction():
                return self._admit(frame, now_ms)
            case Plea():
                return self._hear(frame, now_ms)
            case _:
                assert_never(frame)

    # --- who is invited

    def _judge_invite(self, frame: InviteShown) -> list[Effect]:
        """Welcome who holds an invite's key; to anybody else not even its refusal is an answer."""
        for replica in self._replicas:
            invite = replica.membership.invite_for(frame.invite_key)
            if invite is None:
                continue
            message = request_message(replica.community, self._transcript, frame.device)
            is_proven = verify(frame.invite_key, message, frame.invite_signature) and verify(
                frame.device, message, frame.device_signature
            )
            if not is_proven:
                return self._end(None)
            self._invite_key = frame.invite_key
            return self._welcome(
                replica, frame.device, refusal_of_invite(replica, invite, frame.device)
            )
        return self._end(None)

    def _judge_caller(self, frame: CommunityShown) -> list[Effect]:
        """Welcome who knows a community that takes requests, or lets everybody in."""
        for replica in self._replicas:
            mode = asking_mode(replica)
            expected = community_proof(replica.community, self._transcript)
            if mode is None or not hmac.compare_digest(expected, frame.proof):
                continue
            message = request_message(replica.community, self._transcript, frame.device)
            if not verify(frame.device, message, frame.device_signature):
                return self._end(None)
            is_refused = mode is Asking.REFUSED and not self._is_member(replica, frame.device)
            return self._welcome(
                replica,
                frame.device,
                Refusal.NOT_OPEN if is_refused else None,
                is_decided_by_person=mode is Asking.DECIDED,
            )
        return self._end(None)

    def _welcome(
        self,
        replica: Replica,
        device: bytes,
        refusal: Refusal | None,
        *,
        is_decided_by_person: bool = False,
    ) -> list[Effect]:
        if not may_admit(replica):
            return self._decline(Refusal.CANNOT_ADMIT)
        if refusal is not None:
            return self._decline(refusal)
        genesis = genesis_run(replica)
        if genesis is None:
            return self._decline(Refusal.CANNOT_ADMIT)
        self._replica, self._device = replica, device
        self._awaited = (Plea,) if is_decided_by_person else (Introduction,)
        return [self._send(Welcome(int(is_decided_by_person), encode_batch([genesis])))]

    # --- letting in

    def _admit(self, introduction: Introduction, now_ms: int) -> list[Effect]:
        replica = self._replica
        if self._is_member(replica, self._device):
            return self._admitted()  # the answer was lost the last time
        first, root = self._read(introduction.first)
        if root is None:
            return self._decline(Refusal.INVALID)
        if is_put_out(replica, root):
            return self._decline(Refusal.PUT_OUT)
        if not self._invite_key and not may_admit_today(replica, now_ms):
            return self._decline(Refusal.BUSY)
        draft = admission(
            replica, self._invite_key, root, self._device, introduction.admit_signature
        )
        if draft is None:
            return self._decline(Refusal.INVALID)
        return self._take(first, draft, now_ms)

    def _hear(self, plea: Plea, now_ms: int) -> list[Effect]:
        """Let a person decide; who she granted a rank meanwhile is let in at once."""
        replica = self._replica
        if self._is_member(replica, self._device):
            return self._admitted()
        first, root = self._read(plea.first)
        if root is None:
            return self._decline(Refusal.INVALID)
        if any(member.root == root for member in replica.membership.members()):
            return self._take(first, Draft(auth.AUTH_SEEN, b"", b""), now_ms)
        self._awaited = ()  # until the shell answers
        return [
            JoinRequested(
                self._session, replica.community, root, self._device, plea.name, plea.message
            )
        ]

    def request_answered(self, answer: Answer) -> list[Effect]:
        """Tell the newcomer what became of its request; the shell's answer to `JoinRequested`."""
        if answer == "pending":
            return [self._send(Pending())]
        return self._decline(_ANSWERS[answer])

    def _read(self, batch: bytes) -> tuple[Run, bytes | None]:
        """Return a newcomer's first run and the root that certifies it, None if none does."""
        first = first_run(batch, self._device)
        if not is_past_held(self._replica, first):
            return first, None
        return first, certified_root(self._replica, self._device, first.items[0].payload)

    def _take(self, first: Run, naming: Draft, now_ms: int) -> list[Effect]:
        took = take_first(self._replica, first, naming, now_ms)
        if not took or not self._is_member(self._replica, self._device):
            return self._decline(Refusal.CANNOT_ADMIT)
        return self._admitted()

    def _admitted(self) -> list[Effect]:
        self._awaited = ()  # the newcomer closes; a close of ours could overtake the answer
        proofs = [self._send(Proof(b)) for b in proof_batches(self._replica, self._device)]
        return [*proofs, self._send(Admitted(secrets_for(self._replica)))]

    def _decline(self, refusal: Refusal) -> list[Effect]:
        self._awaited = ()
        return [self._send(Declined(refusal))]

    @staticmethod
    def _is_member(replica: Replica, device: bytes) -> bool:
        return replica.membership.is_live(device)
