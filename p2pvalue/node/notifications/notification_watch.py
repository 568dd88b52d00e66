"""Notices what concerns this node's person, keeps it, and shows it: in this order.

Looks at what something was said about, a second after it was; at the start at every need once, so
that nothing is lost with a process that dies; and at the times at which last days come near. In
between nothing is done.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import trio

from p2pvalue.node.needs.left_words import left_words
from p2pvalue.node.needs.need_boards import need_state, read_acts
from p2pvalue.node.needs.stand_ins import others_here
from p2pvalue.node.notifications.comment_concerns import (
    NewComments,
    at_places,
    comments,
    gone,
    latest,
    latest_of_each,
)
from p2pvalue.node.notifications.concerns import (
    Concern,
    HeldNeed,
    LastEdit,
    concerns,
    is_concerned,
    key_of,
    next_ms,
    role_of,
)
from p2pvalue.node.notifications.notified import About, Notification, note, take, take_back
from p2pvalue.node.notifications.notify_rules import Way, next_digest_ms
from p2pvalue.node.notifications.notify_store import NotifyStore
from p2pvalue.node.notifications.notify_views import digest_event, event_of
from p2pvalue.node.references import every_state
from p2pvalue.notify_types import NotificationKind
from p2pvalue.store import Entry, StoreFailed
from p2pvalue.types import EventView
from p2pvalue_protocol.effects import Changed
from p2pvalue_protocol.kind import NO_SUBJECT, Order
from p2pvalue_protocol.kinds import chat, close, decode_state, need, pledge, thanks
from p2pvalue_protocol.needs.acts import sorted_acts
from p2pvalue_protocol.operation import KIND_AUTH_MAX
from p2pvalue_protocol.past import StateRow

if TYPE_CHECKING:
    from p2pvalue.node.community import Community
    from p2pvalue.node.context import Context

log = logging.getLogger(__name__)

PAUSE_S: Final = 1.0
"""What comes together is looked at together."""
PAUSE_S_MAX: Final = 30.0
_SHARE: Final = 9  # while much arrives, the rest has so many times as long as this
_AGAIN_S: Final = 60.0  # after the disk took nothing
_SLEEP_S_MAX: Final = 600.0  # a machine that slept does not count those seconds
_TURN: Final = 16  # needs looked at between turns of the others
_OUTCOMES: Final = frozenset(("need-triggered", "need-lapsed", "pledge-triggered", "pledge-lapsed"))


class NotificationWatch:
    """Watches the needs and thanks of all communities of a node."""

    def __init__(
        self,
        context: Context,
        communities: Callable[[], Iterable[Community]],
        kept: NotifyStore,
        show: Callable[[EventView], None],
    ) -> None:
        self._context = context
        self._communities = communities
        self._kept = kept
        self._show = show
        self._whole: set[bytes] = set()  # communities of which everything is to be looked at
        self._changed: dict[bytes, set[bytes]] = {}
        self._due: dict[tuple[bytes, bytes], int] = {}  # when time changes what a need means
        self._of_members: set[bytes] = set()  # communities in which somebody may have gone
        self._gone: dict[bytes, frozenset[bytes]] = {}  # who was no member any more, when looked at
        self._talked_of: frozenset[bytes] | None = None  # of many needs, those with comments
        self._comments = NewComments()
        self._said: Mapping[bytes, Sequence[Order]] = {}  # the new ones, in this look
        self._by_hand: set[bytes] = set()
        self._has_news = trio.Event()

    def changed(self, changed: Changed) -> None:
        """Note what something was said about; called with every commit."""
        kinds = (need.NUMBER, pledge.NUMBER, close.NUMBER, thanks.NUMBER, chat.NUMBER)
        self._kept.of(changed.community)  # what is older than this is no news
        subjects = {change.subject for change in changed.changes if change.kind in kinds}
        subjects.discard(NO_SUBJECT)  # what is said to everybody
        for change in changed.changes:
            if change.kind == chat.NUMBER and change.subject != NO_SUBJECT and change.payload:
                self._comments.note(changed.community, change)
        if any(change.kind <= KIND_AUTH_MAX for change in changed.changes):
            self._of_members.add(changed.community)
            self._has_news.set()
        if subjects:
            self._changed.setdefault(changed.community, set()).update(subjects)
            self._has_news.set()

    @contextmanager
    def by_hand(self, need_id: bytes) -> Iterator[None]:
        """Take what becomes of a need in this block as known: the person sees it."""
        self._by_hand.add(need_id)
        try:
            yield
        except BaseException:  # a cancellation, too
            self._by_hand.discard(need_id)
            raise

    def forget(self, community: bytes) -> None:
        """Forget all of a community that was wiped."""
        self._kept.forget(community)
        self._changed.pop(community, None)
        self._comments.take(community)
        self._whole.discard(community)
        self._of_members.discard(community)
        self._gone.pop(community, None)
        for key in [key for key in self._due if key[0] == community]:
            del self._due[key]

    async def run(self) -> None:
        """Look whenever there is something, until cancelled."""
        self.look_at_all()
        while True:
            began_s = trio.current_time()
            try:
                await self.look()
            except StoreFailed as failure:
                log.error("notifications are not kept, and tried again: %s", failure)
                await trio.sleep(_AGAIN_S)
            took_s = trio.current_time() - began_s
            with trio.move_on_after(self._wait_s()):
                await self._has_news.wait()
            await trio.sleep(max(PAUSE_S, min(_SHARE * took_s, PAUSE_S_MAX)))

    def look_at_all(self) -> None:
        """Let the next look be at everything that is held."""
        self._whole.update(community.id for community in self._communities())

    def look_again(self) -> None:
        """Look soon, and reckon again what is due: the rules are others."""
        self._has_news.set()

    async def look(self) -> None:
        """Look at what changed and at what is due; raises StoreFailed, and then looks again."""
        self._has_news = trio.Event()
        now_ms = self._context.clock_ms()
        for key in [key for key, due in self._due.items() if due <= now_ms]:
            del self._due[key]  # once: what it is about may be gone, or not be ours any more
            self._changed.setdefault(key[0], set()).add(key[1])
        for community in self._communities():
            if self._context.root(community.id):
                await self._look_at(community, now_ms)
        self._tell_digest(now_ms)

    async def _look_at(self, community: Community, now_ms: int) -> None:
        if community.id in self._of_members | self._whole:
            self._of_members.discard(community.id)
            self._look_for_who_left(community)
        is_whole = community.id in self._whole
        channels = self._context.store.containers(community.id, chat.NUMBER) if is_whole else None
        self._talked_of = None if channels is None else frozenset(channels)
        self._whole.discard(community.id)
        subjects = self._changed.pop(community.id, set())
        self._said = self._comments.take(community.id)
        rows = self._every(community) if is_whole else self._some(community, subjects)
        is_changed, shown = self._kept.is_beginning(community.id), list[Notification]()
        try:
            for number, row in enumerate(rows, 1):
                is_new, at_once = self._taken(community, row, now_ms)
                is_changed = is_changed or is_new
                shown += at_once
                if number % _TURN == 0:
                    await trio.lowlevel.checkpoint()
            if is_changed:
                self._kept.save(community.id)
        except StoreFailed:
            self._whole.add(community.id)
            self._has_news.set()
            raise
        is_only = len(list(self._communities())) == 1
        for item in shown:
            self._show(event_of(item, community.id, community.name, is_only=is_only))

    def _look_for_who_left(self, community: Community) -> None:
        """Look at every need if somebody went or came back: what she owes is another's concern."""
        membership = self._context.membership(community.id)
        gone = frozenset(former.root for former in membership.former_members())
        gone |= frozenset(membership.voided_members())
        if gone != self._gone.get(community.id, frozenset()):
            self._gone[community.id] = gone
            self._whole.add(community.id)

    def _every(self, community: Community) -> Iterator[StateRow]:
        yield from community.needs.rows()
        yield from every_state(self._context.store, community.id, thanks.NUMBER)

    def _some(self, community: Community, subjects: Iterable[bytes]) -> Iterator[StateRow]:
        for subject in sorted(subjects):
            row = self._context.store.state(community.id, subject)
            if row is not None and row.kind in (need.NUMBER, thanks.NUMBER):
                yield row

    # --- one of them

    def _taken(
        self, community: Community, row: StateRow, now_ms: int
    ) -> tuple[bool, list[Notification]]:
        try:
            return self._take(community, row, now_ms)
        except StoreFailed:
            raise
        except Exception:  # a stranger's need must not end the daemon, nor hide the others
            log.exception("a defect, please report it: what concerns us of %s", row.subject.hex())
            return False, []

    def _take(
        self, community: Community, row: StateRow, now_ms: int
    ) -> tuple[bool, list[Notification]]:
        kept, rules = self._kept.of(community.id), self._kept.rules
        is_thanks = row.kind == thanks.NUMBER
        project = b"" if is_thanks else need_state(row).project
        about = About(b"", "") if is_thanks else About(row.subject, need_state(row).title)
        of_one = self._of_thanks if is_thanks else self._of_need
        found = of_one(community, row, now_ms)
        is_noted = False
        if about.need in self._by_hand:
            self._by_hand.discard(about.need)
            is_noted = note(kept, [concern for concern in found if concern.kind in _OUTCOMES])

        def way_of(kind: NotificationKind) -> Way:
            return rules.way(kind, community.id, about.need, project, now_ms)

        if is_thanks:
            over = [] if found else [key_of("thanked", row.subject)]
        else:
            over = gone(self._context, community.id, row.subject, kept)
        is_noted = take_back(kept, over) or is_noted
        is_new, shown = take(kept, about, found, community.needs.names().of, way_of, now_ms)
        return is_new or is_noted, shown

    def _of_thanks(self, community: Community, row: StateRow, _now_ms: int) -> list[Concern]:
        state = decode_state(row.kind, row.state)
        assert isinstance(state, thanks.ThanksState)
        if state.withdrawn or state.to != self._context.root(community.id):
            return []
        key = key_of("thanked", row.subject)
        said = state.text
        return [Concern("thanked", key, "thanked", state.time, state.author, said=said)]

    def _of_need(self, community: Community, row: StateRow, now_ms: int) -> list[Concern]:
        state, copy = need_state(row), self._context.copy_of(community.id)
        acts = read_acts(copy, self._context.store, row)
        standing = self._context.boards.of(copy, self._context.store, row, acts)
        me = self._context.root(community.id)
        self._due.pop((community.id, row.subject), None)
        others = others_here(self._context, community.id, row.subject, state, standing)
        membership = self._context.membership(community.id)
        left = left_words(standing, membership.is_member)
        role = role_of(state, standing, me)
        entries = self._comments_on(community.id, row.subject)
        said = comments(self._context, community.id, entries, role, me)
        if not is_concerned(state, standing, me, others, left):
            return said
        due = next_ms(state, standing, me, now_ms)
        if due is not None:
            self._due[community.id, row.subject] = due
        author = membership.member_of(row.device)
        edit = LastEdit(author, row.time)
        held = HeldNeed(row.subject, state, edit, standing, sorted_acts(acts), left)
        return concerns(held, me, now_ms, others) + said

    def _comments_on(self, community: bytes, need_id: bytes) -> list[Entry]:
        """Return the comments to look at: what is new, and the newest of all that is held."""
        asked = self._context, community, need_id
        if self._talked_of is None:
            return at_places(*asked, self._said.get(need_id, ())) + latest(*asked)
        return latest_of_each(*asked) if need_id in self._talked_of else []

    # --- the digest

    def _tell_digest(self, now_ms: int) -> None:
        """Say once that something waits, when it is time."""
        due = self._digest_due_ms()
        if due is None or due > now_ms:
            return
        waiting = {community.name: len(self._waiting(community)) for community in self._rooms()}
        self._kept.save_rules(self._kept.rules.digested_at(now_ms))
        self._show(digest_event(waiting, now_ms))

    def _digest_due_ms(self) -> int | None:
        """Return when the person is to be told that something waits; None: not at all."""
        hour = self._kept.rules.digest_hour
        noted = [item.noted for community in self._rooms() for item in self._waiting(community)]
        return next_digest_ms(min(noted), hour) if noted and hour >= 0 else None

    def _rooms(self) -> list[Community]:
        return [c for c in self._communities() if self._context.root(c.id)]

    def _waiting(self, community: Community) -> list[Notification]:
        told = self._kept.rules.digested
        items = self._kept.of(community.id).items
        return [i for i in items if i.way == "digest" and not i.is_read and i.noted > told]

    def _wait_s(self) -> float:
        """Return for how long nothing is due."""
        times = [*self._due.values()]
        digest = self._digest_due_ms()
        if digest is not None:
            times.append(digest)
        if not times:
            return math.inf
        left_s = (min(times) - self._context.clock_ms()) / 1_000
        return max(0.0, min(left_s, _SLEEP_S_MAX))
