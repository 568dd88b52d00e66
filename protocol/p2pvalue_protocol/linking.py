"""A person's older device brings in a newer one, over a link of its own (spec: devices).

The newer device made a code; the older one was given it and calls. Both show on this link that they
know the code's secret. Then the older one certifies a device key for each community that its person
is in, names that device's first operation, and hands over what is needed to meet the others. What
the person's words stand for never leaves a machine: the newer device cannot act as her root.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from typing import Literal, assert_never

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import limits
from p2pvalue_protocol import link_frames as f
from p2pvalue_protocol.admission import genesis_run, may_admit, proof_batches
from p2pvalue_protocol.dialogue import Dialogue, F
from p2pvalue_protocol.effects import (
    CloseSession,
    DevicesWanted,
    Effect,
    Joined,
    Linked,
)
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
from p2pvalue_protocol.inputs import DeviceKeys, Draft, PersonHere
from p2pvalue_protocol.keys import (
    SigningKey,
    is_valid_exchange_key,
    is_valid_public_key,
    verify,
)
from p2pvalue_protocol.log import Run, encode_batch
from p2pvalue_protocol.named import is_certified
from p2pvalue_protocol.replica import Replica

ReplicaFor = Callable[[bytes, SigningKey], Replica]

_WORDS: dict[int, str] = {
    f.LinkRefusal.NO_COMMUNITY: "there is no community that the other device could be added to",
    f.LinkRefusal.OTHER_PERSON: "the other device is somebody else's already: "
    "give it a data folder of its own with `p2pvalue init --linked`",
    f.LinkRefusal.CANNOT_ADMIT: "the older device may not write there any more",
}
_NO_ANSWER = (
    "the other device does not take this code: it was used, is older than ten minutes, or was "
    "replaced; show a new one there with `p2pvalue device link`"
)
_BROKEN_OFF = "the other device broke off: show a new code and try again"
_UNEXPECTED = "the other device answered something unexpected; update both and retry"


class _LinkSide(Dialogue[F]):
    """One device on the link between two of one person."""

    _transcript: Transcript

    def __init__(self, link: LinkEnd, secret: bytes, *awaited: type[F]) -> None:
        super().__init__(link, *awaited)
        self._secret = secret
        self._done: list[tuple[bytes, bytes]] = []  # (community, the other device)

    def _decoded(self, data: bytes) -> f.LinkFrame:
        return f.decode_link_frame(data)

    def _show(self, role: bytes) -> Effect:
        return self._send(f.SecretShown(f.secret_proof(self._secret, self._transcript, role)))

    def _is_shown(self, frame: f.SecretShown, role: bytes) -> bool:
        expected = f.secret_proof(self._secret, self._transcript, role)
        return hmac.compare_digest(expected, frame.proof)

    def _failed(self, words: str) -> list[Effect]:
        if self._due_ms is None:
            return []
        self._due_ms = None
        return [Linked(self._session, "failed", tuple(self._done), "", words)]

    def _linked(self, label: str) -> Effect:
        self._due_ms = None
        return Linked(self._session, "linked", tuple(self._done), label, "")


class OlderDevice(_LinkSide[f.NewerDevicesFrame]):
    """The side that was given the code: it calls, certifies and hands over."""

    def __init__(
        self, replicas: Sequence[Replica], link: LinkEnd, secret: bytes, person: PersonHere
    ) -> None:
        """Bring a device into each of `replicas` in which ours may write."""
        super().__init__(link, secret, f.NonceAnswered)
        self._replicas = {r.community: r for r in replicas if r.device is not None and may_admit(r)}
        self._person = person
        self._label = ""
        self._waiting: list[f.NewDevice] = []
        self._failure = _NO_ANSWER

    def lost(self) -> list[Effect]:
        """Return what to tell the person when the newer device closed the link before the end."""
        return self._failed(self._failure)

    def _begin(self) -> list[Effect]:
        return [self._send(f.NonceOffered(self._link.nonce))]

    def _end(self, reason: Reason | None) -> list[Effect]:
        words = self._failure if reason is None else f"{_UNEXPECTED} ({reason})"
        return [*self._failed(words), CloseSession(self._session, reason)]

    def _answer(self, frame: f.NewerDevicesFrame, now_ms: int) -> list[Effect]:
        match frame:
            case f.NonceAnswered(nonce):
                self._transcript = self._link.calling(nonce)
                self._awaited = (f.SecretShown,)
                return [self._show(f.OLDER)]
            case f.SecretShown():
                if not self._is_shown(frame, f.NEWER):
                    raise Refused(Reason.HELLO_FAILED)
                self._failure = _BROKEN_OFF
                return self._tell()
            case f.DevicesMade():
                return self._take_devices(frame)
            case f.Begun():
                return self._name(frame, now_ms)
            case f.Declined(refusal):
                words = _WORDS.get(refusal, _UNEXPECTED)
                return [*self._failed(words), CloseSession(self._session, None)]
            case _:
                assert_never(frame)

    def _tell(self) -> list[Effect]:
        memberships: list[f.PersonIn] = []
        for community, replica in sorted(self._replicas.items()):
            standing = replica.membership.standing(_device_of(replica))
            founding = replica.membership.genesis
            if standing is not None and founding is not None:
                memberships.append(f.PersonIn(community, founding.nonce, standing.member))
        person = self._person
        self._awaited = (f.DevicesMade, f.Declined)
        told = tuple(memberships[: limits.LINKED_COMMUNITIES_MAX])
        return [
            self._send(
                f.PersonShown(
                    person.name, person.label, person.words_check, person.backup_key, told
                )
            )
        ]

    def _take_devices(self, frame: f.DevicesMade) -> list[Effect]:
        communities = [made.community for made in frame.devices]
        is_well_formed = (
            communities == sorted(set(communities))
            and all(community in self._replicas for community in communities)
            and all(
                is_valid_public_key(made.device) and is_valid_exchange_key(made.prekey)
                for made in frame.devices
            )
        )
        if not is_well_formed:
            raise Refused(Reason.FRAME_INVALID)
        self._label = frame.label
        self._waiting = list(frame.devices)
        return self._certify()

    def _certify(self) -> list[Effect]:
        """Certify the next device, or end."""
        if not self._waiting:
            self._awaited = ()  # the newer device closes; a close of ours could overtake
            return [self._send(f.Ended()), self._linked(self._label)]
        made = self._waiting[0]
        replica = self._replicas[made.community]
        signer, founding = replica.signer, replica.membership.genesis
        genesis = genesis_run(replica)
        standing = replica.membership.standing(_device_of(replica))
        if signer is None or founding is None or genesis is None or standing is None:
            words = _WORDS[f.LinkRefusal.CANNOT_ADMIT]
            return [
                self._send(f.Declined(f.LinkRefusal.CANNOT_ADMIT)),
                *self._failed(words),
            ]
        message = auth.certificate_message(
            founding.nonce, standing.member, made.device, made.prekey
        )
        own = [record for device, record in replica.address_records() if device == signer.public]
        others = [r for device, r in replica.address_records() if device != signer.public]
        self._awaited = (f.Begun, f.Declined)
        return [
            self._send(
                f.Certified(
                    made.community,
                    signer.sign(message),
                    signer.public,
                    encode_batch([genesis]),
                    tuple([*own, *others][: limits.RECORDS_HANDED_MAX]),
                )
            )
        ]

    def _name(self, frame: f.Begun, now_ms: int) -> list[Effect]:
        made = self._waiting.pop(0)
        replica = self._replicas[made.community]
        if frame.community != made.community:
            raise Refused(Reason.FRAME_INVALID)
        if not replica.membership.was_ever_admitted(made.device):  # else an answer was lost
            first = first_run(frame.first, made.device)
            if not _is_as_certified(replica, made, first):
                raise Refused(Reason.FRAME_INVALID)
            if not take_first(replica, first, Draft(auth.AUTH_SEEN, b"", b""), now_ms):
                words = _WORDS[f.LinkRefusal.CANNOT_ADMIT]
                self._awaited = ()
                return [self._send(f.Declined(f.LinkRefusal.CANNOT_ADMIT)), *self._failed(words)]
        self._done.append((made.community, made.device))
        proofs = [self._send(f.Proof(batch)) for batch in proof_batches(replica, made.device)]
        taken = self._send(f.Taken(made.community, secrets_for(replica)))
        return [*proofs, taken, *self._certify()]


class NewerDevice(_LinkSide[f.OlderDevicesFrame]):
    """The side that made the code: it waits to be called, makes keys and begins its logs."""

    _begun: Replica  # the community whose log we began last
    _certifier: bytes

    def __init__(self, link: LinkEnd, secret: bytes, replica_for: ReplicaFor) -> None:
        """Wait for who knows `secret`; `replica_for` makes our copy of a community."""
        super().__init__(link, secret, f.NonceOffered)
        self._replica_for = replica_for
        self._label = ""
        self._told: dict[bytes, f.PersonIn] = {}
        self._made: dict[bytes, DeviceKeys] = {}
        self._proofs = Proofs()
        self._is_proven = False

    def lost(self) -> list[Effect]:
        """Return what to tell the person; nothing of a caller that knew no secret."""
        return self._failed(_BROKEN_OFF) if self._is_proven else []

    def _end(self, reason: Reason | None) -> list[Effect]:
        words = _BROKEN_OFF if reason is None else f"{_UNEXPECTED} ({reason})"
        told = self._failed(words) if self._is_proven else []
        self._due_ms = None
        return [*told, CloseSession(self._session, reason)]

    def _answer(self, frame: f.OlderDevicesFrame, now_ms: int) -> list[Effect]:
        match frame:
            case f.NonceOffered(nonce):
                self._transcript = self._link.called(nonce)
                self._awaited = (f.SecretShown,)
                return [self._send(f.NonceAnswered(self._link.nonce))]
            case f.SecretShown():
                if not self._is_shown(frame, f.OLDER):
                    return self._end(None)
                self._is_proven = True
                self._awaited = (f.PersonShown,)
                return [self._show(f.NEWER)]
            case f.PersonShown():
                return self._want_keys(frame)
            case f.Certified():
                return self._start(frame, now_ms)
            case f.Proof(batch):
                self._proofs.gather(batch)
                return []
            case f.Taken():
                return self._take(frame, now_ms)
            case f.Ended():
                return [self._linked(self._label), CloseSession(self._session, None)]
            case f.Declined(refusal):
                words = _WORDS.get(refusal, _UNEXPECTED)
                return [*self._failed(words), CloseSession(self._session, None)]
            case _:
                assert_never(frame)

    def _want_keys(self, frame: f.PersonShown) -> list[Effect]:
        communities = [told.community for told in frame.memberships]
        if communities != sorted(set(communities)):
            raise Refused(Reason.FRAME_INVALID)
        self._label = frame.label
        self._told = {told.community: told for told in frame.memberships}
        self._awaited = ()  # until the shell answers with keys
        person = PersonHere(frame.name, frame.label, frame.words_check, frame.backup_key)
        told = tuple((t.community, t.nonce, t.root) for t in frame.memberships)
        return [DevicesWanted(self._session, person, told)]

    def devices_made(
        self, label: str, devices: Sequence[DeviceKeys], refusal: f.LinkRefusal | None
    ) -> list[Effect]:
        """Go on with the keys that were asked for by `DevicesWanted`; durable by now.

        `refusal` says why there are none.
        """
        if not devices:
            refusal = refusal or f.LinkRefusal.NO_COMMUNITY
            failed = self._failed(_WORDS.get(refusal, _UNEXPECTED))
            self._awaited = ()
            return [self._send(f.Declined(refusal)), *failed]
        self._made = {keys.community: keys for keys in devices}
        self._awaited = (f.Certified, f.Ended, f.Declined)
        made = [
            f.NewDevice(community, keys.signer.public, keys.prekey)
            for community, keys in sorted(self._made.items())
        ]
        return [self._send(f.DevicesMade(label, tuple(made)))]

    def _start(self, frame: f.Certified, now_ms: int) -> list[Effect]:
        community = frame.community
        keys, told = self._made.pop(community, None), self._told.get(community)
        if keys is None or told is None:
            raise Refused(Reason.FRAME_INVALID)
        run, founding = founding_of(frame.genesis, community)
        message = auth.certificate_message(
            founding.nonce, told.root, keys.signer.public, keys.prekey
        )
        if founding.nonce != told.nonce or not verify(frame.certifier, message, frame.certificate):
            raise Refused(Reason.FRAME_INVALID)
        replica = self._replica_for(community, keys.signer)
        take_runs(replica, [run], now_ms)
        payload = auth.dev_add_payload(told.root, keys.prekey, frame.certificate, frame.certifier)
        try:
            first = begin_log(replica, keys.signer, payload, now_ms)
        except LocalProtocolError as error:
            return [*self._failed(str(error)), CloseSession(self._session, None)]
        for record in frame.records:
            replica.learn_address(record, now_ms, is_vouched=True)
        self._certifier = frame.certifier
        self._begun = replica
        self._awaited = (f.Proof, f.Taken, f.Declined)
        return [
            self._joined(community, "welcomed", founding.nonce),
            self._send(f.Begun(community, encode_batch([first]))),
        ]

    def _take(self, frame: f.Taken, now_ms: int) -> list[Effect]:
        """Take what shows others that this device is the person's, and what opens their words."""
        replica = self._begun
        if frame.community != replica.community:
            raise Refused(Reason.FRAME_INVALID)
        self._proofs.store(replica, now_ms)
        take_secrets(replica, frame.secrets)
        self._done.append((frame.community, self._certifier))
        self._awaited = (f.Certified, f.Ended, f.Declined)
        return [self._joined(frame.community, "admitted")]

    def _joined(
        self,
        community: bytes,
        state: Literal["welcomed", "admitted"],
        nonce: bytes = b"",
    ) -> Effect:
        return Joined(self._session, community, state, nonce, "")


def _is_as_certified(replica: Replica, made: f.NewDevice, first: Run) -> bool:
    """Return whether a DEV_ADD says what a device of ours signed for this one, and nothing else.

    Mostly we did. But an earlier link may have broken when the log had begun, and another device of
    the same person, or her words, may go on: it cannot begin twice.
    """
    added = auth.read_payload(auth.DevAddPayload, first.items[0].payload)
    root = replica.membership.member_of(_device_of(replica))
    is_hers = added is not None and (added.root, added.prekey) == (root, made.prekey)
    return is_hers and is_certified(replica.membership, first)


def _device_of(replica: Replica) -> bytes:
    assert replica.device is not None, "only communities with a device of ours come here"
    return replica.device
