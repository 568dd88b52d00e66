"""Which notifications come at once, in a digest, or not: rules of a person, and the digest's hour.

Kept on this device and sent to nobody. By default only what asks something of her, or binds her,
comes at once; what is merely good to know waits for the digest.
"""

from __future__ import annotations

import datetime
from typing import Final, Literal

import msgspec

from p2pvalue.notify_types import MutedThing, NotificationKind, NotificationRule

AT_ONCE: Final[tuple[NotificationKind, ...]] = (
    "confirm-asked",
    "settle-asked",
    "left-owing",
    "handed-over",
    "pledge-triggered",
    "pledge-outdated",
    "pledge-disputed",
    "due-tomorrow",
    "need-closing",
    "need-triggered",
    "need-released",
)
WHEN_ASKED: Final = -1
DIGEST_HOUR: Final = 18
MUTES_MAX: Final = 1_000

Way = Literal["now", "digest", "muted", "never"]


class Mute(msgspec.Struct, frozen=True):
    """Something of which nothing is told until a time (ms); 0: for good.

    `name` is what it was called.
    """

    what: MutedThing
    subject: bytes
    community: bytes
    until: int = 0
    name: str = ""

    def is_like(self, other: Mute) -> bool:
        """Return whether both mute the same thing."""
        return (self.what, self.subject, self.community) == (
            other.what,
            other.subject,
            other.community,
        )


class Rules(msgspec.Struct, frozen=True):
    """What a person chose: for all communities, for one (by its id), and what is muted.

    `digested` is when she was last told that a digest waits, ms.
    """

    kinds: dict[str, NotificationRule] = {}
    communities: dict[bytes, dict[str, NotificationRule]] = {}
    mutes: tuple[Mute, ...] = ()
    digest_hour: int = DIGEST_HOUR
    digested: int = 0

    def rule(self, kind: NotificationKind, community: bytes) -> NotificationRule:
        """Return what is to be done with a kind in a community."""
        here = self.communities.get(community, {})
        return here.get(kind) or self.kinds.get(kind) or default_rule(kind)

    def way(
        self, kind: NotificationKind, community: bytes, need: bytes, project: bytes, now_ms: int
    ) -> Way:
        """Return how one notification comes: a rule of never goes before what is muted."""
        rule = self.rule(kind, community)
        about = {("community", community), ("need", need), ("project", project)}
        is_muted = any(
            (mute.what, mute.subject) in about and mute.community == community
            for mute in self.in_force(now_ms)
        )
        return "muted" if is_muted and rule != "never" else rule

    def in_force(self, now_ms: int) -> tuple[Mute, ...]:
        """Return what is muted at a time."""
        return tuple(mute for mute in self.mutes if not mute.until or now_ms < mute.until)

    def digested_at(self, now_ms: int) -> Rules:
        """Return the rules, with what came before a time not told again."""
        return msgspec.structs.replace(self, digested=now_ms)

    def with_digest_at(self, hour: int) -> Rules:
        """Return the rules with another hour of the digest."""
        return msgspec.structs.replace(self, digest_hour=hour)

    def with_rule(
        self, kind: NotificationKind, rule: NotificationRule | None, community: bytes
    ) -> Rules:
        """Return the rules with another for a kind; None takes back what was chosen."""
        chosen = dict(self.communities.get(community, {}) if community else self.kinds)
        chosen.pop(kind, None)
        if rule is not None:
            chosen[kind] = rule
        if not community:
            return msgspec.structs.replace(self, kinds=chosen)
        communities = {**self.communities, community: chosen}
        if not chosen:
            del communities[community]
        return msgspec.structs.replace(self, communities=communities)

    def with_mute(self, mute: Mute, now_ms: int) -> Rules:
        """Return the rules with something muted; the oldest go where there are very many."""
        kept = [*self.without(mute, now_ms).mutes, mute]
        return msgspec.structs.replace(self, mutes=tuple(kept[-MUTES_MAX:]))

    def without(self, mute: Mute, now_ms: int) -> Rules:
        """Return the rules with this not muted, and without what is over."""
        kept = [other for other in self.in_force(now_ms) if not other.is_like(mute)]
        return msgspec.structs.replace(self, mutes=tuple(kept))


def default_rule(kind: NotificationKind) -> NotificationRule:
    """Return what is done with a kind of which nobody said anything."""
    return "now" if kind in AT_ONCE else "digest"


def next_digest_ms(after_ms: int, hour: int) -> int:
    """Return when it is next that hour of day after a time, in the time zone of this machine."""
    after = datetime.datetime.fromtimestamp(after_ms / 1000)
    due = after.replace(hour=hour, minute=0, second=0, microsecond=0)
    if due <= after:
        due += datetime.timedelta(days=1)
    return int(due.timestamp() * 1000)
