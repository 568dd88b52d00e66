"""From a batch to rows, inside a transaction that the caller opened."""

from __future__ import annotations

from collections.abc import Iterable

import apsw
import msgspec

from p2pvalue.store.arrivals import first_seqs
from p2pvalue.store.sqlite_epochs import write_epochs
from p2pvalue.store.sqlite_names import SEQ_BITS, SEQ_MASK, Names
from p2pvalue_protocol.past import Batch, EntryRow

_encode = msgspec.msgpack.Encoder().encode
_tips_decoder = msgspec.msgpack.Decoder(list[int])
_reconsidered_decoder = msgspec.msgpack.Decoder(list[tuple[int, int]])

INSERT_OPERATION = (
    "INSERT INTO operations (place, frontier, signature, op_id, core, payload) "
    "VALUES (?, ?, ?, ?, ?, ?)"
)
_INSERT_ENTRY = (
    "INSERT INTO entries (list, time, place, arrival, member, followed) VALUES (?, ?, ?, ?, ?, ?)"
)
_INSERT_SUBJECT_OPERATION = (
    "INSERT INTO subject_operations "
    "(community, subject, time, place, kind, member, rank) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_DELETE_ENTRY = "DELETE FROM entries WHERE list = ? AND time = ? AND place = ?"
_DELETE_SUBJECT_OPERATION = (
    "DELETE FROM subject_operations WHERE community = ? AND subject = ? AND time = ? AND place = ?"
)
_TURN_ENTRY = "UPDATE entries SET list = -list WHERE list = ? AND time = ? AND place = ?"
_FOLLOWING = (
    "SELECT e.list, e.time, e.place FROM entries e "
    f"CROSS JOIN logs l ON l.number = e.place >> {SEQ_BITS} "
    "WHERE e.list IN (?1, -?1) AND e.time >= ? AND l.device = ? "
    f"AND e.place & {SEQ_MASK} >= ? ORDER BY e.place & {SEQ_MASK}, l.log"
)
_INSERT_LOG = (
    "INSERT INTO logs (community, log, device, log_class, branch, first_seq, base_id) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_REPLACE_STATE = (
    "INSERT OR REPLACE INTO states "
    "(community, subject, kind, group_subject, time, device, seq, op_id, state) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def decode_tips(data: bytes) -> list[int]:
    """Return the logs that `write_batch` stored."""
    return _tips_decoder.decode(data)


def decode_reconsidered(data: bytes) -> list[tuple[int, int]]:
    """Return the logs and seqs that `write_batch` stored."""
    return _reconsidered_decoder.decode(data)


def write_batch(connection: apsw.Connection, names: Names, batch: Batch) -> None:
    """Apply one batch, field by field in the order of `Batch`."""
    community = names.make_community(batch.community)
    _write_logs(connection, names, community, batch)
    if batch.frontiers:
        connection.executemany(
            "INSERT INTO frontiers (community, frontier, op_ids) VALUES (?, ?, ?)",
            [(community, number, b"".join(op_ids)) for number, op_ids in batch.frontiers],
        )
    _write_views(connection, names, community, batch)
    if batch.tips is not None:
        connection.execute(
            "INSERT OR REPLACE INTO tips (community, logs) VALUES (?, ?)",
            (community, _encode(batch.tips)),
        )
    if batch.reconsidered is not None:
        connection.execute(
            "INSERT OR REPLACE INTO reconsidered (community, logs) VALUES (?, ?)",
            (community, _encode(batch.reconsidered)),
        )
    if batch.addresses:
        connection.executemany(
            "INSERT OR REPLACE INTO addresses (community, device, record) VALUES (?, ?, ?)",
            [(community, device, record) for device, record in batch.addresses],
        )
    write_epochs(connection, community, batch)
    if batch.proven:
        connection.executemany(
            "INSERT OR REPLACE INTO proven (community, op_id) VALUES (?, ?)",
            [(community, op_id) for op_id in batch.proven],
        )


def _write_logs(connection: apsw.Connection, names: Names, community: int, batch: Batch) -> None:
    if batch.logs:
        connection.executemany(
            _INSERT_LOG,
            [
                (
                    community,
                    row.log,
                    row.device,
                    row.log_class,
                    row.branch,
                    row.first_seq,
                    row.base_id,
                )
                for row in batch.logs
            ],
        )
    base = names.base
    if batch.operations:
        connection.executemany(
            INSERT_OPERATION,
            [
                (base(community, log) + seq, frontier, signature, op_id, core, payload)
                for log, seq, op_id, core, signature, payload, frontier in batch.operations
            ],
        )
    for column, changes in (
        ("signature", batch.signatures),
        ("payload", batch.payloads),
        ("frontier", batch.folded),
    ):
        if changes:
            connection.executemany(
                f"UPDATE operations SET {column} = ? WHERE place = ?",
                [(value, base(community, log) + seq) for value, log, seq in changes],
            )


def _insert_entries(
    connection: apsw.Connection, names: Names, community: int, entries: Iterable[EntryRow]
) -> None:
    rows = []
    for container, time, _, seq, _, kind, member, log, is_hidden in entries:
        number, followed = names.make_list(community, kind, container)
        place, arrival = names.base(community, log) + seq, names.next_arrival()
        side = -number if is_hidden else number
        rows.append((side, time, place, arrival, names.make_member(member), followed))
    connection.executemany(_INSERT_ENTRY, rows)


def _change_entries(
    connection: apsw.Connection, names: Names, community: int, batch: Batch
) -> None:
    """List entries again, number anew what follows them; turn others, and let others go."""
    _insert_entries(connection, names, community, batch.entries_again)
    times: dict[tuple[bytes, int, bytes], int] = {}
    for row in batch.entries_again:
        name = (row.container, row.kind, row.device)
        times[name] = min(row.time, times.get(name, row.time))
    for (container, kind, device), seq in first_seqs(batch.entries_again).items():
        number = names.make_list(community, kind, container).number
        span = (number, times[container, kind, device], device, seq)
        found = connection.execute(_FOLLOWING, span).fetchall()
        connection.executemany(
            "UPDATE entries SET arrival = ? WHERE list = ? AND time = ? AND place = ?",
            [(names.next_arrival(), side, time, place) for side, time, place in found],
        )
    for sql, rows, sign in (
        (_TURN_ENTRY, batch.entries_turned, -1),  # from the other side
        (_DELETE_ENTRY, batch.entries_gone, 1),
    ):
        for row in rows:
            number = sign * names.make_list(community, row.kind, row.container).number
            place = names.base(community, row.log) + row.seq
            connection.execute(sql, (-number if row.is_hidden else number, row.time, place))
    changed = (*batch.entries_again, *batch.entries_turned, *batch.entries_gone)
    containers = {row.container for row in changed}
    connection.executemany(
        "DELETE FROM snapshots WHERE community = ? AND subject = ?",
        [(community, container) for container in sorted(containers)],
    )


def _write_views(connection: apsw.Connection, names: Names, community: int, batch: Batch) -> None:
    base = names.base
    if batch.entries:
        _insert_entries(connection, names, community, batch.entries)
    if batch.entries_again or batch.entries_turned or batch.entries_gone:
        _change_entries(connection, names, community, batch)
    if batch.subject_operations:
        connection.executemany(
            _INSERT_SUBJECT_OPERATION,
            [
                (
                    community,
                    row.subject,
                    row.time,
                    base(community, row.log) + row.seq,
                    row.kind,
                    names.make_member(row.member),
                    row.rank,
                )
                for row in batch.subject_operations
            ],
        )
    if batch.subject_operations_gone:
        connection.executemany(
            _DELETE_SUBJECT_OPERATION,
            [
                (community, row.subject, row.time, base(community, row.log) + row.seq)
                for row in batch.subject_operations_gone
            ],
        )
    for subject in (*(row.subject for row in batch.states), *batch.states_gone):
        names.forget_state(community, subject)
    if batch.states:
        connection.executemany(_REPLACE_STATE, [(community, *row) for row in batch.states])
    if batch.states_gone:
        connection.executemany(
            "DELETE FROM states WHERE community = ? AND subject = ?",
            [(community, subject) for subject in batch.states_gone],
        )
