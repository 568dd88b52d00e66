"""Hashes and identifiers (spec: encoding, "Hashes and identifiers").

`H(tag, x) = SHA-256("p2pv1/" ‖ tag ‖ 00 ‖ x)`. The tag keeps a hash made for one purpose from being
taken for another. All identifiers are 32 bytes, but for subjects (16), which people paste.
"""

from __future__ import annotations

from hashlib import sha256

import msgspec

ZERO32 = bytes(32)
"""Stands for "none" where a field holds 32 bytes: no backlink, no payload."""

AUTH = 0
"""Log class of the operations that say who may do what."""

CONTENT = 1
"""Log class of everything else."""

_OP = sha256(b"p2pv1/op\x00")
_PAYLOAD = sha256(b"p2pv1/payload\x00")


def tagged_hash(tag: str, data: bytes) -> bytes:
    """Return `H(tag, data)`, 32 bytes."""
    return sha256(b"p2pv1/" + tag.encode("ascii") + b"\x00" + data).digest()


def op_id_of(core: bytes) -> bytes:
    """Return the id of the operation with these core bytes: `H("op", core)`; about 1 µs."""
    state = _OP.copy()
    state.update(core)
    return state.digest()


def payload_hash_of(payload: bytes) -> bytes:
    """Return `H("payload", payload)`, or zeros for an empty payload."""
    if not payload:
        return ZERO32
    state = _PAYLOAD.copy()
    state.update(payload)
    return state.digest()


def subject_of(op_id: bytes) -> bytes:
    """Return the 16-byte name of the object that operation `op_id` creates."""
    return tagged_hash("subject", op_id)[:16]


def public_topic_secret(community: bytes) -> bytes:
    """Return the topic secret of a public community: known to whoever knows its id."""
    return tagged_hash("topic", community)


class Reference(msgspec.Struct, array_like=True, frozen=True, order=True, gc=False):
    """The one form of pointer: a place in a log and the id of the operation found there.

    With the place, "do we hold it?" is a comparison with a log's head instead of a look-up by hash.
    """

    device: bytes
    log_class: int
    seq: int
    op_id: bytes
