"""On what pledges depend, as people say it: "if Bob pledges and 2 others pledge"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from p2pvalue.amounts import counted, moment
from p2pvalue_cli import connection
from p2pvalue_cli.output import one_line, short


def conditions_text(conditions: Sequence[dict[str, Any]], names: Mapping[str, str]) -> str:
    """On what a pledge depends, as one says it."""
    return " and ".join(_condition(condition, names) for condition in conditions)


def _condition(condition: dict[str, Any], names: Mapping[str, str]) -> str:
    if "others" in condition:
        return counted(condition["others"], "other pledges", "others pledge")
    if "member" in condition:
        key = condition["member"]
        return f"{one_line(names.get(key, '') or short(key))} pledges"
    return f"it closes after {moment(condition['after'])}"


def names_in(conditions: Sequence[dict[str, Any]], community: str | None) -> dict[str, str]:
    """What those are called whom conditions name: one question to the daemon, if there are any."""
    if not any("member" in condition for condition in conditions):
        return {}
    members = connection.get("/members", community=community, former="true")
    return {found["member"]: found["name"] for found in members}
