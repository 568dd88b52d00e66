"""A value inside an update ends where its bytes end, and what is cut off is no value."""

from __future__ import annotations

import pytest

from p2pvalue_protocol.documents.values import skip_value
from p2pvalue_protocol.documents.verdict import Malformed

VALUES = {
    "null": b"\x7e",
    "true": b"\x78",
    "integer": b"\x7d\x05",
    "long integer": b"\x7d\xbf\xff\x01",
    "negative integer": b"\x7d\xc0\x7f",
    "float of 32 bits": b"\x7c" + bytes(4),
    "float of 64 bits": b"\x7b" + bytes(8),
    "integer of 64 bits": b"\x7a" + bytes(8),
    "text": b"\x77\x03abc",
    "bytes": b"\x74\x03abc",
    "array": b"\x75\x02\x7e\x7b" + bytes(8),
    "full array": b"\x75\x02\x7e\x7e",
    "object": b"\x76\x01\x01k\x74\x02ab",
}


@pytest.mark.parametrize("data", VALUES.values(), ids=list(VALUES))
def test_a_value_ends_with_its_last_byte(data: bytes) -> None:
    assert skip_value(data, 0) == len(data)
    assert skip_value(data + b"more", 0) == len(data)
    assert skip_value(b"before" + data, 6) == len(data) + 6


@pytest.mark.parametrize("name", [name for name, data in VALUES.items() if len(data) > 1])
def test_a_value_that_is_cut_off_is_none(name: str) -> None:
    for size in range(2, len(VALUES[name])):
        with pytest.raises((Malformed, IndexError)):
            skip_value(VALUES[name][:size], 0)
    if "of" in name:
        with pytest.raises(Malformed):
            skip_value(VALUES[name][:-1], 0)
