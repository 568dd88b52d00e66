"""What is told about notifications, and about the rules that keep them few."""

from __future__ import annotations

from typing import Literal

from p2pvalue.types import Value

NotificationKind = Literal[
    "confirm-asked",
    "settle-asked",
    "left-owing",
    "handed-over",
    "pledge-triggered",
    "pledge-outdated",
    "pledge-disputed",
    "pledge-settled",
    "due-tomorrow",
    "need-closing",
    "need-triggered",
    "need-released",
    "need-lapsed",
    "need-pledged",
    "need-claimed",
    "commented",
    "mentioned",
    "pledge-lapsed",
    "pledge-confirmed",
    "thanked",
]
NotificationRule = Literal["now", "digest", "never"]
MutedThing = Literal["community", "need", "project"]


class NotificationView(Value, frozen=True, kw_only=True):
    """Something that concerns this person; `count` things of one kind about one need are one.

    `way`: "now" was told when it came, "digest" waits for the digest, "muted" is told to nobody.
    `time` is when it happened, `noted` when this node noticed; ms. `todo` says what to type to do
    what is asked, if something is, and `fewer` what to type to have fewer of these.
    """

    notification: str
    kind: NotificationKind
    community: str
    community_name: str
    need: str = ""
    text: str
    why: str
    todo: str = ""
    fewer: str
    count: int
    way: Literal["now", "digest", "muted"]
    is_read: bool
    time: int
    noted: int


class KindRuleView(Value, frozen=True, kw_only=True):
    """What is done with one kind, in all communities or in one; `community` is empty for all."""

    kind: NotificationKind
    rule: NotificationRule
    community: str = ""
    community_name: str = ""
    is_default: bool = False
    about: str


class MuteView(Value, frozen=True, kw_only=True):
    """Something of which nothing is told `until` a time (ms); 0: until it is unmuted."""

    what: MutedThing
    subject: str
    name: str
    community: str
    until: int


class NotificationRulesView(Value, frozen=True, kw_only=True):
    """The rules of this device; they are sent to nobody. `digest_hour` -1: only when asked."""

    rules: list[KindRuleView]
    mutes: list[MuteView]
    digest_hour: int
