"""Promising again all at once what waits for it, since terms changed."""

from __future__ import annotations

import time
from typing import Any

from p2pvalue_cli import connection
from p2pvalue_cli.asking import confirm_each
from p2pvalue_cli.conditions import names_in
from p2pvalue_cli.output import one_line, say, short, show
from p2pvalue_cli.pledge_pages import amount_text, say_made


def renew_all(community: str | None, *, is_sure: bool) -> None:
    """Renew each pledge of ours to a need that still takes pledges, if we are sure."""
    needs = {need["need"]: need for need in connection.get("/needs", community=community)}
    waiting = [
        pledged
        for pledged in connection.get("/pledges", mine="true", community=community)
        if _waits(pledged, needs.get(pledged["need"]))
    ]
    confirm_each(
        [f"{short(p['pledge'])}  {amount_text(p)} to {one_line(p['need_title'])}" for p in waiting],
        "You read how these needs are now: promise {} again?",
        is_sure=is_sure,
    )
    renewed = [
        connection.post(f"/pledges/{pledged['pledge']}/renew", community=community)
        for pledged in waiting
    ]

    def say_renewed(found: list[dict[str, Any]]) -> None:
        if not found:
            say("no pledge of yours waits to be renewed")
        for pledged in found:
            names = names_in(pledged["conditions"], community)
            say_made(pledged, needs[pledged["need"]], names)

    show(renewed, say_renewed)


def _waits(pledged: dict[str, Any], need: dict[str, Any] | None) -> bool:
    if need is None or pledged["state"] != "outdated" or pledged["renewed_by"]:
        return False
    is_over = need["is_closed"] or 0 < need["closes"] < time.time() * 1000
    return need["state"] == "open" and not is_over
