"""Notifications: list, read, follow, digest, rules, set, mute, unmute."""

from __future__ import annotations

import re
import time
from difflib import get_close_matches
from typing import Any

import click

from p2pvalue_cli import connection
from p2pvalue_cli.amounts import BadAmount, parse_quantity
from p2pvalue_cli.command import Group, as_json, community_option, until_ctrl_c
from p2pvalue_cli.output import ago, clock, json_text, one_line, say, short, show, table

KINDS = (
    "confirm-asked settle-asked left-owing handed-over pledge-triggered pledge-outdated"
    " pledge-disputed pledge-settled due-tomorrow need-closing need-triggered need-released"
    " need-lapsed need-pledged need-claimed commented mentioned pledge-lapsed pledge-confirmed"
    " thanked"
).split()
_DAYS = re.compile(r"(\d{1,4})\s*(?:d|days?)")
_DAY_MINUTES = 24 * 60
_INDENT = " " * 10
_WHAT_IS_TOLD = "what is told and when: p2pvalue notify rules"


class _Kind(click.Choice[str]):
    """What can be told, or all of it; who writes it wrong is told the nearest, not all twenty."""

    def __init__(self) -> None:
        super().__init__([*KINDS, "all"])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the kind; refuses what is none."""
        if value in self.choices:
            return str(value)
        near = get_close_matches(str(value).casefold(), self.choices)
        meant = f", did you mean {' or '.join(near)}?" if near else ";"
        listed = "all are listed by p2pvalue notify rules"
        raise click.BadParameter(f"{value!r} is no kind{meant} {listed}", ctx, param)


@click.group(cls=Group)
def notify() -> None:
    """What concerns you, and how much of it you want to be told."""


@notify.command("list", example="p2pvalue notify list --unread")
@click.option("--unread", is_flag=True, help="Only what you have not read.")
@community_option
def list_notifications(unread: bool, community: str | None) -> None:
    """List what concerned you, of all communities unless -c names one, the newest last.

    What you saw to in the meantime, or somebody else, is read by itself.
    """
    query = {"unread": "true"} if unread else {}
    found = connection.get("/notifications", community=community, **query)
    show(found, lambda items: _write(items, f"nothing to be read; {_WHAT_IS_TOLD}"))


@notify.command(example="p2pvalue notify read")
@click.argument("notification", default="")
@community_option
def read(notification: str, community: str | None) -> None:
    """Mark a NOTIFICATION as read, or all."""
    found = connection.post("/notifications/read", notification=notification, community=community)
    show(found, lambda items: say(f"{len(items)} read"))


@notify.command(example="p2pvalue notify follow")
@community_option
def follow(community: str | None) -> None:
    """Print what is told at once, one line each, until Ctrl-C; first what is still to be read.

    With --json only what comes from now on: a program asks for the list itself.
    """
    with until_ctrl_c():
        known: set[str] | None = None
        for event in connection.get_lines("/events", community=community):
            if known is None:  # the stream is open: nothing is missed between list and stream
                known = set() if as_json() else _print_unread(community)
            if event["event"] == "notification" and event["subject"] not in known:
                click.echo(json_text(event) if as_json() else _line(event["time"], event["data"]))


def _print_unread(community: str | None) -> set[str]:
    """Print what was told at once and is to be read still; return the ids."""
    unread = connection.get("/notifications", community=community, unread="true")
    found = [item for item in unread if item["way"] == "now"]
    for item in found:
        click.echo(_line(item["time"], item))
    return {item["notification"] for item in found}


@notify.command(example="p2pvalue notify digest\np2pvalue notify digest --at 7")
@click.option(
    "--at",
    metavar="HOUR|never",
    help="Say once a day at this hour that something waits; never: only when you ask.",
)
def digest(at: str | None) -> None:
    """Print what waits for the digest, and mark it as read."""
    if at is not None:
        chosen = connection.put("/notifications/digest", hour=_hour(at))
        show(chosen, lambda rules: say(_digest_words(rules["digest_hour"])))
        return
    found = connection.post("/notifications/digest")
    show(found, _write_digest)


@notify.command(example="p2pvalue notify rules")
def rules() -> None:
    """Show what is told now, in the digest or never, and what is muted."""
    show(connection.get("/notifications/rules"), _write_rules)


@notify.command("set", example="p2pvalue notify set need-pledged now -c Garden")
@click.argument("kind", type=_Kind(), metavar="KIND")
@click.argument("rule", type=click.Choice(["now", "digest", "never", "default"]))
@community_option
def set_rule(kind: str, rule: str, community: str | None) -> None:
    """Choose what is done with a KIND, or with all: in every community unless -c names one."""
    chosen = connection.put("/notifications/rules", kind=kind, rule=rule, community=community)
    where = f" in {community}" if community else ""
    show(chosen, lambda _: say(f"{kind}{where}: {rule}"))


@notify.command(example="p2pvalue notify mute 'Fix the roof' --for 8h")
@click.argument("subject", metavar="COMMUNITY|NEED|PROJECT")
@click.option("--for", "duration", metavar="TIME", help="For how long, as 8h or 3d; else for good.")
@community_option
def mute(subject: str, duration: str | None, community: str | None) -> None:
    """Be told nothing of a community, a need or a project; it is still listed."""
    until = 0 if duration is None else int(time.time() * 1000) + 60_000 * _minutes(duration)
    fields = {"subject": subject, "until": until, "community": community}
    muted = connection.post("/notifications/mute", **fields)
    how_long = f"until {clock(until)}" if until else "until you unmute it"
    show(muted, lambda _: say(f"{one_line(subject)} is muted {how_long}"))


@notify.command(example="p2pvalue notify unmute 'Fix the roof'")
@click.argument("subject", metavar="COMMUNITY|NEED|PROJECT")
@community_option
def unmute(subject: str, community: str | None) -> None:
    """Be told of it again."""
    fields = {"subject": subject, "community": community}
    chosen = connection.post("/notifications/unmute", **fields)
    show(chosen, lambda _: say(f"{one_line(subject)} is not muted any more"))


def _write(items: list[dict[str, Any]], nothing: str) -> None:
    if not items:
        say(nothing)
    for item in items:
        where = one_line(f"{item['community_name']}: {item['text']}")
        click.secho(f"{short(item['notification'])}  {where}", bold=not item["is_read"])
        click.echo(f"{_INDENT}{ago(item['time'])}, {_mark(item)}{one_line(item['why'])}")
        if item["todo"]:
            click.echo(f"{_INDENT}next: {item['todo']}")
        mute_it = f", or p2pvalue notify mute {short(item['need'])}" if item["need"] else ""
        click.echo(f"{_INDENT}fewer: {item['fewer']}{mute_it}")


def _write_digest(items: list[dict[str, Any]]) -> None:
    """Print what was new until it was asked for here."""
    new = [{**item, "is_read": False} for item in items]
    _write(new, f"nothing waits for the digest; {_WHAT_IS_TOLD}")


def _mark(item: dict[str, Any]) -> str:
    """What is not new: what was muted was never told, and counts as read."""
    if item["way"] == "muted":
        return "muted, "
    return "read, " if item["is_read"] else ""


def _line(time_ms: int, said: dict[str, Any]) -> str:
    where = f"{said['community_name']}: " if "community_name" in said else ""
    todo = f"next: {said['todo']}; " if said.get("todo") else ""
    return one_line(
        f"{clock(time_ms)} {where}{said['text']} ({said['why']}; {todo}fewer: {said['fewer']})"
    )


def _write_rules(chosen: dict[str, Any]) -> None:
    rows = [
        (rule["kind"], rule["rule"], rule["community_name"] or "all", rule["about"])
        for rule in chosen["rules"]
    ]
    table(("KIND", "RULE", "IN", "WHEN"), rows)
    for muted in chosen["mutes"]:
        until = f"until {clock(muted['until'])}" if muted["until"] else "for good"
        name = one_line(muted["name"]) or short(muted["subject"])
        click.echo(f"muted {until}: the {muted['what']} {name}")
    click.echo(_digest_words(chosen["digest_hour"]))


def _digest_words(hour: int) -> str:
    if hour < 0:
        return "what waits for the digest is told when you ask: p2pvalue notify digest"
    return f"what waits for the digest is told at {hour}:00"


def _hour(text: str) -> int:
    if text == "never":
        return -1
    found = re.fullmatch(r"(\d{1,2})(?::00)?", text)
    if found is None or int(found[1]) > 23:
        raise click.BadParameter(f"{text!r} is no hour of day: 0 to 23", param_hint="--at")
    return int(found[1])


def _minutes(text: str) -> int:
    days = _DAYS.fullmatch(text.strip())
    try:
        minutes = int(days[1]) * _DAY_MINUTES if days else parse_quantity("hours", text)[0]
    except BadAmount:
        minutes = 0
    if not 0 < minutes <= 9_999 * _DAY_MINUTES:
        raise click.BadParameter(f"{text!r} is no time: write 8h or 3d", param_hint="--for")
    return minutes
