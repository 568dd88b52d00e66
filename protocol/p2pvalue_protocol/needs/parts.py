"""What speaks for a need, as whole numbers up to a million each (spec: ranking).

A part says how much of one thing there is: voices, hours pledged, nearness of the threshold or the
deadline, age. Nothing here knows other needs, but `together`, which the quadratic part asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import isqrt
from typing import Final, Literal, NamedTuple

import msgspec

from p2pvalue_protocol.auth_payloads import MEMBER

MILLION: Final = 1_000_000
DAY_MS: Final = 24 * 3_600 * 1_000

VOICES_HALF: Final = 10  # so many voices make half of the part
QUADRATIC_HALF_MINUTES: Final = 3_000  # the sum of five members with two hours each
CLOSENESS_HALF_MINUTES: Final = 240  # with half a day's work left, the share filled counts half
URGENCY_HALF_MS: Final = 7 * DAY_MS
AGE_FULL_MS: Final = 180 * DAY_MS  # no more after it: when a need was made is for its author to say
OFFER_MS_MAX: Final = 90 * DAY_MS  # older ones speak for a need no more
MINUTES_PER_MEMBER_MAX: Final = 480  # that count in the quadratic part
PLEDGERS_MAX: Final = 32  # whose pairs are looked at: 496 for one need
CREDIT_SHARE: Final = 10  # the weight of credit is a tenth of all others together

PARTS: Final = ("voices", "hours", "quadratic", "closeness", "urgency", "age", "credit")

Parts = tuple[int, int, int, int, int, int, int]
"""Millionths in the order of `PARTS`."""

Together = Callable[[bytes, bytes], tuple[int, int]]
"""Of two members: how many needs both pledge hours to, and how many one of them alone."""


class Voice(NamedTuple):
    """A member who wants a need met, with her rank."""

    member: bytes  # root key
    rank: int


class Line(NamedTuple):
    """What is asked for; `goal` is the minimum of the line, or its optimum if that is 0."""

    kind: str  # hours, money, material or skill
    goal: int  # minutes for hours; at least 1


class Offer(NamedTuple):
    """A pledge that stands: neither withdrawn nor released."""

    member: bytes
    rank: int
    line: int  # index into the lines
    quantity: int  # minutes for hours
    at_ms: int  # when it was made


class Ranked(msgspec.Struct, frozen=True):
    """What the order of needs takes of one need."""

    need: bytes  # subject, 16 bytes
    created_ms: int
    lines: tuple[Line, ...] = ()
    voices: tuple[Voice, ...] = ()
    offers: tuple[Offer, ...] = ()
    trigger: Literal["all", "any", "none"] = "all"
    class_name: str = ""
    deadline_ms: int = 0  # 0: none
    has_credit: bool = False  # its author pledged early to a need that lapsed


class Weights(msgspec.Struct, frozen=True):
    """How much each part counts, 0 to 1,000, and how many first places are kept for care."""

    voices: int = 400
    hours: int = 150
    quadratic: int = 0
    closeness: int = 150
    urgency: int = 150
    age: int = 150
    floor: int = 2

    def of_parts(self) -> Parts:
        """Return the weights in the order of `PARTS`; nobody votes on that of credit."""
        chosen = (
            self.voices,
            self.hours,
            self.quadratic,
            self.closeness,
            self.urgency,
            self.age,
        )
        return (*chosen, sum(chosen) // CREDIT_SHARE)


def parts_of(need: Ranked, weights: Weights, as_of_ms: int, squares: int) -> Parts:
    """Return the parts of a need, given the quadratic one; one whose weight is 0 is 0. ~5 µs."""
    totals = _totals(fresh_offers(need, as_of_ms))
    return (
        voices_part(need.voices) if weights.voices else 0,
        hours_part(need.lines, totals) if weights.hours and totals else 0,
        squares,
        closeness_part(need, totals) if weights.closeness and totals else 0,
        urgency_part(need.deadline_ms, as_of_ms) if weights.urgency and need.deadline_ms else 0,
        age_part(need.created_ms, as_of_ms) if weights.age else 0,
        MILLION if need.has_credit else 0,
    )


def fresh_offers(need: Ranked, as_of_ms: int) -> list[Offer]:
    """Return the offers that speak for a need: of members, for a line, not older than 90 days."""
    since_ms = as_of_ms - OFFER_MS_MAX
    lines = len(need.lines)
    return [
        offer
        for offer in need.offers
        if offer.at_ms >= since_ms and offer.rank <= MEMBER and offer.line < lines
    ]


def voices_part(voices: Iterable[Voice]) -> int:
    """Return n / (n + 10) of the n members who want a need.

    Of a fixed measure, not of the need that most want: so one voice moves one need, each voice
    counts for something however many there are, and what one more would do can be said.
    """
    count = len({voice.member for voice in voices if voice.rank <= MEMBER})
    return MILLION * count // (count + VOICES_HALF)


def hours_part(lines: Iterable[Line], totals: Mapping[int, int]) -> int:
    """Return which share of the hours asked for is pledged; what is too much of a line is not."""
    goal = pledged = 0
    for index, line in enumerate(lines):
        if line.kind == "hours":
            goal += line.goal
            pledged += min(totals.get(index, 0), line.goal)
    return MILLION * pledged // goal if goal else 0


def closeness_part(need: Ranked, totals: Mapping[int, int]) -> int:
    """Return how near the threshold is: of the line farthest from it, or nearest if any will do."""
    near = [
        _nearness(line, totals.get(index, 0))
        for index, line in enumerate(need.lines)
        if line.kind != "money"
    ]
    if not near or need.trigger == "none":
        return 0
    return max(near) if need.trigger == "any" else min(near)


def _nearness(line: Line, pledged: int) -> int:
    if pledged >= line.goal:
        return MILLION
    left = line.goal - pledged
    share = MILLION * pledged // line.goal
    if line.kind != "hours":
        return share
    return share * CLOSENESS_HALF_MINUTES // (CLOSENESS_HALF_MINUTES + left)


def urgency_part(deadline_ms: int, as_of_ms: int) -> int:
    """Return how near a deadline is, before it and after it alike."""
    return MILLION * URGENCY_HALF_MS // (URGENCY_HALF_MS + abs(deadline_ms - as_of_ms))


def age_part(created_ms: int, as_of_ms: int) -> int:
    """Return how much of 180 days a need has waited."""
    return MILLION * min(max(0, as_of_ms - created_ms), AGE_FULL_MS) // AGE_FULL_MS


def minutes_by_member(need: Ranked, offers: Iterable[Offer]) -> dict[bytes, int]:
    """Return the minutes that count in the quadratic part: of the 32 members with most of them.

    No member counts with more than 480; of equals the smaller root keys come first.
    """
    minutes: dict[bytes, int] = {}
    for offer in offers:
        if need.lines[offer.line].kind == "hours":
            minutes[offer.member] = minutes.get(offer.member, 0) + offer.quantity
    capped = {member: min(given, MINUTES_PER_MEMBER_MAX) for member, given in minutes.items()}
    most = sorted(capped.items(), key=lambda item: (-item[1], item[0]))
    return dict(most[:PLEDGERS_MAX])


def quadratic_part(minutes: Mapping[bytes, int], together: Together) -> int:
    """Return q / (q + 3,000) of the damped (Σ√c)², by pairs."""
    squares = quadratic_sum(minutes, together)
    return MILLION * squares // (squares + QUADRATIC_HALF_MINUTES * MILLION)


def quadratic_sum(minutes: Mapping[bytes, int], together: Together) -> int:
    """Return Σ c + 2 Σ k √(c d) over pairs, in millionths of minutes.

    k = (alone + 1) / (alone + both): one for a first need together; for a pair that always
    pledges together 1 / both, so that all their needs together gain what one would.
    """
    roots = [(member, isqrt(given * MILLION)) for member, given in sorted(minutes.items())]
    total = sum(minutes.values()) * MILLION
    for index, (member, root) in enumerate(roots):
        for other, other_root in roots[:index]:
            both, alone = together(other, member)
            total += 2 * root * other_root * (alone + 1) // (alone + both)
    return total


def _totals(offers: Iterable[Offer]) -> dict[int, int]:
    totals: dict[int, int] = {}
    for offer in offers:
        totals[offer.line] = totals.get(offer.line, 0) + offer.quantity
    return totals
