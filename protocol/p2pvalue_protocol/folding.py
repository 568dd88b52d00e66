"""From visible operations to what people see (spec: operation, "Folding").

Fold, do not patch: a subject's state is `fold(its visible operations in folding order)`, whatever
the order in which they arrived. Within one input each touched subject is folded once, at the end.
Entries need no fold: their list, sorted, is their state.
"""

from __future__ import annotations

from p2pvalue_protocol.effects import Change
from p2pvalue_protocol.encoding import PayloadInvalid, encode
from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.kind import EntryKind, Order, Placed, StateKind
from p2pvalue_protocol.kinds import kind_of
from p2pvalue_protocol.membership import Standing
from p2pvalue_protocol.operation import Operation
from p2pvalue_protocol.past import Batch, EntryRow, Past, StateRow, SubjectOperationRow


class Folding:
    """Applies visible operations to entries and states; collects what changed."""

    def __init__(self, past: Past) -> None:
        self._past = past
        self._fresh: dict[bytes, list[tuple[SubjectOperationRow, bytes | None]]] = {}

    def begin(self) -> None:
        """Forget what the last input added: it is stored now."""
        self._fresh.clear()

    def apply(self, op: Operation, standing: Standing, log: int, batch: Batch) -> Change | None:
        """Apply one visible content operation; None if its kind or payload gives it no effect."""
        core = op.core
        kind = kind_of(core.kind)
        if kind is None or op.payload is None:
            return None
        try:
            payload = kind.decode(op.payload)
        except PayloadInvalid:
            return None
        order = Order(core.time, core.device, core.seq, op.op_id)
        if isinstance(kind, EntryKind):
            subject = kind.container(payload, core.subject)
            batch.entries.append(
                EntryRow(subject, *order, kind.number, standing.member, log),
            )
        else:
            subject = kind.subject(core.subject, op.op_id, standing.member)
            row = SubjectOperationRow(
                subject, *order, kind.number, standing.member, standing.rank, log
            )
            batch.subject_operations.append(row)
            self._fresh.setdefault(subject, []).append((row, op.payload))
        return Change(core.kind, subject, order, standing.member, op.payload)

    def finish(self, batch: Batch) -> None:
        """Fold every touched subject anew; cost grows with the operations of those subjects."""
        for subject, fresh in self._fresh.items():
            rows = self._past.subject_operations(subject) + fresh
            rows.sort(key=lambda row: row[0][1:5])
            state_row = fold_subject(subject, rows)
            if state_row is not None:
                batch.states.append(state_row)
            else:
                batch.states_gone.append(subject)


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
        try:
            payload = kind.decode(payload_bytes)
        except PayloadInvalid:
            continue
        order = Order(row.time, row.device, row.seq, row.op_id)
        creates = subject_of(row.op_id) == subject
        placed.append(Placed(order, row.member, row.rank, payload, creates))
    state = kind.fold(placed) if placed else None
    if state is None:
        return None
    return StateRow(subject, kind.number, kind.group(state), *placed[-1].order, encode(state))
