"""The first operation of a community (spec: membership, "GENESIS")."""

from __future__ import annotations

import msgspec

from p2pvalue_protocol.ids import ZERO32, op_id_of, payload_hash_of
from p2pvalue_protocol.keys import SigningKey
from p2pvalue_protocol.operation import (
    GENESIS,
    SIGNED,
    VERSION,
    Core,
    Operation,
    community_id_of,
    encode_core,
)


def genesis_operation(signer: SigningKey, payload: bytes, now_ms: int) -> Operation:
    """Return the signed GENESIS by a founder's device; its core names the community it founds."""
    blank = Core(
        VERSION,
        ZERO32,
        signer.public,
        0,
        ZERO32,
        GENESIS,
        b"",
        (),
        max(now_ms, 1),
        b"",
        len(payload),
        payload_hash_of(payload),
    )
    core = msgspec.structs.replace(blank, community=community_id_of(blank))
    core_bytes = encode_core(core)
    return Operation(
        op_id_of(core_bytes), core, core_bytes, signer.sign(SIGNED + core_bytes), payload
    )
