"""A core is exactly its bytes: what it says is read back, and nothing else is taken."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p2pvalue_protocol import limits
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.ids import AUTH, CONTENT, ZERO32, Reference, op_id_of
from p2pvalue_protocol.operation import (
    KIND_AUTH_MAX,
    VERSION,
    Core,
    community_id_of,
    decode_core,
    encode_core,
)
from tests.protocol.authoring import Author

BYTES32 = st.binary(min_size=32, max_size=32).filter(lambda data: data != ZERO32)
U53 = st.integers(0, 2**53 - 1)


@st.composite
def cores(draw: st.DrawFn) -> Core:
    """Cores that keep every rule of their bytes."""
    kind = draw(st.integers(1, 255))
    is_auth = kind <= KIND_AUTH_MAX
    classes = st.just(AUTH) if is_auth else st.sampled_from([AUTH, CONTENT])
    parents = draw(st.lists(st.builds(Reference, BYTES32, classes, U53, BYTES32), max_size=10))
    placed = {(p.device, p.log_class, p.op_id): p for p in parents}
    seq = draw(U53)
    size = draw(st.integers(0, limits.PAYLOAD_BYTES_MAX))
    return Core(
        version=VERSION,
        community=draw(BYTES32),
        device=draw(BYTES32),
        seq=seq,
        backlink=draw(BYTES32) if seq else ZERO32,
        kind=kind,
        subject=b"" if is_auth else draw(st.just(b"") | st.binary(min_size=16, max_size=16)),
        parents=tuple(placed[place] for place in sorted(placed)),
        time=draw(U53),
        epoch=b"",
        payload_size=size,
        payload_hash=draw(BYTES32) if size else ZERO32,
    )


@settings(max_examples=50)
@given(cores())
def test_a_core_comes_back_from_its_bytes(core: Core) -> None:
    data = encode_core(core)
    assert decode_core(data) == core
    assert len(data) <= limits.CORE_BYTES_MAX


@settings(max_examples=50)
@given(cores(), st.data())
def test_changed_bytes_are_another_core_or_refused(core: Core, data: st.DataObject) -> None:
    before = encode_core(core)
    changed = bytearray(before)
    place = data.draw(st.integers(0, len(before) - 1))
    changed[place] ^= data.draw(st.integers(1, 255))
    try:
        other = decode_core(bytes(changed))
    except Refused:
        return
    assert other != core
    assert encode_core(other) == bytes(changed)
    assert op_id_of(bytes(changed)) != op_id_of(before)


@given(st.binary(max_size=1_100))
def test_any_bytes_are_a_core_or_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        decode_core(data)


@settings(max_examples=50)
@given(cores())
def test_bytes_behind_a_core_are_refused(core: Core) -> None:
    with pytest.raises(Refused):
        decode_core(encode_core(core) + b"\x00")


def test_the_largest_core_fits() -> None:
    largest = Core(
        VERSION,
        bytes([255]) * 32,
        bytes([255]) * 32,
        2**53 - 1,
        bytes([255]) * 32,
        255,
        bytes(16),
        tuple(Reference(bytes([n]) * 32, CONTENT, 2**53 - 1, bytes(32)) for n in range(10)),
        2**53 - 1,
        b"",
        limits.PAYLOAD_BYTES_MAX,
        bytes([255]) * 32,
    )
    assert decode_core(encode_core(largest)) == largest


def test_a_community_is_named_by_its_founding() -> None:
    genesis = Author("ada").found().core
    assert community_id_of(genesis) == genesis.community
    other = msgspec.structs.replace(genesis, time=genesis.time + 1)
    assert community_id_of(other) != genesis.community


def test_the_class_of_a_log_follows_from_the_kind() -> None:
    core = Author("ada").found().core
    assert core.log_class == AUTH
    assert msgspec.structs.replace(core, kind=KIND_AUTH_MAX).log_class == AUTH
    assert msgspec.structs.replace(core, kind=KIND_AUTH_MAX + 1).log_class == CONTENT


def test_an_operation_is_referred_to_by_its_place_and_id() -> None:
    ada = Author("ada")
    genesis = ada.found()
    invite = ada.invite(2)
    assert genesis.reference == Reference(ada.device, AUTH, 0, genesis.op_id)
    assert invite.reference == Reference(ada.device, AUTH, 1, invite.op_id)
    assert invite.core.backlink == genesis.op_id


def test_a_core_that_is_too_long_is_not_even_read() -> None:
    with pytest.raises(Refused) as refusal:
        decode_core(b"\xff" * (limits.CORE_BYTES_MAX + 1))
    assert refusal.value.reason is Reason.TOO_LONG
    with pytest.raises(Refused) as refusal:
        decode_core(b"\xff" * limits.CORE_BYTES_MAX)
    assert refusal.value.reason is not Reason.TOO_LONG


@pytest.mark.parametrize(("kind", "is_core"), [(-1, False), (255, True), (256, False)])
def test_a_kind_is_a_number_up_to_255(kind: int, is_core: bool) -> None:
    ada = Author("ada")
    ada.found()
    fields = msgspec.msgpack.decode(ada.write(10).core_bytes)
    at = fields.index(10, 4)
    fields[at] = kind
    if is_core:
        assert decode_core(msgspec.msgpack.encode(fields)).kind == kind
    else:
        with pytest.raises(Refused):
            decode_core(msgspec.msgpack.encode(fields))
