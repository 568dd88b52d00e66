"""Needs: add, list, show."""

from __future__ import annotations

from typing import Any

import click

from p2pvalue_cli import connection
from p2pvalue_cli.amounts import EXAMPLES, BadAmount, Line, LineKind, parse_line, written
from p2pvalue_cli.command import Group, community_option
from p2pvalue_cli.dates import end_of_day_ms
from p2pvalue_cli.output import ago, day, harmless, one_line, say, short, show, table


@click.group(cls=Group)
def need() -> None:
    """What a community needs, and what is pledged to it."""


@need.command(
    example="p2pvalue need add 'Fix the roof' --hours 12h..20h --money 200EUR"
    " --material '30 planks'"
)
@click.argument("title")
@click.option("--hours", multiple=True, metavar="TIME", help=f"Working time: {EXAMPLES['hours']}.")
@click.option("--money", multiple=True, metavar="SUM", help=f"Money: {EXAMPLES['money']}.")
@click.option(
    "--material", multiple=True, metavar="THINGS", help=f"Things: {EXAMPLES['material']}."
)
@click.option("--skill", multiple=True, metavar="PEOPLE", help=f"People: {EXAMPLES['skill']}.")
@click.option("--body", default="", help="What it is about, in more words.")
@click.option("--closes", metavar="DATE", help="The last day to pledge, as 2026-12-31.")
@community_option
def add(
    title: str,
    hours: tuple[str, ...],
    money: tuple[str, ...],
    material: tuple[str, ...],
    skill: tuple[str, ...],
    body: str,
    closes: str | None,
    community: str | None,
) -> None:
    """Say what the community needs: at least one amount, or a range of minimum..optimum."""
    lines = [
        *_parsed("hours", hours),
        *_parsed("money", money),
        *_parsed("material", material),
        *_parsed("skill", skill),
    ]
    if not lines:
        raise click.UsageError("say how much is needed: --hours, --money, --material or --skill")
    added = connection.post(
        "/needs",
        title=title,
        body=body,
        lines=[vars(line) for line in lines],
        closes=None if closes is None else end_of_day_ms(closes, "--closes"),
        community=community,
    )
    show(added, lambda n: say(f"added {one_line(n['title'])} (need {short(n['need'])})"))


@need.command("list", example="p2pvalue need list")
@community_option
def list_needs(community: str | None) -> None:
    """List the needs and what is pledged to each."""
    show(connection.get("/needs", community=community), _write_all)


@need.command("show", example="p2pvalue need show 'Fix the roof'")
@click.argument("reference", metavar="NEED")
@community_option
def show_need(reference: str, community: str | None) -> None:
    """Show a NEED: its title, or the beginning of its id."""
    path = f"/needs/{connection.quoted(reference)}"
    show(connection.get(path, community=community), _write_one)


def _parsed(kind: LineKind, texts: tuple[str, ...]) -> list[Line]:
    try:
        return [parse_line(kind, text) for text in texts]
    except BadAmount as problem:
        raise click.BadParameter(str(problem), param_hint=f"--{kind}") from problem


def _write_all(needs: list[dict[str, Any]]) -> None:
    if not needs:
        say("no needs yet; add one with: p2pvalue need add TITLE --hours 12h")
        return
    rows = [
        (short(n["need"]), n["title"], "; ".join(map(_line, n["lines"])), n["state"]) for n in needs
    ]
    table(("NEED", "TITLE", "PLEDGED", "STATE"), rows)


def _write_one(need: dict[str, Any]) -> None:
    click.secho(one_line(need["title"]), bold=True)
    click.echo(f"{need['state']}, asked by {one_line(need['name'])} {ago(need['time'])}")
    if need["closes"] is not None:
        click.echo(f"pledges until {day(need['closes'])}")
    if need["body"]:
        click.echo(f"\n{harmless(need['body'])}\n")
    for number, line in enumerate(need["lines"], 1):
        people = "1 person" if line["pledgers"] == 1 else f"{line['pledgers']} people"
        click.echo(f"{number}. {_line(line)}, from {people}")


def _line(line: dict[str, Any]) -> str:
    amounts = [
        written(line["kind"], line["unit"], line[end]) for end in ("pledged", "minimum", "optimum")
    ]
    wanted = amounts[1] if amounts[1] == amounts[2] else f"{amounts[1]}..{amounts[2]}"
    return one_line(f"{amounts[0]} of {wanted}")
