"""Kind 35, chat message: one item of a channel's list (spec: kinds/chat)."""

from __future__ import annotations

from typing import Final

import msgspec

from p2pvalue_protocol.kind import NO_SUBJECT, EntryKind
from p2pvalue_protocol.payload_form import PayloadForm, Subject, first_problem, text_problem

NUMBER: Final = 35
TEXT_BYTES_MAX: Final = 16_384  # with its core it still travels by gossip


class ChatMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a person said; without `channel` it goes to the community's own."""

    text: str
    channel: Subject | None = None
    reply: Subject | None = None  # subject of the message answered


def _problem(message: ChatMessage) -> str | None:
    return first_problem(
        None if message.text.strip(" \t\n") else "the message is empty: write something",
        text_problem("message", message.text, TEXT_BYTES_MAX),
    )


_form = PayloadForm(ChatMessage, _problem)


def encode_chat_message(
    text: str, channel: bytes | None = None, reply: bytes | None = None
) -> bytes:
    """Return the payload of a chat message; raises LocalProtocolError."""
    return _form.encode(ChatMessage(text, channel, reply))


def read_chat_message(payload: bytes) -> ChatMessage:
    """Return what a message says that is in a list or came into view: it was found valid then."""
    return _form.read(payload)


def _container(payload: msgspec.Struct, subject: bytes) -> bytes:
    assert isinstance(payload, ChatMessage)
    return payload.channel or NO_SUBJECT


CHAT = EntryKind(NUMBER, "chat", _form.decode, _container)
