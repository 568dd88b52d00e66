"""What two nodes say to each other on a sync link, frame by frame (spec: sync, "Frames").

A frame is a canonical MessagePack array whose first item is its type. Types 0 to 5 are the
handshake, 6 to 9 compare what both hold, 10 to 12 move operations, 13 tells where devices are, 14
and 15 pass on the secrets of epochs, 16 and 17 find updates that nobody lists, 18 says what
documents show, 20 and 21 move chunks of blobs.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from p2pvalue_protocol import limits
from p2pvalue_protocol.chunks import SEALED_BYTES_MAX
from p2pvalue_protocol.encoding import decode_canonical, encode
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.ids import Reference

SUM_BYTES = 8
"""Length of a keyed short hash of one head or of one bucket of heads."""

FINGERPRINT_BYTES = 16
BUCKETS = 256
TAG_BYTES = 16

_Bytes32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
_Device = Annotated[bytes, msgspec.Meta(max_length=32)]
_Signature = Annotated[bytes, msgspec.Meta(max_length=64)]
_Tag = Annotated[bytes, msgspec.Meta(min_length=TAG_BYTES, max_length=TAG_BYTES)]
_Flag = Annotated[int, msgspec.Meta(ge=0, le=1)]
_U53 = Annotated[int, msgspec.Meta(ge=0, le=limits.SEQ_MAX)]
_Sums = Annotated[bytes, msgspec.Meta(max_length=SUM_BYTES * limits.SUMS_PER_FRAME_MAX)]


class _Frame(msgspec.Struct, array_like=True, frozen=True, gc=False, forbid_unknown_fields=True):
    pass


class NonceOffered(_Frame, frozen=True, tag=0):
    """First frame of who opened the link."""

    nonce: _Bytes32


class NonceAnswered(_Frame, frozen=True, tag=1):
    """First frame of the other side."""

    nonce: _Bytes32


class TagsShown(_Frame, frozen=True, tag=2):
    """Proofs of knowing topic secrets of one community, newest first."""

    tags: Annotated[list[_Tag], msgspec.Meta(min_length=1, max_length=limits.TOPIC_SECRETS_MAX)]


class TagAnswered(_Frame, frozen=True, tag=3):
    """Proof of knowing the same secret as one of the tags shown."""

    hello_tag: _Tag


class InitiatorIdentity(_Frame, frozen=True, tag=4):
    """The device of who opened the link, signed; both empty for a reader."""

    device: _Device
    signature: _Signature


class ResponderIdentity(_Frame, frozen=True, tag=5):
    """The device of the other side, signed; both empty as long as the initiator is a stranger."""

    device: _Device
    signature: _Signature


class HeadEntry(_Frame, frozen=True):
    """Place and id of the last operation of one branch of one log."""

    device: _Bytes32
    log_class: _Flag
    seq: _U53
    op_id: _Bytes32


class Heads(_Frame, frozen=True, tag=6):
    """Some heads of the sender and, in the last frame of a listing, the fingerprint of all."""

    fingerprint: Annotated[bytes, msgspec.Meta(max_length=FINGERPRINT_BYTES)]
    is_complete: _Flag  # 1: these are all heads that the sender gives
    heads: Annotated[list[HeadEntry], msgspec.Meta(max_length=limits.HEADS_PER_FRAME_MAX)]


class Buckets(_Frame, frozen=True, tag=7):
    """One sum for each bucket of the sender's heads."""

    sums: Annotated[
        bytes, msgspec.Meta(min_length=SUM_BYTES * BUCKETS, max_length=SUM_BYTES * BUCKETS)
    ]


class BucketSums(_Frame, frozen=True):
    """The sums of all heads in one bucket."""

    bucket: Annotated[int, msgspec.Meta(ge=0, lt=BUCKETS)]
    sums: _Sums


class Sums(_Frame, frozen=True, tag=8):
    """What the sender holds in the buckets that differ."""

    is_last: _Flag
    buckets: Annotated[list[BucketSums], msgspec.Meta(max_length=BUCKETS)]


class Ask(_Frame, frozen=True, tag=9):
    """The sums whose heads the sender wants to be told."""

    is_last: _Flag
    sums: _Sums


class Want(_Frame, frozen=True):
    """All operations of one branch from `from_seq` up to the head with this seq and id."""

    device: _Bytes32
    log_class: _Flag
    from_seq: _U53
    head_seq: _U53
    head_id: _Bytes32


class Wants(_Frame, frozen=True, tag=10):
    """Wants, to be answered in this order."""

    wants: Annotated[list[Want], msgspec.Meta(min_length=1, max_length=limits.WANTS_PER_FRAME_MAX)]


