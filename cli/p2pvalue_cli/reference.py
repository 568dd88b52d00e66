"""The reference page of the command line: `python -m p2pvalue_cli.reference`."""

from __future__ import annotations

from collections.abc import Iterator

import click

from p2pvalue_cli.command import Command
from p2pvalue_cli.failures import MEANINGS
from p2pvalue_cli.main import cli

OPENING = """\
# Command line

Written by `python -m p2pvalue_cli.reference`; a test compares.

`--json` and `--data-dir FOLDER` may stand anywhere in a command. With `--json` an answer is the
value that the [API](api.md) gives, on standard output; an error is `{"error": …, "message": …}` on
standard error. Where a community, document, need or pledge is named, its exact name or title will
do, or the beginning of its id (at least 4 digits). With one community, `--community` is not needed.

A command ends with one of these codes:

| code | meaning |
|---|---|
"""


def reference() -> str:
    """The page as Markdown."""
    codes = "".join(f"| {code} | {meaning} |\n" for code, meaning in MEANINGS.items())
    return OPENING + codes + "".join(_section(path, command) for path, command in commands())


def commands() -> Iterator[tuple[str, Command]]:
    """Every command with the words that call it."""
    with click.Context(cli, info_name="p2pvalue") as context:
        yield from _below(cli, context, "p2pvalue")


def _below(group: click.Group, context: click.Context, path: str) -> Iterator[tuple[str, Command]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _below(command, context, f"{path} {name}")
        elif isinstance(command, Command):
            yield f"{path} {name}", command


def _section(path: str, command: Command) -> str:
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    options = [p for p in command.params if isinstance(p, click.Option) and p.expose_value]
    words = [path, *(_usage(argument) for argument in arguments)]
    lines = [f"\n## {' '.join(words)}\n", command.help or ""]
    if options:
        lines += ["", *(f"- `{_names(option)}`: {option.help}" for option in options)]
    lines += ["", "```", command.example, "```"]
    return "\n".join(lines) + "\n"


def _usage(argument: click.Argument) -> str:
    name = argument.metavar or (argument.name or "").upper()
    return name if argument.required else f"[{name}]"


def _names(option: click.Option) -> str:
    names = ", ".join(option.opts)
    if option.is_flag:
        return names
    with click.Context(cli) as context:
        return f"{names} {option.metavar or option.make_metavar(context)}"


if __name__ == "__main__":
    click.echo(reference(), nl=False)
