"""Needs: add, change, close, list, show."""

from __future__ import annotations

from typing import Any

import click

from p2pvalue.amounts import written
from p2pvalue_cli import connection
from p2pvalue_cli.amounts import BadAmount, parse_quantity
from p2pvalue_cli.command import Group, community_option
from p2pvalue_cli.dates import midnight_utc_ms
from p2pvalue_cli.messages import comment as write_comment
from p2pvalue_cli.messages import with_comments
from p2pvalue_cli.need_options import described, describing
from p2pvalue_cli.need_pages import (
    COLUMNS,
    people,
    state_text,
    write_all,
    write_board,
    write_explanation,
    write_fitting,
    write_one,
    write_order,
)
from p2pvalue_cli.need_timeline import write_timeline
from p2pvalue_cli.output import one_line, say, short, show

STATES = (
    "draft open triggered in-progress claimed confirmed disputed settled lapsed dropped".split()
)
FITTING_MINUTES_MAX = 100_000  # the API's limit
_DONE = ("confirmed", "settled", "lapsed", "dropped")
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
    show(wanted, lambda n: say(f"{one_line(n['title'])} is wanted by {people(n['wants'])}"))


@need.command(example="p2pvalue need unwant 'Fix the roof'")
@click.argument("reference", metavar="NEED")
@community_option
def unwant(reference: str, community: str | None) -> None:
    """Take back that you need it, too."""
    wanted = connection.post(f"{_path(reference)}/want", wants=False, community=community)
    show(wanted, lambda n: say(f"{one_line(n['title'])} is wanted by {people(n['wants'])}"))


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
    show(connection.get("/fitting", minutes=str(minutes)), write_fitting)


@need.command(example="p2pvalue need rank")
@as_of_option
@community_option
def rank(as_of: str | None, community: str | None) -> None:
    """Show the order of work: what is open or under way, the first first."""
    query = {} if as_of is None else {"as_of": str(midnight_utc_ms(as_of, "--as-of"))}
    show(connection.get("/order", community=community, **query), write_order)


@need.command(example="p2pvalue need explain 'Fix the roof'")
@click.argument("reference", metavar="NEED")
@as_of_option
@community_option
def explain(reference: str, as_of: str | None, community: str | None) -> None:
    """Say why a NEED stands where it does, and what would lift it."""
    query = {} if as_of is None else {"as_of": str(midnight_utc_ms(as_of, "--as-of"))}
    path = f"/explain/{connection.quoted(reference)}"
    show(connection.get(path, community=community, **query), write_explanation)


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
    show(needs, lambda found: write_all(found, len(every_need)))


@need.command(example="p2pvalue need board")
@community_option
def board(community: str | None) -> None:
    """Show the needs in columns: open, to do, in progress, done."""
    needs = connection.get("/needs", community=community)
    columns = {
        head: [found for found in needs if found["state"] in states]
        for head, states in COLUMNS.items()
    }
    show(columns, write_board)


@need.command("show", example="p2pvalue need show 'Fix the roof'")
@click.argument("reference", metavar="NEED")
@community_option
def show_need(reference: str, community: str | None) -> None:
    """Show a NEED: its title, or the beginning of its id."""
    found = connection.get(_path(reference), community=community)
    show(with_comments(found, found["need"], community), write_one)


@need.command(example="p2pvalue need timeline 'Fix the roof'")
@click.argument("reference", metavar="NEED")
@community_option
def timeline(reference: str, community: str | None) -> None:
    """Show what happened to a NEED and its pledges, when, and by whom."""
    path = f"/timeline/{connection.quoted(reference)}"
    show(connection.get(path, community=community), write_timeline)


@need.command(example="p2pvalue need comment 'Fix the roof' 'Who has a ladder?'")
@click.argument("reference", metavar="NEED")
@click.argument("text")
@community_option
def comment(reference: str, text: str, community: str | None) -> None:
    """Say something about a NEED to everybody; `need show` has the newest."""
    found = connection.get(_path(reference), community=community)
    write_comment(found["need"], found["title"], text, community)


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
            f" ({state_text(other)}): name them by their ids, or give this one another with"
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
