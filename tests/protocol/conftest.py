"""Copies that most tests of a replica begin with."""

from __future__ import annotations

import pytest

from tests.protocol.replicas import Copy, founded, joined


@pytest.fixture
def ana() -> Copy:
    """The founder's copy."""
    return founded()


@pytest.fixture
def ben(ana: Copy) -> Copy:
    """A member's copy."""
    return joined(ana, "ben")


@pytest.fixture
def cem(ana: Copy, ben: Copy) -> Copy:
    """The copy of a member who came after Ben."""
    return joined(ana, "cem")
