"""Two people with daemons, and a process for tabs of editors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.editors.tabs import Tabs, browser
from tests.system.person import Person, gathered, people


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Person, Person]]:
    """Ana, who founded a community, and Ben, who is a member of it."""
    with people(tmp_path_factory.mktemp("two"), "Ana", "Ben") as (ana, ben):
        gathered(ana, ben)
        yield ana, ben


@pytest.fixture
def tabs() -> Iterator[Tabs]:
    with browser() as tabs:
        yield tabs
