"""Invites: make, list, take back."""

from __future__ import annotations

from typing import Any

import click

from p2pvalue.amounts import counted
from p2pvalue_cli import connection
from p2pvalue_cli.asking import confirm
from p2pvalue_cli.command import Group, as_json, community_option
from p2pvalue_cli.connection import quoted
from p2pvalue_cli.output import ago, one_line, say, short, show, table

USES_MAX = 1_000_000
RANKS = ("founder", "admin", "member", "guest")


@click.group(cls=Group)
def invite() -> None:
    """Links that let people in, and who came in by them."""


@invite.command(example="p2pvalue invite create --uses 5")
@click.option("--rank", type=click.Choice(RANKS), default="member", help="Their rank; member.")
@click.option(
    "--uses", type=click.IntRange(1, USES_MAX), default=1, help="How many may use the link; 1."
)
@community_option
def create(rank: str, uses: int, community: str | None) -> None:
    """Make a link that lets others in; give it only to them."""
    made = connection.post("/invites", rank=rank, uses=uses, community=community)
    # The link stands alone on standard output, so that it can be copied or piped.
    show(made, lambda i: click.echo(i["link"]))


@invite.command("list", example="p2pvalue invite list")
@community_option
def list_invites(community: str | None) -> None:
    """List the invites, and who came in by each."""
    show(connection.get("/invites", community=community), _write_list)


@invite.command(example="p2pvalue invite revoke 3f2a9c04 --with-members")
@click.argument("invite")
@click.option("--with-members", is_flag=True, help="Remove whoever came in by it, too.")
@click.option("--yes", is_flag=True, help="Do not ask whether you are sure.")
@community_option
def revoke(invite: str, with_members: bool, yes: bool, community: str | None) -> None:
    """Take an INVITE back: nobody comes in by it any more.

    For a link that leaked: --with-members also removes everybody who came in by it, after showing
    who that is.
    """
    path = f"/invites/{quoted(invite)}"
    if with_members:
        use = connection.get(path, community=community)
        names = ", ".join(map(one_line, use["removes"])) or "nobody"
        if not as_json():
            click.echo(f"Came in by this invite, and would be removed: {names}", err=True)
        if use["removes"]:
            confirm(f"Remove {counted(len(use['removes']), 'member')}?", is_sure=yes)
    gone = connection.post(f"{path}/revoke", members=with_members, community=community)
    show(gone, lambda i: say(f"nobody can use invite {short(i['invite'])} any more"))


def _write_list(invites: list[dict[str, Any]]) -> None:
    if not invites:
        say("no invites yet; make one with: p2pvalue invite create")
        return
    rows = [
        (
            short(i["invite"]),
            i["rank"],
            f"{i['used']} of {i['uses'] or 'any'}",
            i["state"],
            f"{ago(i['time'])} by {i['name']}",
            ", ".join(i["admitted"]),
        )
        for i in invites
    ]
    table(("INVITE", "RANK", "USED", "STATE", "MADE", "CAME IN"), rows)
