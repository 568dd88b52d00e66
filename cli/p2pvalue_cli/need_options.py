"""The options by which a need is described, new or changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import click

from p2pvalue_cli.amount_words import minutes_of
from p2pvalue_cli.amounts import EXAMPLES, BadAmount, Line, LineKind, parse_line
from p2pvalue_cli.dates import begin_of_day_to_come_ms, end_of_day_ms

F = TypeVar("F", bound=Callable[..., Any])

_LINES: tuple[tuple[LineKind, str], ...] = (
    ("hours", "Working time"),
    ("money", "Money"),
    ("material", "Things"),
    ("skill", "People"),
)
_DAYS = {"closes": "The last day to pledge", "deadline": "The day by which it is to be done"}

OPTIONS: tuple[Callable[[F], F], ...] = (
    *(
        click.option(
            f"--{kind}", multiple=True, metavar="AMOUNT", help=f"{what}: {EXAMPLES[kind]}."
        )
        for kind, what in _LINES
    ),
    click.option("--body", help="What it is about, in more words."),
    click.option("--opens", metavar="DATE", help="The first day to pledge, as 2026-12-01."),
    *(
        click.option(f"--{name}", metavar="DATE", help=f"{what}, as 2026-12-31 or friday.")
        for name, what in _DAYS.items()
    ),
    click.option(
        "--trigger",
        type=click.Choice(["all", "any", "none"]),
        help="When pledges bind: all minimums met (as if not given), any, or none: at once.",
    ),
    click.option("--class", "class_", metavar="NAME", help="build, maintain, care, learn, …"),
    click.option("--estimate", metavar="TIME", help="How long it takes in all, as 3h."),
    click.option("--tag", "skills", multiple=True, help="A skill that helps, to find people."),
    click.option("--acceptance", help="By what it is known to be done."),
    click.option("--gives-back", help="What the community gets of it."),
    click.option("--steward", "stewards", multiple=True, metavar="MEMBER", help="Who sees to it."),
    click.option(
        "--confirmer", "confirmers", multiple=True, metavar="MEMBER", help="Who confirms the work."
    ),
    click.option("--project", metavar="PROJECT", help="What it belongs to; '' for nothing."),
    click.option("--after", "depends", multiple=True, metavar="NEED", help="What comes first."),
)


def describing(function: F) -> F:
    """Give a command the options that describe a need."""
    for option in reversed(OPTIONS):
        function = cast("F", option(function))
    return function


def described(given: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a question from what these options were given; leaves out the rest."""
    lines = [line for kind, _ in _LINES for line in _parsed(kind, given[kind])]
    fields: dict[str, Any] = {
        "body": given["body"],
        "lines": [vars(line) for line in lines] or None,
        "trigger": given["trigger"],
        "class": given["class_"],
        "estimate": _minutes(given["estimate"]),
        "acceptance": given["acceptance"],
        "gives_back": given["gives_back"],
        "project": given["project"],
    }
    for name in _DAYS:
        fields[name] = _day(given[name], f"--{name}")
    fields["opens"] = _first_day(given["opens"])
    for name in ("skills", "stewards", "confirmers", "depends"):
        fields[name] = [value for value in given[name] if value] if given[name] else None
    return {name: value for name, value in fields.items() if value is not None}


def _parsed(kind: LineKind, texts: Sequence[str]) -> list[Line]:
    try:
        lines = [parse_line(kind, text) for text in texts]
    except BadAmount as problem:
        raise click.BadParameter(str(problem), param_hint=f"--{kind}") from problem
    for line, text in zip(lines, texts, strict=True):
        if not line.optimum:
            advice = "name an amount of more than 0, or leave it out"
            raise click.BadParameter(f"{text!r} asks for nothing: {advice}", param_hint=f"--{kind}")
    return lines


def _day(text: str | None, option: str) -> int | None:
    """The end of a day; 0, none, if the text is empty."""
    if not text:
        return None if text is None else 0
    return end_of_day_ms(text, option)


def _first_day(text: str | None) -> int | None:
    """The begin of a day; 0, none, if the text is empty."""
    if not text:
        return None if text is None else 0
    return begin_of_day_to_come_ms(text, "--opens")


def _minutes(text: str | None) -> int | None:
    if not text:
        return None if text is None else 0
    return minutes_of(text, "--estimate")
