"""Needs: add, change, close, list, show."""

from __future__ import annotations

import time
from typing import Any

import click

from p2pvalue.amounts import written
from p2pvalue_cli import connection
from p2pvalue_cli.amount_words import amount_argument, minutes_of
from p2pvalue_cli.asking import confirm, yes_option
from p2pvalue_cli.command import Group, community_option
from p2pvalue_cli.dates import midnight_utc_ms
from p2pvalue_cli.messages import comment as write_comment
from p2pvalue_cli.messages import with_comments, write_comments
from p2pvalue_cli.need_around import write_around
from p2pvalue_cli.need_options import described, describing
from p2pvalue_cli.need_pages import (
    COLUMNS,
    NO_NEEDS,
    OVER,
    write_all,
    write_board,
    write_explanation,
    write_featured,
    write_fitting,
    write_one,
    write_order,
)
from p2pvalue_cli.need_said import (
    bound_text,
    say_changed,
    say_closed,
    say_if_far,
    say_of_same_title,
    say_wanted,
)
from p2pvalue_cli.need_text import read_need
from p2pvalue_cli.need_timeline import write_timeline
from p2pvalue_cli.output import one_line, say, short, show, write_file
from p2pvalue_cli.reading import SOURCE, text_from

STATES = (
    "draft open triggered in-progress claimed confirmed disputed settled lapsed dropped".split()
)
FITTING_MINUTES_MAX = 100_000  # the API's limit
as_of_option = click.option(
    "--as-of", metavar="DATE", help="As of the midnight (UTC) that begins DATE; today, if left out."
)


@click.group(cls=Group)
def need() -> None:
    """What a community needs, and what is pledged to it."""


@need.command(
    example="p2pvalue need add 'Fix the roof' --hours 12h..20h --money 200EUR"
    " --material '30 planks'\np2pvalue need add --from roof.txt"
)
@click.argument("title", required=False)
@describing
@click.option("--draft", is_flag=True, help="Show it as a draft; `need edit --open` ends that.")
@click.option(
    "--from",
    "source",
    type=SOURCE,
    metavar="FILE",
    help="A text, `-` for standard input: a title, lines such as `--hours 12h`, and a body.",
)
@click.option(
    "--from-message",
    "message",
    metavar="MESSAGE",
    help="A message, by its first line or id (chat list --ids): its title and body.",
)
@community_option
def add(
    title: str | None,
    draft: bool,
    source: str | None,
    message: str | None,
    community: str | None,
    **given: Any,
) -> None:
    """Say what the community needs: at least one amount, or a range of minimum..optimum."""
    if source is not None:
        title = _take_text(text_from(source), title, given)
    if title is None and message is None:
        raise click.UsageError("say what is needed: give a TITLE, or --from, or --from-message")
    fields = described(given)
    if "lines" not in fields:
        raise click.UsageError("say how much is needed: --hours, --money, --material or --skill")
    if draft:
        fields["status"] = "draft"
    added = connection.post("/needs", title=title, message=message, community=community, **fields)
    show(added, lambda n: say(f"added {one_line(n['title'])} (need {short(n['need'])})"))
    say_of_same_title(added, community)
    say_if_far(added)


def _take_text(text: str, title: str | None, given: dict[str, Any]) -> str:
    """Take amounts and body from a text; return its title, unless there is one."""
    read = read_need(text, has_title=title is None)
    for kind, amounts in read.amounts.items():
        given[kind] = (*given[kind], *amounts)
    if given["body"] is None and read.body:
        given["body"] = read.body
    return read.title if title is None else title


@need.command(example="p2pvalue need edit 'Fix the roof' --deadline 2099-05-31 --class maintain")
@click.argument("reference", metavar="NEED")
@describing
@click.option("--title", help="Another title.")
@click.option("--open", "is_open", is_flag=True, help="A draft is one no more.")
@community_option
def edit(
    reference: str, title: str | None, is_open: bool, community: str | None, **given: Any
) -> None:
    """Change a NEED: amounts replace all there were, and '' empties, as in `--closes ''`.

    Pledges are given under the amounts, last day, trigger, stewards and confirmers that their
    authors saw: who pledged before these change is asked to renew the pledge.
    """
    fields = described(given)
    if title is not None:
        fields["title"] = title
    if is_open:
        fields["status"] = "open"
    if not fields:
        raise click.UsageError("say what is to change: p2pvalue need edit --help lists what can")
    before = connection.get(_path(reference), community=community)
    changed = connection.put(_path(before["need"]), community=community, **fields)
    pledges = connection.get("/pledges", need=before["need"], community=community)
    show(changed, lambda n: say_changed(before, n, pledges))
    if changed["closes"] != before["closes"]:
        say_if_far(changed)


