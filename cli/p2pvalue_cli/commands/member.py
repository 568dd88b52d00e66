"""Members: who is in, putting out, letting back in, ranks and votes."""

from __future__ import annotations

import time
from typing import Any

import click

from p2pvalue.amounts import counted
from p2pvalue_cli import connection
from p2pvalue_cli.asking import confirm, yes_option
from p2pvalue_cli.command import Group, as_json, community_option
from p2pvalue_cli.connection import quoted
from p2pvalue_cli.dates import end_of_day_ms
from p2pvalue_cli.output import day, one_line, say, short, show, table_without_empty_end

GIVEN_RANKS = ("admin", "member", "guest")


@click.group(cls=Group)
def member() -> None:
    """Who is in, and who is not any more."""


@member.command("list", example="p2pvalue member list --all")
@click.option("--all", "former", is_flag=True, help="Also those who were members.")
@community_option
def list_members(former: bool, community: str | None) -> None:
    """List the members."""
    query = {"former": "true"} if former else {}
    found = connection.get("/members", community=community, **query)
    show(found, write_members)


@member.command("show", example="p2pvalue member show Bob")
@click.argument("name")
@community_option
def show_member(name: str, community: str | None) -> None:
    """Show what a member says of herself, and how she keeps her word.

    That is one rate, of at least five words of the last half year, and no list: the older, the less
    they count. Your own machine computes it, and only members are told.
    """
    show(connection.get(f"/about/{quoted(name)}", community=community), _write_about)


@member.command(example="p2pvalue member remove Bob --reason 'spam' --until 2027-06-30")
@click.argument("name")
@click.option("--reason", default="", metavar="TEXT", help="Why; all who may read here read it.")
@click.option("--until", metavar="DATE", help="The last day it is meant for, as 2027-06-30.")
@yes_option
@community_option
def remove(name: str, reason: str, until: str | None, yes: bool, community: str | None) -> None:
    """Put a member out.

    What she wrote until now stays. Say --until if it is for a time: you are reminded when that is
    over, and `member readmit` lets her in again.
    """
    until_ms = None if until is None else end_of_day_ms(until, "--until")
    path = f"/members/{quoted(name)}"
    preview = connection.get(f"{path}/removal", community=community)
    _warn(preview)
    if preview["invites"] or _is_asking():
        confirm(f"Remove {one_line(preview['member']['name'])}?", is_sure=yes)
    gone = connection.post(f"{path}/remove", reason=reason, until=until_ms, community=community)
    show(gone, lambda m: say(f"removed {one_line(m['name'])} ({_undo(m)})"))


@member.command(example="p2pvalue member rank Bob admin")
@click.argument("name")
@click.argument("rank", type=click.Choice(GIVEN_RANKS))
@community_option
def rank(name: str, rank: str, community: str | None) -> None:
    """Give a member another RANK, a stronger or a weaker one."""
    changed = connection.put(f"/members/{quoted(name)}/rank", rank=rank, community=community)
    show(changed, lambda m: say(f"{one_line(m['name'])} is {m['rank'] or 'no member'} now"))


@member.command("vote-out", example="p2pvalue member vote-out Bob")
@click.argument("name")
@yes_option
@community_option
def vote_out(name: str, yes: bool, community: str | None) -> None:
    """Vote against an equal of yours; enough votes take the rank that you share.

    Who was also let in under a weaker rank keeps that; anybody stronger can then remove her.
    """
    if _is_asking():
        confirm(f"Vote for removing {one_line(name)}? A vote cannot be taken back.", is_sure=yes)
    voted = connection.post(f"/members/{quoted(name)}/vote-out", community=community)
    show(voted, _say_voted)


