"""Requests: who asks to be let in, and the answer."""

from __future__ import annotations

from typing import Any

import click

from p2pvalue_cli import connection
from p2pvalue_cli.command import Group, community_option
from p2pvalue_cli.connection import quoted
from p2pvalue_cli.output import ago, one_line, say, short, show, table

GIVEN_RANKS = ("admin", "member", "guest")


@click.group(cls=Group)
def request() -> None:
    """People who ask to be let in, where that takes a person's yes."""


@request.command("list", example="p2pvalue request list")
@community_option
def list_requests(community: str | None) -> None:
    """List who asks to be let in, and what they wrote."""
    show(connection.get("/requests", community=community), _write_list)


@request.command(example="p2pvalue request approve Eve")
@click.argument("name")
@click.option("--rank", type=click.Choice(GIVEN_RANKS), default="member", help="As what; member.")
@community_option
def approve(name: str, rank: str, community: str | None) -> None:
    """Let somebody in who asked."""
    path = f"/requests/{quoted(name)}/approve"
    let_in = connection.post(path, rank=rank, community=community)
    show(let_in, lambda r: say(f"let in {one_line(r['name'])} as {rank}"))


@request.command(example="p2pvalue request decline Eve")
@click.argument("name")
@community_option
def decline(name: str, community: str | None) -> None:
    """Say no to somebody who asked; an invite or `approve` by another member still lets her in."""
    declined = connection.post(f"/requests/{quoted(name)}/decline", community=community)
    show(declined, lambda r: say(f"declined {one_line(r['name'])}"))


def _write_list(requests: list[dict[str, Any]]) -> None:
    if not requests:
        say("nobody asks to be let in; to invite somebody: p2pvalue invite create")
        return
    rows = [(short(r["request"]), r["name"], ago(r["time"]), r["text"]) for r in requests]
    table(("REQUEST", "NAME", "ASKED", "WROTE"), rows)
