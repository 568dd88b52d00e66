"""Random changes to frames, hints and payloads: in their bytes, and in what they say.

A change of bytes mostly breaks the form. A change of what is said keeps the form and reaches the
code behind it: numbers at their bounds, fields cut and grown, lists shortened, doubled and crossed.
"""

from __future__ import annotations

import zlib
from random import Random
from typing import Any

import msgspec

from p2pvalue_protocol.encoding import encode

_BOUNDS = (0, 1, 2, 63, 64, 127, 128, 255, 256, 65_535, 1 << 32, (1 << 53) - 1, 1 << 53, 1 << 63)
_NODES_MAX = 2_000


def mutated(rng: Random, data: bytes) -> bytes:
    """Return other bytes than `data`, or rarely the same; half of the time of its very form."""
    if rng.random() < 0.5:
        said = _with_change_inside(rng, data)
        if said is not None:
            return said
    return mutated_bytes(rng, data)


def mutated_bytes(rng: Random, data: bytes) -> bytes:
    """Return bytes flipped, cut, grown, doubled, spliced or replaced somewhere."""
    at = rng.randrange(len(data) + 1)
    match rng.randrange(7):
        case 0 if data:
            at = min(at, len(data) - 1)
            return data[:at] + bytes((data[at] ^ 1 << rng.randrange(8),)) + data[at + 1 :]
        case 1:
            return data[:at]
        case 2:
            return data[at:]
        case 3:
            return data[:at] + rng.randbytes(rng.randrange(1, 9)) + data[at:]
        case 4:
            return data[:at] + rng.randbytes(rng.randrange(1, 9)) + data[at + 4 :]
        case 5:
            return data + data
        case _:
            other = rng.randrange(len(data) + 1)
            return data[:at] + data[min(at, other) : max(at, other)] + data[other:]


def _with_change_inside(rng: Random, data: bytes) -> bytes | None:
    """Return the encoding of another value than `data` encodes; None if it encodes none."""
    try:
        value = msgspec.msgpack.decode(data)
        return encode(mutated_value(rng, value))
    except (msgspec.DecodeError, msgspec.EncodeError, OverflowError, TypeError, ValueError):
        return None


def mutated_value(rng: Random, value: Any) -> Any:
    """Return a plain value in which one part, chosen evenly, is another."""
    places = _places(value)
    return _changed(rng, value, rng.choice(places))


def _places(value: Any) -> list[tuple[Any, ...]]:
    """Return the way to every part of a value, its own first; of the first few thousand parts."""
    found: list[tuple[Any, ...]] = [()]
    for way in found:
        part = value
        for step in way:
            part = part[step]
        if isinstance(part, list):
            found += [(*way, at) for at in range(len(part))]
        elif isinstance(part, dict):
            found += [(*way, key) for key in part]
        if len(found) > _NODES_MAX:
            break
    return found


def _changed(rng: Random, value: Any, way: tuple[Any, ...]) -> Any:
    if not way:
        return _other(rng, value)
    step, *rest = way
    if isinstance(value, list):
        return [
            _changed(rng, part, tuple(rest)) if at == step else part
            for at, part in enumerate(value)
        ]
    return {
        key: _changed(rng, part, tuple(rest)) if key == step else part
        for key, part in value.items()
    }


def _other(rng: Random, value: Any) -> Any:
    match value:
        case bool() | None | float():
            return rng.choice((0, 1, b"", ""))
        case int():
            return rng.choice(
                (*_BOUNDS, value + 1, max(value - 1, 0), value ^ 1 << rng.randrange(8))
            )
        case bytes():
            return _other_bytes(rng, value)
        case str():
            return rng.choice((value[:-1], value * 2, "", "\u202e" + value, value + "\x00"))
        case list():
            return _other_list(rng, value)
        case dict():
            left_out = rng.choice(sorted(map(str, value))) if value else ""
            return {key: part for key, part in value.items() if str(key) != left_out}
    return value


def _other_bytes(rng: Random, value: bytes) -> bytes:
    if value[:1] == b"\x78" and rng.random() < 0.8:  # compressed: a batch
        inner = _with_change_inside_batch(rng, value)
        if inner is not None:
            return inner
    if len(value) in (16, 32, 64) and rng.random() < 0.5:
        return rng.choice((bytes(len(value)), b"\xff" * len(value), rng.randbytes(len(value))))
    return mutated_bytes(rng, value)


def _with_change_inside_batch(rng: Random, value: bytes) -> bytes | None:
    try:
        plain = zlib.decompress(value)
    except zlib.error:
        return None
    inner = _with_change_inside(rng, plain)
    return None if inner is None else zlib.compress(inner, 1)


def _other_list(rng: Random, value: list[Any]) -> list[Any]:
    at = rng.randrange(len(value) + 1)
    match rng.randrange(5):
        case 0:
            return value[:at]
        case 1:
            return value[:at] + value[at + 1 :]
        case 2:
            return value[:at] + value[at : at + 1] * 2 + value[at + 1 :]
        case 3:
            return value[::-1]
        case _:
            return [*value[:at], rng.choice((0, b"", [], rng.randbytes(32))), *value[at:]]
