"""The endpoints about notifications."""

from __future__ import annotations

from p2pvalue import notify_types as nt
from p2pvalue.api import notify_schema as s
from p2pvalue.api.schema import Question
from p2pvalue.node.interface import NodeInterface


async def list_notifications(
    node: NodeInterface, question: s.ListNotifications
) -> list[nt.NotificationView]:
    """What concerned this person, oldest first; GET /events tells new ones as they come."""
    return node.notifications.all(question.community, unread=question.unread)


async def read_notifications(
    node: NodeInterface, question: s.ReadNotifications
) -> list[nt.NotificationView]:
    """Mark one or all as read, and answer what was unread."""
    return node.notifications.read(question.community, notification=question.notification)


async def take_digest(node: NodeInterface, _: Question) -> list[nt.NotificationView]:
    """What waits for the digest; it is read then."""
    return node.notifications.digest()


async def set_digest(node: NodeInterface, question: s.SetDigest) -> nt.NotificationRulesView:
    """Choose when it is told that something waits."""
    return node.notifications.set_digest_hour(question.hour)


async def show_rules(node: NodeInterface, _: Question) -> nt.NotificationRulesView:
    """What is done with each kind, and what is muted."""
    return node.notifications.rules()


async def set_rule(
    node: NodeInterface, question: s.SetNotificationRule
) -> nt.NotificationRulesView:
    """Choose what is done with a kind: told now, in the digest, or never."""
    return node.notifications.set_rule(
        None if question.kind == "all" else question.kind,
        None if question.rule == "default" else question.rule,
        community=question.community,
    )


async def mute(node: NodeInterface, question: s.Mute) -> nt.NotificationRulesView:
    """Tell nothing of a community, a need or a project, for a time or for good."""
    return node.notifications.mute(
        question.subject, community=question.community, until=question.until
    )


async def unmute(node: NodeInterface, question: s.Unmute) -> nt.NotificationRulesView:
    """Tell of it again."""
    return node.notifications.unmute(question.subject, community=question.community)
