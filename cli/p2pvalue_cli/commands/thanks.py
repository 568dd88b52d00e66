"""Thanks: give, list, withdraw."""

from __future__ import annotations

from typing import Any

import click

from p2pvalue_cli import connection
from p2pvalue_cli.command import Group, community_option
from p2pvalue_cli.output import ago, one_line, say, short, show, table


@click.group(cls=Group)
def thanks() -> None:
    """Thank somebody, in words; they are counted nowhere."""


@thanks.command(example="p2pvalue thanks give Bea 'for the bread' --for 'Summer feast'")
@click.argument("member")
@click.argument("text")
@click.option("--for", "about", default="", metavar="NEED|CONTRIBUTION", help="What it is about.")
@community_option
def give(member: str, text: str, about: str, community: str | None) -> None:
    """Thank a MEMBER; everybody in the community can read it."""
    given = connection.post("/thanks", member=member, text=text, about=about, community=community)
    show(given, lambda g: say(f"thanked {one_line(g['to_name'])} (thanks {short(g['thanks'])})"))


@thanks.command("list", example="p2pvalue thanks list --mine")
@click.option("--mine", is_flag=True, help="Only those by you and to you.")
@community_option
def list_thanks(mine: bool, community: str | None) -> None:
    """List who thanked whom, and what for."""
    query = {"mine": "true"} if mine else {}
    show(connection.get("/thanks", community=community, **query), _write)


@thanks.command(example="p2pvalue thanks withdraw 4f1c")
@click.argument("thanks_id", metavar="THANKS")
@community_option
def withdraw(thanks_id: str, community: str | None) -> None:
    """Take back THANKS of yours, named by the beginning of the id."""
    path = f"/thanks/{connection.quoted(thanks_id)}/withdraw"
    taken = connection.post(path, community=community)
    show(taken, lambda t: say(f"took back the thanks to {one_line(t['to_name'])}"))


def _write(given: list[dict[str, Any]]) -> None:
    if not given:
        say("no thanks yet; give some with: p2pvalue thanks give MEMBER 'for the bread'")
        return
    rows = [
        (short(t["thanks"]), t["name"], t["to_name"], t["text"], t["about_title"], ago(t["time"]))
        for t in given
    ]
    table(("THANKS", "FROM", "TO", "TEXT", "ABOUT", "WHEN"), rows)
