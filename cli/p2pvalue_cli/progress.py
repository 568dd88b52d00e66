"""Long tasks of the daemon: how far they got, while a person looks, and what came of them."""

from __future__ import annotations

from typing import Any

import click

from p2pvalue_cli import connection
from p2pvalue_cli.command import as_json
from p2pvalue_cli.failures import failed
from p2pvalue_cli.output import is_person_reading


def with_progress(path: str, **fields: object) -> list[dict[str, Any]]:
    """Ask for a long task and return its findings."""
    found: list[dict[str, Any]] = finished(path, **fields)["checks"]
    return found


def finished(path: str, **fields: object) -> dict[str, Any]:
    """Ask for a long task and return the line that it ends with."""
    is_shown = is_person_reading() and not as_json()
    for line in connection.post_lines(path, **fields):
        if "total" not in line:
            return line
        if is_shown and line["total"]:
            click.echo(f"\r{line['done'] * 100 // line['total']:3d} %\r", nl=False)
    raise failed("interrupted", "the daemon stopped before it was finished; ask again")
