"""Needs stand in the order that their vectors say, with the parts that they say."""

from __future__ import annotations

from typing import Any

import pytest

from p2pvalue_protocol.needs.parts import PARTS, Line, Offer, Ranked, Voice, Weights
from p2pvalue_protocol.needs.ranking import Place, rank
from tests.vectors.files import Vector, shown, vectors_of


def need_of(plain: dict[str, Any]) -> Ranked:
    """A need as vectors write it."""
    return Ranked(
        need=bytes.fromhex(plain["need"]),
        created_ms=plain["created_ms"],
        lines=tuple(Line(*line) for line in plain.get("lines", ())),
        voices=tuple(Voice(bytes.fromhex(key), rank) for key, rank in plain.get("voices", ())),
        offers=tuple(Offer(bytes.fromhex(key), *rest) for key, *rest in plain.get("offers", ())),
        trigger=plain.get("trigger", "all"),
        class_name=plain.get("class", ""),
        deadline_ms=plain.get("deadline_ms", 0),
        has_credit=plain.get("has_credit", False),
    )


def plain_place(place: Place) -> dict[str, Any]:
    parts = dict(zip(PARTS, place.parts, strict=True))
    return {
        "need": place.need.hex(),
        "score": place.score,
        "parts": {name: value for name, value in parts.items() if value},
        "lifted": place.lifted,
    }


@pytest.mark.parametrize("vector", vectors_of("ranking"), ids=shown)
def test_needs_stand_as_their_vector_says(vector: Vector) -> None:
    given = vector["input"]
    needs = [need_of(plain) for plain in given["needs"]]
    places = rank(needs, Weights(**given["weights"]), given["as_of_ms"])
    assert [plain_place(place) for place in places] == vector["expect"]
