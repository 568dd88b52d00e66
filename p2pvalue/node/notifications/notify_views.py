"""What people and programs are told of notifications."""

from __future__ import annotations

from collections.abc import Mapping

from p2pvalue.amounts import counted
from p2pvalue.node.notifications.concern_words import ABOUT, fewer_of, plain
from p2pvalue.node.notifications.notified import Notification
from p2pvalue.node.notifications.notify_rules import Rules, default_rule
from p2pvalue.notify_types import KindRuleView, NotificationView
from p2pvalue.types import EventView


def notification_view(
    item: Notification, community: bytes, name: str, *, is_only: bool
) -> NotificationView:
    """Return a notification of a community, which may be the only one of the node."""
    return NotificationView(
        notification=item.key.hex(),
        kind=item.kind,
        community=community.hex(),
        community_name=name,
        need=item.need.hex(),
        text=item.text,
        why=item.why,
        todo=item.todo(None if is_only else community),
        fewer=fewer_of(item.kind, item.way),
        count=item.count,
        way=item.way,
        is_read=item.is_read,
        time=item.time,
        noted=item.noted,
    )


def event_of(item: Notification, community: bytes, name: str, *, is_only: bool) -> EventView:
    """Return what followers and the hook are told of one; `is_only` as above."""
    return EventView(
        event="notification",
        community=community.hex(),
        subject=item.key.hex(),
        time=item.time,
        data={
            "kind": item.kind,
            "community_name": plain(name),
            "need": item.need.hex(),
            "text": item.text,
            "why": item.why,
            "todo": item.todo(None if is_only else community),
            "fewer": fewer_of(item.kind, item.way),
            "count": item.count,
        },
    )


def digest_event(waiting: Mapping[str, int], now_ms: int) -> EventView:
    """Return what is told once a day: how much waits, by the name of the community."""
    count = sum(waiting.values())
    where = ", ".join(f"{plain(name)} {many}" for name, many in waiting.items() if many)
    things = counted(count, "thing waits", "things wait")
    return EventView(
        event="notification",
        community="",
        subject="",
        time=now_ms,
        data={
            "kind": "digest",
            "text": f"{things} to be read ({where}): p2pvalue notify digest",
            "why": "because it came since the last digest",
            "fewer": "p2pvalue notify digest --at never",
            "count": count,
        },
    )


def rule_views(rules: Rules, names: Mapping[bytes, str]) -> list[KindRuleView]:
    """Return what is done with each kind, and then what is done otherwise in communities."""
    found = [
        KindRuleView(
            kind=kind,
            rule=rules.kinds.get(kind) or default_rule(kind),
            is_default=kind not in rules.kinds,
            about=about,
        )
        for kind, about in ABOUT.items()
    ]
    for community, chosen in rules.communities.items():
        name = names.get(community, "")
        found += [
            KindRuleView(
                kind=kind,
                rule=chosen[kind],
                community=community.hex(),
                community_name=name,
                about=about,
            )
            for kind, about in ABOUT.items()
            if kind in chosen
        ]
    return found
