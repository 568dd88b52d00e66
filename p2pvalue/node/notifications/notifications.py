"""What callers can ask about notifications: what came, what is read, and the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, get_args

import trio

from p2pvalue import notify_types as nt
from p2pvalue.node.needs.need_boards import need_state
from p2pvalue.node.needs.project_states import project_titles
from p2pvalue.node.notifications.notification_watch import NotificationWatch
from p2pvalue.node.notifications.notified import Notification
from p2pvalue.node.notifications.notify_hook import NotifyHook
from p2pvalue.node.notifications.notify_rules import Mute, Rules
from p2pvalue.node.notifications.notify_store import NotifyStore
from p2pvalue.node.notifications.notify_views import notification_view, rule_views
from p2pvalue.node.references import resolve
from p2pvalue.types import EventView
from p2pvalue_protocol.effects import Changed
from p2pvalue_protocol.errors import NotFound

if TYPE_CHECKING:
    from p2pvalue.node.community import Community
    from p2pvalue.node.context import Context

_KINDS: tuple[nt.NotificationKind, ...] = get_args(nt.NotificationKind)


class Notifications:
    """The notifications of one node's person, over all her communities."""

    def __init__(
        self,
        context: Context,
        communities: Callable[[], Iterable[Community]],
        publish: Callable[[EventView], None],
        command: Sequence[str] = (),
    ) -> None:
        self._context = context
        self._communities = communities
        self._publish = publish
        self._hook = NotifyHook(command)
        self._kept = NotifyStore(context.store, context.clock_ms)
        self.watch = NotificationWatch(context, communities, self._kept, self._show)

    def changed(self, changed: Changed) -> None:
        """Note a commit."""
        self.watch.changed(changed)

    def forget(self, community: bytes) -> None:
        """Forget a community that was wiped."""
        self.watch.forget(community)

    def by_hand(self, need: str) -> AbstractContextManager[None]:
        """Take what becomes of a need in this block as known: its person does it herself."""
        return self.watch.by_hand(bytes.fromhex(need))

    async def run(self) -> None:
        """Watch, and run the person's command, until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._hook.run)
            nursery.start_soon(self.watch.run)

    def _show(self, event: EventView) -> None:
        self._publish(event)
        self._hook.show(event)

    # --- reading

    def all(
        self, community: str | None = None, *, unread: bool = False
    ) -> list[nt.NotificationView]:
        """Return what is kept, oldest first."""
        return self._views(
            (room, item) for room, item in self._items(community) if not (unread and item.is_read)
        )

    def read(
        self, community: str | None = None, *, notification: str = ""
    ) -> list[nt.NotificationView]:
        """Mark one, or all, as read; return what was unread."""
        unread = [(room, item) for room, item in self._items(community) if not item.is_read]
        if notification:
            known = ((item.key, "") for _, item in self._items(community))
            wanted = resolve(notification, known, "notification")
            unread = [(room, item) for room, item in unread if item.key == wanted]
        return self._mark_read(unread)

    def digest(self) -> list[nt.NotificationView]:
        """Return what waits for the digest, and mark it as read."""
        waiting = [
            (room, item)
            for room, item in self._items(None)
            if item.way == "digest" and not item.is_read
        ]
        return self._mark_read(waiting)

    def _mark_read(self, unread: list[tuple[Community, Notification]]) -> list[nt.NotificationView]:
        for _, item in unread:
            item.is_read = True
        for community in {room.id for room, _ in unread}:
            self._kept.save(community)
        return self._views(unread)

    def _views(self, found: Iterable[tuple[Community, Notification]]) -> list[nt.NotificationView]:
        is_only = len(self._rooms(None)) == 1
        views = [
            notification_view(item, room.id, room.name, is_only=is_only) for room, item in found
        ]
        return sorted(views, key=lambda view: (view.noted, view.time, view.notification))

    def _items(self, community: str | None) -> Iterator[tuple[Community, Notification]]:
        for room in self._rooms(community):
            for item in self._kept.of(room.id).items:
                yield room, item

    def _rooms(self, reference: str | None) -> list[Community]:
        rooms = list(self._communities())
        if reference is None:
            return rooms
        named = {room.id: room.name for room in rooms}
        wanted = resolve(reference, named.items(), "community")
        return [room for room in rooms if room.id == wanted]

    # --- rules

    def rules(self) -> nt.NotificationRulesView:
        """Return what is done with each kind, and what is muted."""
        rules = self._kept.rules
        names = {room.id: room.name for room in self._communities()}
        return nt.NotificationRulesView(
            rules=rule_views(rules, names),
            mutes=[
                nt.MuteView(
                    what=mute.what,
                    subject=mute.subject.hex(),
                    name=mute.name,
                    community=mute.community.hex(),
                    until=mute.until,
                )
                for mute in rules.in_force(self._context.clock_ms())
            ],
            digest_hour=rules.digest_hour,
        )

    def set_rule(
        self,
        kind: nt.NotificationKind | None,
        rule: nt.NotificationRule | None,
        *,
        community: str | None = None,
    ) -> nt.NotificationRulesView:
        """Choose what is done with a kind, or with all; None takes back what was chosen."""
        where = b"" if community is None else self._rooms(community)[0].id
        rules = self._kept.rules
        for each in _KINDS if kind is None else (kind,):
            rules = rules.with_rule(each, rule, where)
        return self._save(rules)

    def set_digest_hour(self, hour: int) -> nt.NotificationRulesView:
        """Choose at which hour of day a digest is told; -1: only when asked for."""
        return self._save(self._kept.rules.with_digest_at(hour))

    def mute(
        self, reference: str, *, community: str | None = None, until: int = 0
    ) -> nt.NotificationRulesView:
        """Tell nothing more of a community, a need or a project, until a time or for good."""
        mute = self._mute_of(reference, community, until)
        return self._save(self._kept.rules.with_mute(mute, self._context.clock_ms()))

    def unmute(self, reference: str, *, community: str | None = None) -> nt.NotificationRulesView:
        """Tell again of what was muted."""
        mute = self._mute_of(reference, community, 0)
        rules = self._kept.rules
        now_ms = self._context.clock_ms()
        if not any(other.is_like(mute) for other in rules.in_force(now_ms)):
            raise NotFound(f'"{reference}" is not muted: `p2pvalue notify rules` shows what is')
        return self._save(rules.without(mute, now_ms))

    def _save(self, rules: Rules) -> nt.NotificationRulesView:
        self._kept.save_rules(rules)
        self.watch.look_again()
        return self.rules()

    def _mute_of(self, reference: str, community: str | None, until: int) -> Mute:
        found: dict[bytes, Mute] = {}
        for room in self._rooms(community):
            found[room.id] = Mute("community", room.id, room.id, until, room.name)
            for row in room.needs.rows():
                title = need_state(row).title
                found[row.subject] = Mute("need", row.subject, room.id, until, title)
            for subject, title in project_titles(self._context, room.id).items():
                found[subject] = Mute("project", subject, room.id, until, title)
        named = ((subject, mute.name) for subject, mute in found.items())
        return found[resolve(reference, named, "community, need or project")]