@need.command(example="p2pvalue need close 'Fix the roof'")
@click.argument("reference", metavar="NEED")
@yes_option
@community_option
def close(reference: str, yes: bool, community: str | None) -> None:
    """Close a NEED: if enough is pledged, the pledges bind; if not, nobody owes anything.

    Its stewards can, or who asked for it if it has none; and after its last day any two members who
    have no part in it. With too little pledged it is over for good, and you are asked.
    """
    found = connection.get(_path(reference), community=community)
    if _would_lapse(found, community):
        question = f"Too little is pledged: let {one_line(found['title'])} lapse for good?"
        confirm(question, is_sure=yes)
    closed = connection.post(f"{_path(found['need'])}/close", community=community)
    show(closed, say_closed)


@need.command(example="p2pvalue need drop 'Fix the roof'")
@click.argument("reference", metavar="NEED")
@yes_option
@community_option
def drop(reference: str, yes: bool, community: str | None) -> None:
    """Say that a NEED is needed no more; `need edit --open` takes that back.

    You are asked if pledges bind. What is claimed or confirmed already stays.
    """
    found = connection.get(_path(reference), community=community)
    pledges = connection.get("/pledges", need=found["need"], community=community)
    bound = [pledged for pledged in pledges if pledged["bound"]]
    if bound and found["state"] != "dropped":
        confirm(f"{bound_text(bound)}: drop {one_line(found['title'])}?", is_sure=yes)
    dropped = connection.put(_path(found["need"]), status="dropped", community=community)
    show(dropped, lambda n: say(f"dropped {one_line(n['title'])}: nobody owes anything to it"))


@need.command(example="p2pvalue need want 'Fix the roof'")
@click.argument("reference", metavar="NEED")
@community_option
def want(reference: str, community: str | None) -> None:
    """Say that you need it, too: one voice each in the order of work."""
    wanted = connection.post(f"{_path(reference)}/want", community=community)
    show(wanted, say_wanted)


@need.command(example="p2pvalue need unwant 'Fix the roof'")
@click.argument("reference", metavar="NEED")
@community_option
def unwant(reference: str, community: str | None) -> None:
    """Take back that you need it, too."""
    wanted = connection.post(f"{_path(reference)}/want", wants=False, community=community)
    show(wanted, say_wanted)


@need.command(example="p2pvalue need fit 60min")
@amount_argument("time_given", metavar="TIME")
def fit(time_given: str) -> None:
    """Show what you could do something for in the TIME that you have, in all communities.

    What takes longer by its estimate is left out.
    """
    minutes = minutes_of(time_given, "TIME")
    if not 1 <= minutes <= FITTING_MINUTES_MAX:
        longest = written("hours", "minute", FITTING_MINUTES_MAX)
        raise click.BadParameter(f"name a time from 1min to {longest}", param_hint="TIME")
    show(connection.get("/fitting", minutes=str(minutes)), write_fitting)


@need.command(example="p2pvalue need rank -n 10")
@click.option("-n", "--most", type=click.IntRange(1), metavar="N", help="Only the first N.")
@as_of_option
@community_option
def rank(most: int | None, as_of: str | None, community: str | None) -> None:
    """Show the order of work: what is open or under way, the first first."""
    query = {} if as_of is None else {"as_of": str(midnight_utc_ms(as_of, "--as-of"))}
    order = connection.get("/order", community=community, **query)
    count = len(order["needs"])
    order["needs"] = order["needs"][:most]
    show(order, write_order)
    if count > len(order["needs"]):
        say(f"the first {len(order['needs'])} of {count}")


@need.command(example="p2pvalue need explain 'Fix the roof'")
@click.argument("reference", metavar="NEED")
@as_of_option
@community_option
def explain(reference: str, as_of: str | None, community: str | None) -> None:
    """Say why a NEED stands where it does, and what would lift it."""
    query = {} if as_of is None else {"as_of": str(midnight_utc_ms(as_of, "--as-of"))}
    path = f"/explain/{connection.quoted(reference)}"
    show(connection.get(path, community=community, **query), write_explanation)


