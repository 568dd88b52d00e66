"""Needs to be ranked, as tests write them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from hypothesis import strategies as st

from p2pvalue_protocol.needs.parts import (
    DAY_MS,
    Line,
    Offer,
    Ranked,
    Sums,
    Voice,
    Weights,
    sums_of,
)
from p2pvalue_protocol.needs.ranking import rank

AS_OF_MS = 20_000 * DAY_MS
FORMULAS = ("voices", "hours", "quadratic", "closeness", "urgency", "age")
NONE = dict.fromkeys((*FORMULAS, "floor"), 0)

MINUTE = st.integers(1, 900)
MEMBERS = st.sampled_from([bytes([number]) * 32 for number in range(8)])  # some meet often
DAYS = st.integers(-5, 400).map(lambda days: AS_OF_MS - days * DAY_MS)
LINES = st.lists(
    st.builds(Line, st.sampled_from(["hours", "hours", "material", "money"]), st.integers(1, 900)),
    max_size=3,
).map(tuple)
VOICES = st.lists(st.builds(Voice, MEMBERS, st.integers(0, 3)), max_size=12).map(tuple)
OFFERS = st.lists(
    st.builds(Offer, MEMBERS, st.integers(0, 3), st.integers(0, 3), MINUTE, DAYS), max_size=6
).map(tuple)
WEIGHTS = st.builds(
    Weights, *[st.sampled_from([0, 1, 150, 1_000]) for _ in FORMULAS], st.integers(0, 20)
)


def name(number: int) -> bytes:
    """A need's name, or half a member's."""
    return number.to_bytes(16)


def member(number: int) -> bytes:
    return number.to_bytes(32)


def only(formula: str, **others: int) -> Weights:
    """Weights with which nothing else counts."""
    return Weights(**{**NONE, formula: 1_000, **others})


def voices(numbers: Iterable[int], rank_: int = 2) -> tuple[Voice, ...]:
    return tuple(Voice(member(number), rank_) for number in numbers)


def offers(minutes: dict[int, int], rank_: int = 2, days: int = 0) -> tuple[Offer, ...]:
    """Pledges to the first line, of so many minutes by member, made so many days ago."""
    at_ms = AS_OF_MS - days * DAY_MS
    return tuple(Offer(member(one), rank_, 0, given, at_ms) for one, given in minutes.items())


def need(number: int, **given: Any) -> Ranked:
    """A need made today that asks for ten hours."""
    plain = {"created_ms": AS_OF_MS, "lines": (Line("hours", 600),)}
    return Ranked(name(number), **{**plain, **given})


def summed(number: int, **given: Any) -> Sums:
    """Such a need with what speaks for it added up."""
    return sums_of(need(number, **given), AS_OF_MS, has_pairs=False)


def order(needs: Iterable[Ranked], weights: Weights, as_of_ms: int = AS_OF_MS) -> list[int]:
    """The numbers of needs in their order."""
    return [int.from_bytes(place.need) for place in rank(needs, weights, as_of_ms)]


def with_newcomers(asked: Ranked, kind: str, count: int) -> Ranked:
    """A need after a change that `explain` names, by members who had no part in it."""
    who = [b"new" + number.to_bytes(29) for number in range(count)]
    if kind == "voices":
        more = tuple(Voice(one, 2) for one in who)
        return msgspec.structs.replace(asked, voices=asked.voices + more)
    given = {who[0]: count} if kind == "minutes" and count else dict.fromkeys(who, 120)
    pledged = [
        sum(o.quantity for o in asked.offers if o.line == index and _counts(o))
        for index in range(len(asked.lines))
    ]
    hours = [index for index, line in enumerate(asked.lines) if line.kind == "hours"]
    line = max(hours, key=lambda index: asked.lines[index].goal - pledged[index])
    more_offers = tuple(Offer(one, 2, line, minutes, AS_OF_MS) for one, minutes in given.items())
    return msgspec.structs.replace(asked, offers=asked.offers + more_offers)


def _counts(offer: Offer) -> bool:
    return offer.rank <= 2 and AS_OF_MS - offer.at_ms <= 90 * DAY_MS


@st.composite
def many_needs(draw: st.DrawFn, least: int = 1, most: int = 25) -> list[Ranked]:
    """Needs of a small community, with names of their own."""
    count = draw(st.integers(least, most))
    return [
        Ranked(
            name(number),
            draw(DAYS),
            draw(LINES),
            draw(VOICES),
            draw(OFFERS),
            draw(st.sampled_from(["all", "any", "none"])),
            draw(st.sampled_from(["", "build", "care", "maintain"])),
            draw(st.sampled_from([0, 1]) | DAYS),
            draw(st.booleans()),
        )
        for number in range(count)
    ]
