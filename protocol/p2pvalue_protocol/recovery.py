"""A person comes back with nothing but her words, over a link of its own (spec: devices).

Her new device shows a member that it knows the community, is told the nonce that her root key there
follows from, and proves that root over the link. If she is still a member, the member hands over
what a new device needs, and names its first operation, which her root certifies.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from typing import Literal, assert_never

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import link_frames as f
from p2pvalue_protocol.admission import certified_root, genesis_run, may_admit, proof_batches
from p2pvalue_protocol.dialogue import Dialogue, F
from p2pvalue_protocol.effects import CloseSession, Effect, Joined
from p2pvalue_protocol.errors import LocalProtocolError, Reason, Refused
from p2pvalue_protocol.first_operation import (
    Proofs,
    begin_log,
    first_run,
    founding_of,
    take_first,
    take_runs,
)
from p2pvalue_protocol.handover import secrets_for, take_secrets
from p2pvalue_protocol.hello import LinkEnd, Transcript
from p2pvalue_protocol.inputs import DeviceKeys, Draft
from p2pvalue_protocol.keys import SigningKey, is_valid_public_key, verify
from p2pvalue_protocol.log import encode_batch
from p2pvalue_protocol.replica import Replica

_WORDS: dict[int, str] = {
    f.LinkRefusal.NOT_A_MEMBER: "your words are those of nobody who is a member there: check that "
    "the link is of the right community, or ask for a new invite",
    f.LinkRefusal.CANNOT_ADMIT: "the member you reached may not let people in; try another's link",
    f.LinkRefusal.INVALID: "the member you reached did not accept this device; update both, retry",
}
_NO_ANSWER = "nobody there knows this community (yet): check the link, and that its maker is online"
_UNEXPECTED = "the node you reached answered something unexpected; update both and retry"


class _RecoverySide(Dialogue[F]):
    def _decoded(self, data: bytes) -> f.LinkFrame:
        return f.decode_link_frame(data)


class RecoveryServer(_RecoverySide[f.ReturnersFrame]):
    """The member's side. A stranger costs it one HMAC per community and learns nothing."""

    _transcript: Transcript
    _replica: Replica
    _shown: f.RootShown

    def __init__(self, replicas: Sequence[Replica], link: LinkEnd) -> None:
        """Serve whichever of `replicas` the caller knows."""
        super().__init__(link, f.NonceOffered)
        self._replicas = replicas

    def _answer(self, frame: f.ReturnersFrame, now_ms: int) -> list[Effect]:
        match frame:
            case f.NonceOffered(nonce):
                self._transcript = self._link.called(nonce)
                self._awaited = (f.CommunityShown,)
                return [self._send(f.NonceAnswered(self._link.nonce))]
            case f.CommunityShown(proof):
                return self._tell_nonce(proof)
            case f.RootShown():
                return self._judge(frame)
            case f.Begun():
                return self._take(frame, now_ms)
            case _:
                assert_never(frame)

    def _tell_nonce(self, proof: bytes) -> list[Effect]:
        for replica in self._replicas:
            expected = f.community_proof(replica.community, self._transcript)
            founding = replica.membership.genesis
            if founding is not None and hmac.compare_digest(expected, proof):
                self._replica = replica
                self._awaited = (f.RootShown,)
                return [self._send(f.NonceTold(founding.nonce))]
        return self._end(None)

    def _judge(self, frame: f.RootShown) -> list[Effect]:
        replica = self._replica
        message = f.root_message(replica.community, self._transcript, frame.device)
        if not verify(frame.root, message, frame.signature):
            return self._end(None)
        if not is_valid_public_key(frame.device):
            raise Refused(Reason.FRAME_INVALID)
        if all(member.root != frame.root for member in replica.membership.members()):
            return self._decline(f.LinkRefusal.NOT_A_MEMBER)
        genesis = genesis_run(replica)
        if genesis is None or not may_admit(replica):
            return self._decline(f.LinkRefusal.CANNOT_ADMIT)
        self._shown = frame
        self._awaited = (f.Begun,)
        return [self._send(f.Readmitted(encode_batch([genesis])))]

    def _take(self, frame: f.Begun, now_ms: int) -> list[Effect]:
        replica, shown = self._replica, self._shown
        if not replica.membership.was_ever_admitted(shown.device):  # else an answer was lost
            first = first_run(frame.first, shown.device)
            if certified_root(replica, shown.device, first.items[0].payload) != shown.root:
                return self._decline(f.LinkRefusal.INVALID)
            if not take_first(replica, first, Draft(auth.AUTH_SEEN, b"", b""), now_ms):
                return self._decline(f.LinkRefusal.CANNOT_ADMIT)
        self._awaited = ()  # the other side closes; a close of ours could overtake the answer
        proofs = [self._send(f.Proof(batch)) for batch in proof_batches(replica, shown.device)]
        return [*proofs, self._send(f.Taken(replica.community, secrets_for(replica)))]

    def _decline(self, refusal: f.LinkRefusal) -> list[Effect]:
        self._awaited = ()
        return [self._send(f.Declined(refusal))]


