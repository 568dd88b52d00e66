"""Documents that show the same have the digest that their vectors say."""

from __future__ import annotations

from typing import Any

import pytest

from p2pvalue_protocol.documents.digest import Node, rich_digest, text_digest
from tests.vectors.files import Vector, shown, vectors_of


def node_of(plain: dict[str, Any]) -> Node:
    """A node as vectors write it."""
    if "text" in plain:
        return [(value, marks) for value, marks in plain["text"]]
    return plain["name"], plain["attributes"], [node_of(child) for child in plain["children"]]


@pytest.mark.parametrize("vector", vectors_of("digests"), ids=shown)
def test_what_is_shown_has_the_digest_of_its_vector(vector: Vector) -> None:
    given = vector["input"]
    if "text" in given:
        digest = text_digest(given["text"])
    else:
        digest = rich_digest([node_of(node) for node in given["nodes"]])
    assert vector["expect"] == {"digest": digest.hex()}
