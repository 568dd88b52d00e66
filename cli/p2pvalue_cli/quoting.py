"""Texts of several lines that somebody else wrote, so that none of them passes for our own.

Each row begins with a bar, and in a terminal none is longer than it is wide: a long line would go
on at the left edge, where our own lines begin.
"""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Iterator
from typing import Final

import click

from p2pvalue_cli.output import harmless, is_person_reading

BAR: Final = "| "
_TAB_CELLS: Final = 4
_ROW_CELLS_MIN: Final = 20  # in a terminal that is very narrow
_NO_TERMINAL: Final = (0, 0)


def write_quoted(text: str, *, indent: int = 2, head: str = "") -> None:
    """Print a text with a bar before each row; `head`, of ours, stands before the first instead."""
    before = " " * indent + BAR
    width = _width()
    rest = head
    for line in harmless(text).expandtabs(_TAB_CELLS).split("\n"):
        for row in _rows(line, width, len(before), cells(click.unstyle(rest)) if rest else 0):
            click.echo((rest or before) + row)
            rest = ""


def cells(text: str) -> int:
    """How many columns of a terminal a text takes, at most.

    >>> cells("roof"), cells("\u5c4b\u9876")
    (4, 4)
    """
    return sum(map(_cells_of, text))


def _cells_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WFA" else 1


def _width() -> int:
    """How wide the terminal is; 0 if none is there, and lines may be as long as they are."""
    return shutil.get_terminal_size(_NO_TERMINAL).columns if is_person_reading() else 0


def _rows(line: str, width: int, before: int, head: int) -> Iterator[str]:
    """Cut a line into rows, after a space where there is one; the first has `head` before it."""
    row, taken = "", head or before
    for character in line:
        more = _cells_of(character)
        if width and taken + more > max(width, before + _ROW_CELLS_MIN):
            kept, space, carried = row.rpartition(" ")
            if not space:
                kept, carried = row, ""
            yield kept
            row, taken = carried, before + cells(carried)
        row += character
        taken += more
    yield row
