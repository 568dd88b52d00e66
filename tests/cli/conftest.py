"""A person at a terminal: commands in this process, against a real daemon process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from p2pvalue_cli.main import cli
from tests.api.daemons import Daemon, fake_daemon


class Person:
    """Types commands for one data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def type(self, *words: str, stdin: str | bytes | None = None, **environment: str) -> Result:
        """What the command did; its errors are left to the test."""
        variables = {"P2PVALUE_DATA_DIR": str(self.folder), **environment}
        return CliRunner().invoke(cli, words, input=stdin, env=variables)

    def sees(self, *words: str, stdin: str | None = None, **environment: str) -> str:
        """What a command prints that must succeed."""
        result = self.type(*words, stdin=stdin, **environment)
        assert result.exit_code == 0, result.output
        return result.stdout

    def gets(self, *words: str, stdin: str | None = None) -> Any:
        """The JSON that a command answers."""
        return json.loads(self.sees(*words, "--json", stdin=stdin))


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with fake_daemon(tmp_path) as running:
        yield running


@pytest.fixture
def ana(daemon: Daemon, tmp_path: Path) -> Person:
    """A person whose daemon runs, with a community."""
    person = Person(tmp_path)
    person.sees("community", "create", "Garden")
    return person


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """A person as `ana`, shared by tests that change nothing."""
    folder = tmp_path_factory.mktemp("settled")
    with fake_daemon(folder):
        person = Person(folder)
        person.sees("community", "create", "Garden")
        yield person
