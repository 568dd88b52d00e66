"""Cutting a page out of rows that are sorted by time alone.

Two operations of one millisecond are ordered by device, seq and id. They are few, at most one per
log, so they are sorted here and the database's keys stay short.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar

from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.past import StateRow

Row = TypeVar("Row")


_order: Callable[[tuple[Order, Any]], Order] = itemgetter(0)


def _time_of(placed: tuple[Order, Any]) -> int:
    return placed[0].time


def state_order(row: StateRow) -> Order:
    """Return the place of the operation that last changed a state."""
    return Order(row.time, row.device, row.seq, row.op_id)


def cut_page(
    rows: Iterable[Row],
    order_of: Callable[[Row], Order],
    *,
    before: Order | None,
    after: Order | None,
    limit: int,
    newest_first: bool,
) -> list[Row]:
    """Return up to `limit` rows strictly between two places; takes no more rows than it needs."""
    page: list[Row] = []
    if limit <= 0:
        return page
    placed = ((order_of(row), row) for row in rows)
    for _, tied in groupby(placed, key=_time_of):
        for order, row in sorted(tied, key=_order, reverse=newest_first):
            if (before is None or order < before) and (after is None or order > after):
                page.append(row)
                if len(page) == limit:
                    return page
    return page
