"""Two founders of one community, each with a node."""

from __future__ import annotations

import pytest

from tests.node.small_node import SmallNode

FOUNDERS = ("ana", "eva")


@pytest.fixture
def ana() -> SmallNode:
    """The node of the founder who begins."""
    return SmallNode("ana", FOUNDERS)


@pytest.fixture
def eva() -> SmallNode:
    """The node of the other founder; `exchange` brings both to the same operations."""
    return SmallNode("eva", FOUNDERS)
