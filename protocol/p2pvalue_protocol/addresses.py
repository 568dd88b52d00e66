"""Signed records of where a device can be reached (spec: sync, "Addresses").

An address changes whenever a router hands out another; a member who moved is found again through
anybody who met her since. A record is a canonical MessagePack array `[community, device, peer id,
addresses, time]` followed by the device's 64-byte signature. Of each device the newest record
counts; records are no part of the replicated state and decide nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import msgspec

from p2pvalue_protocol import limits
from p2pvalue_protocol.encoding import decode_canonical, encode
from p2pvalue_protocol.errors import LocalProtocolError, Refused
from p2pvalue_protocol.keys import SigningKey, verify

_SIGNED = b"p2pv1/address\x00"
_SIGNATURE_BYTES = 64

_Bytes32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
_Address = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.ADDRESS_BYTES_MAX)]


class _Body(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    community: _Bytes32
    device: _Bytes32
    peer_id: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.PEER_ID_BYTES_MAX)]
    addresses: Annotated[list[_Address], msgspec.Meta(max_length=limits.ADDRESSES_MAX)]
    time_ms: Annotated[int, msgspec.Meta(ge=0, le=limits.TIME_MS_MAX)]


_decoder = msgspec.msgpack.Decoder(_Body)


class AddressRecord(NamedTuple):
    """What a valid record says."""

    device: bytes
    peer_id: str
    addresses: tuple[str, ...]  # multiaddrs, best first
    time_ms: int


def make_record(
    signer: SigningKey, community: bytes, peer_id: str, addresses: Sequence[str], time_ms: int
) -> bytes:
    """Return a record that says where `signer`'s device is; at most the first 8 addresses are told.

    Raises LocalProtocolError for what no peer would accept.
    """
    body = _Body(
        community, signer.public, peer_id, list(addresses[: limits.ADDRESSES_MAX]), time_ms
    )
    body_bytes = encode(body)
    record = body_bytes + signer.sign(_SIGNED + body_bytes)
    if decode_record(record, community) is None:
        raise LocalProtocolError(
            "an address record holds up to 8 printable multiaddrs of 200 bytes: "
            "check the listen addresses"
        )
    return record


def decode_record(record: bytes, community: bytes) -> AddressRecord | None:
    """Return what a record of this community says, or None if it is not valid; about 130 µs."""
    body = _body_of(record)
    if body is None or body.community != community or not _is_printable(body):
        return None
    if not verify(body.device, _SIGNED + record[:-_SIGNATURE_BYTES], record[-_SIGNATURE_BYTES:]):
        return None
    return AddressRecord(body.device, body.peer_id, tuple(body.addresses), body.time_ms)


def is_newer(record: bytes, known: bytes | None, now_ms: int) -> bool:
    """Return whether a valid record replaces the valid one `known`, the same on every node.

    The newer time wins; of two with one time the greater bytes. A record from more than a day ahead
    is not taken yet.
    """
    body = _body_of(record)
    if body is None or body.time_ms > now_ms + limits.RECORD_AHEAD_MS_MAX:
        return False
    old = _body_of(known) if known is not None else None
    return old is None or known is None or (body.time_ms, record) > (old.time_ms, known)


def _body_of(record: bytes) -> _Body | None:
    if not _SIGNATURE_BYTES < len(record) <= limits.RECORD_BYTES_MAX:
        return None
    try:
        return decode_canonical(_decoder, record[:-_SIGNATURE_BYTES])
    except Refused:
        return None


def _is_printable(body: _Body) -> bool:
    """Return whether the texts are visible ASCII: they end up in logs and on screens."""
    return all(
        text.isascii() and text.isprintable() and " " not in text
        for text in (body.peer_id, *body.addresses)
    )
