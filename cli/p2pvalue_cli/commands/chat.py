"""Messages: post, list, follow."""

from __future__ import annotations

import contextlib
import shlex
from pathlib import Path
from typing import Any

import click

from p2pvalue_cli import connection
from p2pvalue_cli.command import Group, command_line, community_option, data_dir, until_ctrl_c
from p2pvalue_cli.messages import write_message, write_messages
from p2pvalue_cli.output import say, show

PAGE = 200
channel_option = click.option(
    "--channel",
    default="",
    metavar="ID",
    help="A channel by its id of 32 digits; without it, the community's own.",
)


@click.group(cls=Group)
def chat() -> None:
    """Post and read messages."""


@chat.command(example="p2pvalue chat post 'Who has a ladder?'\nfortune | p2pvalue chat post -")
@click.argument("text", required=False)
@channel_option
@click.option(
    "--reply", default="", metavar="ID", help="The message that this one answers (see list --ids)."
)
@community_option
def post(text: str | None, channel: str, reply: str, community: str | None) -> None:
    """Post a message: TEXT, or what comes on standard input."""
    keeping: contextlib.AbstractContextManager[None]
    if text is None or text == "-":
        from p2pvalue_cli.drafts import kept_if_failed
        from p2pvalue_cli.reading import STDIN, text_from

        text = text_from(STDIN).replace("\r\n", "\n").rstrip("\n")

        def save(draft: Path) -> str:
            words = ["chat", "post", "-"]
            words += ["--channel", channel] if channel else []
            words += ["--reply", reply] if reply else []
            file = shlex.quote(str(draft))
            return f"{command_line(words, community)} < {file} && rm {file}"

        keeping = kept_if_failed(text, "message", data_dir(), save=save)
    else:
        keeping = contextlib.nullcontext()
    with keeping:
        message = connection.post(
            "/messages", text=text, channel=channel, reply=reply, community=community
        )
    show(message, lambda _: say("posted"))


@chat.command("list", example="p2pvalue chat list -n 100")
@click.option("-n", "count", default=20, type=click.IntRange(1, 1000), help="How many; 20.")
@channel_option
@click.option("--before", default="", metavar="CURSOR", help="Older than this (see --json).")
@click.option("--ids", is_flag=True, help="With the beginning of each one's id.")
@community_option
def list_messages(count: int, channel: str, before: str, ids: bool, community: str | None) -> None:
    """Show the newest messages."""
    page = connection.get(
        "/messages", channel=channel, limit=count, before=before, community=community
    )
    show(page, lambda found: _write(found, with_ids=ids))


@chat.command(example="p2pvalue chat follow")
@click.option("-n", "count", default=10, type=click.IntRange(1, 1000), help="How many old ones.")
@channel_option
@community_option
@until_ctrl_c()
def follow(count: int, channel: str, community: str | None) -> None:
    """Show the newest messages, then each new one, until Ctrl-C."""
    last = ""
    # The stream is open before the first page is read, so that nothing falls between the two.
    for event in connection.get_lines("/events", community=community):
        is_news = event["event"] == "message" and event["data"].get("channel", channel) == channel
        if last and not is_news:
            continue
        while True:
            page = connection.get(
                "/messages",
                channel=channel,
                limit=PAGE if last else count,
                after=last,
                community=community,
            )
            for message in page:
                show(message, write_message)
                last = message["cursor"]
            if len(page) < PAGE:
                break


def _write(messages: list[dict[str, Any]], *, with_ids: bool) -> None:
    if messages:
        write_messages(messages, with_ids=with_ids)
    else:
        say("no messages yet; say something with: p2pvalue chat post TEXT")
