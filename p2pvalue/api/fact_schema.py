"""What can be asked about what was done, and about thanks."""

from __future__ import annotations

import msgspec

from p2pvalue.api.need_schema import Time
from p2pvalue.api.schema import Count, InCommunity, Reference


class ListContributions(InCommunity, frozen=True, kw_only=True):
    """All contributions, or those of a member, of a class, for a need, since a time."""

    member: str = ""
    class_name: str = msgspec.field(default="", name="class")
    need: str = ""
    since: Time = 0


class AddContribution(InCommunity, frozen=True, kw_only=True):
    """`unit` is minute, three capital letters for hundredths of a currency, or what is counted."""

    title: str
    quantity: Count
    unit: str = "minute"
    class_name: str = msgspec.field(default="", name="class")
    need: str = ""
    day: Time = 0


class OfContribution(InCommunity, frozen=True, kw_only=True):
    """A question about one contribution."""

    contribution: Reference


class OfSuggestion(InCommunity, frozen=True, kw_only=True):
    """A question about something that is suggested."""

    suggestion: Reference


class AcceptSuggestion(OfSuggestion, frozen=True, kw_only=True):
    """How many minutes it took."""

    minutes: Count


class ListThanks(InCommunity, frozen=True, kw_only=True):
    """All thanks, or those by oneself and to oneself."""

    mine: bool = False


class GiveThanks(InCommunity, frozen=True, kw_only=True):
    """Thanks to a `member`; `about` is a need or a contribution."""

    member: Reference
    text: str
    about: str = ""


class OfThanks(InCommunity, frozen=True, kw_only=True):
    """A question about some thanks, by their id."""

    thanks: Reference
