"""What others said to a need: of her own all, of others what names her."""

from __future__ import annotations

import re
from typing import Final

from p2pvalue.node.context import Context
from p2pvalue.node.notifications.concerns import Because, Concern, key_of
from p2pvalue.node.notifications.notified import Kept
from p2pvalue.node.people import profile_of
from p2pvalue.store import Entry
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds import chat

_KINDS: Final = ("commented", "mentioned")
_AT_ONE_TIME_MAX: Final = 100
LOOKED_AT: Final = 20  # of the newest comments; a person reads them where they stand


def comments(
    context: Context, community: bytes, need: bytes, because: Because | None, me: bytes
) -> list[Concern]:
    """Return the newest comments of others on a need, newest first; `because` None: not hers.

    Of what is not hers only those that name her, as @Bea.
    """
    entries = context.store.entries(
        community, need, chat.NUMBER, limit=LOOKED_AT, newest_first=True
    )
    if not entries:
        return []
    profile = profile_of(context, community, me)
    named = None if profile is None else _mention_of(profile.name)
    copy = context.copy_of(community)
    found: list[Concern] = []
    for entry in entries:
        payload = None if entry.member == me else copy.open(entry.core, entry.payload)
        if payload is not None:
            said = chat.read_chat_message(payload).text
            key = _key(need, entry)
            time, by = entry.order.time, entry.member
            if named is not None and named.search(said):
                found.append(Concern("mentioned", key, "named", time, by, said=said))
            elif because is not None:
                found.append(Concern("commented", key, because, time, by, said=said))
    return found


def gone(context: Context, community: bytes, need: bytes, kept: Kept) -> list[bytes]:
    """Return the keys of the comments on a need that are quoted in `kept` and count no more.

    Costs a look at the place of each that is quoted.
    """
    quoted = [i for i in kept.items if i.kind in _KINDS and i.need == need and i.said]
    found: list[bytes] = []
    for item in quoted:
        time = kept.known.get(item.key, item.time)
        entries = context.store.entries(
            community,
            need,
            chat.NUMBER,
            after=Order(time, b"", 0, b""),
            before=Order(time + 1, b"", 0, b""),
            limit=_AT_ONE_TIME_MAX,
        )
        if all(_key(need, entry) != item.key for entry in entries):
            found.append(item.key)
    return found


def _mention_of(name: str) -> re.Pattern[str]:
    """Return what finds a name after an @, as a word of its own, however it is written."""
    return re.compile(rf"(?<!\w)@{re.escape(name)}(?!\w)", re.IGNORECASE)


def _key(need: bytes, entry: Entry) -> bytes:
    """The same for both kinds: who takes another name is not told again."""
    return key_of("commented", need + entry.order.op_id)
