"""Reading and clearing the views of one community, in SQLite."""

from __future__ import annotations

from collections.abc import Iterator

import apsw

from p2pvalue.store.interface import Entry
from p2pvalue.store.paging import cut_page, state_order
from p2pvalue.store.sqlite_names import ENTRIES_OF_COMMUNITY, SEQ_BITS, SEQ_MASK
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.past import StateRow

_DERIVED = (
    "lists",
    "subject_operations",
    "states",
    "snapshots",
    "frontiers",
    "tips",
    "reconsidered",
    "proven",
    "epochs",
    "sealed",
)

_TIME_MAX = 2**63 - 1
SHORT = 32  # entries that are sorted in less time than one commit takes

_ENTRY_COLUMNS = (
    "SELECT e.time, l.device, e.place, o.op_id, m.member, o.core, o.payload, e.arrival, l.log, "
    "e.list < 0 "
    "FROM entries e {index}"
    "CROSS JOIN operations o ON o.place = e.place "
    f"CROSS JOIN logs l ON l.number = e.place >> {SEQ_BITS} "
    "CROSS JOIN members m ON m.number = e.member "
)
_ENTRIES = (
    _ENTRY_COLUMNS.format(index="") + "WHERE e.list = ? AND e.time BETWEEN ? AND ? ORDER BY e.time "
)
_ENTRIES_SINCE = (
    _ENTRY_COLUMNS.format(index="INDEXED BY entries_by_arrival ")
    + "WHERE e.followed = ? AND e.arrival > ? AND e.list >= ? ORDER BY e.arrival LIMIT ?"
)
_ENTRIES_OF_SHORT_SINCE = (
    _ENTRY_COLUMNS.format(index="")
    + "WHERE e.list IN (?1, ?3) AND e.arrival > ?2 ORDER BY e.arrival LIMIT ?4"
)
_IS_LONG = "SELECT 1 FROM entries WHERE list IN (?1, -?1) LIMIT 1 OFFSET ?2"
_STATES = (
    "SELECT subject, kind, group_subject, time, device, seq, op_id, state FROM states "
    "WHERE community = ? AND kind = ? {group}AND time BETWEEN ? AND ? ORDER BY time {direction}"
)

_EntryColumns = tuple[int, bytes, int, bytes, bytes, bytes, bytes | None, int, int, int]


def _entry(container: bytes, kind: int, row: _EntryColumns) -> Entry:
    time, device, place, op_id, member, core, payload, arrival, log, is_hidden = row
    order = Order(time, device, place & SEQ_MASK, op_id)
    return Entry(container, kind, order, member, core, payload, arrival, log, bool(is_hidden))


def read_entries(
    connection: apsw.Connection,
    number: int,
    container: bytes,
    kind: int,
    *,
    before: Order | None,
    after: Order | None,
    limit: int,
    newest_first: bool,
) -> list[Entry]:
    """Return a page of the list with this number."""
    span = (number, 0 if after is None else after.time, before.time if before else _TIME_MAX)
    cursor = connection.execute(_ENTRIES + ("DESC" if newest_first else "ASC"), span)
    try:
        return cut_page(
            (_entry(container, kind, row) for row in cursor),
            lambda entry: entry.order,
            before=before,
            after=after,
            limit=limit,
            newest_first=newest_first,
        )
    finally:
        cursor.close(True)


def read_entries_since(
    connection: apsw.Connection,
    number: int,
    container: bytes,
    kind: int,
    arrival: int,
    *,
    limit: int,
    hidden: bool,
    is_followed: bool,
) -> list[Entry]:
    """Return the entries of a followed or short list that came after `arrival`, as they came."""
    lowest = -number if hidden else number
    sql = _ENTRIES_SINCE if is_followed else _ENTRIES_OF_SHORT_SINCE
    rows = connection.execute(sql, (number, arrival, lowest, limit))
    return [_entry(container, kind, row) for row in rows]


def is_short(connection: apsw.Connection, number: int) -> bool:
    """Return whether a list has so few entries that it is read by arrival without an index."""
    return connection.execute(_IS_LONG, (number, SHORT)).get is None


def follow(connection: apsw.Connection, number: int) -> None:
    """Index a list by arrival from now on, inside a transaction of the caller's."""
    connection.execute("UPDATE entries SET followed = ?1 WHERE list IN (?1, -?1)", (number,))
    connection.execute("UPDATE lists SET is_followed = 1 WHERE number = ?", (number,))


def read_states(
    connection: apsw.Connection,
    community: int,
    kind: int,
    *,
    group: bytes | None,
    before: Order | None,
    after: Order | None,
    limit: int,
    newest_first: bool,
) -> list[StateRow]:
    """Return a page of the states of a kind, or of those of it tied to `group`."""
    sql = _STATES.format(
        group="" if group is None else "AND group_subject = ? ",
        direction="DESC" if newest_first else "ASC",
    )
    times = (0 if after is None else after.time, before.time if before else _TIME_MAX)
    which = (community, kind) if group is None else (community, kind, group)
    cursor = connection.execute(sql, (*which, *times))
    try:
        return cut_page(
            (StateRow(*row) for row in cursor),
            state_order,
            before=before,
            after=after,
            limit=limit,
            newest_first=newest_first,
        )
    finally:
        cursor.close(True)


def every_state(connection: apsw.Connection, community: int) -> Iterator[StateRow]:
    """Yield all states by (kind, subject)."""
    sql = (
        "SELECT subject, kind, group_subject, time, device, seq, op_id, state FROM states "
        "WHERE community = ? AND kind = ? ORDER BY subject"
    )
    kinds = "SELECT DISTINCT kind FROM states WHERE community = ? ORDER BY kind"
    for (kind,) in connection.execute(kinds, (community,)).fetchall():
        for row in connection.execute(sql, (community, kind)):
            yield StateRow(*row)


def every_entry(
    connection: apsw.Connection, community: int, *, hidden: bool = False
) -> Iterator[Entry]:
    """Yield all entries by (container, kind, order), then all hidden ones if asked for."""
    sql = "SELECT number, container, kind FROM lists WHERE community = ? ORDER BY container, kind"
    lists = list(connection.execute(sql, (community,)))
    if hidden:
        lists += [(-number, container, kind) for number, container, kind in lists]
    for number, container, kind in lists:
        after: Order | None = None
        while page := read_entries(
            connection,
            number,
            container,
            kind,
            before=None,
            after=after,
            limit=1_000,
            newest_first=False,
        ):
            yield from page
            after = page[-1].order


def clear_views(connection: apsw.Connection, community: int) -> None:
    """Remove everything that is made from operations, inside a transaction of the caller's."""
    connection.execute(f"DELETE FROM entries WHERE {ENTRIES_OF_COMMUNITY}", (community,))
    for table in _DERIVED:
        connection.execute(f"DELETE FROM {table} WHERE community = ?", (community,))
    logs = list(connection.execute("SELECT number FROM logs WHERE community = ?", (community,)))
    for (number,) in logs:
        connection.execute(
            "UPDATE operations SET frontier = 0 WHERE place BETWEEN ? AND ?",
            (number << SEQ_BITS, number << SEQ_BITS | SEQ_MASK),
        )