class RecoveryClient(_RecoverySide[f.MembersFrame]):
    """The new device's side; it reports as a join does, by `Joined`."""

    _transcript: Transcript
    _root: SigningKey
    _replica: Replica

    def __init__(
        self,
        link: LinkEnd,
        keys: DeviceKeys,
        root_entropy: bytes,
        replica_for: Callable[[bytes, SigningKey], Replica],
    ) -> None:
        """Come back into the community of `keys`; `replica_for` makes our copy of it."""
        super().__init__(link, f.NonceAnswered)
        self._keys = keys
        self._root_entropy = root_entropy
        self._replica_for = replica_for
        self._told_nonce = b""
        self._proofs = Proofs()

    def lost(self) -> list[Effect]:
        """Return what to tell the person when the other side closed the link before the end."""
        return self._failed(_NO_ANSWER)

    def _begin(self) -> list[Effect]:
        return [self._send(f.NonceOffered(self._link.nonce))]

    def _end(self, reason: Reason | None) -> list[Effect]:
        words = _NO_ANSWER if reason is None else f"{_UNEXPECTED} ({reason})"
        return [*self._failed(words), CloseSession(self._session, reason)]

    def _failed(self, words: str) -> list[Effect]:
        self._due_ms = None
        return [self._joined("failed", message=words)]

    def _answer(self, frame: f.MembersFrame, now_ms: int) -> list[Effect]:
        match frame:
            case f.NonceAnswered(nonce):
                self._transcript = self._link.calling(nonce)
                self._awaited = (f.NonceTold, f.Declined)
                proof = f.community_proof(self._keys.community, self._transcript)
                return [self._send(f.CommunityShown(proof))]
            case f.NonceTold(nonce):
                return self._show_root(nonce)
            case f.Readmitted():
                return self._start(frame, now_ms)
            case f.Proof(batch):
                self._proofs.gather(batch)
                return []
            case f.Taken():
                return self._take(frame, now_ms)
            case f.Declined(refusal):
                words = _WORDS.get(refusal, _UNEXPECTED)
                return [*self._failed(words), CloseSession(self._session, None)]
            case _:
                assert_never(frame)

    def _show_root(self, nonce: bytes) -> list[Effect]:
        self._told_nonce = nonce
        self._root = SigningKey(auth.root_seed(self._root_entropy, nonce))
        device = self._keys.signer.public
        message = f.root_message(self._keys.community, self._transcript, device)
        self._awaited = (f.Readmitted, f.Declined)
        return [self._send(f.RootShown(self._root.public, device, self._root.sign(message)))]

    def _start(self, frame: f.Readmitted, now_ms: int) -> list[Effect]:
        keys, community = self._keys, self._keys.community
        run, founding = founding_of(frame.genesis, community)
        if founding.nonce != self._told_nonce:  # it wanted to know our root in another community
            raise Refused(Reason.WRONG_COMMUNITY)
        replica = self._replica = self._replica_for(community, keys.signer)
        take_runs(replica, [run], now_ms)
        root, device = self._root, keys.signer.public
        message = auth.certificate_message(founding.nonce, root.public, device, keys.prekey)
        payload = auth.dev_add_payload(root.public, keys.prekey, root.sign(message))
        try:
            first = begin_log(replica, keys.signer, payload, now_ms)
        except LocalProtocolError as error:
            return [*self._failed(str(error)), CloseSession(self._session, None)]
        self._awaited = (f.Proof, f.Taken, f.Declined)
        return [
            self._joined("welcomed", nonce=founding.nonce),
            self._send(f.Begun(community, encode_batch([first]))),
        ]

    def _take(self, frame: f.Taken, now_ms: int) -> list[Effect]:
        """Take what shows others that this device is the person's, and what opens their words."""
        self._proofs.store(self._replica, now_ms)
        take_secrets(self._replica, frame.secrets)
        self._due_ms = None
        return [
            self._joined("admitted"),
            CloseSession(self._session, None),
        ]

    def _joined(
        self,
        state: Literal["welcomed", "admitted", "failed"],
        *,
        nonce: bytes = b"",
        message: str = "",
    ) -> Effect:
        return Joined(self._session, self._keys.community, state, nonce, message)