@need.command("list", example="p2pvalue need list --mine\np2pvalue need list --featured")
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@click.option("--class", "class_", metavar="NAME", help="Only those of this class.")
@click.option("--mine", is_flag=True, help="Only what you asked for, see to, or pledged to.")
@click.option("--overdue", is_flag=True, help="Only what was to be done by now, and is not.")
@click.option("--featured", is_flag=True, help="Instead, what is good to begin with.")
@click.option("--all", "every", is_flag=True, help="Also what is done, lapsed or dropped.")
@community_option
def list_needs(
    state: str | None,
    class_: str | None,
    mine: bool,
    overdue: bool,
    featured: bool,
    every: bool,
    community: str | None,
) -> None:
    """List the needs and what is pledged to each; what is over is left out."""
    if featured:
        if state or class_ or mine or overdue or every:
            raise click.UsageError("--featured goes with no other choice: leave the others out")
        show(connection.get("/featured", community=community), write_featured)
        return
    every_need = connection.get("/needs", community=community)
    now_ms = time.time() * 1000
    needs = [
        found
        for found in every_need
        if (state or every or found["state"] not in OVER)
        and state in (None, found["state"])
        and class_ in (None, found["class"])
        and (not mine or found["is_mine"])
        and (not overdue or (found["state"] not in OVER and 0 < found["deadline"] < now_ms))
    ]
    show(needs, lambda found: write_all(found, len(every_need)))
    classes = {found["class"] for found in every_need if found["class"]}
    if class_ and class_ not in classes:
        say(f"no need is of that class, but of {one_line(', '.join(sorted(classes))) or 'none'}")


@need.command(example="p2pvalue need board")
@community_option
def board(community: str | None) -> None:
    """Show the needs in columns: open, to do, in progress, done."""
    needs = connection.get("/needs", community=community)
    columns = {
        head: [found for found in needs if found["state"] in states]
        for head, states in COLUMNS.items()
    }
    show(columns, lambda found: write_board(found) if needs else say(NO_NEEDS))


@need.command(example="p2pvalue need calendar --mine > needs.ics")
@click.option("--mine", is_flag=True, help="Only of your needs and pledges.")
@community_option
def calendar(mine: bool, community: str | None) -> None:
    """Write the days of needs and pledges for a calendar program, in its own format.

    Last days, deadlines, and when a pledge is for, if that is a date. Taking in a newer file moves
    what has changed, and crosses out what was dropped or has that day no more.
    """
    from p2pvalue_cli.calendar_file import calendar_text, days

    needs = connection.get("/needs", community=community)
    pledges = connection.get("/pledges", mine="true" if mine else "false", community=community)
    whole = connection.get("/community", community=community)
    chosen = [found for found in needs if found["is_mine"] or not mine]
    show(
        days(
            chosen,
            pledges,
            whole["community"],
            lambda found: connection.get(f"/timeline/{found}", community=community),
        ),
        lambda events: write_file(calendar_text(events, whole["name"])),
    )


@need.command("show", example="p2pvalue need show 'Fix the roof'")
@click.argument("reference", metavar="NEED")
@community_option
def show_need(reference: str, community: str | None) -> None:
    """Show a NEED: its title, or the beginning of its id."""
    found = connection.get(_path(reference), community=community)
    show(
        with_comments(found, found["need"], community),
        lambda need: _write_page(need, community),
    )


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


def _write_page(need: dict[str, Any], community: str | None) -> None:
    write_one(need)
    write_around(need, community)
    write_comments(need["comments"])


def _path(reference: str) -> str:
    return f"/needs/{connection.quoted(reference)}"


def _would_lapse(need: dict[str, Any], community: str | None) -> bool:
    """Whether a need that can be closed now would be over with that."""
    if need["state"] != "open" or need["is_met"] or need["trigger"] == "none":
        return False
    if need["closes"]:
        return bool(need["closes"] < time.time() * 1000)
    pledges = connection.get("/pledges", need=need["need"], community=community)
    return any(pledged["state"] in ("offered", "unmet") for pledged in pledges)
