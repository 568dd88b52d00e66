"""What a newcomer and a member say to each other on a join link (spec: joining, "Frames")."""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated

import msgspec

from p2pvalue_protocol import limits
from p2pvalue_protocol.encoding import decode_canonical
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.hello import Transcript

_SIGNED = b"p2pv1/join\x00"

_Bytes32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
_Bytes64 = Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]
_Batch = Annotated[bytes, msgspec.Meta(max_length=limits.FRAME_BYTES_MAX)]


class _Frame(msgspec.Struct, array_like=True, frozen=True, gc=False, forbid_unknown_fields=True):
    pass


class NonceOffered(_Frame, frozen=True, tag=0):
    """First frame of the newcomer."""

    nonce: _Bytes32


class NonceAnswered(_Frame, frozen=True, tag=1):
    """First frame of the member."""

    nonce: _Bytes32


class Request(_Frame, frozen=True, tag=2):
    """What the newcomer has to show: an invite's key, or for an open community its id."""

    invite_key: Annotated[bytes, msgspec.Meta(max_length=32)]
    invite_signature: Annotated[bytes, msgspec.Meta(max_length=64)]
    community: Annotated[bytes, msgspec.Meta(max_length=32)]
    device: _Bytes32
    device_signature: _Bytes64


class Welcome(_Frame, frozen=True, tag=3):
    """What a newcomer must know to write its first operation and to meet the others."""

    topic_secrets: Annotated[list[_Bytes32], msgspec.Meta(max_length=limits.TOPIC_SECRETS_MAX)]
    genesis: _Batch  # one run: GENESIS


class Introduction(_Frame, frozen=True, tag=4):
    """The newcomer's first operation, and what its ADMIT needs."""

    first: _Batch  # one run: DEV_ADD
    admit_signature: Annotated[bytes, msgspec.Meta(max_length=64)]


class Admitted(_Frame, frozen=True, tag=5):
    """The ADMIT (or GRANT) is written and durable."""


class Declined(_Frame, frozen=True, tag=6):
    """Why not; sent only to who proved to hold the invite's key."""

    refusal: Annotated[int, msgspec.Meta(ge=0, le=255)]


JoinFrame = NonceOffered | NonceAnswered | Request | Welcome | Introduction | Admitted | Declined
_decoder: msgspec.msgpack.Decoder[JoinFrame] = msgspec.msgpack.Decoder(JoinFrame)


class Refusal(IntEnum):
    """Why a member does not admit; a number on the wire."""

    USED_UP = 1
    NOT_OPEN = 2
    CANNOT_ADMIT = 3
    INVALID = 4


def request_message(community: bytes, transcript: Transcript, device: bytes) -> bytes:
    """Return what the invite's key and the device sign, so that neither fits another link."""
    return _SIGNED + community + transcript.as_bytes + device


def decode_join_frame(data: bytes) -> JoinFrame:
    """Return the frame that `data` says; raises Refused(frame-invalid)."""
    if len(data) > limits.FRAME_BYTES_MAX:
        raise Refused(Reason.FRAME_INVALID)
    try:
        return decode_canonical(_decoder, data)
    except Refused:
        raise Refused(Reason.FRAME_INVALID) from None
