"""Numbers and texts as lib0 writes them, in the shortest form only."""

from __future__ import annotations

from typing import Final

from p2pvalue_protocol.documents.verdict import Malformed

CLIENT_MAX: Final = 2**53 - 1
_SHIFT_MAX = 49  # eight groups of seven bits hold 53


def read_number(data: bytes, at: int) -> tuple[int, int]:
    """Return an unsigned number of at most 53 bits, and where it ends; raises UpdateInvalid.

    IndexError says that the bytes end before it does.
    """
    byte = data[at]
    at += 1
    if byte < 0x80:
        return byte, at
    value = byte & 0x7F
    shift = 7
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
        if shift > _SHIFT_MAX:
            raise Malformed
    if byte == 0 or value > CLIENT_MAX:
        raise Malformed
    return value, at


def write_number(value: int) -> bytes:
    """Return an unsigned number in its shortest form."""
    groups: tuple[int, ...] = ()
    while value >= 0x80:
        groups += (value & 0x7F | 0x80,)
        value >>= 7
    return bytes((*groups, value))


def read_text(data: bytes, at: int) -> tuple[str, int]:
    """Return a text and where it ends; IndexError, UnicodeDecodeError or UpdateInvalid if none."""
    size, at = read_number(data, at)
    end = at + size
    if end > len(data):
        raise IndexError
    return data[at:end].decode(), end
