"""The bytes of a proof (spec: proof, "The file").

Operations stand in an order in which each comes after its past, and name each other by their places
in it. So nothing that leads to an operation can be left out, and no ring be made: whoever leaves
out, or changes, anything has other ids than the signatures cover.
"""

from __future__ import annotations

import zlib
from typing import Annotated, Final

import msgspec

from p2pvalue_protocol import limits
from p2pvalue_protocol.encoding import decode_canonical, encode
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.operation import U53, Bytes32

_MAGIC: Final = b"p2pvalue proof "
_VERSION: Final = b"1\n"

_CORE_BYTES_MIN: Final = 100

_Place = Annotated[int, msgspec.Meta(ge=0, lt=limits.PROOF_OPERATIONS_MAX)]
_PlaceOrNone = Annotated[int, msgspec.Meta(ge=0, le=limits.PROOF_OPERATIONS_MAX)]  # 0, or 1 + place
_Tail = Annotated[
    list[
        Annotated[bytes, msgspec.Meta(min_length=_CORE_BYTES_MIN, max_length=limits.CORE_BYTES_MAX)]
    ],
    msgspec.Meta(max_length=limits.PROOF_OPERATIONS_MAX),
]


class ProofLog(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """One branch of one log, with the signature that vouches for it.

    `tail` are the cores from behind its last operation of the file on to one that is signed.
    """

    device: Bytes32
    log_class: Annotated[int, msgspec.Meta(ge=0, le=1)]
    base: _PlaceOrNone  # what it branches off from; 0: it begins at seq 0
    tail: _Tail
    signature: Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]


class ProofItem(msgspec.Struct, array_like=True, frozen=True, gc=False, forbid_unknown_fields=True):
    """One operation, without what follows from its place.

    Either `payload` is its payload, or, where `withheld` says how many bytes that has, its hash.
    """

    log: _Place
    kind: Annotated[int, msgspec.Meta(ge=0, le=255)]
    subject: Annotated[bytes, msgspec.Meta(max_length=16)]
    parents: Annotated[list[_Place], msgspec.Meta(max_length=limits.PARENTS_MAX)]
    time: U53
    epoch: _PlaceOrNone
    withheld: Annotated[int, msgspec.Meta(ge=0, le=limits.PAYLOAD_BYTES_MAX)]
    payload: Annotated[bytes, msgspec.Meta(max_length=limits.PAYLOAD_BYTES_MAX)]
    key: Annotated[bytes, msgspec.Meta(max_length=32)]  # of a sealed payload, 32 bytes, else none


class ProofForm(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """What a file holds: all about the need of this subject."""

    need: Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
    logs: Annotated[
        list[ProofLog], msgspec.Meta(min_length=1, max_length=limits.PROOF_OPERATIONS_MAX)
    ]
    items: Annotated[
        list[ProofItem], msgspec.Meta(min_length=1, max_length=limits.PROOF_OPERATIONS_MAX)
    ]


_decoder = msgspec.msgpack.Decoder(ProofForm)


def encode_proof(form: ProofForm) -> bytes:
    """Return the bytes of a file; about 70 per operation."""
    return _MAGIC + _VERSION + zlib.compress(encode(form), 9)


def decode_proof(data: bytes) -> ProofForm:
    """Return what a file holds; raises Refused. Unfolds at most PROOF_PLAIN_BYTES_MAX."""
    if len(data) > limits.PROOF_BYTES_MAX:
        raise Refused(Reason.TOO_LONG)
    if not data.startswith(_MAGIC):
        raise Refused(Reason.PROOF_INVALID)
    if not data.startswith(_MAGIC + _VERSION):
        raise Refused(Reason.UNSUPPORTED_VERSION)
    unfolder = zlib.decompressobj()
    try:
        plain = unfolder.decompress(data[len(_MAGIC + _VERSION) :], limits.PROOF_PLAIN_BYTES_MAX)
    except zlib.error:
        raise Refused(Reason.PROOF_INVALID) from None
    if unfolder.unconsumed_tail:
        raise Refused(Reason.TOO_LONG)
    if not unfolder.eof or unfolder.unused_data:
        raise Refused(Reason.PROOF_INVALID)
    return decode_canonical(_decoder, plain)
