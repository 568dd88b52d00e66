"""Contributions: add, list, witness, withdraw, export."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from p2pvalue.amounts import counted, written
from p2pvalue_cli import connection
from p2pvalue_cli.amount_words import amount_argument, minutes_of
from p2pvalue_cli.amounts import BadAmount, parse_amount
from p2pvalue_cli.command import Group, community_option
from p2pvalue_cli.dates import begin_of_day_ms, noon_of_day_ms
from p2pvalue_cli.failures import Failed
from p2pvalue_cli.output import day, one_line, say, short, show, table, write_whole

_LINKED = (".json", ".jsonld")
"""How the name of a file ends in which JSON-LD is looked for."""

_reference = click.argument("reference", metavar="CONTRIBUTION")


@click.group(cls=Group)
def contribution() -> None:
    """What was done, by whom, and who saw it.

    Pledges that were confirmed are here by themselves. Nothing is added up by person.
    """


@contribution.command(
    example="p2pvalue contribution add 'Minutes of May' 90min --class care --day 2025-05-03"
)
@click.argument("title")
@amount_argument()
@click.option("--class", "class_", default="", metavar="NAME", help="build, maintain, care, …")
@click.option("--need", default="", metavar="NEED", help="The need that it was for.")
@click.option("--day", "date", metavar="DATE", help="When it was done, as 2026-05-03; else today.")
@community_option
def add(
    title: str, amount: str, class_: str, need: str, date: str | None, community: str | None
) -> None:
    """Write down what you did, and how much: 90min, 20EUR, 5 cakes."""
    try:
        quantity, unit = parse_amount(amount)
    except BadAmount as problem:
        raise click.UsageError(str(problem)) from problem
    if not quantity:
        raise click.UsageError("a contribution is of more than 0: say how much it was")
    fields: dict[str, Any] = {"class": class_}
    if date is not None:
        fields["day"] = noon_of_day_ms(date, "--day")
    added = connection.post(
        "/contributions",
        title=title,
        quantity=quantity,
        unit=unit,
        need=need,
        community=community,
        **fields,
    )
    show(
        added,
        lambda c: say(
            f"wrote down {one_line(c['title'])}, {_amount(c)}"
            f" (contribution {short(c['contribution'])})"
        ),
    )


def _filtering(function: Any) -> Any:
    """Give a command the options that choose among contributions."""
    for option in (
        click.option("--since", metavar="DATE", help="Only those from DATE on, as 2026-05-01."),
        click.option("--need", default="", metavar="NEED", help="Only those for this need."),
        click.option("--class", "class_", default="", metavar="NAME", help="Only of this class."),
        click.option("--member", default="", metavar="MEMBER", help="Only those of this member."),
    ):
        function = option(function)
    return function


@contribution.command("list", example="p2pvalue contribution list --class care --since 2025-01-01")
@_filtering
@click.option(
    "--sum",
    "summed",
    type=click.Choice(["class", "need"]),
    default="class",
    help="Add up by class (as if not given) or by need.",
)
@community_option
def list_contributions(summed: str, community: str | None, **chosen: Any) -> None:
    """List what was done, oldest first, and what it comes to."""
    show(_found(chosen, community), lambda found: _write(found, summed))


@contribution.command(example="p2pvalue contribution witness 'Minutes of May'")
@_reference
@community_option
def witness(reference: str, community: str | None) -> None:
    """Say that you saw a CONTRIBUTION of somebody else: its title, or the beginning of its id."""
    seen = _told("witness", reference, community)
    show(seen, lambda c: say(f"you witness {one_line(c['title'])} of {one_line(c['name'])}"))


@contribution.command(example="p2pvalue contribution withdraw 'Minutes of May'")
@_reference
@community_option
def withdraw(reference: str, community: str | None) -> None:
    """Take back a CONTRIBUTION that you wrote down."""
    taken = _told("withdraw", reference, community)
    show(taken, lambda c: say(f"took back {one_line(c['title'])}"))


@contribution.command(example="p2pvalue contribution suggest")
@community_option
def suggest(community: str | None) -> None:
    """Show what you looked after and did not write down; your machine noticed, nobody else."""
    show(connection.get("/suggestions", community=community), _write_suggested)


@contribution.command(example="p2pvalue contribution accept 4f1c 30min")
@click.argument("suggestion")
@amount_argument("time")
@community_option
def accept(suggestion: str, time: str, community: str | None) -> None:
    """Write down a SUGGESTION, and how much TIME it took: from now on others see it."""
    minutes = minutes_of(time, "TIME")
    if not minutes:
        raise click.UsageError("a contribution is of more than 0: say how long it took")
    path = f"/suggestions/{connection.quoted(suggestion)}/accept"
    added = connection.post(path, minutes=minutes, community=community)
    show(added, lambda c: say(f"wrote down {one_line(c['title'])}, {_amount(c)}"))


@contribution.command(example="p2pvalue contribution dismiss 4f1c")
@click.argument("suggestion")
@community_option
def dismiss(suggestion: str, community: str | None) -> None:
    """Wave a SUGGESTION away: this device never makes it again, and nobody is told."""
    path = f"/suggestions/{connection.quoted(suggestion)}/dismiss"
    gone = connection.post(path, community=community)
    show(gone, lambda s: say(f"dismissed {one_line(s['title'])}"))


@contribution.command(example="p2pvalue contribution export may.csv --since 2025-05-01")
@click.argument("target", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "valueflows"]),
    help="For spreadsheets, or Valueflows as JSON-LD. If not given: the latter into a FILE that"
    " ends in .json or .jsonld, else the former.",
)
@click.option("--force", is_flag=True, help="Write over FILE.")
@_filtering
@community_option
def export(
    target: Path, form: str | None, force: bool, community: str | None, **chosen: Any
) -> None:
    """Write what was done to FILE; `-` is standard output."""
    from p2pvalue_cli.fact_files import csv_text, valueflows_text

    if form is None:
        form = "valueflows" if target.suffix.lower() in _LINKED else "csv"
    found = _found(chosen, community)
    if form == "csv":
        text = csv_text(found)
    else:
        text = valueflows_text(found, connection.get("/community", community=community))
    if str(target) == "-":
        write_whole(text)
        return
    try:
        with target.open("w" if force else "x", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError as error:
        raise Failed(f"{target} is there already: name another file, or use --force") from error
    except OSError as error:
        raise Failed(f"{target} was not written ({error.strerror})") from error
    count = counted(len(found), "contribution")
    answer = {"file": str(target), "format": form, "count": len(found)}
    show(answer, lambda _: say(f"wrote {count} to {target}"))


def _found(chosen: dict[str, Any], community: str | None) -> list[dict[str, Any]]:
    since = chosen["since"]
    query = {
        "member": chosen["member"],
        "class": chosen["class_"],
        "need": chosen["need"],
        "since": None if since is None else begin_of_day_ms(since, "--since"),
    }
    found: list[dict[str, Any]] = connection.get("/contributions", community=community, **query)
    return found


def _told(act: str, reference: str, community: str | None) -> dict[str, Any]:
    path = f"/contributions/{connection.quoted(reference)}/{act}"
    told: dict[str, Any] = connection.post(path, community=community)
    return told


def _amount(found: dict[str, Any]) -> str:
    return one_line(written(found["kind"], found["unit"], found["quantity"]))


def _write_suggested(found: Sequence[dict[str, Any]]) -> None:
    if not found:
        say("nothing that is not written down; for anything else: p2pvalue contribution add")
        return
    rows = [(short(s["suggestion"]), day(s["day"]), s["title"], s["why"]) for s in found]
    table(("ID", "DAY", "WHAT", "WHY"), rows)
    say("to write one down: p2pvalue contribution accept ID TIME; not to: contribution dismiss ID")


def _write(found: Sequence[dict[str, Any]], summed: str) -> None:
    if not found:
        say("nothing yet; write something down with: p2pvalue contribution add TITLE 90min")
        return
    rows = [
        (
            day(c["day"]),
            c["title"],
            _amount(c),
            c["class"],
            c["name"],
            ", ".join(sorted(person["name"] for person in c["witnesses"])),
            short(c["contribution"]),
        )
        for c in found
    ]
    table(("DAY", "WHAT", "AMOUNT", "CLASS", "BY", "SEEN BY", "ID"), rows)
    for name, amounts in _sums(found, "class" if summed == "class" else "need_title").items():
        click.echo(f"{one_line(name) or f'without {summed}'}: {one_line(amounts)}")


def _sums(found: Sequence[dict[str, Any]], field: str) -> dict[str, str]:
    """What it comes to by class or need, each unit by itself."""
    sums: dict[str, Counter[tuple[str, str]]] = {}
    for one in found:
        sums.setdefault(one[field], Counter())[one["kind"], one["unit"]] += one["quantity"]
    return {
        name: ", ".join(written(*unit, quantity) for unit, quantity in sorted(amounts.items()))
        for name, amounts in sorted(sums.items())
    }
