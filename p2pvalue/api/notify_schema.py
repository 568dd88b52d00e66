"""What can be asked about notifications."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from p2pvalue.api.need_schema import Time
from p2pvalue.api.schema import InCommunity, Question, Reference
from p2pvalue.notify_types import NotificationKind, NotificationRule


class ListNotifications(InCommunity, frozen=True, kw_only=True):
    """Those of all communities or of one; without `community`, all are meant."""

    unread: bool = False


class ReadNotifications(InCommunity, frozen=True, kw_only=True):
    """Which are read: one, named by its id, or all; without `community`, of all."""

    notification: str = ""


class SetNotificationRule(InCommunity, frozen=True, kw_only=True):
    """A rule for a kind, or for all kinds, in a community or in all."""

    kind: NotificationKind | Literal["all"]
    rule: NotificationRule | Literal["default"]


class SetDigest(Question, frozen=True, kw_only=True):
    """At which hour of day, in the time of this machine; -1: only when asked for."""

    hour: Annotated[int, msgspec.Meta(ge=-1, le=23)]


class Mute(InCommunity, frozen=True, kw_only=True):
    """A community, a need or a project; `until` 0 is for good."""

    subject: Reference
    until: Time = 0


class Unmute(InCommunity, frozen=True, kw_only=True):
    """What was muted."""

    subject: Reference
