"""What `need show` tells beside the need itself: how it binds, who pledged, what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from p2pvalue.amounts import written
from p2pvalue_cli import connection
from p2pvalue_cli.command import command_line
from p2pvalue_cli.conditions import conditions_text, names_in
from p2pvalue_cli.output import one_line, short

PLEDGES_SHOWN_MAX = 20
_BINDS = {
    "all": "when {it} closes with all minimums pledged",
    "any": "when {it} closes with any minimum pledged",
    "none": "at once",
}
_ASKED = {
    "claim": "you promised {amount}; when it is done:",
    "confirm": "{name} claims {amount}; if you saw it:",
    "settle": "{name} claims {amount}, and it is disputed; you may decide:",
    "take": "{name} gave back {amount}; you can take it over:",
    "renew": "its terms have changed; to promise {amount} again:",
    "close": "you can close it:",
}
_LEFT = "{name} is no longer a member and owes {amount}; to say what counts:"


def write_around(need: dict[str, Any], community: str | None) -> None:
    """Print what belongs to a need: two or three questions to the daemon."""
    if not need["is_closed"] and need["state"] != "dropped":
        click.echo(f"pledges bind {binding_text(need)}")
    if need["estimate"]:
        click.echo(f"takes about {written('hours', 'minute', need['estimate'])}")
    if need["depends"]:
        known = {n["need"]: n for n in connection.get("/needs", community=community)}
        for subject in need["depends"]:
            click.echo(f"comes after {_title(subject, known)}")
    every = connection.get("/pledges", need=need["need"], community=community)
    pledges = [pledge for pledge in every if not pledge["renewed_by"]]
    shown = pledges[-PLEDGES_SHOWN_MAX:]
    waiting = [condition for pledge in shown for condition in _unmet(pledge)]
    names = names_in(waiting, community)
    for pledge in shown:
        amount = one_line(_amount(pledge))
        click.echo(f"  {short(pledge['pledge'])}  {amount}, {_who(pledge, names)}")
    if len(pledges) > PLEDGES_SHOWN_MAX:
        words = ["pledge", "list", "--need", short(need["need"])]
        before = len(pledges) - PLEDGES_SHOWN_MAX
        click.echo(f"  and {before} before these: {command_line(words, community)}")
    for step in connection.get(f"/steps/{need['need']}", community=community):
        click.echo(_next(need, step, community))


def binding_text(need: dict[str, Any], it: str = "it") -> str:
    """When pledges to a need that is not closed bind, in words; `it` is what the need is called."""
    return _BINDS[need["trigger"]].format(it=it)


def _title(subject: str, known: dict[str, dict[str, Any]]) -> str:
    """Another need with its state, or its id while it has not arrived."""
    if subject not in known:
        return f"need {short(subject)}, which is not here yet"
    return one_line(f"{known[subject]['title']} ({known[subject]['state']})")


def _unmet(pledge: dict[str, Any]) -> list[dict[str, Any]]:
    """The conditions of a pledge, if it waits for one of them."""
    conditions: list[dict[str, Any]] = pledge["conditions"] if pledge["state"] == "unmet" else []
    return conditions


def _who(pledge: dict[str, Any], names: Mapping[str, str]) -> str:
    when = f" ({one_line(pledge['when'])})" if pledge["when"] else ""
    left = ", no longer a member" if pledge["is_left"] else ""
    unmet = ", if " + conditions_text(_unmet(pledge), names) if _unmet(pledge) else ""
    return f"{one_line(pledge['name'])}{left}{when}: {pledge['state']}{unmet}"


def _next(need: dict[str, Any], step: dict[str, Any], community: str | None) -> str:
    words = ["pledge", step["act"], short(step["pledge"])]
    if step["act"] == "close":
        words = ["need", "close", short(need["need"])]
    if step["act"] == "settle":
        words.append("AMOUNT")
    form = _LEFT if step["act"] == "settle" and step["is_left"] else _ASKED[step["act"]]
    asked = form.format(name=step["name"], amount=_amount(step))
    return f"{one_line(asked)} {command_line(words, community)}"


def _amount(of: dict[str, Any]) -> str:
    return written(of["kind"] or "material", of["unit"], of["quantity"])
