"""Confirming all at once that is claimed for a need."""

from __future__ import annotations

from typing import Any

from p2pvalue_cli import connection
from p2pvalue_cli.asking import confirm_each
from p2pvalue_cli.output import one_line, say, short, show
from p2pvalue_cli.pledge_pages import amount_text, say_delivered


def confirm_all(need: str, note: str, community: str | None, *, is_sure: bool) -> None:
    """Confirm what is claimed for a need and waits for us, as it is claimed now.

    Shows each first, and asks. What somebody claims in between is not confirmed with the rest.
    """
    steps = connection.get(f"/steps/{connection.quoted(need)}", community=community)
    waiting = [step for step in steps if step["act"] == "confirm"]
    confirm_each(
        [f"{short(w['pledge'])}  {amount_text(w)} of {one_line(w['name'])}" for w in waiting],
        "You saw that it was done: confirm {}?",
        is_sure=is_sure,
    )
    confirmed = [
        connection.post(
            f"/pledges/{step['pledge']}/confirm",
            community=community,
            quantity=step["quantity"],
            note=note,
        )
        for step in waiting
    ]
    show(confirmed, _say_confirmed)


def _say_confirmed(confirmed: list[dict[str, Any]]) -> None:
    if not confirmed:
        say("nothing that is claimed waits for you to confirm it")
    for pledged in confirmed:
        say_delivered(pledged)
