"""Messages as a person reads them, and comments.

Comments about a thing are messages in the channel that has its id.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from p2pvalue_cli import connection
from p2pvalue_cli.output import clock, one_line, say, short, show
from p2pvalue_cli.quoting import write_quoted

_INDENT = " " * 6
SHOWN = 5
"""So many of the newest comments are shown with what they are about."""


def comment(subject: str, title: str, text: str, community: str | None) -> None:
    """Write a comment about a thing, by its full id."""
    said = connection.post("/messages", text=text, channel=subject, community=community)
    show(said, lambda _: say(f"commented on {one_line(title)}"))


def with_comments(view: dict[str, Any], subject: str, community: str | None) -> dict[str, Any]:
    """A view with the newest comments on it, oldest first."""
    found = connection.get("/messages", channel=subject, limit=SHOWN, community=community)
    return {**view, "comments": found}


def write_comments(comments: list[dict[str, Any]]) -> None:
    """Print comments, and how to read those before them."""
    if not comments:
        return
    click.echo()
    write_messages(comments)
    if len(comments) == SHOWN:
        say(f"all comments: p2pvalue chat list --channel {comments[0]['channel']}")


def write_messages(messages: Iterable[dict[str, Any]], *, with_ids: bool = False) -> None:
    """Print messages, one below the other."""
    for message in messages:
        write_message(message, with_id=with_ids)


def write_message(message: dict[str, Any], *, with_id: bool = False) -> None:
    """Print a message, and what was made of it; its further lines are marked as hers."""
    name = click.style(one_line(message["name"]), bold=True)
    before = f"{short(message['message'])} " if with_id else ""
    head = f"{before}{clock(message['time'])} {name}: "
    write_quoted(message["text"], indent=len(_INDENT), head=head)
    for need in message["needs"]:
        click.echo(f"{_INDENT}-> need {short(need['need'])}: {one_line(need['title'])}")
