"""What is said after somebody did something to a need."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, Final

from p2pvalue.amounts import counted, written
from p2pvalue_cli import connection
from p2pvalue_cli.need_pages import OVER, state_text
from p2pvalue_cli.output import day, one_line, say, short

FORGOTTEN_MS: Final = 180 * 24 * 3_600_000
"""A pledge older than this when its need closes does not count (protocol/spec/needs.md)."""


def say_of_same_title(added: dict[str, Any], community: str | None) -> None:
    """Say which other need has the title, since neither is found by it any more."""
    needs = connection.get("/needs", community=community)
    say_of_same_name(
        "need",
        added,
        [(found, state_text(found)) for found in needs if found["state"] not in OVER],
    )


def say_of_same_name(
    noun: str, added: dict[str, Any], every: Iterable[tuple[dict[str, Any], str]]
) -> None:
    """Say which other thing has the title of a new one; each is given with its state in words."""
    others = [
        (found, state)
        for found, state in every
        if found["title"] == added["title"] and found[noun] != added[noun]
    ]
    if others:
        other, state = others[-1]
        say(
            f"{noun} {short(other[noun])} of {one_line(other['name'])} has the same title"
            f" ({state}): name them by their ids, or give this one another with"
            f" p2pvalue {noun} edit {short(added[noun])} --title TITLE"
        )


def say_if_far(need: dict[str, Any]) -> None:
    """Say so if pledges of today are forgotten when a need closes: who asked is to know it, too."""
    counts_from_ms = need["closes"] - FORGOTTEN_MS
    if need["trigger"] != "none" and counts_from_ms > time.time() * 1000:
        say(
            f"pledges count for 180 days: who pledges before {day(counts_from_ms)} is to renew it"
            " then, or name an earlier last day"
        )


def bound_text(bound: list[dict[str, Any]]) -> str:
    """How many pledges bind, and of how many of them something is claimed or confirmed."""
    claimed = sum(bool(pledged["claimed"] or pledged["delivered"]) for pledged in bound)
    told = counted(len(bound), "pledge binds", "pledges bind")
    return f"{told}, {claimed} of them claimed already" if claimed else told


def say_wanted(need: dict[str, Any]) -> None:
    """Say how many want it."""
    say(f"{one_line(need['title'])} is wanted by {counted(need['wants'], 'person', 'people')}")


def say_changed(
    before: dict[str, Any], need: dict[str, Any], pledges: list[dict[str, Any]]
) -> None:
    """Say what was taken away by a change, and how many pledges wait for their authors."""
    say(f"changed {one_line(need['title'])}")
    kept = {(line["kind"], line["unit"]) for line in need["lines"]}
    removed = [line for line in before["lines"] if (line["kind"], line["unit"]) not in kept]
    if removed:
        amounts = (written(line["kind"], line["unit"], line["optimum"]) for line in removed)
        say(f"removed: {one_line('; '.join(amounts))}")
    waiting = (p for p in pledges if p["state"] == "outdated" and not p["renewed_by"])
    count = sum(1 for _ in waiting)
    if count:
        what = "pledge was made before: it counts", "pledges were made before: each counts"
        say(f"{counted(count, *what)} again when who made it renews it (pledge renew)")


def say_closed(need: dict[str, Any]) -> None:
    """Say what came of the pledges."""
    title = one_line(need["title"])
    if need["state"] == "lapsed":
        say(f"closed {title}: too little was pledged, so nobody owes anything")
    elif need["is_closed"]:
        say(f"closed {title}: the pledges bind")
    else:
        say(f"said that {title} is closed: it is when another member says so too")
