"""Why a need stands where it does, and the smallest changes that would lift it one place.

A change is not worked out from the formulas but tried: the need is ranked with it and with one
less. So what is said holds with the floor, the turn and all other needs as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Literal

import msgspec

from p2pvalue_protocol.ids import tagged_hash
from p2pvalue_protocol.needs.parts import (
    MILLION,
    MINUTES_PER_MEMBER_MAX,
    PARTS,
    PLEDGERS_MAX,
    Sums,
    most_minutes,
)
from p2pvalue_protocol.needs.ranking import Place, Ranking

VOICES_TRIED_MAX: Final = 1_024
MINUTES_PER_HOUR: Final = 60
MINUTES_EACH: Final = 120  # what a first pledge should not exceed

ChangeKind = Literal["voices", "minutes", "members"]


class Reason(msgspec.Struct, frozen=True):
    """One part of a score: `points` is the product of the other two."""

    part: str  # one of PARTS
    millionths: int
    weight: int
    points: int


class Change(msgspec.Struct, frozen=True):
    """The least of its kind that lifts a need: to `place`, and one less leaves it where it is.

    voices: so many more members want it. minutes: one more member pledges so many. members: so
    many more pledge two hours each. Minutes go to the line of hours that lacks most.
    """

    kind: ChangeKind
    count: int
    place: int


class Explanation(msgspec.Struct, frozen=True):
    """Where a need stands of how many, and why."""

    place: Place
    of: int
    as_of_ms: int
    reasons: tuple[Reason, ...]  # those that count; their points add up to the score
    changes: tuple[Change, ...]  # none for what is first, or what nothing of a kind would lift


def explain(ranking: Ranking, need: bytes) -> Explanation:
    """Return why a need stands where it does; raises KeyError. The ranking is as before afterwards.

    ~40 trials of ~50 µs, whatever was said of it; with the quadratic part each of them looks at its
    pairs, and at other needs of pledgers who would give way.
    """
    place = ranking.place(need)
    factors = zip(PARTS, place.parts, ranking.weights.of_parts(), strict=True)
    reasons = [Reason(part, many, weight, many * weight) for part, many, weight in factors]
    return Explanation(
        place,
        len(ranking),
        ranking.as_of_ms,
        tuple(reason for reason in reasons if reason.weight and _is_told(reason)),
        _changes(ranking, ranking.sums(need), place.place),
    )


def lifted(need: Sums, kind: ChangeKind, count: int, *, has_pairs: bool) -> Sums:
    """Return a need after a change by members who had no part in it yet.

    Costs as much whatever was said of it before.
    """
    if kind == "voices":
        return msgspec.structs.replace(need, voices=need.voices + count)
    line = _line_that_lacks_most(need)
    each = [count] if kind == "minutes" else [MINUTES_EACH] * count
    totals = {**need.totals, line: need.totals.get(line, 0) + sum(each)}
    newcomers = {_newcomer(number): minutes for number, minutes in enumerate(each)}
    minutes = most_minutes({**need.minutes, **newcomers}) if has_pairs else {}
    return msgspec.structs.replace(need, totals=totals, minutes=minutes)


def told(explanation: Explanation) -> list[str]:
    """Return an explanation in lines for people; a point is a million of the score."""
    place = explanation.place
    lines = [f"place {place.place} of {explanation.of}, {_points(place.score)} points:"]
    shown = _tenths([reason.points for reason in explanation.reasons])
    lines += [
        f"  {reason.part}: {reason.millionths // 10_000} % of {reason.weight}"
        f" = {tenths // 10}.{tenths % 10}"
        for reason, tenths in zip(explanation.reasons, shown, strict=True)
    ]
    if place.lifted == "floor":
        lines.append(f"  kept among the first for care; by points it is {place.by_score}.")
    elif place.lifted == "turn":
        lines.append(f"  waits long, and today is its turn; by points it is {place.by_score}.")
    elif place.by_score < place.place:
        lines.append(f"  others are kept above it; by points it is {place.by_score}.")
    for change in explanation.changes:
        lines.append(f"  {_said(change)} → place {change.place}")
    return lines


def _tenths(points: Sequence[int]) -> list[int]:
    """Return scores in tenths of points that add up to the tenths of their sum.

    All are rounded down, and what that loses goes to those that lost most, the first of equals.
    """
    tenth = MILLION // 10
    down = [score // tenth for score in points]
    lost = sum(points) // tenth - sum(down)
    by_loss = sorted(range(len(points)), key=lambda index: (-(points[index] % tenth), index))
    for index in by_loss[:lost]:
        down[index] += 1
    return down


def _is_told(reason: Reason) -> bool:
    return reason.part != "credit" or reason.points > 0


def _changes(ranking: Ranking, need: Sums, place: int) -> tuple[Change, ...]:
    has_hours = any(line.kind == "hours" for line in need.lines)
    most: dict[ChangeKind, int] = {"voices": VOICES_TRIED_MAX}
    if has_hours:
        index = _line_that_lacks_most(need)
        most["minutes"] = max(need.lines[index].goal, MINUTES_PER_MEMBER_MAX)
        most["members"] = PLEDGERS_MAX
    found = []
    for kind, at_most in most.items():
        place_with = partial(_place_with, ranking, need, kind)
        count = _least(place_with, place, at_most)
        if count is not None:
            found.append(Change(kind, count, place_with(count)))
    return tuple(found)


def _place_with(ranking: Ranking, need: Sums, kind: ChangeKind, count: int) -> int:
    has_pairs = bool(ranking.weights.quadratic)
    return ranking.place_if(lifted(need, kind, count, has_pairs=has_pairs))


def _least(place_with: Callable[[int], int], place: int, at_most: int) -> int | None:
    """Return a count that lifts while one less does not; None if not even the most does."""
    low, high = 0, 1
    while place_with(high) >= place:
        if high >= at_most:
            return None
        low, high = high, min(2 * high, at_most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if place_with(middle) < place else (middle, high)
    return high


def _line_that_lacks_most(need: Sums) -> int:
    """Return the index of the line of hours of which most is not pledged."""
    left = {
        index: line.goal - need.totals.get(index, 0)
        for index, line in enumerate(need.lines)
        if line.kind == "hours"
    }
    return max(left, key=lambda index: left[index])


def _newcomer(number: int) -> bytes:
    return tagged_hash("newcomer", number.to_bytes(8))


def _points(score: int) -> str:
    return f"{score // MILLION}.{score % MILLION * 10 // MILLION}"


def _said(change: Change) -> str:
    plural = "" if change.count == 1 else "s"
    if change.kind == "voices":
        return f"{change.count:,} more voice{plural}"
    if change.kind == "minutes":
        if change.count < MINUTES_PER_HOUR:
            return f"{change.count} min more pledged"
        hours, minutes = divmod(change.count, MINUTES_PER_HOUR)
        return f"{hours:,} h {minutes} min more pledged" if minutes else f"{hours:,} h more pledged"
    return f"{change.count:,} more member{plural} with {MINUTES_EACH // MINUTES_PER_HOUR} hours"
