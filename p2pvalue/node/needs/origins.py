"""Needs that came of a message: a word in the chat becomes something to be done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from p2pvalue import need_types as nt
from p2pvalue import types as t
from p2pvalue.node.chat import message_view
from p2pvalue.node.context import Context
from p2pvalue.node.people import Names
from p2pvalue.node.references import resolve
from p2pvalue.store import Entry
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.kind import NO_SUBJECT
from p2pvalue_protocol.kinds import chat, need

AMONG: Final = 1_000
"""A message is looked for among so many of the newest of the community's own channel."""


class Origin(NamedTuple):
    """A message by its id, and what it says."""

    message: bytes
    text: str


def message_meant(context: Context, community: bytes, reference: str) -> Origin:
    """Return the message meant by its first line or the beginning of its id; raises NotFound."""
    texts = {
        subject_of(entry.order.op_id): text
        for entry in _newest(context, community)
        if (text := _text(context, community, entry)) is not None
    }
    found = resolve(reference, ((key, title_of(text)) for key, text in texts.items()), "message")
    return Origin(found, texts[found])


def origin_view(context: Context, community: bytes, message: bytes) -> t.MessageView | None:
    """Return the message that a need came of, if it is among the newest; opens no other."""
    for entry in _newest(context, community) if message else ():
        if subject_of(entry.order.op_id) == message:
            return message_view(context, community, entry, Names(context, community))
    return None


def of_text(draft: nt.NeedDraft, text: str) -> tuple[str, str]:
    """Return title and body of a need that comes of a text; the draft's own go before."""
    lines = text.strip().split("\n")
    rest = lines if draft.title is not None else lines[1:]
    title = title_of(text) if draft.title is None else draft.title
    if len(title.encode()) > need.TITLE_BYTES_MAX:
        raise LocalProtocolError(
            "the first line of this message is too long for a title: give one (--title)"
        )
    return title, "\n".join(rest).strip("\n") if draft.body is None else draft.body


def title_of(text: str) -> str:
    """Return the first line of a text, with its spaces as one each."""
    return " ".join(text.strip().partition("\n")[0].split())


def _newest(context: Context, community: bytes) -> Iterator[Entry]:
    yield from context.store.entries(
        community, NO_SUBJECT, chat.NUMBER, limit=AMONG, newest_first=True
    )


def _text(context: Context, community: bytes, entry: Entry) -> str | None:
    payload = context.copy_of(community).open(entry.core, entry.payload)
    return None if payload is None else chat.read_chat_message(payload).text
