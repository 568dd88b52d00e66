"""What bears one name has one size in every frame and payload, and bytes have few sizes at all."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from msgspec import inspect

import p2pvalue_protocol

SEQ_MAX = TIME_MS_MAX = 2**53 - 1

EXACT_BYTES = {
    16: "ids of subjects, tags, secrets of links",
    24: "salts",
    32: "keys, hashes and ids of operations",
    48: "wrapped secrets",
    64: "signatures",
    2_048: "256 sums",
}
NUMBERS = {
    "log_class": {(0, 1)},
    "seq": {(0, SEQ_MAX)},
    "from_seq": {(0, SEQ_MAX)},
    "head_seq": {(0, SEQ_MAX)},
    "first_seq": {(0, SEQ_MAX)},
    "time": {(0, TIME_MS_MAX)},
    "time_ms": {(0, TIME_MS_MAX)},
    "kind": {(0, 255)},
    "rank": {(1, 3), (0, 3)},  # given or left
    "invite_rank": {(0, 3)},
    "what": {(0, 1)},
    "write": {(32, 255), (0, 3)},  # a kind, and who may write it
    "keeps": {(0, 1), (0, SEQ_MAX)},  # of each reference
    "read": {(0, 1)},
    "join": {(0, 2)},
    "is_last": {(0, 1)},
    "is_complete": {(0, 1)},
    "is_decided_by_person": {(0, 1)},
    "refusal": {(0, 255)},
    "founder_quorum": {(0, 255)},
    "admin_quorum": {(0, 255)},
    "bucket": {(0, 255)},
    "part": {(0, 127)},
    "parts": {(1, 128)},
}


class Bound(NamedTuple):
    """What a field of a structure allows: bytes so long, or a number so large."""

    where: str
    name: str
    is_bytes: bool
    least: int
    most: int


def bounds() -> list[Bound]:
    """Every bound of everything that the core encodes."""
    for module in pkgutil.walk_packages(p2pvalue_protocol.__path__, "p2pvalue_protocol."):
        importlib.import_module(module.name)
    found = {s for s in structures(msgspec.Struct) if s.__module__.startswith("p2pvalue_protocol.")}
    return [
        Bound(structure.__qualname__, field.name, is_bytes, least, most)
        for structure in found
        for field in fields_of(structure)
        for is_bytes, least, most in of_type(field.type)
    ]


def fields_of(structure: type) -> tuple[inspect.Field, ...]:
    info = inspect.type_info(structure)
    assert isinstance(info, inspect.StructType)
    return info.fields


def structures(base: type) -> Iterator[type]:
    below: list[type] = base.__subclasses__()
    for structure in below:
        yield structure
        yield from structures(structure)


def of_type(kind: inspect.Type) -> Iterator[tuple[bool, int, int]]:
    """The bounds of a type, and of what it is made of."""
    match kind:
        case inspect.UnionType(types=parts) | inspect.TupleType(item_types=parts):
            for part in parts:
                yield from of_type(part)
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            yield from of_type(item)
        case inspect.BytesType(min_length=least, max_length=int() as most):
            yield True, least or 0, most
        case inspect.IntType(ge=int() as least, le=int() as most):
            yield False, least, most
        case inspect.IntType(ge=int() as least, lt=int() as beyond):
            yield False, least, beyond - 1


def test_bytes_have_the_sizes_of_ids_keys_hashes_and_signatures() -> None:
    sizes = [(b.where, b.name, b.least, b.most) for b in bounds() if b.is_bytes]
    exact = {size for _, _, least, size in sizes if least == size}
    assert exact == set(EXACT_BYTES)
    about = [found for found in sizes if any(abs(found[3] - size) == 1 for size in EXACT_BYTES)]
    about += [found for found in sizes if 0 < found[2] < found[3] and found[3] in EXACT_BYTES]
    assert about == []


def test_numbers_of_one_name_have_one_range() -> None:
    found: dict[str, set[tuple[int, int]]] = {}
    for bound in bounds():
        if not bound.is_bytes:
            found.setdefault(bound.name, set()).add((bound.least, bound.most))
    assert {name: found[name] for name in NUMBERS} == NUMBERS