@member.command(example="p2pvalue member readmit Bob")
@click.argument("name")
@click.option("--rank", type=click.Choice(GIVEN_RANKS), default="member", help="As what; member.")
@community_option
def readmit(name: str, rank: str, community: str | None) -> None:
    """Let a former member in again; what she wrote, and is here, counts again."""
    path = f"/members/{quoted(name)}/readmit"
    back = connection.post(path, rank=rank, community=community)
    show(back, lambda m: say(f"{one_line(m['name'])} is {m['rank']} again"))


def _write_about(about: dict[str, Any]) -> None:
    click.secho(one_line(about["name"]), bold=True)
    for what in ("skills", "interests"):
        if about[what]:
            click.echo(f"{what}: {one_line(', '.join(about[what]))}")
    if about["hours_per_week"]:
        click.echo(f"hours a week: {about['hours_per_week']}")
    if about["kept_percent"] is None:
        click.echo("keeps her word: too few promises have ended lately to say")
    else:
        click.echo(
            f"keeps her word: {about['kept_percent']} % of {about['kept_words']} promises that"
            " ended within half a year"
        )


def write_members(found: list[dict[str, Any]]) -> None:
    """Print members as a table, with skills if any are known; those who were are marked."""
    rows = [
        (
            short(m["member"]),
            m["name"] + (" (you)" if m["is_me"] else ""),
            m["rank"] or m["state"],
            len(m["devices"]),
            _story(m),
            ", ".join(m["skills"]),
        )
        for m in found
    ]
    table_without_empty_end(("MEMBER", "NAME", "RANK", "DEVICES", "SINCE", "SKILLS"), rows)


def _story(view: dict[str, Any]) -> str:
    """How somebody came in, or went."""
    if view["state"] == "member":
        since = day(view["since"]) if view["since"] else ""
        by = f"by {view['admitted_by']}" if view["admitted_by"] else ""
        return " ".join(word for word in (since, by) if word)
    if view["state"] == "voided":
        return f"let in by somebody who could not; heal it: member readmit {short(view['member'])}"
    words = [f"by {view['removed_by']}" if view["removed_by"] else ""]
    words.append(f"until {day(view['until'])}{_is_over(view)}" if view["until"] else "")
    story = " ".join(word for word in words if word)
    return ": ".join(part for part in (story, view["reason"]) if part)


def _is_over(view: dict[str, Any]) -> str:
    return " (over)" if view["until"] / 1000 < time.time() else ""


def _warn(preview: dict[str, Any]) -> None:
    if as_json():
        return
    name = one_line(preview["member"]["name"])
    devices = counted(len(preview["member"]["devices"]), "device writes", "devices write")
    click.echo(
        f"What {name} wrote until now stays. What her {devices} from now on counts for nobody,"
        " and no keys to what is new go there.",
        err=True,
    )
    if preview["stay"]:
        names = ", ".join(map(one_line, preview["stay"]))
        click.echo(f"Who came in through {name} stays: {names}", err=True)
    for invite in preview["invites"]:
        left = "any number" if not invite["uses"] else invite["uses"] - invite["used"]
        click.echo(
            f"Nobody can use this invite of {name} any more: {short(invite['invite'])}, "
            f"uses left: {left}",
            err=True,
        )
    if preview["unseen"]:
        click.echo(
            f"No other node is connected: what {name} wrote, and whom she let in, since the last "
            "contact will not count unless somebody keeps it.",
            err=True,
        )


def _is_asking() -> bool:
    """Whether a person sits here who can be asked."""
    import sys

    return sys.stdin.isatty() and not as_json()


def _undo(view: dict[str, Any]) -> str:
    return f"undo: p2pvalue member readmit {short(view['member'])}"


def _say_voted(view: dict[str, Any]) -> None:
    name, rank = one_line(view["name"]), view["rank"]
    if rank is None:
        say(f"voted; {name} is out")
    elif rank in ("founder", "admin"):
        say(f"voted; {name} stays {rank} until enough others vote, too")
    else:
        say(f"voted; {name} is a {rank} now, as she was let in before")
        say(f"to put her out: p2pvalue member remove {short(view['member'])}")
