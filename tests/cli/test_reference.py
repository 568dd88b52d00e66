"""The page, the help and the code say the same."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from p2pvalue_cli.main import cli
from p2pvalue_cli.reference import commands, reference

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "cli.md"
COMMANDS = dict(commands())


def test_the_reference_page_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), (
        "write it anew: python -m p2pvalue_cli.reference > docs/reference/cli.md"
    )


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_has_a_help_with_an_example(path: str) -> None:
    result = CliRunner().invoke(cli, [*path.split()[1:], "--help"])
    assert result.exit_code == 0
    assert COMMANDS[path].help
    example = result.output.partition("Example:\n")[2]
    assert path.removeprefix("p2pvalue ").split()[-1] in example


@pytest.mark.parametrize("path", COMMANDS)
def test_every_option_says_what_it_does(path: str) -> None:
    options = [p for p in COMMANDS[path].params if isinstance(p, click.Option)]
    assert [option.opts for option in options if not option.help] == []


@pytest.mark.parametrize("group", sorted({path.split()[1] for path in COMMANDS}))
def test_a_list_of_commands_cuts_no_sentence_off(group: str) -> None:
    shown = CliRunner().invoke(cli, [group, "--help"]).output
    assert "..." not in shown.partition("Commands:")[2]


def test_the_first_page_of_help_names_every_command() -> None:
    shown = CliRunner().invoke(cli, ["--help"]).output
    names = [path.split()[1] for path in COMMANDS]
    assert [name for name in names if name not in shown] == []
