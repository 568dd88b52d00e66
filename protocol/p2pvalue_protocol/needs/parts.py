"""What speaks for a need, as whole numbers up to a million each (spec: ranking).

A part says how much of one thing there is: voices, hours pledged, nearness of the threshold or the
deadline, age. Nothing here knows other needs; what they do to the quadratic part is in `pairs`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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


class Voice(NamedTuple):
    """A member who wants a need met, with her rank."""

    member: bytes  # root key
    rank: int


class Line(NamedTuple):
    """What is asked for; `goal` is the minimum of the line, or its optimum if that is 0."""

    kind: str  # hours, money, material or skill
    goal: int  # minutes for hours; at least 1


class Offer(NamedTuple):
    """A pledge that stands or binds, with what is promised still or was delivered (`pledged`)."""

    member: bytes
    rank: int
    line: int  # index into the lines
    quantity: int  # minutes for hours
    at_ms: int  # when it was made, or what was delivered of it was last said


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


class Sums(msgspec.Struct, frozen=True, gc=False):
    """A need with its voices and offers added up as of a time: all that its parts are made of."""

    need: bytes
    created_ms: int
    lines: tuple[Line, ...]
    trigger: Literal["all", "any", "none"]
    class_name: str
    deadline_ms: int
    has_credit: bool
    voices: int  # members
    totals: Mapping[int, int]  # what is pledged, by line
    minutes: Mapping[bytes, int]  # that count in the quadratic part, by pledger, ascending


def sums_of(need: Ranked, as_of_ms: int, *, has_pairs: bool) -> Sums:
    """Add up what speaks for a need: members' voices, and their offers of the last 90 days.

    Costs ~3 µs for ten voices and four offers; minutes are added up only if it `has_pairs`.
    """
    since_ms = as_of_ms - OFFER_MS_MAX
    lines = need.lines
    count = len(lines)
    totals: dict[int, int] = {}
    minutes: dict[bytes, int] = {}
    for offer in need.offers:
        line = offer.line
        if offer.at_ms >= since_ms and offer.rank <= MEMBER and line < count:
            totals[line] = totals.get(line, 0) + offer.quantity
            if has_pairs and lines[line].kind == "hours":
                minutes[offer.member] = minutes.get(offer.member, 0) + offer.quantity
    return Sums(
        need.need,
        need.created_ms,
        lines,
        need.trigger,
        need.class_name,
        need.deadline_ms,
        need.has_credit,
        len({voice.member for voice in need.voices if voice.rank <= MEMBER}),
        totals,
        most_minutes(minutes) if minutes else minutes,
    )


def most_minutes(minutes: Mapping[bytes, int]) -> dict[bytes, int]:
    """Return the minutes that count in the quadratic part: of the 32 members with most of them.

    No member counts with more than 480; of equals the smaller root keys come first. Ascending.
    """
    cap = MINUTES_PER_MEMBER_MAX
    if len(minutes) > PLEDGERS_MAX:
        capped = sorted((-min(given, cap), member) for member, given in minutes.items())
        minutes = {member: -given for given, member in capped[:PLEDGERS_MAX]}
    return {member: cap if minutes[member] > cap else minutes[member] for member in sorted(minutes)}


def parts_of(need: Sums, weights: Weights, as_of_ms: int, squares: int) -> Parts:
    """Return the parts of a need, given the quadratic sum; one whose weight is 0 is 0. ~3 µs."""
    totals = need.totals
    return (
        voices_part(need.voices) if weights.voices else 0,
        hours_part(need.lines, totals) if weights.hours and totals else 0,
        quadratic_part(squares) if squares else 0,
        closeness_part(need.lines, need.trigger, totals) if weights.closeness and totals else 0,
        urgency_part(need.deadline_ms, as_of_ms) if weights.urgency and need.deadline_ms else 0,
        age_part(need.created_ms, as_of_ms) if weights.age else 0,
        MILLION if need.has_credit else 0,
    )


def voices_part(count: int) -> int:
    """Return n / (n + 10) of the n members who want a need.

    Of a fixed measure, not of the need that most want: so one voice moves one need, each voice
    counts for something however many there are, and what one more would do can be said.
    """
    return MILLION * count // (count + VOICES_HALF)


def hours_part(lines: Iterable[Line], totals: Mapping[int, int]) -> int:
    """Return which share of the hours asked for is pledged; what is too much of a line is not."""
    goal = pledged = 0
    for index, line in enumerate(lines):
        if line.kind == "hours":
            there, asked = totals.get(index, 0), line.goal
            goal += asked
            pledged += there if there < asked else asked
    return MILLION * pledged // goal if goal else 0


def closeness_part(lines: Sequence[Line], trigger: str, totals: Mapping[int, int]) -> int:
    """Return how near the threshold is: of the line farthest from it, or nearest if any will do."""
    near = [
        _nearness(line, totals.get(index, 0))
        for index, line in enumerate(lines)
        if line.kind != "money"
    ]
    if not near or trigger == "none":
        return 0
    return max(near) if trigger == "any" else min(near)


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
    waited_ms = as_of_ms - created_ms
    if waited_ms <= 0:
        return 0
    return MILLION * waited_ms // AGE_FULL_MS if waited_ms < AGE_FULL_MS else MILLION


def quadratic_part(squares: int) -> int:
    """Return q / (q + 3,000) of the damped (Σ√c)², in millionths of minutes (`pairs`)."""
    return MILLION * squares // (squares + QUADRATIC_HALF_MINUTES * MILLION)
