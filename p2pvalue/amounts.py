"""Amounts as people read them: `1h30`, `200 EUR`, `3 planks`."""

from __future__ import annotations


def written(kind: str, unit: str, quantity: int) -> str:
    """Return a quantity in the smallest part of a unit (minutes, cents, pieces) as people write it.

    >>> written("hours", "minute", 90), written("money", "EUR", 20000)
    ('1h30', '200 EUR')
    """
    if kind == "hours":
        hours, minutes = divmod(quantity, 60)
        if not hours and minutes:
            return f"{minutes}min"
        return f"{hours}h{minutes:02d}" if minutes else f"{hours}h"
    if kind == "money":
        whole, cents = divmod(quantity, 100)
        return f"{whole}.{cents:02d} {unit}" if cents else f"{whole} {unit}"
    return f"{quantity} {unit}"
