"""Communities: create, list, show, invite, join, members."""

from __future__ import annotations

import time
from typing import Any

import click

from p2pvalue_cli import connection
from p2pvalue_cli.command import Group, community_option
from p2pvalue_cli.failures import Failed, failed
from p2pvalue_cli.output import harmless, one_line, say, short, show, table
from p2pvalue_cli.secret_input import with_words, words_file_option

POLL_S = 0.3
GOES_ON = "the daemon goes on trying: look with p2pvalue status"
USES_MAX = 1_000_000
RANKS = ("founder", "admin", "member", "guest")


@click.group(cls=Group)
def community() -> None:
    """Found, join and look at communities."""


@community.command(example="p2pvalue community create 'Garden of Calle Luna'")
@click.argument("name")
@click.option("--public", is_flag=True, help="Everybody may read; without it, members only.")
@click.option("--open", "is_open", is_flag=True, help="Whoever has the link may join.")
@click.option("--description", default="", help="What it is about.")
@words_file_option
def create(
    name: str, public: bool, is_open: bool, description: str, words_file: str | None
) -> None:
    """Found a community."""
    fields = {
        "name": name,
        "read": "public" if public else "members",
        "join": "open" if is_open else "invite",
        "description": description,
    }
    made = with_words(
        words_file, lambda words: connection.post("/communities", words=words, **fields)
    )
    show(made, lambda c: say(f"created {one_line(c['name'])} (community {short(c['community'])})"))


@community.command("list", example="p2pvalue community list")
def list_communities() -> None:
    """List the communities of this node."""
    show(connection.get("/communities"), _write_list)


@community.command("show", example="p2pvalue community show")
@community_option
def show_community(community: str | None) -> None:
    """Show one community."""
    show(connection.get("/community", community=community), _write_one)


@community.command(example="p2pvalue community invite --uses 5")
@click.option("--rank", type=click.Choice(RANKS), default="member", help="Their rank; member.")
@click.option(
    "--uses", type=click.IntRange(1, USES_MAX), default=1, help="How many may use the link; 1."
)
@community_option
def invite(rank: str, uses: int, community: str | None) -> None:
    """Make a link that lets others in; give it only to them."""
    made = connection.post("/invites", rank=rank, uses=uses, community=community)
    # The link stands alone on standard output, so that it can be copied or piped.
    show(made, lambda i: click.echo(i["link"]))


@community.command(example="p2pvalue community join p2pvalue:1#…")
@click.argument("link", required=False)
@click.option("--no-wait", is_flag=True, help="Return at once; the daemon goes on.")
@click.option("--timeout", type=click.IntRange(1), metavar="SECONDS", help="Wait no longer.")
@words_file_option
def join(link: str | None, no_wait: bool, timeout: int | None, words_file: str | None) -> None:
    """Join by an invite's LINK (or - for standard input), and wait until it is done."""
    if link in (None, "-"):
        from p2pvalue_cli.reading import STDIN, text_from

        link = text_from(STDIN)
    view = with_words(
        words_file, lambda words: connection.post("/communities/join", link=link, words=words)
    )
    until = None if timeout is None else time.monotonic() + timeout
    show(view if no_wait else _joined(view, until), _say_joined)


@community.command(example="p2pvalue community members")
@community_option
def members(community: str | None) -> None:
    """List the members."""
    show(connection.get("/members", community=community), _write_members)


def _joined(view: dict[str, Any], until: float | None) -> dict[str, Any]:
    """The community once we are in it; tells what that waits for."""
    told = ""
    try:
        while view["state"] == "joining":
            if view["waiting_for"] != told:
                told = view["waiting_for"]
                click.echo(f"waiting for {harmless(told)}", err=True)
            if until is not None and time.monotonic() > until:
                raise Failed(f"still waiting for {harmless(told)}; {GOES_ON}")
            time.sleep(POLL_S)
            view = _again(view["community"])
    except KeyboardInterrupt:
        raise Failed(f"no longer waiting here; {GOES_ON}") from None
    return view


def _again(community: str) -> dict[str, Any]:
    # Asked of the list: while it joins, a community may not yet answer for itself.
    for view in connection.get("/communities"):
        if view["community"] == community:
            found: dict[str, Any] = view
            return found
    raise failed("not-allowed", "the join ended without success: ask for a new invite")


def _say_joined(view: dict[str, Any]) -> None:
    if view["state"] == "joining":
        say(f"joining; waiting for {harmless(view['waiting_for'])}")
    else:
        say(f"joined {one_line(view['name'])} as {view['rank']}")


def _write_list(communities: list[dict[str, Any]]) -> None:
    if not communities:
        say("no communities yet; found one with: p2pvalue community create NAME")
        return
    rows = [
        (short(c["community"]), c["name"], c["rank"] or "reader", c["members"], _state(c))
        for c in communities
    ]
    table(("COMMUNITY", "NAME", "YOU ARE", "MEMBERS", "STATE"), rows)


def _write_one(view: dict[str, Any]) -> None:
    click.secho(one_line(view["name"]), bold=True)
    if view["description"]:
        click.echo(harmless(view["description"]))
    click.echo(f"you are {view['rank'] or 'a reader'}; members: {view['members']}")
    click.echo(f"read by {view['read']}; join by {view['join']}; {_state(view)}")
    click.echo(f"operations: {view['operations']}; peers connected: {len(view['peers'])}")
    if view["unshared"]:
        click.echo(f"{view['unshared']} changes are not yet with anybody else")


def _state(view: dict[str, Any]) -> str:
    if view["state"] == "joining":
        return f"waiting for {view['waiting_for'] or 'a member'}"
    return str(view["state"])


def _write_members(found: list[dict[str, Any]]) -> None:
    rows = [
        (
            short(m["member"]),
            m["name"] + (" (you)" if m["is_me"] else ""),
            m["rank"] or "none",
            len(m["devices"]),
        )
        for m in found
    ]
    table(("MEMBER", "NAME", "RANK", "DEVICES"), rows)