class Ops(_Frame, frozen=True, tag=11):
    """One batch of runs; `finished` wants are now answered as far as the sender can."""

    finished: Annotated[int, msgspec.Meta(ge=0, le=limits.WANTS_PER_FRAME_MAX)]
    batch: Annotated[bytes, msgspec.Meta(max_length=limits.FRAME_BYTES_MAX)]


class Ack(_Frame, frozen=True, tag=12):
    """One `Ops` frame was dealt with, durably."""


class Addresses(_Frame, frozen=True, tag=13):
    """Signed address records (spec: sync, "Addresses")."""

    records: Annotated[
        list[Annotated[bytes, msgspec.Meta(max_length=limits.RECORD_BYTES_MAX)]],
        msgspec.Meta(max_length=limits.RECORDS_PER_FRAME_MAX),
    ]


class EpochSecret(_Frame, frozen=True):
    """The secret of an epoch, named by the operation that completes it."""

    epoch: _Bytes32
    secret: _Bytes32


class KeysWanted(_Frame, frozen=True, tag=14):
    """The epochs whose secrets the sender may have and has not."""

    epochs: Annotated[
        list[_Bytes32], msgspec.Meta(min_length=1, max_length=limits.KEYS_PER_FRAME_MAX)
    ]


class Keys(_Frame, frozen=True, tag=15):
    """The answer to one `KeysWanted`: the secrets of these that the sender has, in their order."""

    secrets: Annotated[list[EpochSecret], msgspec.Meta(max_length=limits.KEYS_PER_FRAME_MAX)]


class UpdatesSought(_Frame, frozen=True, tag=16):
    """Updates of one document that something rests on and the sender does not hold."""

    document: Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
    op_ids: Annotated[
        list[_Bytes32], msgspec.Meta(min_length=1, max_length=limits.UPDATES_PER_FRAME_MAX)
    ]


class UpdatePlace(_Frame, frozen=True):
    """Where an update stands: in a device's content log."""

    device: _Bytes32
    seq: _U53
    op_id: _Bytes32


class UpdatesFound(_Frame, frozen=True, tag=17):
    """The answer to one `UpdatesSought`: where those of these are that the sender holds."""

    places: Annotated[list[UpdatePlace], msgspec.Meta(max_length=limits.UPDATES_PER_FRAME_MAX)]


class ChunksWanted(_Frame, frozen=True, tag=20):
    """Chunks of blobs that the sender wants, by hash, each to be answered in this order."""

    chunks: Annotated[
        list[_Bytes32], msgspec.Meta(min_length=1, max_length=limits.CHUNKS_PER_FRAME_MAX)
    ]


class Chunk(_Frame, frozen=True, tag=21):
    """The answer to the oldest chunk wanted: as it is sealed; empty if the sender has it not."""

    sealed: Annotated[bytes, msgspec.Meta(max_length=SEALED_BYTES_MAX)]


class DocumentDigest(_Frame, frozen=True):
    """What a document shows, in short, where the updates held are the set `version`."""

    document: Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
    version: Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
    digest: _Bytes32


class Digests(_Frame, frozen=True, tag=18):
    """What documents of the sender show that changed since it last told."""

    digests: Annotated[
        list[DocumentDigest], msgspec.Meta(min_length=1, max_length=limits.DIGESTS_MAX)
    ]


Frame = (
    NonceOffered
    | NonceAnswered
    | TagsShown
    | TagAnswered
    | InitiatorIdentity
    | ResponderIdentity
    | Heads
    | Buckets
    | Sums
    | Ask
    | Wants
    | Ops
    | Ack
    | Addresses
    | KeysWanted
    | Keys
    | UpdatesSought
    | UpdatesFound
    | ChunksWanted
    | Chunk
    | Digests
)

_decoder: msgspec.msgpack.Decoder[Frame] = msgspec.msgpack.Decoder(Frame)


def decode_frame(data: bytes) -> Frame:
    """Return the frame that `data` says; raises Refused(frame-invalid) for anything else."""
    if len(data) > limits.FRAME_BYTES_MAX:
        raise Refused(Reason.FRAME_INVALID)
    try:
        return decode_canonical(_decoder, data)
    except Refused:
        raise Refused(Reason.FRAME_INVALID) from None


def encode_frame(frame: Frame) -> bytes:
    """Return the bytes of a frame."""
    return encode(frame)


def head_entry(reference: Reference) -> HeadEntry:
    """Return a reference as it travels."""
    return HeadEntry(reference.device, reference.log_class, reference.seq, reference.op_id)


def reference_of(entry: HeadEntry) -> Reference:
    """Return a head as the rest of the core names it."""
    return Reference(entry.device, entry.log_class, entry.seq, entry.op_id)
