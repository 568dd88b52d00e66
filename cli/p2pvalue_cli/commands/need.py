"""Needs: add, change, close, list, show."""

from __future__ import annotations

from typing import Any

import click

from p2pvalue.amounts import written
from p2pvalue_cli import connection
from p2pvalue_cli.amounts import BadAmount, parse_quantity
from p2pvalue_cli.command import Group, community_option
from p2pvalue_cli.dates import day_utc, midnight_utc_ms
from p2pvalue_cli.need_options import described, describing
from p2pvalue_cli.output import ago, day, harmless, one_line, say, short, show, table

STATES = (
    "draft open triggered in-progress claimed confirmed disputed settled lapsed dropped".split()
)
FITTING_MINUTES_MAX = 100_000  # the API's limit
_DONE = ("confirmed", "settled", "lapsed", "dropped")
_TEXTS = {"class": "class", "done when": "acceptance", "gives back": "gives_back"}
_COLUMNS = {
    "OPEN": ("draft", "open"),
    "TO DO": ("triggered",),
    "IN PROGRESS": ("in-progress", "claimed", "disputed"),
    "DONE": ("confirmed", "settled"),
}


as_of_option = click.option(
    "--as-of", metavar="DATE", help="As of the midnight (UTC) that begins DATE; today, if left out."
)


@click.group(cls=Group)
def need() -> None:
    """What a community needs, and what is pledged to it."""


@need.command(
    example="p2pvalue need add 'Fix the roof' --hours 12h..20h --money 200EUR"
    " --material '30 planks'"
)
@click.argument("title")
@describing
@click.option("--draft", is_flag=True, help="Show it as a draft; `need edit --open` ends that.")
@community_option
def add(title: str, draft: bool, community: str | None, **given: Any) -> None:
    """Say what the community needs: at least one amount, or a range of minimum..optimum."""
    fields = described(given)
    if "lines" not in fields:
        raise click.UsageError("say how much is needed: --hours, --money, --material or --skill")
    if draft:
        fields["status"] = "draft"
    added = connection.post("/needs", title=title, community=community, **fields)
    show(added, lambda n: say(f"added {one_line(n['title'])} (need {short(n['need'])})"))
    _say_of_same_title(added, community)


@need.command(example="p2pvalue need edit 'Fix the roof' --deadline 2099-05-31 --class maintain")
@click.argument("reference", metavar="NEED")
@describing
@click.option("--title", help="Another title.")
@click.option("--open", "opens", is_flag=True, help="A draft is one no more.")
@community_option
def edit(
    reference: str, title: str | None, opens: bool, community: str | None, **given: Any
) -> None:
    """Change a NEED: amounts replace all there were, and '' empties, as in `--closes ''`.

    Pledges are given under the amounts, last day, trigger, stewards and confirmers that their
    authors saw: who pledged before these change is asked to renew the pledge.
    """
    fields = described(given)
    if title is not None:
        fields["title"] = title
    if opens:
        fields["status"] = "open"
    if not fields:
        raise click.UsageError("say what is to change: p2pvalue need edit --help lists what can")
    before = connection.get(_path(reference), community=community)
    changed = connection.put(_path(before["need"]), community=community, **fields)
    pledges = connection.get("/pledges", need=before["need"], community=community)
    show(changed, lambda n: _say_changed(n, pledges))


@need.command(example="p2pvalue need close 'Fix the roof'")
@click.argument("reference", metavar="NEED")
@community_option
def close(reference: str, community: str | None) -> None:
    """Close a NEED: if enough is pledged, the pledges bind; if not, nobody owes anything.

    Its stewards can, or who asked for it; and after its last day any two members who have no part
    in it.
    """
    closed = connection.post(f"{_path(reference)}/close", community=community)
    show(closed, _say_closed)


@need.command(example="p2pvalue need drop 'Fix the roof'")
@click.argument("reference", metavar="NEED")
@community_option
def drop(reference: str, community: str | None) -> None:
    """Say that a NEED is needed no more; `need edit --open` takes that back."""
    dropped = connection.put(_path(reference), status="dropped", community=community)
    show(dropped, lambda n: say(f"dropped {one_line(n['title'])}: nobody owes anything to it"))


@need.command(example="p2pvalue need want 'Fix the roof'")
@click.argument("reference", metavar="NEED")
@community_option
def want(reference: str, community: str | None) -> None:
    """Say that you need it, too: one voice each in the order of work."""
    wanted = connection.post(f"{_path(reference)}/want", community=community)
    show(wanted, lambda n: say(f"{one_line(n['title'])} is wanted by {_people(n['wants'])}"))


