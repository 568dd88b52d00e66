"""The frozen vectors, as the tests of this room read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).resolve().parents[2] / "protocol" / "vectors"
SPEC = VECTORS.parent / "spec"

Vector = dict[str, Any]


def vectors_of(name: str) -> list[Vector]:
    """The vectors of one file."""
    document = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    return list(document["vectors"])


def cases_of(*names: str) -> list[tuple[str, Vector]]:
    """(file, vector) of several files."""
    return [(name, vector) for name in names for vector in vectors_of(name)]


def shown(value: object) -> str | None:
    """How a vector is called in a test report."""
    return str(value["id"]) if isinstance(value, dict) else None


def plain(value: Any) -> Any:
    """A decoded value as vectors write it: bytes as {"hex": ...}, tuples as arrays."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return value
