"""Amounts as people write them: `12h`, `1h30`, `2 hours`, `200EUR`, `30 planks`, `12h..20h`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

LineKind = Literal["hours", "money", "material", "skill"]

_CLOCK = re.compile(r"(\d+):([0-5]\d)")
_HOUR_WORDS = "(?:h|hrs?|hours?|std|stunden?|horas?|heures?)[.]?"
_MINUTE_WORDS = "(?:m|mins?|minutes?|minuten?|minutos?)[.]?"
_HOURS = re.compile(
    rf"(\d+(?:[.,]\d{{1,2}})?)\s*{_HOUR_WORDS}(?:\s*([0-5]?\d)\s*(?:{_MINUTE_WORDS})?)?",
    re.IGNORECASE,
)
_MINUTES = re.compile(rf"(\d+)\s*{_MINUTE_WORDS}", re.IGNORECASE)
_MONEY = re.compile(r"(\d+)(?:[.,](\d{2}))?\s*([A-Za-z]{3}|[€$£])|([€$£])\s*(\d+)(?:[.,](\d{2}))?")
_PIECES = re.compile(r"(\d+)\s*(\S.*)?")
_CURRENCY = re.compile(r"[A-Z]{3}|[€$£]|(?i:eur|usd|gbp|chf)$")
_SIGNS = {"€": "EUR", "$": "USD", "£": "GBP"}

QUANTITY_MAX = 10**12
"""What a line of a need can count (protocol/spec/kinds/need.md)."""

EXAMPLES = {
    "hours": "12h, 1h30, 90min or 12h..20h",
    "money": "200EUR, 99.50EUR or 200EUR..300EUR",
    "material": "30 planks or 30..50 planks",
    "skill": "1 carpenter or 1..2 carpenter",
}

_NUMBER = re.compile(r"\d+(?:[.,]\d{1,2})?")


class BadAmount(ValueError):
    """An amount that cannot be read; the message says how to write it."""


class TooMuch(BadAmount):
    """An amount that is read, and beyond what is counted."""


@dataclass(frozen=True)
class Line:
    """A line of a need in its smallest unit: minutes, cents, pieces, people."""

    kind: LineKind
    unit: str
    minimum: int
    optimum: int


def parse_line(kind: LineKind, text: str) -> Line:
    """The line that a text like `12h..20h` asks for; raises BadAmount."""
    low, dots, high = text.partition("..")
    if not dots:
        quantity, unit = parse_quantity(kind, text)
        return Line(kind, unit, quantity, quantity)
    optimum, unit = parse_quantity(kind, high)
    minimum, low_unit = _parse_low(kind, low, high)
    if low_unit not in ("", unit):
        raise BadAmount(f"{text!r} mixes {low_unit} and {unit}: use one unit")
    if minimum > optimum:
        raise BadAmount(f"{text!r} ends below where it begins: write the smaller amount first")
    return Line(kind, unit, minimum, optimum)


def parse_quantity(kind: LineKind, text: str) -> tuple[int, str]:
    """A quantity up to QUANTITY_MAX in its smallest unit, and the unit; raises BadAmount.

    >>> parse_quantity("hours", "1h30"), parse_quantity("money", "99.50 EUR")
    ((90, 'minute'), (9950, 'EUR'))
    """
    quantity, unit = _parsed(kind, text.strip())
    if quantity > QUANTITY_MAX:
        raise TooMuch(f"{text.strip()!r} is too much to be counted: write less")
    return quantity, unit


def _parsed(kind: LineKind, text: str) -> tuple[int, str]:
    if kind == "hours":
        return _minutes(text), "minute"
    if kind == "money":
        return _cents(text)
    found = _PIECES.fullmatch(text)
    if found is None or not found[2] or re.match(r"[.,-]\s*\d", found[2]):
        raise BadAmount(f"{text!r} is no number of things: write for example {_one(kind)}")
    return int(found[1]), found[2].strip()


def parse_amount(text: str) -> tuple[int, str]:
    """A quantity of time, money or things, by how it is written, and its unit; raises BadAmount.

    >>> parse_amount("90min"), parse_amount("1H"), parse_amount("20eur"), parse_amount("5 jam")
    ((90, 'minute'), (60, 'minute'), (2000, 'EUR'), (5, 'jam'))
    """
    kinds: list[LineKind] = ["hours", "material"]
    if _CURRENCY.search(text):
        kinds.insert(1, "money")
    for kind in kinds:
        try:
            return parse_quantity(kind, text)
        except BadAmount:
            continue
    raise BadAmount(f"{text!r} is no amount: write for example 90min, 20EUR or 5 cakes")


def time_meant(text: str) -> str:
    """How a time is written that may be meant by a number with no unit; "" if none is.

    >>> time_meant("3"), time_meant("3 planks")
    ('3h', '')
    """
    return f"{text.strip()}h" if _NUMBER.fullmatch(text.strip()) else ""


def decimal_text(kind: str, quantity: int) -> str:
    """A quantity as other programs read it: money with its hundredths, all else whole.

    >>> decimal_text("money", 2050), decimal_text("hours", 90)
    ('20.50', '90')
    """
    if kind != "money":
        return str(quantity)
    whole, cents = divmod(quantity, 100)
    return f"{whole}.{cents:02d}"


def _parse_low(kind: LineKind, low: str, high: str) -> tuple[int, str]:
    """The smaller end of a range, which may leave the unit to the other end: `12..20h`."""
    try:
        return parse_quantity(kind, low)
    except BadAmount:
        unit = re.sub(r"^[\d.,:\s]+", "", high.strip())
        return parse_quantity(kind, f"{low.strip()} {unit}")


def _one(kind: LineKind) -> str:
    """Examples of one amount, without those of ranges."""
    return EXAMPLES[kind].partition(" or ")[0]


def _minutes(text: str) -> int:
    if found := _CLOCK.fullmatch(text):
        return int(found[1]) * 60 + int(found[2])
    if found := _HOURS.fullmatch(text):
        return int(Decimal(found[1].replace(",", ".")) * 60) + int(found[2] or 0)
    if found := _MINUTES.fullmatch(text):
        return int(found[1])
    advice = time_meant(text) or f"for example {_one('hours')}"
    raise BadAmount(f"{text!r} is no time: write {advice}")


def _cents(text: str) -> tuple[int, str]:
    found = _MONEY.fullmatch(text)
    if found is None:
        raise BadAmount(f"{text!r} is no money: write for example {_one('money')}")
    whole, cents, unit = (found[5], found[6], found[4]) if found[4] else found.group(1, 2, 3)
    return int(whole) * 100 + int(cents or 0), _SIGNS.get(unit, unit.upper())
