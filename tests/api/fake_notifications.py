"""Notifications of straw: whoever closes a need hears that it came about."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import msgspec

from p2pvalue import notify_types as nt
from p2pvalue.types import EventView

WORDS = (
    "“Roof” came about",
    "because you asked for it",
    "p2pvalue notify set need-triggered never",
)
NEED = "4f1c" * 8
TODO = "p2pvalue pledge confirm 4f1c"


class FakeNotifications:
    """Fulfils NotificationsInterface in memory; nothing is muted."""

    def __init__(self, tell: Callable[[EventView], None]) -> None:
        self._tell = tell
        self.items: list[nt.NotificationView] = []
        self.chosen: dict[nt.NotificationKind, nt.NotificationRule] = {}
        self.hour = 18

    def all(
        self, community: str | None = None, *, unread: bool = False
    ) -> list[nt.NotificationView]:
        return [item for item in self.items if not (unread and item.is_read)]

    def read(
        self, community: str | None = None, *, notification: str = ""
    ) -> list[nt.NotificationView]:
        found = self.all(unread=True)
        self.items = [msgspec.structs.replace(item, is_read=True) for item in self.items]
        return found

    def digest(self) -> list[nt.NotificationView]:
        return self.read()

    @contextlib.contextmanager
    def by_hand(self, need: str) -> Iterator[None]:
        yield
        number = f"{len(self.items):016x}"
        text, why, fewer = WORDS
        self.items.append(
            nt.NotificationView(
                notification=number,
                kind="need-triggered",
                community="",
                community_name="Garden",
                need=NEED,
                text=text,
                why=why,
                todo=TODO,
                fewer=fewer,
                count=1,
                way="now",
                is_read=False,
                time=1,
                noted=1,
            )
        )
        data: dict[str, str | int | None] = {
            "kind": "need-triggered",
            "community_name": "Garden",
            "text": f"{text} {len(self.items)}",
            "why": why,
            "todo": TODO,
            "fewer": fewer,
            "count": 1,
        }
        self._tell(EventView(event="notification", community="", subject=number, time=1, data=data))

    def rules(self) -> nt.NotificationRulesView:
        rules = [
            nt.KindRuleView(kind=kind, rule=rule, about="") for kind, rule in self.chosen.items()
        ]
        return nt.NotificationRulesView(rules=rules, mutes=[], digest_hour=self.hour)

    def set_rule(
        self,
        kind: nt.NotificationKind | None,
        rule: nt.NotificationRule | None,
        *,
        community: str | None = None,
    ) -> nt.NotificationRulesView:
        if kind is not None and rule is not None:
            self.chosen[kind] = rule
        return self.rules()

    def set_digest_hour(self, hour: int) -> nt.NotificationRulesView:
        self.hour = hour
        return self.rules()

    def mute(
        self, reference: str, *, community: str | None = None, until: int = 0
    ) -> nt.NotificationRulesView:
        return self.rules()

    def unmute(self, reference: str, *, community: str | None = None) -> nt.NotificationRulesView:
        return self.rules()
