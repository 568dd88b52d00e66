"""From visible operations to what people see (spec: operation, "Folding").

Fold, do not patch: a subject's state is `fold(its visible operations in folding order)`, whatever
the order in which they arrived. Within one input each touched subject is folded once, at the end.
Entries need no fold: their list, sorted, is their state. What stops counting is taken out of the
views, and put back when it counts again; what it was a part of is folded anew, and nothing else.
"""

from __future__ import annotations

from typing import Literal

from p2pvalue_protocol.effects import Change
from p2pvalue_protocol.encoding import PayloadInvalid, encode
from p2pvalue_protocol.epochs import Epochs
from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.kind import EntryKind, Order, Placed, StateKind
from p2pvalue_protocol.kinds import keeps_hidden, kind_of
from p2pvalue_protocol.members import Standing
from p2pvalue_protocol.operation import Operation
from p2pvalue_protocol.past import Batch, EntryRow, Past, StateRow, SubjectOperationRow

Row = EntryRow | SubjectOperationRow
"""What one visible operation is in the views."""


class Folding:
    """Applies visible operations to entries and states; collects what changed."""

    def __init__(self, past: Past, epochs: Epochs) -> None:
        self._past = past
        self._epochs = epochs
        # What this input added, by log and seq; True: hidden.
        self._fresh: dict[tuple[int, int], bool] = {}
        # What this input changed, by subject and op id; None: the operation is gone.
        self._touched: dict[bytes, dict[bytes, tuple[SubjectOperationRow, bytes | None] | None]]
        self._touched = {}

    def begin(self) -> None:
        """Forget what the last input added: it is stored now."""
        self._fresh.clear()
        self._touched.clear()

    def apply(
        self, op: Operation, standing: Standing, is_visible: bool, log: int, batch: Batch
    ) -> Change | None:
        """Apply one content operation; None if nothing comes into view.

        Nothing does if its kind or payload gives it no effect, or if it is hidden and nothing shown
        can rest on it.
        """
        if not is_visible and not keeps_hidden(op.core.kind):
            return None
        payload = self._opened(op)
        row = row_of(op, payload, standing, log)
        if row is None:
            return None
        self._fresh[log, op.core.seq] = not is_visible
        if isinstance(row, EntryRow):
            batch.entries.append(row if is_visible else row._replace(is_hidden=True))
        else:
            self._put(row, payload, batch)
        return _change(row, payload if is_visible else b"")

    def apply_again(
        self, op: Operation, standing: Standing, is_visible: bool, log: int, batch: Batch
    ) -> Change | None:
        """Show or hide an operation that was judged before; None if the views have it as it is now.

        `standing` is what its author had by the operation's own past, which never changes.
        """
        payload = self._opened(op)
        row = row_of(op, payload, standing, log)
        if row is None:
            return None
        if isinstance(row, EntryRow) and keeps_hidden(row.kind):
            return self._turn(row._replace(is_hidden=not is_visible), payload, batch)
        if self._has(row) == is_visible:
            return None
        if isinstance(row, SubjectOperationRow):
            self._touched.setdefault(row.subject, {})[row.op_id] = None
        if not is_visible:
            if isinstance(row, EntryRow):
                batch.entries_gone.append(row)
            else:
                batch.subject_operations_gone.append(row)
            return _change(row, b"", "hidden")
        if isinstance(row, EntryRow):
            batch.entries_again.append(row)
        else:
            self._put(row, payload, batch)
        return _change(row, payload, "shown")

    def _turn(self, row: EntryRow, payload: bytes | None, batch: Batch) -> Change | None:
        """Mark what is listed as hidden or shown, and list it if it is not; None if it is so."""
        if self._has(row):
            return None
        is_listed = self._has(row._replace(is_hidden=not row.is_hidden))
        (batch.entries_turned if is_listed else batch.entries_again).append(row)
        return _change(row, b"", "hidden") if row.is_hidden else _change(row, payload, "shown")

    def _opened(self, op: Operation) -> bytes | None:
        return None if op.payload is None else self._epochs.open(op.core, op.payload)

    def _has(self, row: Row) -> bool:
        is_hidden = self._fresh.get((row.log, row.seq))
        if isinstance(row, EntryRow):
            return self._past.has_entry(row) if is_hidden is None else is_hidden == row.is_hidden
        if is_hidden is not None:
            return True
        return self._past.has_subject_operation(row)

    def _put(self, row: SubjectOperationRow, payload: bytes | None, batch: Batch) -> None:
        batch.subject_operations.append(row)
        self._touched.setdefault(row.subject, {})[row.op_id] = (row, payload)

    def finish(self, batch: Batch) -> None:
        """Fold every touched subject anew; cost grows with the operations of those subjects."""
        for subject, touched in self._touched.items():
            rows = [
                (row, self._epochs.open_stored(core, payload))
                for row, core, payload in self._past.subject_operations(subject)
                if row.op_id not in touched
            ]
            rows += [pair for pair in touched.values() if pair is not None]
            rows.sort(key=lambda row: row[0][1:5])
            state_row = fold_subject(subject, rows)
            if state_row is not None:
                batch.states.append(state_row)
            else:
                batch.states_gone.append(subject)


def row_of(op: Operation, opened: bytes | None, standing: Standing, log: int) -> Row | None:
    """Return what an operation is in the views; None if its kind or payload gives it no effect.

    `opened` is what its payload says, `standing` what its author was at its own past.
    """
    core = op.core
    kind = kind_of(core.kind)
    if kind is None or opened is None:
        return None
    try:
        payload = kind.decode(opened)
    except PayloadInvalid:
        return None
    order = (core.time, core.device, core.seq, op.op_id)
    member = standing.member
    if isinstance(kind, EntryKind):
        container = kind.container(payload, core.subject)
        return EntryRow(container, *order, kind.number, member, log)
    subject = kind.subject(payload, core.subject, op.op_id, member)
    return SubjectOperationRow(subject, *order, kind.number, member, standing.rank, log)


def _change(row: Row, payload: bytes | None, again: Literal["", "shown", "hidden"] = "") -> Change:
    order = Order(row.time, row.device, row.seq, row.op_id)
    return Change(row.kind, row[0], order, row.member, payload or b"", again)


def fold_subject(
    subject: bytes, rows: list[tuple[SubjectOperationRow, bytes | None]]
) -> StateRow | None:
    """Return the state of one subject from all its operations, sorted in folding order.

    Anybody can name a subject in an operation of another kind. Its own kind is the one that makes a
    state of it: a subject is the hash of its first operation, or of a text that only one kind uses.
    """
    for number in sorted({row.kind for row, _ in rows}):
        kind = kind_of(number)
        assert isinstance(kind, StateKind), "only such operations are kept by subject"
        state_row = _fold_as(kind, subject, rows)
        if state_row is not None:
            return state_row
    return None


def _fold_as(
    kind: StateKind, subject: bytes, rows: list[tuple[SubjectOperationRow, bytes | None]]
) -> StateRow | None:
    placed: list[Placed] = []
    for row, payload_bytes in rows:
        if row.kind != kind.number or payload_bytes is None:
            continue
        payload = kind.decode(payload_bytes)  # valid, or it were not kept
        order = Order(row.time, row.device, row.seq, row.op_id)
        creates = subject_of(row.op_id) == subject
        placed.append(Placed(order, row.member, row.rank, payload, creates))
    state = kind.fold(placed) if placed else None
    if state is None:
        return None
    return StateRow(subject, kind.number, kind.group(state), *placed[-1].order, encode(state))
