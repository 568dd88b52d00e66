"""What others said to a person's need, in the channel that has its id."""

from __future__ import annotations

from typing import Final

from p2pvalue.node.concerns import Because, Concern, key_of
from p2pvalue.node.context import Context
from p2pvalue_protocol.kinds import chat

LOOKED_AT: Final = 20  # of the newest comments; a person reads them where they stand


def comments(
    context: Context, community: bytes, need: bytes, because: Because, me: bytes
) -> list[Concern]:
    """Return the newest comments of others on a need, newest first."""
    entries = context.store.entries(
        community, need, chat.NUMBER, limit=LOOKED_AT, newest_first=True
    )
    copy = context.copy_of(community)
    found: list[Concern] = []
    for entry in entries:
        payload = None if entry.member == me else copy.open(entry.core, entry.payload)
        if payload is not None:
            said = chat.read_chat_message(payload).text
            key = key_of("commented", need + entry.order.op_id)
            time, by = entry.order.time, entry.member
            found.append(Concern("commented", key, because, time, by, said=said))
    return found
