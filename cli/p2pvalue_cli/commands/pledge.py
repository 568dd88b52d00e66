"""Pledges: make, withdraw, release, take over, claim, confirm, dispute, settle."""

from __future__ import annotations

import re
from typing import Any

import click

from p2pvalue_cli import connection
from p2pvalue_cli.amount_words import amount_argument
from p2pvalue_cli.asking import yes_option
from p2pvalue_cli.command import Group, Late, command_line, community_option
from p2pvalue_cli.conditions import names_in
from p2pvalue_cli.confirming import confirm_all
from p2pvalue_cli.dates import end_of_day_ms
from p2pvalue_cli.failures import Failed
from p2pvalue_cli.output import one_line, say, short, show
from p2pvalue_cli.pledge_amounts import line_meant, quantity_of
from p2pvalue_cli.pledge_pages import (
    amount_text,
    say_back,
    say_claimed,
    say_delivered,
    say_disputed,
    say_if_too_few,
    say_made,
    say_taken,
    warn_of_too_much,
    write_plan,
    write_pledge,
    write_pledges,
)
from p2pvalue_cli.renewing import renew_all

STATES = (
    "offered outdated withdrawn early late expired unmet void binding released claimed confirmed"
    " disputed settled"
).split()
OTHERS_MAX = 1_000_000  # the protocol's limit
_ID = re.compile("[0-9a-fA-F]{4,}")  # what may be the beginning of an id
_SETTLED = ("binding", "claimed", "confirmed", "disputed", "settled")
"""States of a pledge of which a steward may say what counts."""
_PROOFS = "p2pvalue_cli.commands.proof"

_pledge = click.argument("pledge_id", metavar="PLEDGE")  # its id, or the title of its need


@click.group(
    cls=Group,
    late={
        "verify": Late(f"{_PROOFS}:verify", "Prove what became of a need, or check such a proof."),
    },
)
def pledge() -> None:
    """Promise to help with a need.

    A PLEDGE is named by the beginning of its id. The title of its need will do if it is yours, or
    if it is the one there that waits for you to take it over, confirm, dispute or settle it.
    """


@pledge.command(example="p2pvalue pledge make 'Fix the roof' 3h --when Saturday --if-others 2")
@click.argument("need")
@amount_argument()
@click.option("--line", type=click.IntRange(1), help="Which line of the need, if it is not clear.")
@click.option("--when", default="", help="When you will do it: who says so shows up more often.")
@click.option("--where", default="", help="Where.")
@click.option(
    "--if-others",
    type=click.IntRange(1, OTHERS_MAX),
    metavar="N",
    help="If N others pledge too.",
)
@click.option("--if-member", multiple=True, metavar="MEMBER", help="If MEMBER pledges too.")
@click.option(
    "--after", metavar="DATE", help="If it closes after DATE only, as 2026-12-31 or friday."
)
@community_option
def make(
    need: str,
    amount: str,
    line: int | None,
    when: str,
    where: str,
    if_others: int | None,
    if_member: tuple[str, ...],
    after: str | None,
    community: str | None,
) -> None:
    """Promise AMOUNT to a NEED: 3h, 50EUR, 5 planks.

    It binds when the need closes with enough pledged, and can be withdrawn until then.
    """
    wanted = connection.get(f"/needs/{connection.quoted(need)}", community=community)
    number, quantity = line_meant(wanted, amount, line)
    conditions: list[dict[str, Any]] = [{"member": name} for name in if_member]
    if if_others is not None:
        conditions.append({"others": if_others})
    if after is not None:
        conditions.append({"after": end_of_day_ms(after, "--after")})
    pledged = connection.post(
        "/pledges",
        need=wanted["need"],
        line=number,
        quantity=quantity,
        when=when,
        where=where,
        conditions=conditions,
        community=community,
    )
    show(pledged, lambda p: say_made(p, wanted, names_in(p["conditions"], community)))
    if if_others is not None:
        say_if_too_few(if_others, community)
    if pledged["kind"] == "hours":
        warn_of_too_much()


@pledge.command(example="p2pvalue pledge take 'Fix the roof'")
@_pledge
@amount_argument(required=False)
@community_option
def take(pledge_id: str, amount: str, community: str | None) -> None:
    """Take over a PLEDGE that somebody released, or AMOUNT of it; it binds you at once."""
    released = _shown(_waiting(pledge_id, "take", community), community)
    rest = released["quantity"] - released["bound"]
    taken = connection.post(
        "/pledges",
        need=released["need"],
        line=released["line"],
        quantity=quantity_of(released, amount) if amount else max(rest, 1),
        takes=released["pledge"],
        community=community,
    )
    show(taken, say_taken)
    if amount and taken["quantity"] < quantity_of(released, amount):
        say(f"no more than {amount_text(taken)} was left to take over")


