"""Amounts, counts and times as people read them: `1h30`, `200 EUR`, `3 planks`, `1 carrier`."""

from __future__ import annotations

import re
import time
from typing import Final

_HISSING: Final = re.compile(r".*(?:ss|x|z|ch|sh)es")
_UNCLEAR: Final = re.compile(r".{0,2}|.*[^s]|.*(?:[aiou'.s]|[io]e)s")
_NO_PLURAL: Final = frozenset(
    "lens means news pliers scissors secateurs series shears species stairs trousers".split()
)


def written(kind: str, unit: str, quantity: int) -> str:
    """Return a quantity in the smallest part of a unit (minutes, cents, pieces) as people write it.

    >>> written("hours", "minute", 90), written("money", "EUR", 20000)
    ('1h30', '200 EUR')
    >>> written("skill", "carriers", 2), written("skill", "carriers", 1)
    ('2 carriers', '1 carrier')
    """
    if kind == "hours":
        hours, minutes = divmod(quantity, 60)
        if not hours and minutes:
            return f"{minutes}min"
        return f"{hours}h{minutes:02d}" if minutes else f"{hours}h"
    if kind == "money":
        whole, cents = divmod(quantity, 100)
        return f"{whole}.{cents:02d} {unit}" if cents else f"{whole} {unit}"
    return f"{quantity} {_one_of(unit) if quantity == 1 else unit}"


def counted(count: int, one: str, many: str = "") -> str:
    """Return so many things in words; `many` is the plural if that is not `one` with an s.

    >>> counted(1, "change"), counted(2, "change"), counted(0, "person", "people")
    ('1 change', '2 changes', '0 people')
    """
    return f"{count} {one if count == 1 else many or one + 's'}"


def moment(time_ms: int) -> str:
    """Return a moment by the clock of this machine, with its zone: `2026-12-31 23:59 CET`."""
    return time.strftime("%Y-%m-%d %H:%M %Z", time.localtime(time_ms / 1000)).rstrip()


def _one_of(unit: str) -> str:
    """Return what one of a thing is called; as its author wrote it where that is not clear.

    >>> [_one_of(unit) for unit in ("boxes", "keys", "potatoes", "Glas", "bags of soil")]
    ['box', 'key', 'potatoes', 'Glas', 'bags of soil']
    """
    if " " in unit or unit.casefold() in _NO_PLURAL:
        return unit
    if _HISSING.fullmatch(unit):
        return unit[:-2]
    return unit if _UNCLEAR.fullmatch(unit) else unit[:-1]
