"""One daemon that is attacked by all, and a member who is not what she seems."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from tests.system.hostile import Insider, Watch, insider
from tests.system.person import Person, people

RSS_GROWTH_BYTES_MAX = 64 * 1024 * 1024


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """A founder's daemon, with a members-only community in which she said something."""
    with people(tmp_path_factory.mktemp("victim"), "Ana") as (ana,):
        ana.found("Garden of secrets")
        ana.post("the key lies under the stone")
        yield ana
        assert ana.stop() == 0, ana.log


@pytest.fixture(scope="module")
def watch(victim: Person, tmp_path_factory: pytest.TempPathFactory) -> Watch:
    return Watch(victim, tmp_path_factory.mktemp("visitors"), RSS_GROWTH_BYTES_MAX)


@pytest.fixture(scope="module")
def mallory(victim: Person, tmp_path_factory: pytest.TempPathFactory) -> Insider:
    """A member of the victim's community."""
    folder: Path = tmp_path_factory.mktemp("mallory")
    return trio.run(insider, folder / "data", victim)
