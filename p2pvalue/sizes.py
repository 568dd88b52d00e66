"""Numbers of bytes as people read them."""

from __future__ import annotations

from typing import Final

MEBIBYTE: Final = 1024 * 1024
_UNITS: Final = ("KiB", "MiB", "GiB", "TiB")


def said(count_bytes: float) -> str:
    """Return a number of bytes in the unit that fits it.

    >>> said(0), said(1023), said(1536), said(64 * MEBIBYTE), said(1000 * MEBIBYTE)
    ('0 B', '1023 B', '1.5 KiB', '64 MiB', '1,000 MiB')
    """
    if count_bytes < 1024:
        return f"{count_bytes:.0f} B"
    value, unit = count_bytes / 1024, 0
    while value >= 1023.5 and unit + 1 < len(_UNITS):
        value, unit = value / 1024, unit + 1
    digits = f"{value:.1f}".removesuffix(".0") if value < 9.95 else f"{value:,.0f}"
    return f"{digits} {_UNITS[unit]}"
