"""Cutting a page out of rows that are sorted by time alone.

Two operations of one millisecond are ordered by device, seq and id. They are few, at most one per
log, so they are sorted here and the database's keys stay short.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import TypeVar

from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.past import StateRow

Row = TypeVar("Row")


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
    for _, tied in groupby(rows, key=lambda row: order_of(row).time):
        for row in sorted(tied, key=order_of, reverse=newest_first):
            order = order_of(row)
            if (before is None or order < before) and (after is None or order > after):
                page.append(row)
                if len(page) == limit:
                    return page
    return page
