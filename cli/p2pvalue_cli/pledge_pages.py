"""What a person reads of pledges: what was promised and when it binds, lists, one pledge, her plan.

Each act tells whose pledge it was about, how much, and to what.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from p2pvalue.amounts import moment, written
from p2pvalue_cli import connection
from p2pvalue_cli.conditions import conditions_text
from p2pvalue_cli.need_around import binding_text
from p2pvalue_cli.output import ago, one_line, say, short, table

_NO_MORE = ("binding", "claimed", "confirmed")
"""States in which a reason is of what was said before: a dispute taken back, or a part released."""


def amount_text(pledged: dict[str, Any], what: str = "quantity") -> str:
    """How much of a pledge that is, as people write it."""
    return one_line(written(pledged["kind"] or "material", pledged["unit"], pledged[what]))


# --- what is said after an act


def say_made(pledged: dict[str, Any], need: dict[str, Any], names: Mapping[str, str]) -> None:
    """Say what was promised to which need, on which conditions, and when it binds."""
    line = f", line {pledged['line'] + 1}" if len(need["lines"]) > 1 else ""
    say(f"pledged {_to_need(pledged)}{line} (pledge {short(pledged['pledge'])})")
    _say_if_too_much(pledged, need)
    if pledged["conditions"]:
        say(f"if {conditions_text(pledged['conditions'], names)}")
    if pledged["state"] == "unmet":
        say("its conditions do not hold yet: it counts as soon as they do")
    if pledged["state"] == "binding":
        say("it binds you now")
    elif pledged["state"] == "expired":
        say("it does not count: the need closes in more than 180 days, and it is forgotten by then")
        say(f"promise it again later: p2pvalue pledge renew {short(pledged['pledge'])}")
    else:
        last = f", after {moment(need['closes'])}" if need["closes"] else ""
        say(f"it binds you {binding_text(need, 'the need')}{last}")


def _say_if_too_much(pledged: dict[str, Any], need: dict[str, Any]) -> None:
    """Say so if more is pledged with it than is of use; `need` is as it was before."""
    line = need["lines"][pledged["line"]]
    total = line["pledged"] + pledged["quantity"]
    if total > line["optimum"]:
        much, useful = (
            one_line(written(line["kind"], line["unit"], many)) for many in (total, line["optimum"])
        )
        say(f"with it {much} are pledged, more than the {useful} that are of use")


def say_taken(pledged: dict[str, Any]) -> None:
    """Say what was taken over."""
    say(
        f"took over {amount_text(pledged)} of {_title(pledged)} (pledge {short(pledged['pledge'])})"
    )
    if pledged["state"] == "binding":
        say("it binds you now")


def say_back(pledged: dict[str, Any], before: dict[str, Any]) -> None:
    """Say what was taken back or released, and who is to take it over; or that it was before."""
    if pledged == before:
        state = {"void": "has come to nothing"}.get(before["state"], f"was {before['state']}")
        say(f"{_to_need(pledged)} {state} already: nothing to take back")
        return
    if pledged["state"] == "withdrawn":
        say(f"withdrew {amount_text(pledged)} from {_title(pledged)}: you owe nothing of it")
        return
    heir = f"{one_line(pledged['to_name'])} is asked to" if pledged["to"] else "anybody may"
    rest = {**pledged, "quantity": pledged["quantity"] - pledged["bound"]}
    say(f"released {amount_text(rest)} of {_title(pledged)}: {heir} take it over")


def say_claimed(pledged: dict[str, Any]) -> None:
    """Say what is said to be delivered, of how much."""
    whole = amount_text(pledged, "bound")
    say(f"claimed {amount_text(pledged, 'claimed')} of {whole} to {_title(pledged)}")


def say_disputed(pledged: dict[str, Any]) -> None:
    """Say whose claim was disputed."""
    much = amount_text(pledged, "claimed")
    say(f"disputed the {much} that {one_line(pledged['name'])} claims, to {_title(pledged)}")


def say_delivered(pledged: dict[str, Any]) -> None:
    """Say how much counts now, and of whom."""
    much, whole = amount_text(pledged, "delivered"), amount_text(pledged)
    by = one_line(pledged["name"])
    say(f"{much} of the {whole} that {by} pledged to {_title(pledged)} counts as delivered")


def _to_need(pledged: dict[str, Any]) -> str:
    return f"{amount_text(pledged)} to {_title(pledged)}"


def _title(pledged: dict[str, Any]) -> str:
    return one_line(pledged["need_title"])


# --- pages


def write_pledges(pledges: list[dict[str, Any]], count: int) -> None:
    """Print the pledges that were chosen of so many."""
    if not pledges and count:
        say(f"none of {count}: p2pvalue pledge list --all shows also what was renewed")
    elif not pledges:
        say("no pledges yet; make one with: p2pvalue pledge make NEED AMOUNT")
    else:
        rows = [
            (short(p["pledge"]), p["need_title"], amount_text(p), p["name"], ago(p["time"]), _is(p))
            for p in pledges
        ]
        table(("PLEDGE", "NEED", "AMOUNT", "BY", "WHEN", "STATE"), rows)


def _is(pledged: dict[str, Any]) -> str:
    """Where a pledge stands, with the reason if that is why."""
    state = _state(pledged)
    if pledged["renewed_by"]:
        return f"{state}, renewed as {short(pledged['renewed_by'])}"
    is_why = pledged["reason"] and state not in _NO_MORE
    return f"{state}: {pledged['reason']}" if is_why else state


def _state(pledged: dict[str, Any]) -> str:
    left = ", by who is no longer a member: to be settled" if pledged["is_left"] else ""
    return f"{pledged['state']}{left}"


def write_pledge(pledged: dict[str, Any], names: Mapping[str, str]) -> None:
    """Print a pledge and what became of it; `names` are those of members, by their keys."""
    click.secho(_to_need(pledged), bold=True)
    judges = one_line(" and ".join(person["name"] for person in pledged["judges"]))
    state = f"{pledged['state']} by {judges}" if judges else _state(pledged)
    click.echo(f"{state}, pledged by {one_line(pledged['name'])} {ago(pledged['time'])}")
    if pledged["renewed_by"]:
        click.echo(f"renewed: p2pvalue pledge show {short(pledged['renewed_by'])}")
    elif pledged["state"] == "outdated":
        click.echo(f"its terms have changed; to go on: pledge renew {short(pledged['pledge'])}")
    if pledged["state"] == "late":
        click.echo("it had not arrived when the need was closed, and binds nobody")
    for words in ("when", "where"):
        if pledged[words]:
            click.echo(f"{words}: {one_line(pledged[words])}")
    if pledged["reason"]:
        words = "said before" if pledged["state"] in _NO_MORE else "reason"
        click.echo(f"{words}: {one_line(pledged['reason'])}")
    if pledged["to"]:
        click.echo(f"handed to: {one_line(pledged['to_name'])}")
    if pledged["conditions"]:
        click.echo(f"if {conditions_text(pledged['conditions'], names)}")
    for words in ("bound", "claimed", "delivered"):
        if pledged[words]:
            click.echo(f"{words}: {amount_text(pledged, words)}")


def write_plan(plan: dict[str, Any]) -> None:
    """Print the working time that one owes."""
    if not plan["promises"]:
        say("you owe no working time; to find something: p2pvalue need list --featured")
        return
    rows = [
        (
            short(p["pledge"]),
            p["need_title"],
            written("hours", "minute", p["minutes"]),
            f"{'do by' if p['is_deadline'] else 'pledges until'} {moment(p['due'])}"
            if p["due"]
            else "",
            p["state"],
            p["community"],
        )
        for p in plan["promises"]
    ]
    table(("PLEDGE", "NEED", "TIME", "BY WHEN", "STATE", "COMMUNITY"), rows)
    warn_of_too_much()


def warn_of_too_much() -> None:
    """Warn if one promised more working time than one's week has."""
    warning = connection.get("/plan")["warning"]
    if warning:
        click.echo(warning, err=True)


def say_if_too_few(others: int, community: str | None) -> None:
    """Say so if a pledge waits for more people than there are: they may still join."""
    there = connection.get("/community", community=community)["members"] - 1
    if there < others:
        say(f"other members as yet: {there}; it waits for {others - there} more to join")
