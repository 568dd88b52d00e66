"""Pledges: make, list, withdraw."""

from __future__ import annotations

from typing import Any

import click

from p2pvalue_cli import connection
from p2pvalue_cli.amounts import BadAmount, parse_quantity, written
from p2pvalue_cli.command import Group, community_option
from p2pvalue_cli.output import ago, harmless, say, short, show, table


@click.group(cls=Group)
def pledge() -> None:
    """Promise to help with a need."""


@pledge.command(example="p2pvalue pledge make 'Fix the roof' 3h")
@click.argument("need")
@click.argument("amount")
@click.option("--line", type=click.IntRange(1), help="Which line of the need, if it is not clear.")
@community_option
def make(need: str, amount: str, line: int | None, community: str | None) -> None:
    """Promise AMOUNT to a NEED: 3h, 50EUR, 5 planks."""
    wanted = connection.get(f"/needs/{connection.quoted(need)}", community=community)
    number, quantity = _line_meant(wanted, amount, line)
    pledged = connection.post(
        "/pledges", need=wanted["need"], line=number, quantity=quantity, community=community
    )
    show(pledged, lambda p: say(f"pledged to {p['need_title']} (pledge {short(p['pledge'])})"))


@pledge.command("list", example="p2pvalue pledge list --need 'Fix the roof'")
@click.option("--need", default="", metavar="NEED", help="Only those to this need.")
@community_option
def list_pledges(need: str, community: str | None) -> None:
    """List pledges."""
    show(connection.get("/pledges", need=need, community=community), _write)


@pledge.command(example="p2pvalue pledge withdraw 4f1c --reason 'I fell ill'")
@click.argument("pledge_id", metavar="PLEDGE")
@click.option("--reason", default="", help="Why, for the others.")
@community_option
def withdraw(pledge_id: str, reason: str, community: str | None) -> None:
    """Take back a pledge of yours."""
    withdrawn = connection.post(
        f"/pledges/{connection.quoted(pledge_id)}/withdraw", reason=reason, community=community
    )
    show(withdrawn, lambda p: say(f"withdrawn from {p['need_title']}"))


def _line_meant(need: dict[str, Any], amount: str, line: int | None) -> tuple[int, int]:
    """The one line that the amount fits, and the quantity in its smallest unit."""
    fitting: list[tuple[int, int]] = []
    for number, wanted in enumerate(need["lines"]):
        if line is not None and number != line - 1:
            continue
        try:
            fitting.append((number, _quantity(wanted, amount)))
        except BadAmount:
            continue
    if len(fitting) == 1:
        if not fitting[0][1]:
            raise click.UsageError("a pledge is of more than 0: say how much")
        return fitting[0]
    if fitting:
        raise click.UsageError(f"{amount} fits several lines of this need: say which with --line")
    asked = "; ".join(written(w["kind"], w["unit"], w["minimum"]) for w in need["lines"])
    where = "the need" if line is None else f"line {line} of the need"
    raise click.UsageError(f"{amount} does not fit {where}, which asks for {harmless(asked)}")


def _quantity(wanted: dict[str, Any], amount: str) -> int:
    kind, unit = wanted["kind"], wanted["unit"]
    if kind in ("material", "skill") and amount.strip().isdecimal():
        return int(amount)
    quantity, given = parse_quantity(kind, amount)
    if given != unit:
        raise BadAmount(f"this line counts {unit}, not {given}")
    return quantity


def _write(pledges: list[dict[str, Any]]) -> None:
    if not pledges:
        say("no pledges yet; make one with: p2pvalue pledge make NEED AMOUNT")
        return
    rows = [
        (
            short(p["pledge"]),
            p["need_title"],
            written(_kind(p["unit"]), p["unit"], p["quantity"]),
            p["name"],
            ago(p["time"]),
            p["state"] + (f": {p['reason']}" if p["reason"] else ""),
        )
        for p in pledges
    ]
    table(("PLEDGE", "NEED", "AMOUNT", "BY", "WHEN", "STATE"), rows)


def _kind(unit: str) -> str:
    """The kind of line that a pledge's unit belongs to (spec: kinds/need)."""
    if unit == "minute":
        return "hours"
    return "money" if len(unit) == 3 and unit.isupper() else "material"
