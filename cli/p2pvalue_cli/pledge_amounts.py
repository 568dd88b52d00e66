"""Which line of a need an amount is for, and how much of its unit it is."""

from __future__ import annotations

from typing import Any

import click

from p2pvalue.amounts import written
from p2pvalue_cli.amounts import BadAmount, LineKind, TooMuch, parse_quantity, time_meant
from p2pvalue_cli.output import harmless


def line_meant(need: dict[str, Any], amount: str, line: int | None) -> tuple[int, int]:
    """The one line that the amount fits, and the quantity in its smallest unit."""
    fitting: list[tuple[int, int]] = []
    for number, wanted in enumerate(need["lines"]):
        if line is not None and number != line - 1:
            continue
        try:
            fitting.append((number, _fitting(wanted, amount)))
        except TooMuch as problem:
            raise click.UsageError(str(problem)) from problem
        except BadAmount:
            continue
    if len(fitting) == 1:
        if not fitting[0][1]:
            raise click.UsageError("a pledge is of more than 0: say how much")
        return fitting[0]
    if fitting:
        raise click.UsageError(f"{amount} fits several lines of this need: say which with --line")
    asked = "; ".join(written(w["kind"], w["unit"], w["minimum"]) for w in need["lines"])
    where = "the need" if line is None else f"line {line} of the need"
    meant = time_meant(amount) if any(w["kind"] == "hours" for w in need["lines"]) else ""
    advice = f": write {meant}" if meant else ""
    raise click.UsageError(
        f"{amount} does not fit {where}, which asks for {harmless(asked)}{advice}"
    )


def quantity_of(pledged: dict[str, Any], amount: str) -> int:
    """The quantity that the amount says in the pledge's unit; raises UsageError."""
    try:
        return _fitting(pledged, amount)
    except BadAmount as problem:
        raise click.UsageError(str(problem)) from problem


def _fitting(wanted: dict[str, Any], amount: str) -> int:
    kind: LineKind = wanted["kind"] or "material"
    unit = wanted["unit"]
    if kind in ("material", "skill") and amount.strip().isdecimal():
        return int(amount)
    quantity, given = parse_quantity(kind, amount)
    if not _is_same_thing(given, unit):
        raise BadAmount(f"this line counts {unit}, not {given}")
    return quantity


def _is_same_thing(given: str, unit: str) -> bool:
    """Return whether two names of a thing differ by no more than the end of one or many."""
    few, many = sorted((given.casefold(), unit.casefold()), key=len)
    return many in (few, f"{few}s", f"{few}es")
