"""Targets for the decoders of the core: bytes that need no past to be judged.

The oracle is the same for all that has one form: what is accepted is encoded to the same bytes
again, and nothing but the documented refusal is raised.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import kinds
from p2pvalue_protocol.act_reading import read_act, read_founding
from p2pvalue_protocol.addresses import decode_record, is_newer
from p2pvalue_protocol.encoding import PayloadInvalid, encode
from p2pvalue_protocol.errors import Refused
from p2pvalue_protocol.frames import decode_frame
from p2pvalue_protocol.ids import ZERO32, op_id_of, payload_hash_of
from p2pvalue_protocol.join_frames import decode_join_frame
from p2pvalue_protocol.keys import has_valid_form, verify
from p2pvalue_protocol.kind import EntryKind, Kind, Order, Placed
from p2pvalue_protocol.kinds.epoch import decode_epoch
from p2pvalue_protocol.limits import (
    BATCH_BYTES_MAX,
    CORE_BYTES_MAX,
    FRAME_BYTES_MAX,
    PAYLOAD_BYTES_MAX,
)
from p2pvalue_protocol.link_frames import decode_link_frame
from p2pvalue_protocol.log import Run, decode_batch, encode_batch, make_item, operations_of
from p2pvalue_protocol.operation import Core, Operation, decode_core, encode_core, read_core
from p2pvalue_protocol.presence import Presence, PresenceEar, sign_presence
from p2pvalue_protocol.topics import Topic
from tests.fuzz.seeds import in_vectors, kind_payloads, talk
from tests.fuzz.target import Budget, Target
from tests.protocol.authoring import NONCE, key_named

COMMUNITY = bytes(32)
_SIGNER = key_named("fuzz device")
_SIGNED_ADDRESS = b"p2pv1/address\x00"
_PRESENCE_MS = 1_800_000_000_000
_PAYLOAD_TYPES: tuple[type[msgspec.Struct], ...] = (
    *(auth.GenesisPayload, auth.GrantPayload, auth.RevokePayload, auth.VotePayload),
    *(auth.InvitePayload, auth.AdmitPayload, auth.DevAddPayload, auth.DevRevokePayload),
    *(auth.ForkPayload, auth.PolicyPayload),
)


def _exact(decode: Callable[[bytes], Any]) -> Callable[[bytes], bool]:
    """Return a run that demands of a decoder that each value has one form of bytes."""

    def run(data: bytes) -> bool:
        try:
            value = decode(data)
        except Refused:
            return False
        assert encode(value) == data, "accepted bytes are not the one form of what they say"
        assert decode(encode(value)) == value
        return True

    return run


def _core(data: bytes) -> bool:
    try:
        core = decode_core(data)
    except Refused:
        return False
    assert encode_core(core) == data
    assert read_core(data) == core == decode_core(encode_core(core))
    return True


# --- payloads


def _kind_payload(data: bytes) -> bool:
    """Read bytes as a payload of every kind, and fold what can be read."""
    accepted = [_is_read_by(kind, data) for kind in kinds.KINDS]
    try:
        epoch = decode_epoch(data)
    except PayloadInvalid:
        return any(accepted)
    assert decode_epoch(encode(epoch)) == epoch
    return True


def _is_read_by(kind: Kind, data: bytes) -> bool:
    try:
        payload = kind.decode(data)
    except PayloadInvalid:
        return False
    assert kind.decode(encode(payload)) == payload, "what is understood can be said again"
    if isinstance(kind, EntryKind):
        assert len(kind.container(payload, b"")) == 16
        return True
    member, op_id = bytes(32), bytes([1]) * 32
    assert len(kind.subject(payload, b"", op_id, member)) == 16
    placed = [Placed(Order(t, member, t, op_id), member, t % 4, payload, t == 0) for t in range(4)]
    for operations in ([], placed[:1], placed[1:], placed):
        state = kind.fold(operations)
        if state is not None:
            assert len(kind.group(state)) == 16
            assert kinds.decode_state(kind.number, encode(state)) == state
    return True


def _auth_payload(data: bytes) -> bool:
    """Read bytes as a payload of every auth kind, and as what the rules make of each."""
    is_read = False
    for payload_type in _PAYLOAD_TYPES:
        payload = auth.read_payload(payload_type, data)
        if payload is not None:
            assert encode(payload) == data
            is_read = True
    for number in (*sorted(auth.AUTH_KINDS), 31):
        seq = 0 if number in (auth.GENESIS, auth.DEV_ADD) else 1
        op = Operation(ZERO32, _auth_core(number, seq, data), b"", b"", data)
        if number == auth.GENESIS:
            read_founding(op, COMMUNITY)
        else:
            read_act(op, NONCE)
    return is_read


def _auth_core(kind: int, seq: int, payload: bytes) -> Core:
    backlink = ZERO32 if seq == 0 else bytes([1]) * 32
    digest = payload_hash_of(payload)
    return Core(
        *(1, COMMUNITY, _SIGNER.public, seq, backlink, kind, b"", (), 1, b"", len(payload), digest)
    )


_DEEP = (b"\x91" * PAYLOAD_BYTES_MAX, b"\x81\xa1a" * 20_000, b"\xdf\xff\xff\xff\xff")
"""Nested without end, and a map that says it has four thousand million fields."""


# --- runs


def _batch(data: bytes) -> bool:
    try:
        runs = decode_batch(data)
    except Refused:
        return False
    assert decode_batch(encode_batch(runs)) == runs
    for run in runs:
        _unroll(run)
    return True


def _unroll(run: Run) -> None:
    try:
        operations = operations_of(run, COMMUNITY)
    except Refused:
        return
    for op in operations:
        assert decode_core(op.core_bytes) == op.core, "a run makes no core that bytes could not"
        assert op.op_id == op_id_of(op.core_bytes)
    items = [make_item(op.core, op.payload or b"", op.signature) for op in operations]
    assert items == run.items


def _packed(data: bytes) -> bool:
    return _batch(zlib.compress(data, 1))


def _unpacked_batches() -> list[bytes]:
    batches = [f.batch for f in map(decode_frame, talk().sync) if hasattr(f, "batch")]
    return [encode(decode_batch(batch)) for batch in batches] + [b"\x90"]


def _bombs() -> list[bytes]:
    """Batches that unfold to far more than they are."""
    zeros = zlib.compress(bytes(60 * BATCH_BYTES_MAX), 9)
    item = b"\x97\x23\xc4\x00\x90\x01\xc4\x00\xc4\x00\xc4\x00"
    key = b"\xc4\x20" + bytes(32)
    runs = (b"\x95" + key + b"\x01\x00" + key + b"\xdc\x01\x00" + item * 256) * 300
    return [zeros, zlib.compress(b"\xdc\x01\x2c" + runs, 9), zlib.compress(b"\x91" * 100_000, 9)]


# --- signed records


def _record(data: bytes) -> bool:
    record = decode_record(data, COMMUNITY)
    assert is_newer(data, None, 2**53) or record is None
    return record is not None


def _signed_record(data: bytes) -> bool:
    return _record(data + _SIGNER.sign(_SIGNED_ADDRESS + data))


def _record_bodies() -> list[bytes]:
    addresses = ["/ip4/192.0.2.1/tcp/4001"]
    return [
        encode([COMMUNITY, _SIGNER.public, "peer", listed, time])
        for listed, time in (([], 0), (addresses, 1), (addresses * 8, 2**53 - 1))
    ]


def _presence(data: bytes) -> bool:
    """Hear bytes as what a member sealed for a live topic, as they are and signed by her."""
    topic = Topic("", COMMUNITY, bytes(32), is_sealed=False)
    signed = data + _SIGNER.sign(b"p2pv1/presence\x00" + COMMUNITY + data)
    verdicts = set()
    for message in (data, signed):
        said = PresenceEar().hear(
            topic, bytes(16), message, is_live=_SIGNER.public.__eq__, now_ms=_PRESENCE_MS
        )
        verdicts.add(said.verdict)
        if said.presence is not None:
            assert sign_presence(_SIGNER, COMMUNITY, said.presence) == message
    return "accept" in verdicts


def _presences() -> list[bytes]:
    said = [
        Presence(_SIGNER.public, bytes(16), client, _PRESENCE_MS, state)
        for client, state in ((0, b""), (2**53 - 1, bytes(800)), (7, b'{"user":"Ada"}'))
    ]
    return [encode(each) for each in said] + [bytes(1_025)]


def _signature(data: bytes) -> bool:
    key, signature, message = data[:32], data[32:96], data[96:]
    is_valid = verify(key, message, signature)
    assert has_valid_form(signature) or not is_valid
    return is_valid


def _signatures() -> Iterable[bytes]:
    keys, signatures = in_vectors("signatures", "key"), in_vectors("signatures", "signature")
    yield _SIGNER.public + _SIGNER.sign(b"words") + b"words"
    yield from (
        key + signature + b"words" for key, signature in zip(keys, signatures, strict=False)
    )


P = "p2pvalue_protocol"

CORE_DECODERS = (
    Target(
        name="core",
        run=_core,
        seeds=lambda: (*in_vectors("operation", "core"), *in_vectors("membership", "core")[:20]),
        covers=(f"{P}.operation.decode_core", f"{P}.operation.read_core"),
        shape="msgpack",
        bytes_max=2 * CORE_BYTES_MAX,
    ),
    Target(
        name="kind-payload",
        run=_kind_payload,
        seeds=lambda: (*kind_payloads(), *_DEEP),
        covers=tuple(f"{P}.kinds.{name}" for name in "blob card chat close contribution".split())
        + tuple(f"{P}.kinds.{name}" for name in "document interest need notice pledge".split())
        + tuple(f"{P}.kinds.{name}" for name in "prekey profile project ranking thanks".split())
        + (f"{P}.kinds.epoch",)
        + (f"{P}.encoding.decode_payload", f"{P}.payload_form", f"{P}.kinds.decode_state"),
        shape="msgpack",
        bytes_max=PAYLOAD_BYTES_MAX,
        # Every kind looks at every value, some of one byte each; thrice as long under a guide.
        budget=Budget(units_per_kib=0.8 * len(kinds.KINDS)),
    ),
    Target(
        name="auth-payload",
        run=_auth_payload,
        seeds=lambda: in_vectors("membership", "payload")[::4],
        covers=(f"{P}.auth_payloads.read_payload", f"{P}.encoding.decode_canonical"),
        shape="msgpack",
    ),
    Target(
        name="sync-frame",
        run=_exact(decode_frame),
        seeds=lambda: (*talk().sync, *in_vectors("sync", "frame"), bytes(FRAME_BYTES_MAX + 1)),
        covers=(f"{P}.frames.decode_frame",),
        shape="msgpack",
        bytes_max=FRAME_BYTES_MAX + 1_024,
    ),
    Target(
        name="join-frame",
        run=_exact(decode_join_frame),
        seeds=lambda: (*talk().join, *in_vectors("joining", "frame")),
        covers=(f"{P}.join_frames.decode_join_frame",),
        shape="msgpack",
    ),
    Target(
        name="link-frame",
        run=_exact(decode_link_frame),
        seeds=lambda: (*talk().link, *in_vectors("devices", "frame")),
        covers=(f"{P}.link_frames.decode_link_frame",),
        shape="msgpack",
    ),
    Target(
        name="batch",
        run=_batch,
        seeds=lambda: (*in_vectors("sync", "batch"), *_bombs()),
        covers=(f"{P}.log.decode_batch",),
        bytes_max=FRAME_BYTES_MAX,
        # A megabyte of the smallest operations is read before they are counted.
        budget=Budget(units=600, memory_bytes=16 * BATCH_BYTES_MAX),
    ),
    Target(
        name="batch-unpacked",
        run=_packed,
        seeds=_unpacked_batches,
        covers=(),
        shape="msgpack",
        bytes_max=FRAME_BYTES_MAX,
        budget=Budget(units=20),
    ),
    Target(
        name="address-record",
        run=_record,
        seeds=lambda: (
            [body + _SIGNER.sign(_SIGNED_ADDRESS + body) for body in _record_bodies()]
            + [*in_vectors("sync", "record")]
        ),
        covers=(f"{P}.addresses._body_of",),
    ),
    Target(
        name="address-record-signed",
        run=_signed_record,
        seeds=_record_bodies,
        covers=(),
        shape="msgpack",
    ),
    Target(
        name="presence",
        run=_presence,
        seeds=_presences,
        covers=(f"{P}.presence.read_presence",),
        shape="msgpack",
    ),
    Target(name="signature", run=_signature, seeds=_signatures, covers=()),
)
