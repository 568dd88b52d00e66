"""Changes to inputs: to bytes as they are, and to the values that MessagePack bytes hold.

What is checked for its one canonical form refuses nearly every changed byte at once; a changed
value, written again, comes further.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Literal, NamedTuple

import msgspec

from p2pvalue_protocol.encoding import encode

_NUMBERS = (0, 1, 2, 3, 4, 31, 32, 63, 64, 127, 128, 255, 256, 2**16, 2**31, 2**32, 2**53 - 1)
_WIDE = (*_NUMBERS, 2**53, 2**63 - 1, 2**63, 2**64 - 1, -1, -(2**31), -(2**63))
_LENGTHS = (0, 1, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 80, 255, 1_024, 65_536)
_STRANGE: tuple[Any, ...] = (
    None,
    True,
    False,
    1.5,
    0,
    b"",
    "",
    [],
    {},
    "\x00",
    "\u202e",
    "\ud83d\ude00",
    "é",
)
_TEXTS = ("\x00", "\n", "\u202e", "\u2028", "😀", "e\u0301", "\uffff", " ", "a" * 300, "🏴" * 100)
_DEPTH = 40
_GROWN_MAX = 1 << 17

Shape = Literal["bytes", "msgpack", "json", "program"]


def mutate(data: bytes, other: bytes, rng: Random, bytes_max: int, shape: Shape) -> bytes:
    """Return a changed `data`, perhaps with a part of `other`, of at most `bytes_max` bytes."""
    if shape in _FORMS and rng.random() < 0.8:
        data = _mutate_value(data, other, rng, _FORMS[shape])
        if rng.random() < 0.9:
            return data[:bytes_max]
    for _ in range(1 << rng.randrange(4)):
        data = rng.choice(_BYTE_CHANGES)(data, other, rng)
    return data[:bytes_max]


# --- bytes


def _flip(data: bytes, other: bytes, rng: Random) -> bytes:
    changed = bytearray(data or b"\x00")
    changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _set(data: bytes, other: bytes, rng: Random) -> bytes:
    changed = bytearray(data or b"\x00")
    changed[rng.randrange(len(changed))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    return bytes(changed)


def _insert(data: bytes, other: bytes, rng: Random) -> bytes:
    at = rng.randint(0, len(data))
    return data[:at] + rng.randbytes(rng.choice((1, 2, 4, 8, 32))) + data[at:]


def _delete(data: bytes, other: bytes, rng: Random) -> bytes:
    start = rng.randint(0, len(data))
    return data[:start] + data[start + rng.choice((1, 2, 4, 8, 32, 128)) :]


def _cut(data: bytes, other: bytes, rng: Random) -> bytes:
    return data[: rng.randint(0, len(data))]


def _repeat(data: bytes, other: bytes, rng: Random) -> bytes:
    start = rng.randint(0, len(data))
    piece = data[start : start + rng.choice((1, 2, 8, 64, 1_024))]
    times = rng.choice((1, 2, 16, 256))
    return data[:start] + (piece * times)[:_GROWN_MAX] + data[start:]


def _splice(data: bytes, other: bytes, rng: Random) -> bytes:
    start, end = sorted((rng.randint(0, len(other)), rng.randint(0, len(other))))
    at = rng.randint(0, len(data))
    skipped = rng.choice((0, end - start))
    return data[:at] + other[start:end] + data[at + skipped :]


def _write_number(data: bytes, other: bytes, rng: Random) -> bytes:
    number, size = rng.choice(_NUMBERS), rng.choice((1, 2, 4, 8))
    at = rng.randint(0, len(data))
    written = (number % (1 << (8 * size))).to_bytes(size, rng.choice(("big", "little")))
    return data[:at] + written + data[at + size :]


_BYTE_CHANGES: tuple[Callable[[bytes, bytes, Random], bytes], ...] = (
    *(_flip, _set, _insert, _delete, _cut, _repeat, _splice, _write_number),
)


# --- values


class _Form(NamedTuple):
    decode: Callable[[bytes], Any]
    encode: Callable[[Any], bytes]


_FORMS: dict[str, _Form] = {
    "msgpack": _Form(msgspec.msgpack.decode, encode),
    "json": _Form(msgspec.json.decode, msgspec.json.encode),
}


def _mutate_value(data: bytes, other: bytes, rng: Random, form: _Form) -> bytes:
    try:
        value = form.decode(data)
        donor = form.decode(other) if rng.random() < 0.3 else value
    except (msgspec.DecodeError, ValueError, RecursionError):
        return rng.choice(_BYTE_CHANGES)(data, other, rng)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        value = _changed_somewhere(value, donor, rng)
    try:
        return form.encode(value)
    except (ValueError, OverflowError, TypeError, RecursionError, msgspec.MsgspecError):
        return data


def _changed_somewhere(value: Any, donor: Any, rng: Random) -> Any:
    """Return a value in which one part, found by a walk from the root, is another."""
    if isinstance(value, list) and value and rng.random() < 0.8:
        at = rng.randrange(len(value))
        return [*value[:at], _changed_somewhere(value[at], donor, rng), *value[at + 1 :]]
    if isinstance(value, dict) and value and rng.random() < 0.8:
        key = rng.choice(sorted(value, key=repr))
        return {**value, key: _changed_somewhere(value[key], donor, rng)}
    return _changed(value, donor, rng)


def _changed(value: Any, donor: Any, rng: Random) -> Any:
    roll = rng.random()
    if roll < 0.1:
        return rng.choice(_STRANGE)
    if roll < 0.2:
        return _part(donor, rng)
    if roll < 0.22:
        return _nested(value, rng)
    match value:
        case bool() | None | float():
            return rng.choice(_STRANGE)
        case int():
            return rng.choice((rng.choice(_WIDE), value + 1, value - 1, value ^ (1 << 20)))
        case bytes():
            return _changed_bytes(value, rng)
        case str():
            at = rng.randint(0, len(value))
            return value[:at] + rng.choice(_TEXTS) + value[at + rng.choice((0, 1, len(value))) :]
        case list():
            return _changed_list(value, donor, rng)
        case dict():
            return _changed_map(value, donor, rng)
    return value


def _changed_bytes(value: bytes, rng: Random) -> bytes:
    if rng.random() < 0.4:
        return (value or b"\x00").ljust(65_536, b"\x00")[: rng.choice(_LENGTHS)]
    return rng.choice((_flip, _set, _cut, _insert, _repeat))(value, value, rng)


def _changed_list(value: list[Any], donor: Any, rng: Random) -> list[Any]:
    at = rng.randint(0, len(value))
    match rng.randrange(5):
        case 0:
            return value[:at] + value[at + 1 :]
        case 1:
            return [*value[:at], _part(donor, rng), *value[at:]]
        case 2:
            return (value * rng.choice((2, 16, 256)))[:5_000]
        case 3:
            return sorted(value, key=repr, reverse=rng.random() < 0.5)
    return [*value[:at], *value[at : at + 1], *value[at:]]


def _changed_map(value: dict[Any, Any], donor: Any, rng: Random) -> dict[Any, Any]:
    keys = sorted(value, key=repr)
    if keys and rng.random() < 0.5:
        gone = rng.choice(keys)
        return {key: value[key] for key in keys if key != gone}
    key = rng.choice(("", "a", "zz", "title", "text", "lines", "reply", "\x00", "é"))
    return {**value, key: _part(donor, rng)}


def _part(value: Any, rng: Random) -> Any:
    """Return a part of a value, at any depth."""
    while isinstance(value, list | dict) and value and rng.random() < 0.8:
        parts = value if isinstance(value, list) else [value[k] for k in sorted(value, key=repr)]
        value = rng.choice(parts)
    return value


def _nested(value: Any, rng: Random) -> Any:
    for _ in range(rng.randrange(_DEPTH)):
        value = [value] if rng.random() < 0.7 else {"a": value}
    return value
