"""A question to the person before something that cannot be taken back."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from p2pvalue_cli.command import as_json
from p2pvalue_cli.failures import Failed

yes_option = click.option("--yes", is_flag=True, help="Do not ask whether you are sure.")


def confirm(question: str, *, is_sure: bool) -> None:
    """Return if the person says yes; `is_sure` is her `--yes`. Raises Failed for a no.

    A program is never asked: without a terminal, or with `--json`, only `--yes` goes on.
    """
    if is_sure:
        return
    if as_json() or not sys.stdin.isatty():
        raise Failed(f"{question} Nothing is done yet: say yes with --yes")
    if not click.confirm(question, err=True):
        raise Failed("you did not say yes: nothing was done")


def confirm_each(lines: Sequence[str], question: str, *, is_sure: bool) -> None:
    """Show what it is about, line by line, and ask; `question` has a place for how many these are.

    Asks nothing about nothing.
    """
    for line in lines:
        click.echo(line, err=True)
    if lines:
        what = "this" if len(lines) == 1 else f"these {len(lines)}"
        confirm(question.format(what), is_sure=is_sure)
