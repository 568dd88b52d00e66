"""What the help shows can be typed as it stands: every example is, by three people with daemons."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from p2pvalue_cli.reference import commands
from tests.api.daemons import started
from tests.cli.conftest import Person
from tests.cli.transcript import CONFIG
from tests.ports import KeptPort

GROUPS = "need pledge project contribution notify ranking".split()
ENDLESS = {"p2pvalue notify follow"}  # until Ctrl-C: tests/cli/test_notify has it
TYPED = re.compile(r"^(\w+)\$ (.*)$", re.MULTILINE)
SCENE = (Path(__file__).parent / "help-examples.txt").read_text(encoding="utf-8")


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Person]]:
    """Ana, Bea and Carl, each with a daemon of her own, in one community."""
    monkeypatch.chdir(tmp_path)
    found: dict[str, Person] = {}
    with ExitStack() as stack:
        for name in ("ana", "bea", "carl"):
            folder = tmp_path / name
            folder.mkdir(mode=0o700)
            port = stack.enter_context(KeptPort()).number
            (folder / "config.toml").write_text(CONFIG.format(port=port), encoding="utf-8")
            found[name] = Person(folder)
            found[name].sees("init", "--name", name.title())
            running = started("-m", "p2pvalue_cli", "run", P2PVALUE_DATA_DIR=str(folder))
            stack.enter_context(running).wait_until_ready()
        found["ana"].sees("community", "create", "Garden")
        for name in ("bea", "carl"):
            found[name].sees("community", "join", found["ana"].sees("invite", "create").strip())
        yield found


def test_every_example_of_the_help_does_what_it_says(people: dict[str, Person]) -> None:
    Path("roof.txt").write_text("Fix the gutter\n--hours 3h\n", encoding="utf-8")
    for name, line in TYPED.findall(SCENE):
        _wait_until_equal(people)
        words = shlex.split(line.partition(" > ")[0])[1:]
        if "4f1c" in words:
            suggested = people[name].gets("contribution", "suggest")
            words[words.index("4f1c")] = suggested[0]["suggestion"]
        assert people[name].sees(*words), line


def test_the_scene_has_every_example_of_the_help() -> None:
    typed = {line.removesuffix(" --yes") for _, line in TYPED.findall(SCENE)}
    shown = {
        line
        for path, command in commands()
        if path.split()[1] in GROUPS
        for line in command.example.splitlines()
    }
    assert shown - typed == ENDLESS


def _wait_until_equal(people: dict[str, Person]) -> None:
    """Return when all hold as many operations of the garden."""
    while True:
        views = [person.gets("community", "show", "-c", "Garden") for person in people.values()]
        if len({view["operations"] for view in views}) == 1:
            return
