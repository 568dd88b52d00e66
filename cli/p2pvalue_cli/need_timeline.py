"""What happened to a need, as a person reads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from p2pvalue.amounts import written
from p2pvalue_cli.output import clock, one_line, short, table

_WORDS = {
    "made": "asked for it",
    "dropped": "dropped it",
    "opened": "opened it",
    "offered": "pledged {amount}",
    "taken-over": "took over {amount}",
    "withdrawn": "withdrew the pledge",
    "released": "released the pledge",
    "claimed": "claims {amount} delivered",
    "confirmed": "confirmed {amount} of {whose}",
    "disputed": "disputes the pledge of {whose}",
    "settled": "settled {amount} of {whose}",
    "closed": "closed it",
}


def write_timeline(happened: Sequence[dict[str, Any]]) -> None:
    """Print what happened, the first first."""
    rows = [
        (clock(one["time"]), one["name"], _told(one, is_first_close), _pledge(one))
        for one, is_first_close in zip(happened, _first_closes(happened), strict=True)
    ]
    table(("WHEN", "WHO", "WHAT", "PLEDGE"), rows)


def _first_closes(happened: Sequence[dict[str, Any]]) -> list[bool]:
    """Whether each is the CLOSE by which the need was closed first."""
    acts = [one["act"] for one in happened]
    first = acts.index("closed") if "closed" in acts else -1
    return [number == first for number in range(len(acts))]


def _told(one: dict[str, Any], is_first_close: bool) -> str:
    if one["act"] == "changed":
        return f"changed {', '.join(one['fields'])}"
    told = _WORDS[one["act"]].format(amount=_amount(one), whose=one["pledged_by"])
    if one["is_outcome_changed"] and not is_first_close:
        told += ", which changed the outcome"
    if one["to"]:
        told += f", for {one['to']} to take over"
    return told + (f": {one_line(one['text'])}" if one["text"] else "")


def _amount(one: dict[str, Any]) -> str:
    if one["quantity"] is None or one["kind"] is None:
        return str(one["quantity"] or "")
    return written(one["kind"], one["unit"], one["quantity"])


def _pledge(one: dict[str, Any]) -> str:
    return short(one["pledge"]) if one["pledge"] else ""
