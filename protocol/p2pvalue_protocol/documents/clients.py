"""Which Yjs client an editing session writes as (spec: kinds/document-update, "Client")."""

from __future__ import annotations

from p2pvalue_protocol.ids import tagged_hash


def client_of(device: bytes, document: bytes, session: int) -> int:
    """Return the Yjs client id of one editing session: the first 53 bits of a hash."""
    return _first_53_bits("yid", device + document + session.to_bytes(4, "big"))


def fork_client_of(op_id: bytes, number: int) -> int:
    """Return what a stretch is called whose own name is taken; `number` counts attempts from 0."""
    return _first_53_bits("yid-fork", op_id + (number.to_bytes(4, "big") if number else b""))


def _first_53_bits(tag: str, data: bytes) -> int:
    return int.from_bytes(tagged_hash(tag, data)[:7], "big") >> 3
