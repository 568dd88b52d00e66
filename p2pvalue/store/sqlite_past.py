"""What the core reads of one community, from SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import apsw

from p2pvalue.store.interface import Base, StoreFailed
from p2pvalue.store.sqlite_connection import explained
from p2pvalue.store.sqlite_names import SEQ_BITS, SEQ_MASK, Names
from p2pvalue.store.sqlite_write import decode_reconsidered, decode_tips
from p2pvalue_protocol.ids import AUTH, CONTENT, ZERO32, Reference
from p2pvalue_protocol.past import (
    EntryRow,
    HeadRow,
    LogRow,
    OperationRow,
    StateRow,
    SubjectOperationRow,
)

ROWS_AT_ONCE = 256

_LOGS = (
    "SELECT number, log, device, log_class, branch, first_seq, base_id FROM logs "
    "WHERE community = ? ORDER BY log"
)
_LOG_START = "SELECT number, first_seq, base_id FROM logs WHERE community = ? AND log = ?"
_LOG_WITH = (
    "SELECT b.log FROM logs l CROSS JOIN logs b USING (community, device, log_class) "
    f"CROSS JOIN operations o ON o.place = (b.number << {SEQ_BITS} | ?2) "
    "WHERE l.number = ?1 AND o.op_id = ?3"
)
_OPERATION = "place, op_id, core, signature, payload, frontier FROM operations"
_SPAN = f"place BETWEEN l.number << {SEQ_BITS} AND l.number << {SEQ_BITS} | {SEQ_MASK}"
_HEADS = (
    "SELECT l.log, l.device, l.log_class, l.branch, l.first_seq, l.base_id, "
    "(SELECT min(place) FROM operations INDEXED BY operations_waiting "
    f"WHERE frontier = 0 AND {_SPAN}), "
    f"(SELECT place FROM operations WHERE {_SPAN} AND length(signature) > 0 "
    "ORDER BY place DESC LIMIT 1), "
    "o.place, o.op_id, o.core, o.signature, o.payload, o.frontier "
    "FROM logs l CROSS JOIN operations o "
    f"ON o.place = (SELECT max(place) FROM operations WHERE {_SPAN}) "
    "WHERE l.community = ? ORDER BY l.log"
)
_RUN = f"SELECT {_OPERATION} WHERE place BETWEEN ? AND ? ORDER BY place LIMIT ?"
_SUBJECT_OPERATIONS = (
    "SELECT s.time, l.device, s.place, o.op_id, s.kind, m.member, s.rank, l.log, o.core, o.payload "
    "FROM subject_operations s CROSS JOIN operations o ON o.place = s.place "
    f"CROSS JOIN logs l ON l.number = s.place >> {SEQ_BITS} "
    "CROSS JOIN members m ON m.number = s.member "
    "WHERE s.community = ? AND s.subject = ?"
)
_HAS_ENTRY = "SELECT 1 FROM entries WHERE list = ? AND time = ? AND place = ?"
_PLACES = (
    "SELECT logs.device, operations.place, operations.op_id FROM entries "
    "JOIN operations USING (place) JOIN logs ON logs.number = operations.place >> 40 "
    "WHERE list = ?"
)
_HAS_SUBJECT_OPERATION = (
    "SELECT 1 FROM subject_operations "
    "WHERE community = ? AND subject = ? AND time = ? AND place = ?"
)
_STATE = (
    "SELECT subject, kind, group_subject, time, device, seq, op_id, state FROM states "
    "WHERE community = ? AND subject = ?"
)

_Row = tuple[int, bytes, bytes, bytes, bytes | None, int]


def _operation(log: int, row: _Row) -> OperationRow:
    place, op_id, core, signature, payload, frontier = row
    return OperationRow(log, place & SEQ_MASK, op_id, core, signature, payload, frontier)


class SqlitePast:
    """Reads of one community; keeps `p2pvalue_protocol.past.Past`."""

    def __init__(self, connection: apsw.Connection, names: Names, community: bytes) -> None:
        self._connection = connection
        self._names = names
        self._community = community

    @property
    def _number(self) -> int:
        try:
            return self._names.community(self._community)
        except apsw.Error as error:
            raise explained(error, "the store cannot be read") from error

    def _rows(self, sql: str, *values: int | bytes) -> list[Any]:
        try:  # several times per received operation: a context manager would be a third of it
            return self._connection.execute(sql, values).fetchall()
        except apsw.Error as error:
            raise explained(error, "the store cannot be read") from error

    def _value(self, sql: str, *values: int | bytes) -> Any:
        rows = self._rows(sql, *values)
        return rows[0][0] if rows else None

    def logs(self) -> list[tuple[int, LogRow]]:
        """Return every log with the place of its seq 0, ascending by log number."""
        return [
            (number << SEQ_BITS, LogRow(log, self._community, *rest))
            for number, log, *rest in self._rows(_LOGS, self._number)
        ]

    def heads(self) -> list[HeadRow]:
        """Return where every log with an operation stands; three seeks per log."""
        heads = []
        for row in self._rows(_HEADS, self._number):
            log = LogRow(row[0], self._community, *row[1:6])
            waiting, signed = row[6:8]
            head = _operation(log.log, row[8:])
            folded_seq = head.seq if waiting is None else (waiting & SEQ_MASK) - 1
            signed_seq = log.first_seq - 1 if signed is None else signed & SEQ_MASK
            heads.append(HeadRow(log, head, folded_seq, signed_seq))
        return heads

    def frontiers(self) -> list[tuple[int, tuple[bytes, ...]]]:
        """Return the numbered auth frontiers, ascending."""
        sql = "SELECT frontier, op_ids FROM frontiers WHERE community = ? ORDER BY frontier"
        return [
            (number, tuple(op_ids[at : at + 32] for at in range(0, len(op_ids), 32)))
            for number, op_ids in self._rows(sql, self._number)
        ]

    def tips(self) -> list[int]:
        """Return the logs last committed whose newest folded operation no folded one names."""
        logs = self._value("SELECT logs FROM tips WHERE community = ?", self._number)
        return [] if logs is None else decode_tips(logs)

    def operations(self, log: int, first_seq: int, count: int) -> list[OperationRow]:
        """Return up to `count` operations of one branch from `first_seq` on, ascending."""
        base = self._base(log)
        return [] if base is None else self.run(base, log, first_seq, count)

    def _base(self, log: int) -> int | None:
        try:
            return self._names.find_base(self._names.community(self._community), log)
        except apsw.Error as error:
            raise explained(error, "the store cannot be read") from error

    def run(self, base: int, log: int, first_seq: int, count: int) -> list[OperationRow]:
        """Return a run of the log whose seq 0 has the place `base`."""
        rows = self._rows(_RUN, base + first_seq, base + SEQ_MASK, count)
        return [_operation(log, row) for row in rows]

    def auth_operations(self) -> Iterator[OperationRow]:
        """Yield every folded auth operation, by log number and seq."""
        for base, log in self.logs():
            if log.log_class == AUTH:
                for operation in self.whole_log(base, log):
                    if operation.frontier:
                        yield operation

    def whole_log(self, base: int, log: LogRow) -> Iterator[OperationRow]:
        """Yield the operations of one log; between two of them the store may be written."""
        seq = log.first_seq
        while run := self.run(base, log.log, seq, ROWS_AT_ONCE):
            yield from run
            seq = run[-1].seq + 1

    def state(self, subject: bytes) -> StateRow | None:
        """Return the folded state of one subject; 2 µs if it is small and was read before."""
        number = self._number
        known = self._names.state(number, subject)
        if known is not None:
            return known
        rows = self._rows(_STATE, number, subject)
        if not rows:
            return None
        row = StateRow(*rows[0])
        self._names.remember_state(number, row)
        return row

    def subject_operations(
        self, subject: bytes
    ) -> list[tuple[SubjectOperationRow, bytes, bytes | None]]:
        """Return the operations of one subject with their cores and payloads, in folding order."""
        found = []
        for row in self._rows(_SUBJECT_OPERATIONS, self._number, subject):
            time, device, place, op_id, kind, member, rank, log, core, payload = row
            operation = SubjectOperationRow(
                subject, time, device, place & SEQ_MASK, op_id, kind, member, rank, log
            )
            found.append((operation, core, payload))
        found.sort(key=lambda found_row: found_row[0][1:5])
        return found

    def has_entry(self, row: EntryRow) -> bool:
        """Return whether an operation is listed, hidden or shown as the row says; one seek."""
        found, base = self._list(row.kind, row.container), self._base(row.log)
        if found is None or base is None:
            return False
        side = -found if row.is_hidden else found
        return bool(self._rows(_HAS_ENTRY, side, row.time, base + row.seq))

    def hidden_places(self, container: bytes, kind: int) -> list[Reference]:
        """Return where the hidden entries of a list are, ascending."""
        found = self._list(kind, container)
        rows = [] if found is None else self._rows(_PLACES, -found)
        places = [Reference(device, CONTENT, p & SEQ_MASK, op_id) for device, p, op_id in rows]
        return sorted(places)

    def _list(self, kind: int, container: bytes) -> int | None:
        """Return the number of a list, None if there is none."""
        try:
            found = self._names.list_of(self._number, kind, container)
        except apsw.Error as error:
            raise explained(error, "the store cannot be read") from error
        return None if found is None else found.number

    def has_subject_operation(self, row: SubjectOperationRow) -> bool:
        """Return whether an operation is among those of its subject; one seek."""
        base = self._base(row.log)
        if base is None:
            return False
        which = (self._number, row.subject, row.time, base + row.seq)
        return bool(self._rows(_HAS_SUBJECT_OPERATION, *which))

    def base_of(self, log: int) -> Base:
        """Return where a log begins; raises StoreFailed for one that is not stored."""
        rows = self._rows(_LOG_START, self._number, log)
        if not rows:
            raise StoreFailed(f"log {log} is not stored; a defect, please report it")
        number, first_seq, base_id = rows[0]
        if base_id == ZERO32:
            return Base(None, -1)
        return Base(self._value(_LOG_WITH, number, first_seq - 1, base_id), first_seq - 1)

    def reconsidered(self) -> list[tuple[int, int]]:
        """Return the logs that are being judged again, with the seq to go on from."""
        logs = self._value("SELECT logs FROM reconsidered WHERE community = ?", self._number)
        return [] if logs is None else decode_reconsidered(logs)

    def proven(self) -> list[bytes]:
        """Return the auth operations, ascending, whose payload holds signatures that were valid."""
        sql = "SELECT op_id FROM proven WHERE community = ? ORDER BY op_id"
        return [op_id for (op_id,) in self._rows(sql, self._number)]

    def addresses(self) -> list[tuple[bytes, bytes]]:
        """Return the newest signed address record of each device, ascending by device."""
        sql = "SELECT device, record FROM addresses WHERE community = ? ORDER BY device"
        return self._rows(sql, self._number)

    def epochs(self) -> list[bytes]:
        """Return the records of the valid epochs, ascending by epoch."""
        sql = "SELECT record FROM epochs WHERE community = ? ORDER BY epoch"
        return [record for (record,) in self._rows(sql, self._number)]

    def sealed(self) -> list[tuple[bytes, int, int, int]]:
        """Return what content waits for a secret: (epoch, log, first seq, count), ascending."""
        sql = "SELECT epoch, log, first_seq, count FROM sealed WHERE community = ? ORDER BY 1, 2"
        return self._rows(sql, self._number)

    def epoch_secrets(self) -> list[tuple[bytes, bytes]]:
        """Return each epoch with its secret, ascending."""
        sql = "SELECT epoch, secret FROM epoch_secrets WHERE community = ? ORDER BY epoch"
        return self._rows(sql, self._number)

    def prekeys(self) -> list[tuple[bytes, bytes]]:
        """Return our own (public, private) prekeys, the newest last."""
        sql = "SELECT public, private FROM prekeys WHERE community = ? ORDER BY number"
        return self._rows(sql, self._number)
