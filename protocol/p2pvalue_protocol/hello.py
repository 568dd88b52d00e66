"""The handshake on a sync link: which community, and who is who in it (spec: sync, "HELLO").

Who opened the link shows that it knows a topic secret of one community without saying which;
whoever does not know that secret too learns nothing and is left without an answer. Only then do
both name their devices, signed over what this link alone has: both nonces and both peer ids. The
responder names its device last, and only to a member's device, or one that knew it before it was
put out. Until that point a stranger costs it one short HMAC per topic secret, one signature check
and no disk.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, assert_never

import msgspec

from p2pvalue_protocol import frames as f
from p2pvalue_protocol import limits
from p2pvalue_protocol.access import Access, is_public
from p2pvalue_protocol.effects import CloseSession, Effect, SendFrame
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.ids import tagged_hash
from p2pvalue_protocol.keys import verify
from p2pvalue_protocol.replica import Replica

_INITIATOR = b"\x00"
_RESPONDER = b"\x01"
_TAG = b"p2pv1/hello-tag\x00"
_SIGNED = b"p2pv1/hello\x00"

_HelloFrame = (
    f.NonceOffered
    | f.NonceAnswered
    | f.TagsShown
    | f.TagAnswered
    | f.InitiatorIdentity
    | f.ResponderIdentity
)


@dataclass(frozen=True)
class Transcript:
    """What only this link has: both nonces and both peer ids, the initiator's first."""

    nonces: tuple[bytes, bytes]
    peer_ids: tuple[str, str]

    @cached_property
    def as_bytes(self) -> bytes:
        """The 128 bytes that every proof on this link covers."""
        first, second = (tagged_hash("peer", peer_id.encode()) for peer_id in self.peer_ids)
        return b"".join((*self.nonces, first, second))

    def tag(self, topic_secret: bytes, role: bytes) -> bytes:
        """Return the proof of knowing a topic secret, 16 bytes."""
        message = _TAG + role + self.as_bytes
        return hmac.digest(topic_secret, message, "sha256")[: f.TAG_BYTES]

    def identity_message(self, community: bytes, role: bytes) -> bytes:
        """Return what a device signs to be named on this link."""
        return _SIGNED + community + self.as_bytes + role


class LinkEnd(NamedTuple):
    """Our end of a link that was just opened; `nonce` is 32 fresh random bytes."""

    session: int
    peer_id: str
    own_peer_id: str
    nonce: bytes

    def calling(self, answered: bytes) -> Transcript:
        """Return what both sides know of a link that we opened."""
        return Transcript((self.nonce, answered), (self.own_peer_id, self.peer_id))

    def called(self, offered: bytes) -> Transcript:
        """Return what both sides know of a link that the peer opened."""
        return Transcript((offered, self.nonce), (self.peer_id, self.own_peer_id))


class Established(msgspec.Struct):
    """How a handshake ended well. The responder may name its device later."""

    transcript: Transcript
    is_initiator: bool
    device: bytes | None  # the peer's, proven; None for a reader, or one that does not tell (yet)
    has_told_device: bool  # whether we named ours


def secrets_tried(replica: Replica) -> list[bytes]:
    """Return the topic secrets that a shown tag may be of: every one that is held.

    Of very many, those of each author in turn: no member shuts out whoever was away by making more
    epochs than anybody shows or tries.
    """
    held = replica.topic_secrets
    if len(held) > limits.TOPIC_SECRETS_TRIED_MAX:
        held = replica.epochs.topic_secrets(by_turns=True)
    return held[: limits.TOPIC_SECRETS_TRIED_MAX]


def secrets_shown(replica: Replica) -> list[bytes]:
    """Return the topic secrets whose tags are shown: the newest 64 and each 32nd older one.

    Who has missed changes shows what others still hold, and they try all of it.
    """
    held = replica.topic_secrets
    newest, older = limits.TOPIC_SECRETS_NEWEST, limits.TOPIC_SECRETS_STEP
    return [*held[:newest], *held[newest::older]][: limits.TOPIC_SECRETS_MAX]


def responder_identity(transcript: Transcript, replica: Replica) -> f.ResponderIdentity:
    """Return the frame that names our device to who opened the link."""
    assert replica.signer is not None, "a reader names itself to nobody"
    message = transcript.identity_message(replica.community, _RESPONDER)
    return f.ResponderIdentity(replica.signer.public, replica.signer.sign(message))


def responder_device(
    transcript: Transcript, replica: Replica, frame: f.ResponderIdentity
) -> bytes | None:
    """Return the device that the other side proves to be, None if it names none.

    Raises Refused(hello-failed) if the proof is wrong.
    """
    return proven_device(frame, transcript.identity_message(replica.community, _RESPONDER))


def proven_device(frame: f.InitiatorIdentity | f.ResponderIdentity, message: bytes) -> bytes | None:
    """Return the device that an identity frame proves, None if it names none.

    Raises Refused(hello-failed) if the proof is wrong.
    """
    if not frame.device and not frame.signature:
        return None
    if not verify(frame.device, message, frame.signature):
        raise Refused(Reason.HELLO_FAILED)
    return frame.device


