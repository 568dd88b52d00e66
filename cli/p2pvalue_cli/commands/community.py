"""Communities: create, list, show, join, rules, leave."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from p2pvalue.amounts import counted
from p2pvalue_cli import connection
from p2pvalue_cli.asking import confirm
from p2pvalue_cli.command import Group, community_option, run_hint
from p2pvalue_cli.commands.member import write_members
from p2pvalue_cli.failures import Failed, failed
from p2pvalue_cli.output import one_line, say, short, show, table
from p2pvalue_cli.quoting import write_quoted
from p2pvalue_cli.secret_input import with_words, words_file_option

POLL_S = 0.3
GOES_ON = (
    "the daemon goes on trying: look with p2pvalue status, give up with p2pvalue community leave"
)
USES_MAX = 1_000_000
RANKS = ("founder", "admin", "member", "guest")
JOINS = ("invite", "request", "open")


@click.group(cls=Group)
def community() -> None:
    """Found, join and look at communities."""


@community.command(example="p2pvalue community create 'Garden of Calle Luna'")
@click.argument("name")
@click.option("--public", is_flag=True, help="Everybody may read; without it, members only.")
@click.option("--join", "entry", type=click.Choice(JOINS), help="How people come in; by invite.")
@click.option("--open", "is_open", is_flag=True, help="Short for --join open.")
@click.option("--description", default="", help="What it is about.")
@words_file_option
def create(
    name: str,
    public: bool,
    entry: str | None,
    is_open: bool,
    description: str,
    words_file: str | None,
) -> None:
    """Found a community.

    People come in by an invite, on request when a member says yes to it, or, where everybody may
    read, by the bare link.
    """
    fields = {
        "name": name,
        "read": "public" if public else "members",
        "join": entry or ("open" if is_open else "invite"),
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


@community.command(example="p2pvalue community use Garden")
@click.argument("name", required=False)
@click.option("--none", "is_none", is_flag=True, help="Choose none: name it with -c each time.")
def use(name: str | None, is_none: bool) -> None:
    """Choose the community that commands mean without -c, where you are in several.

    Leaving one is the exception: name it. `status` and `community list` show what is chosen.
    """
    if (name is None) != is_none:
        raise click.UsageError("name a community, or take --none")
    show(connection.put("/communities/used", community=name or ""), _say_used)


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
@click.option(
    "--wait/--no-wait", "is_waiting", default=True, help="Wait until it is done, or return at once."
)
@click.option("--timeout", type=click.IntRange(1), metavar="SECONDS", help="Wait no longer.")
@click.option("--message", default="", help="What to say to who decides, where a person does.")
@words_file_option
def join(
    link: str | None,
    is_waiting: bool,
    timeout: int | None,
    message: str,
    words_file: str | None,
) -> None:
    """Join by a LINK (or - for standard input), and wait until it is done."""
    if link in (None, "-"):
        from p2pvalue_cli.reading import STDIN, text_from

        link = text_from(STDIN)
    view = with_words(
        words_file,
        lambda words: connection.post("/communities/join", link=link, message=message, words=words),
    )
    until = None if timeout is None else time.monotonic() + timeout
    show(_joined(view, until) if is_waiting else view, _say_joined)


@community.command("link", example="p2pvalue community link")
@community_option
def community_link(community: str | None) -> None:
    """Print where a community is, as a link without a secret.

    It lets nobody in by itself: it brings members back who have only their words left, and takes
    newcomers to where they may ask.
    """
    found = connection.get("/link", community=community)
    show(found, lambda answer: click.echo(answer["link"]))


@community.command(example="p2pvalue community recover p2pvalue:1#…")
@click.argument("link", required=False)
@click.option(
    "--wait/--no-wait", "is_waiting", default=True, help="Wait until it is done, or return at once."
)
@click.option("--timeout", type=click.IntRange(1), metavar="SECONDS", help="Wait no longer.")
@words_file_option
def recover(
    link: str | None, is_waiting: bool, timeout: int | None, words_file: str | None
) -> None:
    """Come back as the member you are, by your words and a LINK (or - for standard input).

    Any member gets the link by `p2pvalue community link`. Begin on a new machine with
    `p2pvalue init --recover`; it becomes one more device of yours, and p2pvalue device revoke puts
    out those that you lost.
    """
    if link in (None, "-"):
        from p2pvalue_cli.reading import STDIN, text_from

        link = text_from(STDIN)
    view = with_words(
        words_file,
        lambda words: connection.post("/communities/recover", link=link, words=words),
    )
    until = None if timeout is None else time.monotonic() + timeout
    show(_joined(view, until) if is_waiting else view, _say_joined)


@community.command(example="p2pvalue community members")
@community_option
def members(community: str | None) -> None:
    """List the members; `member list --all` also shows who was one."""
    show(connection.get("/members", community=community), write_members)


@community.command(example="p2pvalue community policy --join request --write document=guest")
@click.option("--join", "entry", type=click.Choice(JOINS), help="How people come in.")
@click.option("--invite-rank", type=click.Choice(RANKS), help="The weakest rank that may invite.")
@click.option(
    "--write",
    multiple=True,
    metavar="KIND=RANK",
    help="The weakest rank that may write a kind; may be given several times.",
)
@community_option
def policy(
    entry: str | None, invite_rank: str | None, write: tuple[str, ...], community: str | None
) -> None:
    """Show the rules, or change what is given; founders may."""
    ranks = dict(map(_kind_and_rank, write))
    if entry is None and invite_rank is None and not ranks:
        show(connection.get("/policy", community=community), _write_policy)
        return
    changed = connection.put(
        "/policy", join=entry, invite_rank=invite_rank, write=ranks, community=community
    )
    show(changed, _write_policy)


@community.command(example="p2pvalue community leave --export ~/garden")
@click.option(
    "--export",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="First write all that you can read to files in this folder.",
)
@click.option("--wipe", is_flag=True, help="Remove its data and keys from this machine, too.")
@click.option("--yes", is_flag=True, help="Do not ask whether you are sure.")
@community_option
def leave(folder: Path | None, wipe: bool, yes: bool, community: str | None) -> None:
    """Leave a community: you are no member any more, and hear nothing new.

    What came here stays to be read, unless --wipe. Only an admin can let you in again as what you
    are now.
    """
    if community is None and len(connection.get("/communities")) > 1:
        raise click.UsageError("you are in several communities: name the one to leave with -c")
    view = connection.get("/community", community=community)
    name = one_line(view["name"])
    found = connection.get("/members", community=view["community"])
    if [m["is_me"] for m in found if m["rank"] == "founder"] == [True]:
        warning = f"You are the only founder: nobody can change the rules of {name} then."
        click.echo(warning, err=True)
    if wipe and view["unshared"]:
        changes = counted(view["unshared"], "change of yours is", "changes of yours are")
        click.echo(f"{changes} with nobody else yet.", err=True)
    confirm(f"Leave {name}?", is_sure=yes)
    if folder is not None:
        from p2pvalue_cli.commands.export import exported

        exported(folder, force=False, community=view["community"])
    left = connection.post("/leave", wipe=wipe, community=view["community"])
    show(left, lambda answer: _say_left(answer, wipe=wipe))


def _joined(view: dict[str, Any], until: float | None) -> dict[str, Any]:
    """The community once we are in it; tells what that waits for."""
    told: object = None
    try:
        while view["state"] == "joining":
            now = _stage(view)
            if now != told:
                told = now
                click.echo(f"waiting for {one_line(view['waiting_for'])}", err=True)
            _check_refusal(view)
            if until is not None and time.monotonic() > until:
                waits = one_line(view["waiting_for"])
                raise Failed(f"still waiting for {waits}; {GOES_ON}")
            time.sleep(POLL_S)
            view = _again(view["community"])
    except KeyboardInterrupt:
        raise Failed(f"no longer waiting here; {GOES_ON}") from None
    return view


def _stage(view: dict[str, Any]) -> object:
    """What makes a new line worth its place: a new stage or a new try, not each second."""
    joining = view["joining"]
    if joining is None:
        return view["waiting_for"]
    is_trying = joining["next_try_in_s"] is None
    return joining["stage"], joining["tries"], joining["answer"], is_trying


def _check_refusal(view: dict[str, Any]) -> None:
    if view["joining"] is not None and view["joining"]["is_final"]:
        raise failed("not-allowed", one_line(view["joining"]["answer"]))


def _again(community: str) -> dict[str, Any]:
    # Asked of the list: while it joins, a community may not yet answer for itself.
    for view in connection.get("/communities"):
        if view["community"] == community:
            found: dict[str, Any] = view
            return found
    raise failed("not-allowed", "the join ended without success: ask for a new invite")


def _say_joined(view: dict[str, Any]) -> None:
    if view["state"] == "joining":
        say(f"joining; waiting for {one_line(view['waiting_for'])}")
    else:
        say(f"joined {one_line(view['name'])} as {view['rank']}")


def _say_used(communities: list[dict[str, Any]]) -> None:
    used = [one_line(view["name"]) for view in communities if view["is_used"]]
    if used:
        say(f"commands without -c are about {used[0]} from now on")
    elif len(communities) == 1:
        say("there is one community here: all commands are about it")
    else:
        say("none is chosen: name one of several with -c")


def _say_left(left: dict[str, Any], *, wipe: bool) -> None:
    name = one_line(left["name"])
    if left["told"]:
        say(f"left {name}")
    else:
        say(f"left {name}, but nobody else knows it yet: leave the daemon running until they do")
    if left["wiped"]:
        say("its data and keys are gone from this machine")
    elif wipe:
        say("nothing was wiped yet: give the same command again when others have heard of it")


def _kind_and_rank(text: str) -> tuple[str, str]:
    kind, found, rank = text.partition("=")
    if not found or rank not in RANKS:
        raise click.BadParameter(
            f"{text!r}: write for example document=guest", param_hint="--write"
        )
    return kind.strip(), rank


def _write_policy(policy: dict[str, Any]) -> None:
    click.echo(f"read by {policy['read']}; join by {policy['join']}")
    click.echo(f"invites by {policy['invite_rank']} and stronger")
    for kind, rank in sorted(policy["write"].items()):
        click.echo(f"{kind} by {rank} and stronger")
    click.echo(f"votes of founders that put a founder out: {policy['founder_quorum']}")
    if policy["admin_quorum"]:
        click.echo(f"votes of admins that take that rank from one: {policy['admin_quorum']}")


def _write_list(communities: list[dict[str, Any]]) -> None:
    if not communities:
        say(
            f"no communities yet; found one with: {run_hint('community create NAME')}, or join one "
            f"with: {run_hint('community join LINK')}"
        )
        return
    rows = [
        (short(c["community"]), c["name"], c["rank"] or "reader", c["members"], _state(c))
        for c in communities
    ]
    table(("COMMUNITY", "NAME", "YOU ARE", "MEMBERS", "STATE"), rows)


def _write_one(view: dict[str, Any]) -> None:
    click.secho(one_line(view["name"]), bold=True)
    if view["description"]:
        write_quoted(view["description"])
    click.echo(f"you are {view['rank'] or 'a reader'}; members: {view['members']}")
    click.echo(f"read by {view['read']}; join by {view['join']}; {_state(view)}")
    click.echo(f"operations: {view['operations']}; peers connected: {len(view['peers'])}")
    for reminder in view["reminders"]:
        click.secho(one_line(reminder), fg="yellow")
    if view["unshared"]:
        changes = counted(view["unshared"], "change is", "changes are")
        click.echo(f"{changes} not yet with anybody else")
    if view["sealed"]:
        changes = counted(view["sealed"], "change waits", "changes wait")
        click.echo(f"{changes} for the key to read")


def _state(view: dict[str, Any]) -> str:
    return f"{_state_alone(view)}, used without -c" if view["is_used"] else _state_alone(view)


def _state_alone(view: dict[str, Any]) -> str:
    if view["state"] == "joining":
        return f"waiting for {view['waiting_for'] or 'a member'}"
    return str(view["state"])