@need.command(example="p2pvalue need unwant 'Fix the roof'")
@click.argument("reference", metavar="NEED")
@community_option
def unwant(reference: str, community: str | None) -> None:
    """Take back that you need it, too."""
    wanted = connection.post(f"{_path(reference)}/want", wants=False, community=community)
    show(wanted, lambda n: say(f"{one_line(n['title'])} is wanted by {_people(n['wants'])}"))


@need.command(example="p2pvalue need fit 60min")
@click.argument("time")
def fit(time: str) -> None:
    """Show what you could do something for in the TIME that you have, in all communities."""
    try:
        minutes, _ = parse_quantity("hours", time)
    except BadAmount as problem:
        raise click.BadParameter(str(problem), param_hint="TIME") from problem
    if not 1 <= minutes <= FITTING_MINUTES_MAX:
        longest = written("hours", "minute", FITTING_MINUTES_MAX)
        raise click.BadParameter(f"name a time from 1min to {longest}", param_hint="TIME")
    show(connection.get("/fitting", minutes=str(minutes)), _write_fitting)


@need.command(example="p2pvalue need rank")
@as_of_option
@community_option
def rank(as_of: str | None, community: str | None) -> None:
    """Show the order of work: what is open or under way, the first first."""
    query = {} if as_of is None else {"as_of": str(midnight_utc_ms(as_of, "--as-of"))}
    show(connection.get("/order", community=community, **query), _write_order)


@need.command(example="p2pvalue need explain 'Fix the roof'")
@click.argument("reference", metavar="NEED")
@as_of_option
@community_option
def explain(reference: str, as_of: str | None, community: str | None) -> None:
    """Say why a NEED stands where it does, and what would lift it."""
    query = {} if as_of is None else {"as_of": str(midnight_utc_ms(as_of, "--as-of"))}
    path = f"/explain/{connection.quoted(reference)}"
    show(connection.get(path, community=community, **query), _write_explanation)


@need.command("list", example="p2pvalue need list --class care")
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@click.option("--class", "class_", metavar="NAME", help="Only those of this class.")
@click.option("--all", "every", is_flag=True, help="Also what is done, lapsed or dropped.")
@community_option
def list_needs(state: str | None, class_: str | None, every: bool, community: str | None) -> None:
    """List the needs and what is pledged to each; what is over is left out."""
    every_need = connection.get("/needs", community=community)
    needs = [
        found
        for found in every_need
        if (state or every or found["state"] not in _DONE)
        and state in (None, found["state"])
        and class_ in (None, found["class"])
    ]
    show(needs, lambda found: _write_all(found, len(every_need)))


@need.command(example="p2pvalue need board")
@community_option
def board(community: str | None) -> None:
    """Show the needs in columns: open, to do, in progress, done."""
    needs = connection.get("/needs", community=community)
    columns = {
        head: [found for found in needs if found["state"] in states]
        for head, states in _COLUMNS.items()
    }
    show(columns, _write_board)


@need.command("show", example="p2pvalue need show 'Fix the roof'")
@click.argument("reference", metavar="NEED")
@community_option
def show_need(reference: str, community: str | None) -> None:
    """Show a NEED: its title, or the beginning of its id."""
    show(connection.get(_path(reference), community=community), _write_one)


def _path(reference: str) -> str:
    return f"/needs/{connection.quoted(reference)}"


def _say_of_same_title(added: dict[str, Any], community: str | None) -> None:
    """Say which other need has the title, since neither is found by it any more."""
    needs = connection.get("/needs", community=community)
    others = [n for n in needs if n["title"] == added["title"] and n["need"] != added["need"]]
    if others:
        other = others[-1]
        say(
            f"need {short(other['need'])} of {one_line(other['name'])} has the same title"
            f" ({_state(other)}): name them by their ids, or give this one another with"
            f" p2pvalue need edit {short(added['need'])} --title TITLE"
        )


def _say_changed(need: dict[str, Any], pledges: list[dict[str, Any]]) -> None:
    say(f"changed {one_line(need['title'])}")
    count = sum(pledged["state"] == "outdated" for pledged in pledges)
    if count:
        who = "1 pledge was" if count == 1 else f"{count} pledges were"
        say(f"{who} made before: it counts again when who made it renews it (pledge renew)")


def _say_closed(need: dict[str, Any]) -> None:
    title = one_line(need["title"])
    if need["state"] == "lapsed":
        say(f"closed {title}: too little was pledged, so nobody owes anything")
    elif need["is_closed"]:
        say(f"closed {title}: the pledges bind")
    else:
        say(f"said that {title} is closed: it is when another member says so too")


