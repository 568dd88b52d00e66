"""The operation: core, encoding, and the rules that its own bytes can break (spec: operation).

An operation is `[core, signature, payload]`. The core is signed and hashed; the payload is named by
its hash, so that a payload can go while the chain stays verifiable. What is judged here needs
nothing but the bytes; what needs the past is judged in `replica`.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from p2pvalue_protocol import limits
from p2pvalue_protocol.encoding import decode_canonical, encode
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.ids import AUTH, CONTENT, ZERO32, Reference, tagged_hash

VERSION = 1
SIGNED = b"p2pv1/op\x00"
"""What precedes the core in the signed message."""

KIND_AUTH_MAX = 31
GENESIS = 0
CLEAR_KINDS = frozenset((*range(KIND_AUTH_MAX + 1), 47, 48, 64, 66))
"""Never sealed: auth, PREKEY, EPOCH, TOMBSTONE, SEEN. Who keeps the logs must understand these."""

Bytes32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
U53 = Annotated[int, msgspec.Meta(ge=0, le=limits.SEQ_MAX)]


class _WireReference(msgspec.Struct, array_like=True, frozen=True, gc=False):
    device: Bytes32
    log_class: Annotated[int, msgspec.Meta(ge=0, le=1)]
    seq: U53
    op_id: Bytes32


class Core(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The twelve signed fields (spec: operation, table of fields)."""

    version: int
    community: bytes
    device: bytes
    seq: int
    backlink: bytes
    kind: int
    subject: bytes
    parents: tuple[Reference, ...]
    time: int
    epoch: bytes
    payload_size: int
    payload_hash: bytes

    @property
    def log_class(self) -> int:
        """AUTH or CONTENT: which of its device's two logs this operation stands in."""
        return AUTH if self.kind <= KIND_AUTH_MAX else CONTENT


class _WireCore(msgspec.Struct, array_like=True, frozen=True, gc=False, forbid_unknown_fields=True):
    version: U53
    community: Bytes32
    device: Bytes32
    seq: U53
    backlink: Bytes32
    kind: Annotated[int, msgspec.Meta(ge=0, le=255)]
    subject: Annotated[bytes, msgspec.Meta(max_length=16)]
    parents: Annotated[list[_WireReference], msgspec.Meta(max_length=limits.PARENTS_MAX)]
    time: U53
    epoch: Annotated[bytes, msgspec.Meta(max_length=32)]
    payload_size: Annotated[int, msgspec.Meta(ge=0, le=limits.PAYLOAD_BYTES_MAX)]
    payload_hash: Bytes32


_wire_decoder = msgspec.msgpack.Decoder(_WireCore)
_core_decoder = msgspec.msgpack.Decoder(Core)


class Operation(msgspec.Struct, frozen=True, gc=False):
    """One operation in memory: the bytes as received beside what they say.

    `signature` is empty where a later operation of the same log vouches; `payload` is None when
    only its hash is known.
    """

    op_id: bytes
    core: Core
    core_bytes: bytes
    signature: bytes
    payload: bytes | None

    @property
    def reference(self) -> Reference:
        return Reference(self.core.device, self.core.log_class, self.core.seq, self.op_id)


def decode_core(data: bytes) -> Core:
    """Return the core that `data` encodes; raises Refused(first rule broken); ~4 µs."""
    if len(data) > limits.CORE_BYTES_MAX:
        raise Refused(Reason.TOO_LONG)
    wire = decode_canonical(_wire_decoder, data)
    if wire.version != VERSION:
        raise Refused(Reason.UNSUPPORTED_VERSION)
    core = _core_decoder.decode(data)
    check_core(core)
    return core


def read_core(data: bytes) -> Core:
    """Return a core that was checked before it was stored; ~1 µs."""
    return _core_decoder.decode(data)


def check_core(core: Core) -> None:
    """Check the rules between fields; their types and sizes are taken as checked."""
    if (core.seq == 0) != (core.backlink == ZERO32):
        raise Refused(Reason.BACKLINK_MISMATCH)
    is_auth = core.kind <= KIND_AUTH_MAX
    if len(core.subject) not in (0, 16) or (is_auth and core.subject):
        raise Refused(Reason.SUBJECT_INVALID)
    if core.parents:
        _check_parents(core.parents, is_auth)
    if core.epoch and (len(core.epoch) != 32 or core.kind in CLEAR_KINDS):
        raise Refused(Reason.EPOCH_INVALID)
    if (core.payload_size == 0) != (core.payload_hash == ZERO32):
        raise Refused(Reason.PAYLOAD_FIELDS)
    if core.kind == GENESIS and (core.seq != 0 or core.parents):
        raise Refused(Reason.SECOND_GENESIS)


def _check_parents(parents: tuple[Reference, ...], is_auth: bool) -> None:
    previous: tuple[bytes, int, bytes] | None = None
    for parent in parents:
        if is_auth and parent.log_class != AUTH:
            raise Refused(Reason.PARENT_CLASS)
        place = (parent.device, parent.log_class, parent.op_id)
        if previous is not None and place <= previous:
            raise Refused(Reason.PARENTS_UNSORTED)
        previous = place


def encode_core(core: Core) -> bytes:
    """Return the canonical bytes of a core; about 1 µs."""
    return encode(core)


def community_id_of(genesis: Core) -> bytes:
    """Return the community a GENESIS core founds: its hash, the community field zeroed."""
    return tagged_hash("genesis", encode(msgspec.structs.replace(genesis, community=ZERO32)))
