"""Amounts and times as arguments of commands: one word or more, with quotes or without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from p2pvalue_cli.amounts import BadAmount, parse_quantity

F = TypeVar("F", bound=Callable[..., Any])


def amount_argument(
    name: str = "amount", *, metavar: str | None = None, required: bool = True
) -> Callable[[F], F]:
    """Give a command an argument of one word or more, as one text; empty if it is not given."""
    return click.argument(name, metavar=metavar, nargs=-1, required=required, callback=_as_one_text)


def minutes_of(text: str, option: str) -> int:
    """The minutes of a time; raises BadParameter for `option`."""
    try:
        return parse_quantity("hours", text)[0]
    except BadAmount as problem:
        raise click.BadParameter(str(problem), param_hint=option) from problem


def _as_one_text(context: click.Context, param: click.Parameter, words: tuple[str, ...]) -> str:
    return " ".join(words)
