"""The bytes of a Yjs update, encoding V1: a strict reader and the writer of the same bytes.

The library that applies updates panics on five bytes and hangs on seventeen if they are chosen
well. Only the subset is read that honest editors write, in one form each: whatever is read here is
written by `write_update` as the same bytes. What an update may name is for `rules`.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from p2pvalue_protocol.documents.numbers import read_number, read_text, write_number
from p2pvalue_protocol.documents.values import skip_json, skip_value
from p2pvalue_protocol.documents.verdict import Malformed, UpdateInvalid, VoidReason

STRUCTS_MAX: Final = 4_096
RANGES_MAX: Final = 4_096
STRING_UNITS_MAX: Final = 16_384  # a longer block makes later loads slow: pasted text is split
WRITTEN_UNITS_MAX: Final = 65_536  # of one update, deleted at once or not: its size, about
CLOCK_MAX: Final = 2**31 - 1  # the library's clocks have 32 bits


class Caps(NamedTuple):
    """How much one update may say; ranges and structs in number, the others in UTF-16 units."""

    structs: int
    ranges: int
    string_units: int
    written_units: int


CAPS: Final = Caps(STRUCTS_MAX, RANGES_MAX, STRING_UNITS_MAX, WRITTEN_UNITS_MAX)

GC, DELETED, BINARY, STRING, EMBED, FORMAT, TYPE, ANY = 0, 1, 3, 4, 5, 6, 7, 8
ARRAY, MAP, TEXT, XML_ELEMENT, XML_FRAGMENT, XML_TEXT = 0, 1, 2, 3, 4, 6
_CONTENTS = (GC, DELETED, BINARY, STRING, EMBED, FORMAT, TYPE, ANY)
_TYPES = (ARRAY, MAP, TEXT, XML_ELEMENT, XML_FRAGMENT, XML_TEXT)
HAS_ORIGIN, HAS_RIGHT, HAS_KEY = 0x80, 0x40, 0x20
_CONTENT = 0x1F

Place = tuple[int, int]
"""A character or other unit: client and clock."""


class Struct(NamedTuple):
    """What an update writes in one piece, `length` clocks long.

    `parent` is the name of a root, or the place of a type; None if a side tells it. `is_keyed` says
    that it is the entry of a map, `key` which, None if a side tells it. `body` is the content in
    bytes; `type_ref` is the type that begins here, -1 if none; `lows` are the offsets at which the
    second half of a surrogate pair stands.
    """

    content: int
    length: int
    origin: Place | None
    right: Place | None
    parent: str | Place | None
    is_keyed: bool
    key: str | None
    body: bytes
    type_ref: int
    lows: tuple[int, ...]


class Update(NamedTuple):
    """What an update says. `client` and `first_clock` are -1 if it only deletes.

    `deletions` are, by client in the order of the bytes, pairs of first clock and length.
    """

    client: int
    first_clock: int
    structs: tuple[Struct, ...]
    deletions: tuple[tuple[int, tuple[tuple[int, int], ...]], ...]

    @property
    def end_clock(self) -> int:
        """The client's next clock; -1 if it only deletes."""
        return self.first_clock + sum(struct.length for struct in self.structs)


def read_update(data: bytes, caps: Caps = CAPS) -> Update:
    """Return what an update says; raises UpdateInvalid with its reason. ~10 µs for a word.

    Operations have the usual caps; what an editor says at once, and is cut up then, may have wider.
    """
    try:
        client, first_clock, structs, at = _read_structs(data, caps)
        deletions, at = _read_deletions(data, at, caps.ranges)
    except (IndexError, UnicodeDecodeError):
        raise Malformed from None
    if at != len(data):
        raise Malformed
    return Update(client, first_clock, structs, deletions)


def _read_structs(data: bytes, caps: Caps) -> tuple[int, int, tuple[Struct, ...], int]:
    sections, at = read_number(data, 0)
    if sections == 0:
        return -1, -1, (), at
    if sections > 1:
        raise UpdateInvalid(VoidReason.CLIENT_FOREIGN)
    count, at = read_number(data, at)
    if count == 0:
        raise Malformed
    if count > caps.structs:
        raise UpdateInvalid(VoidReason.TOO_LARGE)
    client, at = read_number(data, at)
    first_clock, at = read_number(data, at)
    structs = []
    units = 0
    for _ in range(count):
        struct, at = _read_struct(data, at, caps.string_units)
        structs.append(struct)
        units += struct.length
    if units > caps.written_units or first_clock + units > CLOCK_MAX:
        raise UpdateInvalid(VoidReason.TOO_LARGE)
    return client, first_clock, tuple(structs), at


def _read_struct(data: bytes, at: int, string_units: int) -> tuple[Struct, int]:
    info = data[at]
    at += 1
    content = info & _CONTENT
    if content not in _CONTENTS:
        raise UpdateInvalid(VoidReason.CONTENT_REFUSED)
    if content == GC:
        if info:
            raise Malformed
        length, at = _read_length(data, at)
        return Struct(GC, length, None, None, None, False, None, b"", -1, ()), at
    origin = right = parent = key = None
    if info & HAS_ORIGIN:
        origin, at = _read_place(data, at)
    if info & HAS_RIGHT:
        right, at = _read_place(data, at)
    if origin is None and right is None:
        parent, at = _read_parent(data, at)
        if info & HAS_KEY:
            key, at = read_text(data, at)
    start = at
    length, type_ref, lows, at = _read_content(content, data, at, string_units)
    body = b"" if content == DELETED else data[start:at]
    is_keyed = info & HAS_KEY != 0
    return Struct(content, length, origin, right, parent, is_keyed, key, body, type_ref, lows), at


