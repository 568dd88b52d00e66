"""A served node of straw, in this process and event loop."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from p2pvalue.api import application, serve
from tests.api.fake_node import FakeNode


@pytest.fixture
def node() -> FakeNode:
    return FakeNode()


@pytest.fixture
def stopping() -> trio.Event:
    """Set when a caller asked the daemon to end."""
    return trio.Event()


@pytest.fixture
async def api(node: FakeNode, stopping: trio.Event, tmp_path: Path, nursery: trio.Nursery) -> Path:
    """The socket on which the node answers."""
    path = tmp_path / "api.sock"
    await nursery.start(serve, application(node, stop=stopping.set), path)
    return path
