"""Ranking: by what the needs of a community are put in order."""

from __future__ import annotations

from typing import Any

import click

from p2pvalue_cli import connection
from p2pvalue_cli.command import Group, community_option
from p2pvalue_cli.output import say, show, table

WEIGHTS = {
    "voices": "How many members want it.",
    "hours": "How much of its hours is pledged.",
    "quadratic": "How many people pledge hours, rather than how many hours.",
    "closeness": "How little is missing until it comes about.",
    "urgency": "How near its deadline is.",
    "age": "How long it waits.",
}
CREDIT = "Its author pledged early to a need that lapsed; always a tenth of the others together."


@click.group(cls=Group)
def ranking() -> None:
    """By what a community puts its needs in order."""


@ranking.command("show", example="p2pvalue ranking show")
@community_option
def show_ranking(community: str | None) -> None:
    """Show how much each part counts."""
    show(connection.get("/order/weights", community=community), _write)


def _options(function: Any) -> Any:
    for name, meaning in reversed(WEIGHTS.items()):
        function = click.option(f"--{name}", type=click.IntRange(0, 1_000), help=meaning)(function)
    return function


@ranking.command("set", example="p2pvalue ranking set --voices 500 --age 100 --floor 3")
@_options
@click.option("--floor", type=click.IntRange(0, 20), help="First places kept for care.")
@community_option
def set_ranking(community: str | None, **given: int | None) -> None:
    """Change how much parts count, from 0 to 1,000; the rest stays. Founders and admins can."""
    chosen = {name: weight for name, weight in given.items() if weight is not None}
    if not chosen:
        raise click.UsageError("say what is to count how much: p2pvalue ranking set --voices 500")
    show(connection.put("/order/weights", community=community, **chosen), _write)


def _write(weights: dict[str, Any]) -> None:
    rows = [(name, weights[name], meaning) for name, meaning in WEIGHTS.items()]
    rows.append(("credit", weights["credit"], CREDIT))
    table(("PART", "WEIGHT", "WHAT IT IS"), rows)
    say(f"first places kept for care and maintenance: {weights['floor']}")
