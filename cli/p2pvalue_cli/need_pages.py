"""What a person reads of needs: lists, the board, one need, and the order of work."""

from __future__ import annotations

import shutil
import time
from typing import Any

import click

from p2pvalue.amounts import counted, moment, written
from p2pvalue_cli.dates import day_utc
from p2pvalue_cli.output import (
    ago,
    harmless,
    is_person_reading,
    one_line,
    say,
    short,
    table,
    table_without_empty_end,
)
from p2pvalue_cli.quoting import write_quoted

COLUMNS = {
    "OPEN": ("draft", "open"),
    "TO DO": ("triggered",),
    "IN PROGRESS": ("in-progress", "claimed", "disputed"),
    "DONE": ("confirmed", "settled"),
}
"""The columns of the board, and the states of the needs in each."""

NO_NEEDS = "no needs yet; add one with: p2pvalue need add TITLE --hours 12h"
BAR_CELLS = 10
OVER = ("confirmed", "settled", "lapsed", "dropped")
"""States of needs that are over."""

_PLEDGING = ("draft", "open")
_DONE_SHOWN = 10  # of what is done, the newest
_BOARD_CHARS = 100  # where no terminal says how wide it is


def bar(line: dict[str, Any]) -> str:
    """A line as a bar: `#` is pledged, `-` lacks to the minimum, `.` to the optimum.

    >>> bar({"pledged": 120, "minimum": 360, "optimum": 600})
    '[##----....]'
    """
    whole: int = max(line["optimum"], 1)
    pledged: int = min(line["pledged"] * BAR_CELLS // whole, BAR_CELLS)
    least: int = -(-line["minimum"] * BAR_CELLS // whole)
    if line["pledged"] >= line["minimum"]:
        pledged = max(pledged, least)
    return "[" + ("#" * pledged).ljust(least, "-").ljust(BAR_CELLS, ".") + "]"


def write_needs(needs: list[dict[str, Any]]) -> None:
    """Print needs as a table; the next day of each, if any has one."""
    rows = [(short(n["need"]), n["title"], _amounts(n), state_text(n), _next_day(n)) for n in needs]
    table_without_empty_end(("NEED", "TITLE", "PLEDGED", "STATE", "BY WHEN"), rows)


def _next_day(need: dict[str, Any]) -> str:
    """The first day to pledge if that is to come, else the last, else when it is to be done."""
    if need["state"] in _PLEDGING and need["opens"] > time.time() * 1000:
        return f"pledge from {moment(need['opens'])}"
    if need["state"] in _PLEDGING and need["closes"]:
        return f"pledge by {moment(need['closes'])}"
    is_over = need["state"] in OVER
    return f"do by {moment(need['deadline'])}" if need["deadline"] and not is_over else ""


def _amounts(need: dict[str, Any]) -> str:
    """What is pledged; of a need that was settled also what came of it, which may be less."""
    told = "; ".join(map(line_text, need["lines"]))
    if need["state"] != "settled":
        return told
    came = "; ".join(written(li["kind"], li["unit"], li["delivered"]) for li in need["lines"])
    return f"{told}, delivered: {came}"


def write_all(needs: list[dict[str, Any]], count: int) -> None:
    """Print the needs that were chosen of so many."""
    if needs:
        write_needs(needs)
    elif count:
        say(f"none of {count}: p2pvalue need list --all shows also what is over")
    else:
        say(NO_NEEDS)


def write_board(columns: dict[str, list[dict[str, Any]]]) -> None:
    """Print needs in columns as wide as the terminal, with how many there are in each."""
    whole = shutil.get_terminal_size((_BOARD_CHARS, 24)).columns if is_person_reading() else 0
    width = max((whole or _BOARD_CHARS) // len(columns) - 2, 12)
    heads = [f"{head} ({len(found)})" for head, found in columns.items()]
    shown = {**columns, "DONE": columns["DONE"][-_DONE_SHOWN:]}
    depth = max(map(len, shown.values()))
    rows = [
        [_cut(found[row]["title"], width) if row < len(found) else "" for found in shown.values()]
        for row in range(depth)
    ]
    table(heads, rows)
    hidden = len(columns["DONE"]) - len(shown["DONE"])
    if hidden:
        say(f"{counted(hidden, 'more is', 'more are')} done: p2pvalue need list --all")


def _cut(title: str, width: int) -> str:
    line = one_line(title)
    return line if len(line) <= width else line[: width - 1] + "…"


def write_one(need: dict[str, Any]) -> None:
    """Print what a need says of itself, and where it stands."""
    click.secho(one_line(need["title"]), bold=True)
    click.echo(f"{state_text(need)}, asked by {one_line(need['name'])} {ago(need['created'])}")
    for words, end in (
        ("pledges from", "opens"),
        ("pledges until", "closes"),
        ("to be done by", "deadline"),
    ):
        if need[end]:
            click.echo(f"{words} {moment(need[end])}")
    for words, text in (
        ("project", "project_title"),
        ("class", "class"),
        ("done when", "acceptance"),
        ("gives back", "gives_back"),
    ):
        if need[text]:
            click.echo(f"{words}: {one_line(need[text])}")
    if need["skills"]:
        click.echo(f"skills: {one_line(', '.join(need['skills']))}")
    _write_named(need)
    if need["body"]:
        click.echo()
        write_quoted(need["body"])
        click.echo()
    if need["origin"]:
        origin = need["origin"]
        click.echo(f"from a message of {one_line(origin['name'])}: {one_line(origin['text'])}")
    elif need["message"]:
        click.echo(f"from message {short(need['message'])}, which is not among the newest here")
    for number, line in enumerate(need["lines"], 1):
        who = counted(line["pledgers"], "person", "people")
        done = written(line["kind"], line["unit"], line["delivered"])
        delivered = one_line(f"; {done} delivered") if line["delivered"] else ""
        click.echo(f"{number}. {bar(line)} {line_text(line)}, from {who}{delivered}")
    if need["wants"]:
        wanting = counted(need["wants"], "person", "people")
        click.echo(f"wanted by {wanting}{', you too' if need['is_wanted'] else ''}")
    for number, closing in enumerate(need["closings"]):
        changed = ", which changed the outcome" if closing["changed"] and number else ""
        click.echo(f"closed by {one_line(closing['name'])} {ago(closing['time'])}{changed}")
    if need["missing"]:
        missing = counted(need["missing"], "counted operation waits", "counted operations wait")
        click.echo(f"{missing} for a key: nothing is final")


def write_fitting(found: list[dict[str, Any]]) -> None:
    """Print what one could do something for."""
    _write_fitting(found, "nothing that fits: try more time, or look at p2pvalue need list")


def write_featured(found: list[dict[str, Any]]) -> None:
    """Print what is good to begin with, and how to begin."""
    _write_fitting(found, "nothing small is open: look at p2pvalue need list")
    if found:
        first = f"{short(found[0]['need'])} {written('hours', 'minute', found[0]['minutes'])}"
        say(f"begin for example with: p2pvalue pledge make {first}")


def _write_fitting(found: list[dict[str, Any]], otherwise: str) -> None:
    if not found:
        say(otherwise)
        return
    rows = [
        (
            short(f["need"]),
            f["title"] + (" (good for a first time)" if f["is_first"] else ""),
            written("hours", "minute", f["minutes"]),
            ", ".join(f["skills"]),
            f["community"],
        )
        for f in found
    ]
    table(("NEED", "TITLE", "TIME", "YOUR SKILLS", "COMMUNITY"), rows)


def write_order(order: dict[str, Any]) -> None:
    """Print the order of work."""
    if not order["needs"]:
        say("nothing is open or under way; add a need with: p2pvalue need add TITLE --hours 12h")
        return
    rows = [
        (n["place"], short(n["need"]), n["title"], _points(n["score"]), n["state"], n["lifted"])
        for n in order["needs"]
    ]
    table(("PLACE", "NEED", "TITLE", "POINTS", "STATE", "KEPT FOR"), rows)
    say(f"as of {day_utc(order['as_of'])}; why: p2pvalue need explain NEED")


def write_explanation(explanation: dict[str, Any]) -> None:
    """Print why a need stands where it does."""
    click.secho(one_line(explanation["place"]["title"]), bold=True)
    for line in explanation["lines"]:
        click.echo(" ".join(harmless(line).split("\n")))
    say(f"as of {day_utc(explanation['as_of'])}")


def _points(score: int) -> str:
    return f"{score // 1_000_000}.{score % 1_000_000 // 100_000}"


def _write_named(need: dict[str, Any]) -> None:
    for words, role, does in (
        ("steward", "stewards", "settle"),
        ("confirmed by", "confirmers", "confirm"),
    ):
        people = need[role]
        names = ", ".join(f"{p['name']} (gone)" if p["is_out"] else p["name"] for p in people)
        if names != need["name"]:
            click.echo(f"{words}: {one_line(names)}")
        if all(person["is_out"] for person in people):
            click.echo(f"  so any member who is no party may {does}")
    if need["state"] == "open" and need["trigger"] != "none" and not need["closes"]:
        _write_who_closes(need)


def _write_who_closes(need: dict[str, Any]) -> None:
    """Say what to do if nobody is left who could close a need without a last day."""
    if all(person["is_out"] for person in need["stewards"]):
        click.echo(
            "nobody is left to close it: a founder or an admin gives it another steward with"
            f" p2pvalue need edit {short(need['need'])} --steward MEMBER, and pledges are renewed"
        )


def state_text(need: dict[str, Any]) -> str:
    """Where a need stands, in words."""
    is_enough = need["state"] == "open" and need["is_met"] and need["trigger"] != "none"
    return "open, enough pledged" if is_enough else str(need["state"])


def line_text(line: dict[str, Any]) -> str:
    """How much is pledged of what a line asks for."""
    amounts = [
        written(line["kind"], line["unit"], line[end]) for end in ("pledged", "minimum", "optimum")
    ]
    wanted = amounts[1] if amounts[1] == amounts[2] else f"{amounts[1]}..{amounts[2]}"
    return one_line(f"{amounts[0]} of {wanted}")
