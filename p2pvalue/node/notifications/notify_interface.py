"""What callers can ask about notifications."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from p2pvalue import notify_types as nt


class NotificationsInterface(Protocol):
    """What concerns this node's person, over all her communities; sent to nobody."""

    def all(
        self, community: str | None = None, *, unread: bool = False
    ) -> list[nt.NotificationView]: ...
    def read(
        self, community: str | None = None, *, notification: str = ""
    ) -> list[nt.NotificationView]:
        """Mark one, or all, as read; return what was unread."""
        ...

    def digest(self) -> list[nt.NotificationView]:
        """Return what waits for the digest, and mark it as read."""
        ...

    def by_hand(self, need: str) -> AbstractContextManager[None]:
        """Take what becomes of a need (its id) in this block as known to the person."""
        ...

    def rules(self) -> nt.NotificationRulesView: ...
    def set_rule(
        self,
        kind: nt.NotificationKind | None,
        rule: nt.NotificationRule | None,
        *,
        community: str | None = None,
    ) -> nt.NotificationRulesView:
        """Choose what is done with a kind, or with all; None takes back what was chosen."""
        ...

    def set_digest_hour(self, hour: int) -> nt.NotificationRulesView:
        """Choose at which hour of day a digest is told; -1: only when asked for."""
        ...

    def mute(
        self, reference: str, *, community: str | None = None, until: int = 0
    ) -> nt.NotificationRulesView:
        """Tell nothing more of a community, a need or a project, until a time or for good."""
        ...

    def unmute(
        self, reference: str, *, community: str | None = None
    ) -> nt.NotificationRulesView: ...