def _write_all(needs: list[dict[str, Any]], count: int) -> None:
    if count and not needs:
        say(f"none of {count}: p2pvalue need list --all shows also what is over")
        return
    if not needs:
        say("no needs yet; add one with: p2pvalue need add TITLE --hours 12h")
        return
    rows = [
        (short(n["need"]), n["title"], "; ".join(map(_line, n["lines"])), _state(n)) for n in needs
    ]
    table(("NEED", "TITLE", "PLEDGED", "STATE"), rows)


def _write_board(columns: dict[str, list[dict[str, Any]]]) -> None:
    depth = max(map(len, columns.values()))
    rows = [
        [found[row]["title"] if row < len(found) else "" for found in columns.values()]
        for row in range(depth)
    ]
    table(tuple(columns), rows)


def _write_one(need: dict[str, Any]) -> None:
    click.secho(one_line(need["title"]), bold=True)
    click.echo(f"{_state(need)}, asked by {one_line(need['name'])} {ago(need['created'])}")
    for words, time in (("pledges until", "closes"), ("to be done by", "deadline")):
        if need[time]:
            click.echo(f"{words} {day(need[time])}")
    for words, text in (
        ("class", "class"),
        ("done when", "acceptance"),
        ("gives back", "gives_back"),
    ):
        if need[text]:
            click.echo(f"{words}: {one_line(need[text])}")
    if need["skills"]:
        click.echo(f"skills: {one_line(', '.join(need['skills']))}")
    _write_people(need)
    if need["body"]:
        click.echo(f"\n{harmless(need['body'])}\n")
    for number, line in enumerate(need["lines"], 1):
        people = _people(line["pledgers"])
        done = written(line["kind"], line["unit"], line["delivered"])
        delivered = one_line(f"; {done} delivered") if line["delivered"] else ""
        click.echo(f"{number}. {_line(line)}, from {people}{delivered}")
    if need["wants"]:
        click.echo(f"wanted by {_people(need['wants'])}{', you too' if need['is_wanted'] else ''}")
    for number, closing in enumerate(need["closings"]):
        changed = ", which changed the outcome" if closing["changed"] and number else ""
        click.echo(f"closed by {one_line(closing['name'])} {ago(closing['time'])}{changed}")
    if need["missing"]:
        click.echo(f"{need['missing']} counted operations are not here yet: nothing is final")


def _write_fitting(found: list[dict[str, Any]]) -> None:
    if not found:
        say("nothing that fits: try more time, or look at p2pvalue need list")
        return
    rows = [
        (
            short(f["need"]),
            f["title"],
            written("hours", "minute", f["minutes"]),
            ", ".join(f["skills"]),
            f["community"],
        )
        for f in found
    ]
    table(("NEED", "TITLE", "TIME", "YOUR SKILLS", "COMMUNITY"), rows)


def _write_order(order: dict[str, Any]) -> None:
    if not order["needs"]:
        say("nothing is open or under way")
        return
    rows = [
        (n["place"], short(n["need"]), n["title"], _points(n["score"]), n["state"], n["lifted"])
        for n in order["needs"]
    ]
    table(("PLACE", "NEED", "TITLE", "POINTS", "STATE", "KEPT FOR"), rows)
    say(f"as of {day_utc(order['as_of'])}; why: p2pvalue need explain NEED")


def _write_explanation(explanation: dict[str, Any]) -> None:
    click.secho(one_line(explanation["place"]["title"]), bold=True)
    for line in explanation["lines"]:
        click.echo(line)
    say(f"as of {day_utc(explanation['as_of'])}")


def _points(score: int) -> str:
    return f"{score // 1_000_000}.{score % 1_000_000 // 100_000}"


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


def _write_people(need: dict[str, Any]) -> None:
    for words, role in (("steward", "stewards"), ("confirmed by", "confirmers")):
        names = ", ".join(person["name"] for person in need[role])
        if names != need["name"]:
            click.echo(f"{words}: {one_line(names)}")


def _state(need: dict[str, Any]) -> str:
    is_enough = need["state"] == "open" and need["is_met"] and need["trigger"] != "none"
    return "open, enough pledged" if is_enough else str(need["state"])


def _line(line: dict[str, Any]) -> str:
    amounts = [
        written(line["kind"], line["unit"], line[end]) for end in ("pledged", "minimum", "optimum")
    ]
    wanted = amounts[1] if amounts[1] == amounts[2] else f"{amounts[1]}..{amounts[2]}"
    return one_line(f"{amounts[0]} of {wanted}")
