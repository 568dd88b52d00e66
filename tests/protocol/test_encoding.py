"""Bytes have one meaning, and hostile bytes find no exception that we forgot."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p2pvalue_protocol import limits
from p2pvalue_protocol.encoding import (
    PayloadInvalid,
    decode_canonical,
    decode_payload,
    encode,
)
from p2pvalue_protocol.errors import Reason, Refused

PLAIN = st.recursive(
    st.integers(-(2**63), 2**64 - 1) | st.text(max_size=8) | st.binary(max_size=8) | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
MAPS = st.dictionaries(st.text(max_size=4), PLAIN, max_size=6)

_maps = msgspec.msgpack.Decoder(dict[str, Any])
_numbers = msgspec.msgpack.Decoder(list[int])


class Fields(msgspec.Struct):
    """Fields in another order than that of their names."""

    b: int
    a: int


@settings(max_examples=40)
@given(MAPS)
def test_a_map_comes_back_from_its_bytes(fields: dict[str, object]) -> None:
    assert decode_payload(_maps, encode(fields)) == fields


@settings(max_examples=40)
@given(MAPS)
def test_the_order_in_which_a_map_was_made_does_not_matter(fields: dict[str, object]) -> None:
    assert encode(dict(reversed(fields.items()))) == encode(fields)


def test_fields_of_a_structure_are_ordered_by_name() -> None:
    assert encode(Fields(b=1, a=2)) == encode({"a": 2, "b": 1})


@given(st.binary(max_size=60))
def test_any_bytes_are_a_payload_or_payload_invalid(data: bytes) -> None:
    try:
        fields = decode_payload(_maps, data)
    except PayloadInvalid:
        return
    assert encode(fields) == data


@given(st.binary(max_size=60))
def test_any_bytes_are_canonical_or_refused(data: bytes) -> None:
    try:
        numbers = decode_canonical(_numbers, data)
    except Refused:
        return
    assert encode(numbers) == data


def test_what_is_not_canonical_is_refused_with_that_reason() -> None:
    with pytest.raises(Refused) as refusal:
        decode_canonical(_numbers, b"\x91\xcc\x05")
    assert refusal.value.reason is Reason.NOT_CANONICAL


@given(st.integers(0, 2**16 - 1), st.sampled_from(["cc", "cd", "ce", "cf"]))
def test_a_number_has_one_encoding(number: int, marker: str) -> None:
    size = {"cc": 1, "cd": 2, "ce": 4, "cf": 8}[marker]
    if number < 256**size:
        data = b"\x91" + bytes.fromhex(marker) + number.to_bytes(size, "big")
        if data != encode([number]):
            with pytest.raises(Refused):
                decode_canonical(_numbers, data)


@pytest.mark.parametrize("depth", [limits.NESTING_MAX, 100, 1_000, 60_000])
def test_deep_nesting_is_refused_whatever_the_stack(depth: int) -> None:
    with pytest.raises(PayloadInvalid):
        decode_payload(_maps, b"\x81\xa1a" + b"\x91" * depth + b"\x01")
