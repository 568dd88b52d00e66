"""A document's past: history, at, blame, restore, undo, redo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from p2pvalue_cli import connection
from p2pvalue_cli.command import Command, community_option
from p2pvalue_cli.output import clock, harmless, one_line, say, short, show, table
from p2pvalue_cli.writing import give_text, to_file_options

_COLOURS = ("green", "cyan", "magenta", "yellow", "blue", "red")
_EDITS_SHOWN = 20
_BETWEEN_IDS = "+"


@click.command(cls=Command, example="p2pvalue document history 'Minutes of May'")
@click.argument("reference", metavar="DOCUMENT")
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000),
    default=_EDITS_SHOWN,
    show_default=True,
    help="How many edits.",
)
@community_option
def history(reference: str, limit: int, community: str | None) -> None:
    """List who edited a DOCUMENT and when, newest last.

    An edit is a text that was saved, or a stretch of typing. Its version names the document as its
    author then had it, for `at` and `restore`.
    """
    view = connection.get(_path("history", reference), limit=limit, community=community)
    show(view, lambda found: _write_history(found, community))


@click.command(cls=Command, example="p2pvalue document at 'Minutes of May' 3f2a91bc")
@click.argument("reference", metavar="DOCUMENT")
@click.argument("version")
@to_file_options
@community_option
def at(
    reference: str, version: str, target: Path | None, force: bool, community: str | None
) -> None:
    """Print the text of a DOCUMENT as it was at a VERSION.

    A version is the beginning of an id that `history` lists, or several with + between them.
    """
    view = connection.get(_path("versions", reference), version=version, community=community)
    give_text(view, target, is_forced=force)


@click.command(
    cls=Command,
    example="p2pvalue document blame 'Minutes of May'\n"
    "p2pvalue document blame 'Minutes of May' --deleted",
)
@click.argument("reference", metavar="DOCUMENT")
@click.option("--at", "version", metavar="VERSION", help="The text at a version; now if not given.")
@click.option("--deleted", is_flag=True, help="Show what was deleted too, and by whom.")
@community_option
def blame(reference: str, version: str | None, deleted: bool, community: str | None) -> None:
    """Show who wrote each piece of a DOCUMENT."""
    view = connection.get(
        _path("blame", reference),
        version=version,
        deleted="true" if deleted else None,
        community=community,
    )
    show(view, lambda found: write_runs(found["runs"], community))


@click.command(cls=Command, example="p2pvalue document restore 'Minutes of May' 3f2a91bc")
@click.argument("reference", metavar="DOCUMENT")
@click.argument("version")
@community_option
def restore(reference: str, version: str, community: str | None) -> None:
    """Bring back the text of a DOCUMENT as it was at a VERSION.

    This is an edit like others: what it replaces stays in the history, and what somebody writes at
    the same time stays in the text.
    """
    path = f"/documents/{connection.quoted(reference)}"
    before = connection.get(path, community=community)
    view = connection.post(f"{path}/restore", version=version, community=community)
    is_changed = view["version"] != before["version"]
    title = one_line(view["title"])
    show(view, lambda _: say(f"restored {title}" if is_changed else "nothing changed"))


@click.command(cls=Command, example="p2pvalue document undo 'Minutes of May'")
@click.argument("reference", metavar="DOCUMENT")
@community_option
def undo(reference: str, community: str | None) -> None:
    """Take back your newest edit of a DOCUMENT on this device; again: the one before.

    What others wrote stays.
    """
    path = f"/documents/{connection.quoted(reference)}/undo"
    show(connection.post(path, community=community), _say_turn("took back"))


@click.command(cls=Command, example="p2pvalue document redo 'Minutes of May'")
@click.argument("reference", metavar="DOCUMENT")
@community_option
def redo(reference: str, community: str | None) -> None:
    """Do again what `undo` took back last, unless you wrote something since."""
    path = f"/documents/{connection.quoted(reference)}/redo"
    show(connection.post(path, community=community), _say_turn("did again"))


COMMANDS = (history, at, blame, restore, undo, redo)


def _path(question: str, reference: str) -> str:
    return f"/{question}/{connection.quoted(reference)}"


def _names(community: str | None) -> Callable[[str], str]:
    members = connection.get("/members", former="true", community=community)
    names = {member["member"]: member["name"] for member in members}
    return lambda member: names.get(member) or short(member)


def _write_history(view: dict[str, Any], community: str | None) -> None:
    if not view["edits"]:
        say("nobody has written here yet")
        return
    name_of = _names(community)
    rows = [
        (
            short(edit["version"]),
            clock(edit["time"]),
            name_of(edit["member"]),
            f"+{edit['inserted']} -{edit['deleted']}",
            _note(edit),
        )
        for edit in view["edits"]
    ]
    table(("VERSION", "WHEN", "BY", "LETTERS", ""), rows)
    if view["earlier"]:
        say(f"{view['earlier']} earlier: --limit {view['earlier'] + len(rows)}")
    heads = view["version"].split(_BETWEEN_IDS)
    if len(heads) > 1:
        say(f"the text is now {_BETWEEN_IDS.join(map(short, heads))}")


def _note(edit: dict[str, Any]) -> str:
    undone = f"takes back {short(edit['undoes'])}" if edit["undoes"] else ""
    return "taken back" if edit["is_taken_back"] else undone


def write_runs(runs: list[dict[str, Any]], community: str | None) -> None:
    """Print runs line by line, each with its author and version."""
    name_of = _names(community)
    members = list(dict.fromkeys(run["member"] for run in runs))
    names = {member: one_line(name_of(member)) for member in members}
    width = max(map(len, names.values()), default=0)
    is_line_open = False
    for run in runs:
        member = run["member"]
        colour = _COLOURS[members.index(member) % len(_COLOURS)]
        who = f"{click.style(names[member].ljust(width), fg=colour)}  {short(run['version'])}"
        gone = f"  (deleted by {one_line(name_of(run['deleted_by']))})" if run["deleted_by"] else ""
        *lines, rest = harmless(run["text"]).split("\n")
        for line in (*lines, rest) if rest else lines:
            if line or not is_line_open:
                text = click.style(line, fg=colour, strikethrough=bool(gone) or None)
                click.echo(f"{who}  {text}{gone}" if line else who)
            is_line_open = is_line_open and bool(gone)
        is_line_open = is_line_open if gone else bool(rest)


def _say_turn(what: str) -> Callable[[dict[str, Any]], None]:
    def write(turn: dict[str, Any]) -> None:
        when = clock(turn["edit"]["time"])
        title = one_line(turn["title"])
        letters = f"+{turn['inserted']} -{turn['deleted']} letters"
        say(f"{what} your edit of {when} in {title} ({letters})")

    return write
