"""Payloads and folds of every kind do what the frozen vectors say."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from p2pvalue_protocol.chunks import chunk_hash, open_chunk, seal_chunk
from p2pvalue_protocol.encoding import PayloadInvalid, encode
from p2pvalue_protocol.kind import Order, Placed, StateKind
from p2pvalue_protocol.kinds import KINDS
from p2pvalue_protocol.kinds.need import NeedState, terms_id
from tests.vectors.files import Vector, cases_of, plain, shown

BY_NAME = {kind.name: kind for kind in KINDS}
EVERY = cases_of(*(f"kinds/{kind.name}" for kind in KINDS))
CASES = [case for case in EVERY if "chunk" not in case[1]["input"]]
CHUNKS = [vector for _, vector in EVERY if "chunk" in vector["input"]]


def fields_of(struct: msgspec.Struct) -> Any:
    return plain(msgspec.to_builtins(struct, builtin_types=(bytes,)))


@pytest.mark.parametrize(("name", "vector"), CASES, ids=shown)
def test_kind(name: str, vector: Vector) -> None:
    kind = BY_NAME[name.removeprefix("kinds/")]
    given = vector["input"]
    if "operations" in given:
        assert isinstance(kind, StateKind)
        check_fold(kind, given["operations"], vector["expect"])
    elif vector["result"] == "valid":
        payload = kind.decode(bytes.fromhex(given["payload"]))
        assert fields_of(payload) == vector["expect"]["fields"]
    else:
        with pytest.raises(PayloadInvalid):
            kind.decode(bytes.fromhex(given["payload"]))


@pytest.mark.parametrize("vector", CHUNKS, ids=shown)
def test_chunks_are_sealed_as_their_vectors_say(vector: Vector) -> None:
    given = vector["input"]
    key, sealed = bytes.fromhex(given["key"]), bytes.fromhex(given["chunk"])
    piece = open_chunk(key, given["number"], sealed)
    if vector["result"] == "invalid":
        assert piece is None
    else:
        assert piece is not None
        assert vector["expect"] == {"piece": piece.hex(), "hash": chunk_hash(sealed).hex()}
        assert seal_chunk(key, given["number"], piece) == sealed


def check_fold(kind: StateKind, operations: list[Vector], expect: Vector) -> None:
    """Assert that the operations, in folding order, make the state expected."""
    placed = [
        Placed(
            order=Order(index, bytes.fromhex(given["member"]), index, bytes([index])),
            member=bytes.fromhex(given["member"]),
            rank=given["rank"],
            payload=kind.decode(bytes.fromhex(given["payload"])),
            creates=given["creates"],
        )
        for index, given in enumerate(operations)
    ]
    state = kind.fold(placed)
    if state is None:
        assert expect == {"state": None}
    else:
        found: Vector = {
            "state": encode(state).hex(),
            "fields": fields_of(state),
            "group": kind.group(state).hex(),
        }
        if isinstance(state, NeedState):
            found["terms"] = [terms_id(terms).hex() for terms in state.terms]
        assert found == expect
