"""What two devices of one person say to each other, and a bare machine to a member (spec: devices).

Both dialogues use the same frames; which of them may come next is up to the side that awaits it.
"""

from __future__ import annotations

import hmac
from enum import IntEnum
from typing import Annotated

import msgspec

from p2pvalue_protocol import limits
from p2pvalue_protocol.encoding import decode_canonical
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.frames import EpochSecret
from p2pvalue_protocol.hello import Transcript

OLDER = b"\x00"
NEWER = b"\x01"
"""Who shows that it knows a code's secret: the device that was given the code, the one that made
it."""

_SECRET = b"p2pv1/device-link\x00"
_COMMUNITY = b"p2pv1/recover-community\x00"
_ROOT = b"p2pv1/recover\x00"

Bytes32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Bytes64 = Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]
Label = Annotated[str, msgspec.Meta(max_length=limits.LABEL_CHARACTERS_MAX)]
_Record = Annotated[bytes, msgspec.Meta(max_length=limits.RECORD_BYTES_MAX)]
_Batch = Annotated[bytes, msgspec.Meta(max_length=limits.FRAME_BYTES_MAX)]


class _Frame(msgspec.Struct, array_like=True, frozen=True, gc=False, forbid_unknown_fields=True):
    pass


class PersonIn(_Frame, frozen=True):
    """One community that a person is in, and the root key that she has there."""

    community: Bytes32
    nonce: Bytes32
    root: Bytes32


class NewDevice(_Frame, frozen=True):
    """The keys of a new device for one community: to sign with, and to be sent secrets."""

    community: Bytes32
    device: Bytes32
    prekey: Bytes32


class NonceOffered(_Frame, frozen=True, tag=0):
    """First frame of who opened the link."""

    nonce: Bytes32


class NonceAnswered(_Frame, frozen=True, tag=1):
    """First frame of the other side."""

    nonce: Bytes32


class SecretShown(_Frame, frozen=True, tag=2):
    """Shows that this side knows the code's secret; the older device begins."""

    proof: Bytes32


class PersonShown(_Frame, frozen=True, tag=3):
    """Who the older device is, and where she is a member."""

    name: Annotated[str, msgspec.Meta(max_length=limits.NAME_CHARACTERS_MAX)]
    label: Label  # what the older device is called
    words_check: Annotated[bytes, msgspec.Meta(max_length=32)]  # to know her words again by
    backup_key: Annotated[bytes, msgspec.Meta(max_length=32)]  # that her words open as well
    memberships: Annotated[
        tuple[PersonIn, ...], msgspec.Meta(max_length=limits.LINKED_COMMUNITIES_MAX)
    ]


class DevicesMade(_Frame, frozen=True, tag=4):
    """The new device's keys, for those communities that it takes."""

    label: Label
    devices: Annotated[
        tuple[NewDevice, ...], msgspec.Meta(max_length=limits.LINKED_COMMUNITIES_MAX)
    ]


class Certified(_Frame, frozen=True, tag=5):
    """What the new device must know to begin its log in one community, and to meet the others."""

    community: Bytes32
    certificate: Bytes64
    certifier: Bytes32
    genesis: _Batch  # one run: GENESIS
    records: Annotated[tuple[_Record, ...], msgspec.Meta(max_length=limits.RECORDS_HANDED_MAX)]


class Begun(_Frame, frozen=True, tag=6):
    """The first operation of the new device's log."""

    community: Bytes32
    first: _Batch  # one run: DEV_ADD


class Taken(_Frame, frozen=True, tag=7):
    """That operation is stored here and named, so that everybody takes it; so secrets are due."""

    community: Bytes32
    secrets: Annotated[list[EpochSecret], msgspec.Meta(max_length=limits.KEYS_PER_FRAME_MAX)]


class Ended(_Frame, frozen=True, tag=8):
    """The older device has nothing more to hand over."""


class Declined(_Frame, frozen=True, tag=9):
    """Why not; sent only after the proof."""

    refusal: Annotated[int, msgspec.Meta(ge=0, le=255)]


class CommunityShown(_Frame, frozen=True, tag=10):
    """Shows that a bare machine knows which community it comes back to."""

    proof: Bytes32


class NonceTold(_Frame, frozen=True, tag=11):
    """The nonce that a person's root key in this community follows from."""

    nonce: Bytes32


class RootShown(_Frame, frozen=True, tag=12):
    """A root's signature over this link, and the device that it adds."""

    root: Bytes32
    device: Bytes32
    signature: Bytes64


class Readmitted(_Frame, frozen=True, tag=13):
    """What a member's new device must know to begin its log."""

    genesis: _Batch  # one run: GENESIS


class Proof(_Frame, frozen=True, tag=14):
    """Some of what shows every member that the new device is one's: what it needs in its past."""

    batch: _Batch


OlderDevicesFrame = (
    NonceOffered | SecretShown | PersonShown | Certified | Proof | Taken | Ended | Declined
)
NewerDevicesFrame = NonceAnswered | SecretShown | DevicesMade | Begun | Declined
ReturnersFrame = NonceOffered | CommunityShown | RootShown | Begun
MembersFrame = NonceAnswered | NonceTold | Readmitted | Proof | Taken | Declined
LinkFrame = OlderDevicesFrame | NewerDevicesFrame | ReturnersFrame | MembersFrame
_decoder: msgspec.msgpack.Decoder[LinkFrame] = msgspec.msgpack.Decoder(LinkFrame)


class LinkRefusal(IntEnum):
    """Why the other side does not go on; a number on the wire."""

    NO_COMMUNITY = 1
    OTHER_PERSON = 2
    NOT_A_MEMBER = 3
    CANNOT_ADMIT = 4
    INVALID = 5


def secret_proof(secret: bytes, transcript: Transcript, role: bytes) -> bytes:
    """Return the 32 bytes that show knowledge of a code's secret on this link alone."""
    return hmac.digest(secret, _SECRET + role + transcript.as_bytes, "sha256")


def community_proof(community: bytes, transcript: Transcript) -> bytes:
    """Return the 32 bytes that show knowledge of a community's id on this link alone."""
    return hmac.digest(community, _COMMUNITY + transcript.as_bytes, "sha256")


def root_message(community: bytes, transcript: Transcript, device: bytes) -> bytes:
    """Return what a root key signs to bring in a new device over this link."""
    return _ROOT + community + transcript.as_bytes + device


def decode_link_frame(data: bytes) -> LinkFrame:
    """Return the frame that `data` says; raises Refused(frame-invalid)."""
    if len(data) > limits.FRAME_BYTES_MAX:
        raise Refused(Reason.FRAME_INVALID)
    try:
        return decode_canonical(_decoder, data)
    except Refused:
        raise Refused(Reason.FRAME_INVALID) from None
