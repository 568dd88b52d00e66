"""What a person reads: short tables and times, or the answer as JSON for a program.

Names, titles and texts come from strangers: a control character in them could move the cursor,
change what was printed above, or turn the reading direction, so none reaches a terminal.
"""

from __future__ import annotations

import json
import re
import sys
import time
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click

from p2pvalue_cli.command import as_json

V = TypeVar("V")

SHORT_ID_DIGITS = 8
KEPT = "\n\t\N{SOFT HYPHEN}\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
"""Invisible characters that writing needs and that steer nothing."""
_STEERS = ("Cc", "Cf", "Cs", "Zl", "Zp")  # categories, with line ends that are no line feeds
STEERING = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What JSON leaves as it is: terminals take some for commands, and turn the reading direction."""
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400


def show(value: V, write: Callable[[V], object]) -> None:
    """Print an answer: as JSON if asked for, else as `write` prints it."""
    if as_json():
        click.echo(json_text(value))
    else:
        write(value)


def json_text(value: object) -> str:
    """The value as JSON; what could steer a terminal is escaped, and so still there."""
    text = json.dumps(value, ensure_ascii=False)
    return STEERING.sub(lambda found: json.dumps(found.group())[1:-1], text)


def harmless(text: str) -> str:
    """The text without what could steer a terminal; line ends and tabs stay."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(character) in _STEERS and character not in KEPT
        else character
        for character in text
    )


def one_line(text: str) -> str:
    """The text as one harmless line."""
    return " ".join(harmless(text).split())


def say(text: str) -> None:
    """Print a sentence to the person, not to the program that reads our answer."""
    click.echo(text, err=as_json())


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows in aligned columns under their heads."""
    cells = [[one_line(str(cell)) for cell in row] for row in rows]
    widths = [
        max(len(row[column]) for row in [list(heads), *cells]) for column in range(len(heads))
    ]
    head = "  ".join(text.ljust(width) for text, width in zip(heads, widths, strict=True))
    click.secho(head.rstrip(), bold=True)
    for row in cells:
        line = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())


def table_without_empty_end(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows as `table` does, and leave the last column out if nothing is in it."""
    width = len(heads) if any(row[-1] for row in rows) else len(heads) - 1
    table(heads[:width], [row[:width] for row in rows])


def short(hex_id: str) -> str:
    """The beginning of an id: enough to name a thing, and easy to read aloud."""
    return hex_id[:SHORT_ID_DIGITS]


def ago(time_ms: int) -> str:
    """How long ago something was, as people say it; a date when that is long."""
    seconds = time.time() - time_ms / 1000
    if seconds < MINUTE_S:
        return "just now" if seconds > -MINUTE_S else day(time_ms)
    if seconds < HOUR_S:
        return f"{seconds / MINUTE_S:.0f} min ago"
    if seconds < DAY_S:
        return f"{seconds / HOUR_S:.0f} h ago"
    return day(time_ms)


def day(time_ms: int) -> str:
    """A date, in the time zone of this machine."""
    return time.strftime("%Y-%m-%d", time.localtime(time_ms / 1000))


def clock(time_ms: int) -> str:
    """The time of day if it was today, else with the date."""
    then = time.localtime(time_ms / 1000)
    is_today = then[:3] == time.localtime()[:3]
    return time.strftime("%H:%M" if is_today else "%Y-%m-%d %H:%M", then)


def is_person_reading() -> bool:
    """True if the answer goes to a terminal."""
    return sys.stdout.isatty()


def write_whole(text: str) -> None:
    """Print a text: to the byte for a file or a program; a terminal must not be steered by it."""
    if is_person_reading():
        write_text(text)
    else:
        click.echo(text.encode(), nl=False)


def write_file(text: str) -> None:
    """Print a file whose lines end with CR LF; in a terminal they end as its own do."""
    write_whole(text.replace("\r\n", "\n") if is_person_reading() else text)


def write_text(text: str) -> None:
    """Print a text for a person, with a line end behind it."""
    click.echo(harmless(text), nl=not text.endswith("\n"))


def checks(found: list[dict[str, Any]]) -> None:
    """Print the findings of `doctor` and `verify`."""
    for check in found:
        sign = click.style("ok  ", fg="green") if check["is_ok"] else click.style("bad ", fg="red")
        click.echo(f"{sign} {check['check']}: {one_line(check['detail'])}")
