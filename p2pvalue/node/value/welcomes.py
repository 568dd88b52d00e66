"""Whom we welcomed: let in, or answered when they spoke for the first time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from p2pvalue import fact_types as ft
from p2pvalue.node.context import Context
from p2pvalue.node.members.invites import admitted_ms
from p2pvalue.node.people import Names
from p2pvalue.store import Entry
from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.kind import NO_SUBJECT
from p2pvalue_protocol.kinds import chat

WELCOME: Final = "welcome"
ANSWER_MS: Final = 48 * 3_600_000
"""What is said later is no welcome."""
MESSAGES_MAX: Final = 1_000  # of the community's own channel, the newest


def welcomed(
    context: Context, community: bytes, me: bytes, since_ms: int
) -> Iterator[ft.SuggestionView]:
    """Yield who came since then and was let in, or answered, by us; looks at all members.

    An answer replies to a newcomer's first message, or names her, within `ANSWER_MS`.
    """
    names, newcomers = Names(context, community), {}
    replica = context.copy_of(community)
    for member in context.membership(community).members():
        came_ms = admitted_ms(replica, member)
        if member.admitted_by is None or member.root == me or came_ms < since_ms:
            continue
        if member.admitted_by == me:
            yield _view(member.root, came_ms, names, "you let {} in")
        else:
            newcomers[member.root] = came_ms
    if newcomers:
        for root, answer_ms in _answered(context, community, me, newcomers, names):
            yield _view(root, answer_ms, names, "you answered {}, who was new, in the channel")


def _answered(
    context: Context, community: bytes, me: bytes, came_ms: Mapping[bytes, int], names: Names
) -> Iterator[tuple[bytes, int]]:
    """Yield newcomers (root key) whose first message we answered, and when."""
    newest = context.store.entries(
        community, NO_SUBJECT, chat.NUMBER, limit=MESSAGES_MAX, newest_first=True
    )
    is_cut = len(newest) == MESSAGES_MAX
    messages = newest[::-1]
    first: dict[bytes, Entry] = {}
    for entry in messages:
        # Of who was here before the oldest of these, no message is known to be the first.
        known_ms = came_ms.get(entry.member, -1)
        if known_ms >= (messages[0].order.time if is_cut else 0):
            first.setdefault(entry.member, entry)
    for root, asked in first.items():
        after = (
            entry
            for entry in messages
            if entry.member == me and 0 < entry.order.time - asked.order.time <= ANSWER_MS
        )
        for entry in after:
            if _is_answer(context, community, entry, asked, names.of(root)):
                yield root, entry.order.time
                break


def _is_answer(context: Context, community: bytes, entry: Entry, asked: Entry, name: str) -> bool:
    payload = context.copy_of(community).open(entry.core, entry.payload)
    if payload is None:
        return False
    message = chat.read_chat_message(payload)
    is_named = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", message.text, re.IGNORECASE)
    return message.reply == subject_of(asked.order.op_id) or is_named is not None


def _view(root: bytes, day: int, names: Names, why: str) -> ft.SuggestionView:
    name = names.of(root)
    return ft.SuggestionView(
        suggestion=root[:16].hex(),
        source=WELCOME,
        title=f"Welcomed {name}",
        why=why.format(name),
        day=day,
    )
