"""The order of needs as its page says it, word by word, slowly, and with fractions."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import floor, isqrt

from p2pvalue_protocol.needs.parts import Offer, Ranked, Weights

DAY_MS = 86_400_000
NAMES = ("voices", "hours", "quadratic", "closeness", "urgency", "age")


def order_by_the_page(needs: list[Ranked], weights: Weights, as_of_ms: int) -> list[bytes]:
    scores = scores_by_the_page(needs, weights, as_of_ms)
    by_score = sorted(needs, key=lambda one: (-scores[one.need], one.need))
    places = max(10, weights.floor + 1)
    kept = [one for one in by_score if one.class_name in ("care", "maintain")][: weights.floor]
    waiting = [one for one in needs if one.created_ms <= as_of_ms - 90 * DAY_MS]
    waiting.sort(key=lambda one: (one.created_ms, one.need))
    if waiting:
        turn = waiting[(as_of_ms // DAY_MS) % len(waiting)]
        kept += [turn] if turn not in kept else []
    others = [one for one in by_score if one not in kept]
    first = [one for one in by_score if one in kept or one in others[: places - len(kept)]]
    return [one.need for one in (*first, *(one for one in by_score if one not in first))]


def scores_by_the_page(needs: list[Ranked], weights: Weights, as_of_ms: int) -> dict[bytes, int]:
    return {
        one.need: sum(
            getattr(weights, part) * value
            for part, value in zip(NAMES, parts_by_the_page(one, needs, as_of_ms), strict=True)
        )
        + (
            1_000_000 * (sum(getattr(weights, part) for part in NAMES) // 10)
            if one.has_credit
            else 0
        )
        for one in needs
    }


def parts_by_the_page(need: Ranked, needs: list[Ranked], as_of_ms: int) -> list[int]:
    voices = {voice.member for voice in need.voices if voice.rank <= 2}
    pledged = [
        sum(o.quantity for o in counting(need, as_of_ms) if o.line == index)
        for index in range(len(need.lines))
    ]
    hours = [i for i, line in enumerate(need.lines) if line.kind == "hours"]
    goal = sum(need.lines[i].goal for i in hours)
    near = [
        _near(line.kind, line.goal, pledged[i])
        for i, line in enumerate(need.lines)
        if line.kind != "money"
    ] or [0]
    squares = Fraction(_squares(need, needs, as_of_ms), 1_000_000)
    days = Fraction(as_of_ms - need.created_ms, DAY_MS)
    parts = [
        Fraction(len(voices), len(voices) + 10),
        Fraction(sum(min(pledged[i], need.lines[i].goal) for i in hours), goal or 1),
        squares / (squares + 3_000),
        Fraction({"all": min(near), "any": max(near), "none": 0}[need.trigger], 1_000_000),
        Fraction(7, 1) / (7 + Fraction(abs(need.deadline_ms - as_of_ms), DAY_MS)),
        min(Fraction(1), max(Fraction(0), days / 180)),
    ]
    if not need.deadline_ms:
        parts[4] = Fraction(0)
    return [floor(part * 1_000_000) for part in parts]


def _near(kind: str, goal: int, pledged: int) -> int:
    left = max(0, goal - pledged)
    share = floor(Fraction(min(pledged, goal), goal) * 1_000_000)
    return floor(share * Fraction(240, 240 + left)) if kind == "hours" else share


def counting(need: Ranked, as_of_ms: int) -> list[Offer]:
    return [
        offer
        for offer in need.offers
        if offer.rank <= 2
        and as_of_ms - offer.at_ms <= 90 * DAY_MS
        and 0 <= offer.line < len(need.lines)
    ]


def _minutes(need: Ranked, as_of_ms: int) -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    for offer in counting(need, as_of_ms):
        if need.lines[offer.line].kind == "hours":
            found[offer.member] = found.get(offer.member, 0) + offer.quantity
    most = sorted(found, key=lambda one: (-min(480, found[one]), one))[:32]
    return {one: min(480, found[one]) for one in most}


def _squares(need: Ranked, needs: list[Ranked], as_of_ms: int) -> int:
    pledgers = [set(_minutes(one, as_of_ms)) for one in needs]
    minutes = _minutes(need, as_of_ms)
    total = 1_000_000 * sum(minutes.values())
    for one, other in combinations(sorted(minutes), 2):
        both = sum(one in among and other in among for among in pledgers)
        alone = sum((one in among) != (other in among) for among in pledgers)
        roots = isqrt(minutes[one] * 1_000_000) * isqrt(minutes[other] * 1_000_000)
        total += floor(2 * roots * Fraction(alone + 1, alone + both))
    return total