@pledge.command(example="p2pvalue pledge plan")
def plan() -> None:
    """Show the working time that you promised, in all communities; nobody else is told."""
    show(connection.get("/plan"), write_plan)


@pledge.command("list", example="p2pvalue pledge list --need 'Fix the roof' --state offered")
@click.option("--need", default="", metavar="NEED", help="Only those to this need.")
@click.option("--mine", is_flag=True, help="Only your own.")
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@click.option("--all", "every", is_flag=True, help="Also those that were renewed since.")
@community_option
def list_pledges(
    need: str, mine: bool, state: str | None, every: bool, community: str | None
) -> None:
    """List pledges, and what became of each; one that was renewed is left out."""
    query = {"need": need, "mine": "true"} if mine else {"need": need}
    found = connection.get("/pledges", community=community, **query)
    chosen = [
        pledged
        for pledged in found
        if state in (None, pledged["state"]) and (every or not pledged["renewed_by"])
    ]
    show(chosen, lambda pledges: write_pledges(pledges, len(found)))


@pledge.command("show", example="p2pvalue pledge show 'Fix the roof'")
@_pledge
@community_option
def show_pledge(pledge_id: str, community: str | None) -> None:
    """Show a PLEDGE by the beginning of its id."""
    shown = _shown(pledge_id, community)
    show(shown, lambda pledged: write_pledge(pledged, names_in(pledged["conditions"], community)))


@pledge.command(example="p2pvalue pledge renew 'Fix the roof'\np2pvalue pledge renew --all")
@click.argument("pledge_id", metavar="PLEDGE", required=False)
@click.option("--all", "every", is_flag=True, help="All of yours that wait for it.")
@yes_option
@community_option
def renew(pledge_id: str | None, every: bool, yes: bool, community: str | None) -> None:
    """Promise again what you promised before the need's terms changed.

    With --all you see what you would promise, line by line, and are asked.
    """
    if (pledge_id is None) != every:
        raise click.UsageError("name a PLEDGE, or take --all")
    if pledge_id is None:
        renew_all(community, is_sure=yes)
        return
    renewed = _told("renew", pledge_id, community)

    def say_renewed(pledged: dict[str, Any]) -> None:
        wanted = connection.get(f"/needs/{pledged['need']}", community=community)
        say_made(pledged, wanted, names_in(pledged["conditions"], community))

    show(renewed, say_renewed)


@pledge.command(example="p2pvalue pledge withdraw 'Fix the roof' --reason 'I fell ill'")
@_pledge
@click.option("--reason", default="", help="Why, for the others.")
@community_option
def withdraw(pledge_id: str, reason: str, community: str | None) -> None:
    """Take back a pledge of yours. One that binds already is released."""
    _take_back(pledge_id, community, reason=reason)


@pledge.command(example="p2pvalue pledge release 'Fix the roof' --reason 'My back' --to Bea")
@_pledge
@click.option("--reason", required=True, help="Why, for the others.")
@click.option("--to", default="", metavar="MEMBER", help="Who is to take it over; else anybody.")
@community_option
def release(pledge_id: str, reason: str, to: str, community: str | None) -> None:
    """Give back a pledge that binds you, as far as it is not delivered.

    Say it once more to name somebody else who is to take over what is left.
    """
    _take_back(pledge_id, community, reason=reason, to=to)


@pledge.command(example="p2pvalue pledge claim 'Fix the roof' 2h")
@_pledge
@amount_argument(required=False)
@click.option("--note", default="", help="What was done, for who confirms it.")
@community_option
def claim(pledge_id: str, amount: str, note: str, community: str | None) -> None:
    """Say that you delivered a PLEDGE, or AMOUNT of it in all; say it again to correct it."""
    quantity = _delivered(pledge_id, amount, community)
    claimed = _told("claim", pledge_id, community, quantity=quantity, note=note)
    show(claimed, say_claimed)


