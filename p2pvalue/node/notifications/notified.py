"""What one community's notifications are on this device: each thing once, few, and bounded.

No I/O: the caller keeps `Kept` and shows what `take` returns, in this order, so that nothing is
shown twice. A process that ends in between has shown it never; it is in the list.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from operator import itemgetter
from typing import Final, Literal, NamedTuple

import msgspec

from p2pvalue.amounts import moment, written
from p2pvalue.node.notifications.concern_words import (
    GONE,
    PART_CHARS_MAX,
    plain,
    text_of,
    todo_of,
    why_of,
)
from p2pvalue.node.notifications.concerns import AHEAD_MS, Amount, Concern
from p2pvalue.node.notifications.notify_rules import Way
from p2pvalue.notify_types import NotificationKind

HOUR_MS: Final = 3_600_000
OLD_MS: Final = 3 * 24 * HOUR_MS
"""What happened longer ago than this when it is noticed waits for the digest."""
AT_ONCE_MAX: Final = 6
"""So many are told at once in any hour, of one community; more wait for the digest."""
NOTIFICATIONS_MAX: Final = 200
KNOWN_MAX: Final = 5_000
FORGOTTEN_MAX: Final = 1_000
COMMENTS: Final = ("commented", "mentioned")
AUTHOR_BYTES: Final = 8
_KNOWN_LEFT: Final = 4_500  # when that were too many: so they are not sorted for each that is new
KEYS_OF_ONE_MAX: Final = 100
_NAMES_MAX: Final = 4

Shown = Literal["now", "digest", "muted"]


class Notification(msgspec.Struct):
    """One or more concerns of one kind about one need, as they were when they were noticed.

    `key` is that of the first; `time` (ms) when the newest happened, `noted` when the first was
    noticed. `pledges` are the different ones that they are about, `pledged` the first of these.
    `ends` (ms) is the last day or deadline that is near, 0 if it is about none.
    """

    key: bytes
    kind: NotificationKind
    need: bytes
    because: str
    title: str
    names: list[str]
    much: str
    said: str
    way: Shown
    time: int
    noted: int
    is_read: bool = False
    keys: list[bytes] = []
    count: int = 1
    pledges: list[bytes] = []
    pledged: str = ""
    ends: int = 0
    is_gone: bool = False  # what was said counts no more, and its words are not here any more

    @property
    def text(self) -> str:
        """What happened, in one line; a time is told by the clock of this machine."""
        said = self.said if self.count == 1 else ""
        told = self.kind, self.title, self.names, self._different, self.much, said
        text = text_of(*told, by=moment(self.ends))
        return f"{text}: {GONE}" if self.is_gone else text

    @property
    def _different(self) -> int:
        """Of how many things it tells: who says something of one pledge anew tells of no other.

        What two people said of one pledge is two things: each has an amount of her own.
        """
        some = len(self.pledges)
        is_by_many = some == 1 < len(self.names)
        return self.count if is_by_many or not 0 < some < KEYS_OF_ONE_MAX else some

    @property
    def why(self) -> str:
        """Why it is told, in one line."""
        return why_of(self.because, self.names, len(self.pledges), self.pledged)

    def todo(self, community: bytes | None = None) -> str:
        """Return what to type to do what is asked, or nothing; in which community, if given."""
        return todo_of(self.kind, self.pledges, community)


class Kept(msgspec.Struct):
    """All that is kept of one community: what was noticed, and what came of it.

    What happened before `since` (ms) is no news on this device. `known` gives when each thing known
    happened, and `authors` who did it. Of an author in `forgotten` what is not newer than that
    went from it, so all of hers from before counts as known: nobody makes others forgotten.
    """

    since: int
    known: dict[bytes, int] = {}
    authors: dict[bytes, bytes] = {}
    forgotten: dict[bytes, int] = {}
    items: list[Notification] = []


class About(NamedTuple):
    """The need that concerns are about; empty for thanks."""

    need: bytes
    title: str


def take(
    kept: Kept,
    about: About,
    found: Iterable[Concern],
    name_of: Callable[[bytes], str],
    way_of: Callable[[NotificationKind], Way],
    now_ms: int,
) -> tuple[bool, list[Notification]]:
    """Take what concerns the person now, about one need; return whether anything is new or over.

    The list is what to show at once. What concerns her no more needs no reading any more. Costs
    what is new, and a look at what is unread.
    """
    told = [item for item in kept.items if item.way == "now" and item.noted > now_ms - HOUR_MS]
    taking = _Taking(kept, about, name_of, way_of, now_ms, AT_ONCE_MAX - len(told))
    current = list(found)
    for concern in current:
        taking.take(concern)
    is_over = _read_what_is_over(kept, about, frozenset(c.key for c in current))
    if taking.is_changed:
        _forget_old(kept)
    return taking.is_changed or is_over, taking.shown


def note(kept: Kept, found: Collection[Concern]) -> bool:
    """Take concerns as known without a word: the person saw them come about. True if any is new."""
    new = {concern.key: concern.time for concern in found if concern.key not in kept.known}
    kept.known.update(new)
    kept.authors.update({concern.key: _author(concern) for concern in found if concern.key in new})
    return bool(new)


def take_back(kept: Kept, keys: Collection[bytes]) -> bool:
    """Drop the words of what counts no more, which needs no reading then; True if there were any.

    `keys` are those of the first of each notification.
    """
    told = [item for item in kept.items if item.said and item.key in keys]
    for item in told:
        item.said = ""
        if item.count == 1:
            item.is_gone = item.is_read = True
    return bool(told)


class _Taking:
    def __init__(
        self,
        kept: Kept,
        about: About,
        name_of: Callable[[bytes], str],
        way_of: Callable[[NotificationKind], Way],
        now_ms: int,
        room: int,
    ) -> None:
        self._kept, self._about, self._now_ms, self._room = kept, about, now_ms, room
        self._name_of, self._way_of = name_of, way_of
        self.is_changed = False
        self.shown: list[Notification] = []

    def take(self, concern: Concern) -> None:
        kept = self._kept
        if concern.key in kept.known:
            return
        self.is_changed = True
        author = _author(concern)
        kept.known[concern.key], kept.authors[concern.key] = concern.time, author
        is_before = concern.time < kept.since and not concern.is_ahead
        way = self._way_of(concern.kind)
        if is_before or concern.time <= kept.forgotten.get(author, -1) or way == "never":
            return
        if way == "now" and not concern.is_ahead and self._now_ms - concern.time > OLD_MS:
            way = "digest"
        item = self._like(concern, way)
        if item is None and way == "now" and self._room <= 0:
            way = "digest"
            item = self._like(concern, way)
        if item is not None:
            item.ends = max(item.ends, _ends(concern))
            _fold(item, concern._replace(time=self._time_of(concern)), self._names(concern))
            return
        item = self._new(concern, way)
        kept.items.append(item)
        if way == "now":
            self._room -= 1
            self.shown.append(item)

    def _like(self, concern: Concern, way: Shown) -> Notification | None:
        """Return what a concern is one more of, if that waits to be read."""
        for item in reversed(self._kept.items):
            is_same = (item.kind, item.need, item.way) == (concern.kind, self._about.need, way)
            is_fresh = way != "now" or self._now_ms - item.noted < HOUR_MS
            if is_same and is_fresh and (way == "muted" or not item.is_read):
                return item
        return None

    def _new(self, concern: Concern, way: Shown) -> Notification:
        return Notification(
            key=concern.key,
            kind=concern.kind,
            need=self._about.need,
            because=concern.because,
            title=plain(self._about.title),
            names=self._names(concern),
            much=_written(concern.amount),
            said=plain(concern.said[: 4 * PART_CHARS_MAX]),
            way=way,
            time=self._time_of(concern),
            noted=self._now_ms,
            is_read=way == "muted",
            keys=[concern.key],
            pledges=[concern.pledge] if concern.pledge else [],
            pledged=_written(concern.pledged),
            ends=_ends(concern),
        )

    def _time_of(self, concern: Concern) -> int:
        """Return when something happened; what is still to come is told as of now."""
        return self._now_ms if concern.is_ahead else concern.time

    def _names(self, concern: Concern) -> list[str]:
        return [] if concern.by is None else [plain(self._name_of(concern.by))]


def _written(amount: Amount | None) -> str:
    return "" if amount is None else plain(written(*amount))


def _ends(concern: Concern) -> int:
    """Return the time that is near, of which somebody is told a day before; 0 if none is."""
    return concern.time + AHEAD_MS if concern.is_ahead else 0


def _fold(item: Notification, concern: Concern, names: list[str]) -> None:
    item.count += 1
    if concern.time >= item.time:
        item.time, item.much = concern.time, _written(concern.amount)
    if len(item.keys) < KEYS_OF_ONE_MAX:
        item.keys.append(concern.key)
    is_other = concern.pledge and concern.pledge not in item.pledges
    if is_other and len(item.pledges) < KEYS_OF_ONE_MAX:
        item.pledges.append(concern.pledge)
    for name in names:
        if name not in item.names and len(item.names) < _NAMES_MAX:
            item.names.append(name)


def _read_what_is_over(kept: Kept, about: About, current: frozenset[bytes]) -> bool:
    """Mark what concerns the person no more as read: somebody saw to it, perhaps herself.

    Not so what was said: it is to be read, and not all of it is looked at each time.
    """
    is_changed = False
    waiting = [item for item in kept.items if not item.is_read and item.kind not in COMMENTS]
    for item in waiting:
        is_about = about.need and item.need == about.need
        if is_about and len(item.keys) == item.count and current.isdisjoint(item.keys):
            item.is_read = is_changed = True
    return is_changed


def _forget_old(kept: Kept) -> None:
    """Keep to the bounds: what is read goes first, what was told at once last; the older before."""
    too_many = len(kept.items) - NOTIFICATIONS_MAX
    if too_many > 0:
        worth = [(not item.is_read, item.way == "now") for item in kept.items]
        by_worth = sorted(range(len(kept.items)), key=lambda n: (worth[n], n))
        gone = set(by_worth[:too_many])
        kept.items = [item for n, item in enumerate(kept.items) if n not in gone]
    if len(kept.known) > KNOWN_MAX:
        _forget_known(kept)


def _forget_known(kept: Kept) -> None:
    """Forget the oldest things of those who did most: all others keep their places."""
    of_each: dict[bytes, list[tuple[int, bytes]]] = {}
    for key, time in kept.known.items():
        of_each.setdefault(kept.authors.get(key, b""), []).append((time, key))
    places = _places_of_each(len(things) for things in of_each.values())
    for author, things in of_each.items():
        for time, key in sorted(things)[: max(0, len(things) - places)]:
            del kept.known[key]
            kept.authors.pop(key, None)
            kept.forgotten[author] = max(kept.forgotten.get(author, 0), time)
    newest = sorted(kept.forgotten.items(), key=itemgetter(1))[-FORGOTTEN_MAX:]
    kept.forgotten = dict(newest)


def _places_of_each(counts: Iterable[int]) -> int:
    """Return how many things each may have at most, so that all fit."""
    left, rising = _KNOWN_LEFT, sorted(counts)
    for number, count in enumerate(rising):
        others = len(rising) - number
        if count * others > left:
            return left // others
        left -= count
    return _KNOWN_LEFT


def _author(concern: Concern) -> bytes:
    """Return who did it, by a part of her key; empty for what is nobody's own deed."""
    return b"" if concern.by is None else concern.by[:AUTHOR_BYTES]
