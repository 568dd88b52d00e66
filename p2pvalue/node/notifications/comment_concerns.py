"""What others said to a need: of her own all, of others what names her."""

from __future__ import annotations

import re
from bisect import insort
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final

from p2pvalue.node.context import Context
from p2pvalue.node.notifications.concerns import Because, Concern, key_of
from p2pvalue.node.notifications.notified import COMMENTS, Kept
from p2pvalue.node.people import profile_of
from p2pvalue.store import Entry
from p2pvalue_protocol.effects import Change
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds import chat

_AT_ONE_TIME_MAX: Final = 100
LATEST: Final = 20  # comments that are looked at again with all else of a need
OF_ONE_MAX: Final = 20  # of one author: a person reads the rest where they stand
READ_BACK_MAX: Final = 300  # comments on one need, by who begins anew


class NewComments:
    """Where comments stand that nobody has looked at yet: of each author on a subject the newest.

    Bounded by authors and not by comments, so that nobody's hide those of others.
    """

    def __init__(self) -> None:
        self._places: dict[bytes, dict[bytes, dict[bytes, list[Order]]]] = {}

    def note(self, community: bytes, change: Change) -> None:
        """Take note of a comment that came into view."""
        of_subject = self._places.setdefault(community, {}).setdefault(change.subject, {})
        of_author = of_subject.setdefault(change.member, [])
        insort(of_author, change.order)
        del of_author[:-OF_ONE_MAX]

    def take(self, community: bytes) -> dict[bytes, list[Order]]:
        """Return those of a community by their subjects, and forget them."""
        of_subjects = self._places.pop(community, {})
        return {subject: list(chain(*of.values())) for subject, of in of_subjects.items()}


def latest(context: Context, community: bytes, need: bytes) -> list[Entry]:
    """Return the newest comments on a need, newest first."""
    return context.store.entries(community, need, chat.NUMBER, limit=LATEST, newest_first=True)


def latest_of_each(context: Context, community: bytes, need: bytes) -> list[Entry]:
    """Return the newest comments of each author on a need, as far as is read back at most."""
    found: list[Entry] = []
    of_each: Counter[bytes] = Counter()
    entries = context.store.entries(
        community, need, chat.NUMBER, limit=READ_BACK_MAX, newest_first=True
    )
    for entry in entries:
        of_each[entry.member] += 1
        if of_each[entry.member] <= OF_ONE_MAX:
            found.append(entry)
    return found


def at_places(
    context: Context, community: bytes, need: bytes, places: Iterable[Order]
) -> list[Entry]:
    """Return the comments on a need that stand at these places, if they still do."""
    found: list[Entry] = []
    for place in places:
        after, before = place._replace(op_id=b""), place._replace(seq=place.seq + 1, op_id=b"")
        entries = context.store.entries(community, need, chat.NUMBER, after=after, before=before)
        found += [entry for entry in entries if entry.order == place]
    return found


def comments(
    context: Context,
    community: bytes,
    entries: Sequence[Entry],
    because: Because | None,
    me: bytes,
) -> list[Concern]:
    """Return what of these comments on a need concerns her; `because` None: the need is not hers.

    Of what is not hers only those of others that name her, as @Bea.
    """
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
            key = _key(entry)
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
    quoted = [i for i in kept.items if i.kind in COMMENTS and i.need == need and i.said]
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
        if all(_key(entry) != item.key for entry in entries):
            found.append(item.key)
    return found


def _mention_of(name: str) -> re.Pattern[str]:
    """Return what finds a name after an @, as a word of its own, however it is written."""
    return re.compile(rf"(?<!\w)@{re.escape(name)}(?!\w)", re.IGNORECASE)


def _key(entry: Entry) -> bytes:
    """The same for both kinds: who takes another name is not told again."""
    return key_of("commented", entry.container + entry.order.op_id)
