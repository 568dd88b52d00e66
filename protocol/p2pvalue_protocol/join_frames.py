"""What a newcomer and a member say to each other on a join link (spec: joining, "Frames")."""

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

_SIGNED = b"p2pv1/join\x00"
_KNOWN = b"p2pv1/join-community\x00"

_Bytes32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
_Bytes64 = Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]
_Batch = Annotated[bytes, msgspec.Meta(max_length=limits.FRAME_BYTES_MAX)]
_Flag = Annotated[int, msgspec.Meta(ge=0, le=1)]


class _Frame(msgspec.Struct, array_like=True, frozen=True, gc=False, forbid_unknown_fields=True):
    pass


class NonceOffered(_Frame, frozen=True, tag=0):
    """First frame of the newcomer."""

    nonce: _Bytes32


class NonceAnswered(_Frame, frozen=True, tag=1):
    """First frame of the member."""

    nonce: _Bytes32


class InviteShown(_Frame, frozen=True, tag=2):
    """The newcomer holds an invite's key."""

    invite_key: _Bytes32
    invite_signature: _Bytes64
    device: _Bytes32
    device_signature: _Bytes64


class CommunityShown(_Frame, frozen=True, tag=3):
    """The newcomer holds a link without a secret: it knows the community, and shows just that."""

    proof: _Bytes32
    device: _Bytes32
    device_signature: _Bytes64


class Welcome(_Frame, frozen=True, tag=4):
    """What a newcomer must know to write its first operation; and whether a person decides."""

    is_decided_by_person: _Flag
    genesis: _Batch  # one run: GENESIS


class Introduction(_Frame, frozen=True, tag=5):
    """The newcomer's first operation, and what its ADMIT needs."""

    first: _Batch  # one run: DEV_ADD
    admit_signature: Annotated[bytes, msgspec.Meta(max_length=64)]


class Plea(_Frame, frozen=True, tag=6):
    """The newcomer's first operation, and what it says to the person who decides."""

    first: _Batch  # one run: DEV_ADD
    name: Annotated[str, msgspec.Meta(max_length=limits.NAME_CHARACTERS_MAX)]
    message: Annotated[str, msgspec.Meta(max_length=limits.PLEA_CHARACTERS_MAX)]


class Pending(_Frame, frozen=True, tag=7):
    """The plea is kept; a person decides, and the newcomer asks again."""


class Proof(_Frame, frozen=True, tag=8):
    """Some of what shows every member that the newcomer is one: its admission and the past."""

    batch: _Batch


class Admitted(_Frame, frozen=True, tag=9):
    """The admission is written and durable; these secrets open what is written now."""

    secrets: Annotated[list[EpochSecret], msgspec.Meta(max_length=limits.KEYS_PER_FRAME_MAX)]


class Declined(_Frame, frozen=True, tag=10):
    """Why not; sent only to who proved to hold the link."""

    refusal: Annotated[int, msgspec.Meta(ge=0, le=255)]


NewcomersFrame = NonceOffered | InviteShown | CommunityShown | Introduction | Plea
MembersFrame = NonceAnswered | Welcome | Pending | Proof | Admitted | Declined
JoinFrame = NewcomersFrame | MembersFrame
_decoder: msgspec.msgpack.Decoder[JoinFrame] = msgspec.msgpack.Decoder(JoinFrame)


class Refusal(IntEnum):
    """Why a member does not admit; a number on the wire."""

    USED_UP = 1
    NOT_OPEN = 2
    CANNOT_ADMIT = 3
    INVALID = 4
    WITHDRAWN = 5
    PUT_OUT = 6
    BUSY = 7
    NOT_APPROVED = 8


def request_message(community: bytes, transcript: Transcript, device: bytes) -> bytes:
    """Return what the invite's key and the device sign, so that neither fits another link."""
    return _SIGNED + community + transcript.as_bytes + device


def community_proof(community: bytes, transcript: Transcript) -> bytes:
    """Return the 32 bytes that show, on this link alone, that one knows a community's id."""
    return hmac.digest(community, _KNOWN + transcript.as_bytes, "sha256")


def decode_join_frame(data: bytes) -> JoinFrame:
    """Return the frame that `data` says; raises Refused(frame-invalid)."""
    if len(data) > limits.FRAME_BYTES_MAX:
        raise Refused(Reason.FRAME_INVALID)
    try:
        return decode_canonical(_decoder, data)
    except Refused:
        raise Refused(Reason.FRAME_INVALID) from None