class Hello:
    """One side of one handshake. After each call `established` says whether it is over."""

    def __init__(
        self,
        replicas: Sequence[Replica],
        link: LinkEnd,
        community: bytes | None,
    ) -> None:
        """Greet for `community` if we opened the link, else for whichever replica is asked."""
        self._replicas = replicas
        self._link = link
        self._session = link.session
        self._is_initiator = community is not None
        self._transcript: Transcript | None = None
        self._due_ms: int | None = None
        self.replica: Replica | None = None
        if community is not None:
            self.replica = next(r for r in replicas if r.community == community)
        self.established: Established | None = None
        self._awaited: type[_HelloFrame] = f.NonceAnswered if self._is_initiator else f.NonceOffered

    def open(self, now_ms: int) -> list[Effect]:
        """Return the first frame if we opened the link."""
        self._due_ms = now_ms + limits.REPLY_MS_MAX
        return [self._send(f.NonceOffered(self._link.nonce))] if self._is_initiator else []

    def receive(self, data: bytes, now_ms: int) -> list[Effect]:
        """Take the peer's next frame; whatever it holds, the answer is frames or an end."""
        try:
            frame = f.decode_frame(data)
            if not isinstance(frame, self._awaited):
                raise Refused(Reason.FRAME_INVALID)
            effects = self._answer(frame)
        except Refused as refusal:
            return [CloseSession(self._session, refusal.reason)]
        self._due_ms = None if self.established else now_ms + limits.REPLY_MS_MAX
        return effects

    def wakeup(self, now_ms: int) -> list[Effect]:
        """End the link if the peer let us wait for longer than 10 s."""
        if self._due_ms is None or now_ms < self._due_ms:
            return []
        return [CloseSession(self._session, None)]

    def set_back(self, by_ms: int) -> None:
        """Wait no longer, now that our clock was set back by so much."""
        if self._due_ms is not None:
            self._due_ms -= by_ms

    def next_wakeup_ms(self) -> int | None:
        """Return when `wakeup` is to be called at the latest."""
        return self._due_ms

    def _answer(self, frame: _HelloFrame) -> list[Effect]:
        match frame:
            case f.NonceOffered(nonce):
                self._transcript = self._link.called(nonce)
                return self._await(f.TagsShown, f.NonceAnswered(self._link.nonce))
            case f.NonceAnswered(nonce):
                self._transcript = self._link.calling(nonce)
                return self._show_tags(self._transcript)
            case f.TagsShown(tags):
                return self._answer_tags(self._joint_transcript, tags)
            case f.TagAnswered(hello_tag):
                return self._name_first(self._joint_transcript, hello_tag)
            case f.InitiatorIdentity():
                return self._name_second(self._joint_transcript, frame)
            case f.ResponderIdentity():
                replica = self._joint_replica
                device = responder_device(self._joint_transcript, replica, frame)
                self._establish(device, has_told_device=replica.signer is not None)
                return []
            case _:
                assert_never(frame)

    def _show_tags(self, transcript: Transcript) -> list[Effect]:
        secrets = secrets_shown(self._joint_replica)
        if not secrets:  # we are a newcomer that was handed none yet
            return [CloseSession(self._session, None)]
        return self._await(
            f.TagAnswered, f.TagsShown([transcript.tag(secret, _INITIATOR) for secret in secrets])
        )

    def _answer_tags(self, transcript: Transcript, tags: list[bytes]) -> list[Effect]:
        shown = set(tags)  # nobody can aim at a tag: our fresh nonce is in it
        for replica in self._replicas:
            for secret in secrets_tried(replica):
                if transcript.tag(secret, _INITIATOR) in shown:
                    self.replica = replica
                    answer = f.TagAnswered(transcript.tag(secret, _RESPONDER))
                    return self._await(f.InitiatorIdentity, answer)
        # Not an offence: the peer may belong to a community that we have left or never knew.
        return [CloseSession(self._session, None)]

    def _name_first(self, transcript: Transcript, hello_tag: bytes) -> list[Effect]:
        replica = self._joint_replica
        if not any(
            hmac.compare_digest(transcript.tag(secret, _RESPONDER), hello_tag)
            for secret in secrets_shown(replica)
        ):
            raise Refused(Reason.HELLO_FAILED)
        device = signature = b""
        if replica.signer is not None:
            device = replica.signer.public
            signature = replica.signer.sign(
                transcript.identity_message(replica.community, _INITIATOR)
            )
        return self._await(f.ResponderIdentity, f.InitiatorIdentity(device, signature))

    def _name_second(self, transcript: Transcript, frame: f.InitiatorIdentity) -> list[Effect]:
        replica = self._joint_replica
        device = proven_device(frame, transcript.identity_message(replica.community, _INITIATOR))
        if device is None and not is_public(replica):
            raise Refused(Reason.HELLO_FAILED)
        answer = f.ResponderIdentity(b"", b"")
        if device is not None and Access(replica).names_us_to(device):
            answer = responder_identity(transcript, replica)
        self._establish(device, has_told_device=bool(answer.device))
        return [self._send(answer)]

    def _establish(self, device: bytes | None, *, has_told_device: bool) -> None:
        self.established = Established(
            transcript=self._joint_transcript,
            is_initiator=self._is_initiator,
            device=device,
            has_told_device=has_told_device,
        )

    def _await(self, awaited: type[_HelloFrame], sent: f.Frame) -> list[Effect]:
        self._awaited = awaited
        return [self._send(sent)]

    def _send(self, frame: f.Frame) -> SendFrame:
        return SendFrame(self._session, f.encode_frame(frame))

    @property
    def _joint_transcript(self) -> Transcript:
        assert self._transcript is not None, "both nonces are known by now"
        return self._transcript

    @property
    def _joint_replica(self) -> Replica:
        assert self.replica is not None, "the community is known by now"
        return self.replica
