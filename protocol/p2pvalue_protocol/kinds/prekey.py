"""Kind 47, PREKEY: the keys to which a member's devices want secrets sealed (spec: kinds/prekey).

A device begins with the key in its DEV_ADD or in GENESIS and writes a newer one from time to time:
who takes the device learns what was sealed to the last few keys, not to all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from p2pvalue_protocol.ids import tagged_hash
from p2pvalue_protocol.keys import is_valid_exchange_key
from p2pvalue_protocol.kind import Placed, StateKind, no_group
from p2pvalue_protocol.payload_form import PayloadForm

NUMBER: Final = 47


class Prekey(msgspec.Struct, frozen=True, omit_defaults=True):
    """The newest X25519 public key of the device that writes it."""

    key: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]


class DevicePrekey(msgspec.Struct, frozen=True, array_like=True):
    """The newest key of one device, and the time of the operation that says so."""

    device: bytes
    key: bytes
    time: int


class PrekeysState(msgspec.Struct, frozen=True, omit_defaults=True):
    """The newest keys of one member's devices, ascending by device."""

    devices: tuple[DevicePrekey, ...]


def _problem(prekey: Prekey) -> str | None:
    return None if is_valid_exchange_key(prekey.key) else "this is no prekey: it opens nothing"


_form = PayloadForm(Prekey, _problem)


def encode_prekey(key: bytes) -> bytes:
    """Return the payload of a PREKEY; raises LocalProtocolError."""
    return _form.encode(Prekey(key))


def prekeys_subject(member: bytes) -> bytes:
    """Return the subject of the prekeys of a member's devices, whatever the operations name."""
    return tagged_hash("prekeys", member)[:16]


def _fold(operations: Sequence[Placed]) -> PrekeysState | None:
    newest: dict[bytes, DevicePrekey] = {}
    for placed in operations:
        device, prekey = placed.order.device, placed.payload
        newest[device] = DevicePrekey(device, prekey.key, placed.order.time)
    return PrekeysState(tuple(newest[device] for device in sorted(newest))) if newest else None


PREKEY = StateKind(
    number=NUMBER,
    name="prekey",
    decode=_form.decode,
    subject=lambda payload, subject, op_id, member: prekeys_subject(member),
    fold=_fold,
    group=no_group,
)