@pledge.command(
    example="p2pvalue pledge confirm 'Fix the roof'\np2pvalue pledge confirm --need 'Fix the roof'"
)
@click.argument("pledge_id", metavar="PLEDGE", required=False)
@amount_argument(required=False)
@click.option("--need", metavar="NEED", help="All that is claimed for it and waits for you.")
@click.option("--note", default="", help="For the others.")
@yes_option
@community_option
def confirm(
    pledge_id: str | None,
    amount: str,
    need: str | None,
    note: str,
    yes: bool,
    community: str | None,
) -> None:
    """Confirm that another's PLEDGE was delivered as claimed, or AMOUNT of it in all.

    With --need you see what would be confirmed, line by line, and are asked.
    """
    if (pledge_id is None) == (need is None):
        raise click.UsageError("name a PLEDGE, or a need with --need")
    if need is not None:
        confirm_all(need, note, community, is_sure=yes)
        return
    assert pledge_id is not None
    pledge_id = _waiting(pledge_id, "confirm", community)
    quantity = _delivered(pledge_id, amount, community)
    if quantity == 0:
        raise click.UsageError("say how much was delivered, or dispute it if it was nothing")
    confirmed = _told("confirm", pledge_id, community, quantity=quantity, note=note)
    show(confirmed, say_delivered)


@pledge.command(example="p2pvalue pledge dispute 'Fix the roof' --reason 'Nobody was there'")
@_pledge
@click.option("--reason", required=True, help="What is wrong with the claim.")
@community_option
def dispute(pledge_id: str, reason: str, community: str | None) -> None:
    """Say that a PLEDGE was not delivered as claimed; confirming it later takes that back."""
    pledge_id = _waiting(pledge_id, "confirm", community)
    disputed = _told("dispute", pledge_id, community, reason=reason)
    show(disputed, say_disputed)


@pledge.command(example="p2pvalue pledge settle 'Fix the roof' 90min --reason 'We counted'")
@_pledge
@amount_argument()
@click.option("--reason", default="", help="Why, for the others.")
@community_option
def settle(pledge_id: str, amount: str, reason: str, community: str | None) -> None:
    """Say, as a steward who is no party, what of a PLEDGE counts as delivered."""
    pledge_id = _waiting(pledge_id, "settle", community)
    quantity = quantity_of(_shown(pledge_id, community), amount)
    settled = _told("settle", pledge_id, community, quantity=quantity, reason=reason)
    show(settled, say_delivered)


def _take_back(pledge_id: str, community: str | None, **fields: object) -> None:
    before = _shown(pledge_id, community)
    pledged = _told("withdraw", before["pledge"], community, **fields)
    show(pledged, lambda taken: say_back(taken, before))


# --- what is asked


def _shown(pledge_id: str, community: str | None) -> dict[str, Any]:
    found: dict[str, Any] = connection.get(
        f"/pledges/{connection.quoted(pledge_id)}", community=community
    )
    return found


def _waiting(reference: str, act: str, community: str | None) -> str:
    """The pledge that waits for this act of ours, by the title of its need; else `reference`.

    What is disputed may be confirmed still, which takes a dispute of ours back. If nothing waits, a
    single pledge is meant that the act could be about: the node says whether we may, and who may.
    """
    if _ID.fullmatch(reference.strip()):
        return reference
    needs = connection.get("/needs", community=community)
    if all(reference.strip() != found["title"] for found in needs):
        return reference
    steps = connection.get(f"/steps/{connection.quoted(reference)}", community=community)
    waiting = [step for step in steps if step["act"] == act]
    if not waiting:
        pledges = connection.get("/pledges", need=reference, community=community)
        if act == "confirm":
            waiting = [pledged for pledged in pledges if pledged["state"] == "disputed"]
        if not waiting and act != "take":
            states = _SETTLED if act == "settle" else ("claimed",)
            fitting = [pledged for pledged in pledges if pledged["state"] in states]
            waiting = fitting if len(fitting) == 1 else []
    if not waiting:
        listed = command_line(["pledge", "list", "--need", reference], community)
        raise Failed(f'nothing pledged to "{one_line(reference)}" waits for you to do so: {listed}')
    if len(waiting) > 1:
        each = (
            f"{short(w['pledge'])} ({amount_text(w)} of {one_line(w['name'])})" for w in waiting
        )
        raise click.UsageError(
            f'"{one_line(reference)}" may mean {" or ".join(each)}: name the pledge by these digits'
        )
    return str(waiting[0]["pledge"])


def _told(act: str, pledge_id: str, community: str | None, **fields: object) -> dict[str, Any]:
    told: dict[str, Any] = connection.post(
        f"/pledges/{connection.quoted(pledge_id)}/{act}", community=community, **fields
    )
    return told


def _delivered(pledge_id: str, amount: str, community: str | None) -> int | None:
    """The quantity that AMOUNT says, in the pledge's own unit; None, all of it, without."""
    return quantity_of(_shown(pledge_id, community), amount) if amount else None
