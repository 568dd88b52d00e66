"""Messages: one ordered list for each channel."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

import msgspec

from p2pvalue import types as t
from p2pvalue.node.context import Context
from p2pvalue.node.people import Names
from p2pvalue.node.references import full_id, resolve
from p2pvalue.store import Entry
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kind import NO_SUBJECT, Order
from p2pvalue_protocol.kinds import chat

PAGE_MAX: Final = 1_000
_REPLY_AMONG: Final = 1_000  # an answer names one of the newest by a few digits

_order_decoder = msgspec.msgpack.Decoder(Order)


class Chat:
    """The messages of one community."""

    def __init__(self, context: Context, community: bytes) -> None:
        self._context = context
        self._community = community

    async def post(self, text: str, *, channel: str = "", reply: str = "") -> t.MessageView:
        """Write a message; `reply` names one of the channel's newest messages, or any in full."""
        place = _channel(channel)
        answered = self._answered(place, reply) if reply else None
        payload = chat.encode_chat_message(text, place or None, answered)
        [order] = await self._context.write(self._community, [Draft(chat.NUMBER, b"", payload)])
        message = chat.ChatMessage(text, place or None, answered)
        member = self._context.root(self._community)
        return _view(order, member, message, Names(self._context, self._community))

    def messages(
        self, *, channel: str = "", limit: int = 50, before: str = "", after: str = ""
    ) -> list[t.MessageView]:
        """Return up to `limit` messages in order: the newest, those before, or those after."""
        if before and after:
            raise LocalProtocolError("give `before` or `after`: a page has one direction")
        entries = self._page(
            _channel(channel),
            before=_order(before) if before else None,
            after=_order(after) if after else None,
            newest_first=not after,
            limit=max(0, min(limit, PAGE_MAX)),
        )
        if not after:
            entries.reverse()
        names = Names(self._context, self._community)
        return [message_view(self._context, self._community, e, names) for e in entries]

    def _page(
        self,
        channel: bytes,
        *,
        newest_first: bool,
        limit: int,
        before: Order | None = None,
        after: Order | None = None,
    ) -> list[Entry]:
        return self._context.store.entries(
            self._community,
            channel or NO_SUBJECT,
            chat.NUMBER,
            before=before,
            after=after,
            limit=limit,
            newest_first=newest_first,
        )

    def _answered(self, channel: bytes, reply: str) -> bytes:
        whole = full_id(reply, 16)
        if whole is not None:
            return whole
        newest = self._page(channel, newest_first=True, limit=_REPLY_AMONG)
        subjects = [(subject_of(entry.order.op_id), "") for entry in newest]
        return resolve(reply, subjects, "message")


def message_view(context: Context, community: bytes, entry: Entry, names: Names) -> t.MessageView:
    """Return a message that is listed, with the needs that came of it."""
    payload = context.copy_of(community).open(entry.core, entry.payload)
    assert payload is not None, "a message is listed once its payload is here and can be opened"
    view = _view(entry.order, entry.member, chat.read_chat_message(payload), names)
    all_made = context.boards.made_of(context.store, community)
    made = all_made and all_made.get(subject_of(entry.order.op_id))
    if not made:
        return view
    needs = [t.MadeNeedView(need=subject.hex(), title=title) for subject, title in made]
    return msgspec.structs.replace(view, needs=needs)


def _view(order: Order, member: bytes, message: chat.ChatMessage, names: Names) -> t.MessageView:
    return t.MessageView(
        message=subject_of(order.op_id).hex(),
        channel=message.channel.hex() if message.channel else "",
        member=member.hex(),
        name=names.of(member),
        text=message.text,
        reply=message.reply.hex() if message.reply else "",
        time=order.time,
        cursor=urlsafe_b64encode(encode(order)).decode(),
    )


def _channel(channel: str) -> bytes:
    if not channel:
        return b""
    subject = full_id(channel, 16)
    if subject is None:
        raise LocalProtocolError(
            f'"{channel}" is no channel: give its id of 32 digits, or none for the'
            " community's own channel"
        )
    return b"" if subject == NO_SUBJECT else subject


def _order(cursor: str) -> Order:
    try:
        order = _order_decoder.decode(urlsafe_b64decode(cursor.encode()))
    except (ValueError, msgspec.DecodeError):
        order = None
    if order is None or not 0 <= order.time < 2**53 or not 0 <= order.seq < 2**53:
        raise LocalProtocolError(
            "this is no cursor: take the `cursor` of a message as it was given"
        )
    return order