def _read_place(data: bytes, at: int) -> tuple[Place, int]:
    client, at = read_number(data, at)
    clock, at = read_number(data, at)
    return (client, clock), at


def _read_parent(data: bytes, at: int) -> tuple[str | Place, int]:
    is_root, at = read_number(data, at)
    if is_root > 1:
        raise Malformed
    return read_text(data, at) if is_root else _read_place(data, at)


def _read_content(
    content: int, data: bytes, at: int, string_units: int
) -> tuple[int, int, tuple[int, ...], int]:
    """Return length in clocks, type that begins or -1, second halves of pairs, and the end."""
    if content == STRING:
        text, at = read_text(data, at)
        lows = () if text.isascii() else lows_of(text)
        length = len(text) + len(lows)
        if length > string_units:
            raise UpdateInvalid(VoidReason.TOO_LARGE)
        if not length:
            raise Malformed
        return length, -1, lows, at
    if content == DELETED:
        length, at = _read_length(data, at)
        return length, -1, (), at
    if content == ANY:
        count, at = _read_length(data, at)
        if count > len(data):
            raise Malformed
        for _ in range(count):
            at = skip_value(data, at)
        return count, -1, (), at
    if content == TYPE:
        return _read_type(data, at)
    if content == BINARY:
        size, at = read_number(data, at)
        at += size
    elif content == EMBED:
        at = skip_json(data, at)
    else:
        _, at = read_text(data, at)
        at = skip_json(data, at)
    if at > len(data):
        raise Malformed
    return 1, -1, (), at


def _read_type(data: bytes, at: int) -> tuple[int, int, tuple[int, ...], int]:
    type_ref, at = read_number(data, at)
    if type_ref not in _TYPES:
        raise UpdateInvalid(VoidReason.CONTENT_REFUSED)
    if type_ref == XML_ELEMENT:
        _, at = read_text(data, at)
    return 1, type_ref, (), at


_WIDE: Final = re.compile("[\U00010000-\U0010ffff]")  # a pair each


def lows_of(text: str) -> tuple[int, ...]:
    """Return the offsets, in UTF-16 units, of the second halves of surrogate pairs in a text."""
    wide = [found.start() for found in _WIDE.finditer(text)]
    return tuple(at + before + 1 for before, at in enumerate(wide))


def _read_length(data: bytes, at: int) -> tuple[int, int]:
    length, at = read_number(data, at)
    if length == 0:
        raise Malformed
    if length > CLOCK_MAX:
        raise UpdateInvalid(VoidReason.TOO_LARGE)
    return length, at


_Ranges = tuple[tuple[int, tuple[tuple[int, int], ...]], ...]


def _read_deletions(data: bytes, at: int, ranges_left: int) -> tuple[_Ranges, int]:
    """Read the ranges deleted: of each client once, ascending, apart from each other."""
    clients, at = read_number(data, at)
    if not clients:
        return (), at
    found: dict[int, tuple[tuple[int, int], ...]] = {}
    for _ in range(clients):
        client, at = read_number(data, at)
        count, at = read_number(data, at)
        ranges_left -= count
        if ranges_left < 0:
            raise UpdateInvalid(VoidReason.TOO_LARGE)
        if client in found or count == 0:
            raise Malformed
        ranges = []
        end = 0
        for _ in range(count):
            start, at = read_number(data, at)
            length, at = _read_length(data, at)
            if start < end:
                raise Malformed
            end = start + length
            ranges.append((start, length))
        if end > CLOCK_MAX:
            raise UpdateInvalid(VoidReason.TOO_LARGE)
        found[client] = tuple(ranges)
    return tuple(found.items()), at


# --- writing


def write_update(update: Update) -> bytes:
    """Return the bytes of an update: those that `read_update` read, if it did."""
    out = bytearray()
    if update.structs:
        out += b"\x01" + write_number(len(update.structs))
        out += write_number(update.client) + write_number(update.first_clock)
        for struct in update.structs:
            _write_struct(out, struct)
    else:
        out.append(0)
    out += write_number(len(update.deletions))
    for client, ranges in update.deletions:
        out += write_number(client) + write_number(len(ranges))
        for start, length in ranges:
            out += write_number(start) + write_number(length)
    return bytes(out)


def _write_struct(out: bytearray, struct: Struct) -> None:
    sides = [place for place in (struct.origin, struct.right) if place is not None]
    out.append(
        struct.content
        | (HAS_ORIGIN if struct.origin is not None else 0)
        | (HAS_RIGHT if struct.right is not None else 0)
        | (HAS_KEY if struct.is_keyed else 0)
    )
    for client, clock in sides:
        out += write_number(client) + write_number(clock)
    if isinstance(struct.parent, str):
        out += b"\x01" + _text(struct.parent)
    elif struct.parent is not None:
        out += b"\x00" + write_number(struct.parent[0]) + write_number(struct.parent[1])
    if struct.key is not None:
        out += _text(struct.key)
    out += write_number(struct.length) if struct.content in (GC, DELETED) else struct.body


def _text(text: str) -> bytes:
    data = text.encode()
    return write_number(len(data)) + data
