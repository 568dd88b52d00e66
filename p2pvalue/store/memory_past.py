"""One community in dictionaries."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from p2pvalue.store.arrivals import first_seqs
from p2pvalue.store.interface import Base, Entry, Snapshot, StoreFailed
from p2pvalue_protocol.ids import AUTH, CONTENT, ZERO32, Reference
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.past import (
    Batch,
    EntryRow,
    HeadRow,
    LogRow,
    OperationRow,
    StateRow,
    SubjectOperationRow,
)


class KeptEntry(NamedTuple):
    """An entry where it sorts, with its arrival; the payload stays with the operation."""

    order: Order
    row: EntryRow
    arrival: int


def _subject_order(row: SubjectOperationRow) -> Order:
    return Order(row.time, row.device, row.seq, row.op_id)


class MemoryPast:
    """What is held of one community; keeps `p2pvalue_protocol.past.Past`."""

    def __init__(self, community: bytes) -> None:
        self.community = community
        self.logs: dict[int, LogRow] = {}
        self.rows: dict[int, dict[int, OperationRow]] = {}
        self.lists: dict[tuple[bytes, int], list[KeptEntry]] = {}
        self.hidden: dict[tuple[bytes, int], list[KeptEntry]] = {}
        self.subjects: dict[bytes, list[SubjectOperationRow]] = {}
        self.states: dict[bytes, StateRow] = {}
        self.snapshots: dict[bytes, Snapshot] = {}
        self._frontiers: dict[int, tuple[bytes, ...]] = {}
        self._tips: list[int] = []
        self._reconsidered: list[tuple[int, int]] = []
        self._proven: set[bytes] = set()
        self._addresses: dict[bytes, bytes] = {}
        self._epochs: dict[bytes, bytes] = {}
        self._sealed: dict[tuple[bytes, int], tuple[int, int]] = {}
        self._epoch_secrets: dict[bytes, bytes] = {}
        self._prekeys: list[tuple[bytes, bytes]] = []

    # --- what the core reads

    def heads(self) -> list[HeadRow]:
        """Return where every log with an operation stands, ascending by log number."""
        return [self._head(log) for number, log in sorted(self.logs.items()) if self.rows[number]]

    def _head(self, log: LogRow) -> HeadRow:
        rows = self.rows[log.log]
        head_seq = max(rows)
        waiting = (seq for seq, row in rows.items() if row.frontier == 0)
        signed = (seq for seq, row in rows.items() if row.signature)
        folded_seq = min(waiting, default=head_seq + 1) - 1
        return HeadRow(log, rows[head_seq], folded_seq, max(signed, default=log.first_seq - 1))

    def frontiers(self) -> list[tuple[int, tuple[bytes, ...]]]:
        """Return the numbered auth frontiers, ascending."""
        return sorted(self._frontiers.items())

    def tips(self) -> list[int]:
        """Return the logs last committed whose newest folded operation no folded one names."""
        return list(self._tips)

    def operations(self, log: int, first_seq: int, count: int) -> list[OperationRow]:
        """Return up to `count` operations of one branch from `first_seq` on, ascending."""
        rows = self.rows.get(log, {})
        return [rows[seq] for seq in range(first_seq, first_seq + count) if seq in rows]

    def every_operation(self) -> Iterator[OperationRow]:
        """Yield all operations by log number and seq."""
        for log in sorted(self.logs):
            rows = self.rows[log]
            for seq in sorted(rows):
                yield rows[seq]

    def auth_operations(self) -> Iterator[OperationRow]:
        """Yield every folded auth operation, by log number and seq."""
        for row in self.every_operation():
            if row.frontier and self.logs[row.log].log_class == AUTH:
                yield row

    def state(self, subject: bytes) -> StateRow | None:
        """Return the folded state of one subject."""
        return self.states.get(subject)

    def subject_operations(
        self, subject: bytes
    ) -> list[tuple[SubjectOperationRow, bytes, bytes | None]]:
        """Return the operations of one subject with their cores and payloads, in folding order."""
        rows = self.subjects.get(subject, [])
        stored = [self.rows[row.log][row.seq] for row in rows]
        return [(row, kept.core, kept.payload) for row, kept in zip(rows, stored, strict=True)]

    def has_entry(self, row: EntryRow) -> bool:
        """Return whether an operation is listed, hidden or shown as the row says."""
        kept = self._side(row).get((row.container, row.kind), [])
        return any(entry.row == row for entry in kept)

    def hidden_places(self, container: bytes, kind: int) -> list[Reference]:
        """Return where the hidden entries of a list are, ascending."""
        rows = [kept.row for kept in self.hidden.get((container, kind), [])]
        return sorted(Reference(row.device, CONTENT, row.seq, row.op_id) for row in rows)

    def _side(self, row: EntryRow) -> dict[tuple[bytes, int], list[KeptEntry]]:
        return self.hidden if row.is_hidden else self.lists

    def has_subject_operation(self, row: SubjectOperationRow) -> bool:
        """Return whether an operation is among those of its subject."""
        return row in self.subjects.get(row.subject, [])

    def reconsidered(self) -> list[tuple[int, int]]:
        """Return the logs that are being judged again, with the seq to go on from."""
        return list(self._reconsidered)

    def addresses(self) -> list[tuple[bytes, bytes]]:
        """Return the newest signed address record of each device, ascending by device."""
        return sorted(self._addresses.items())

    def epochs(self) -> list[bytes]:
        """Return the records of the valid epochs, ascending by epoch."""
        return [record for _, record in sorted(self._epochs.items())]

    def sealed(self) -> list[tuple[bytes, int, int, int]]:
        """Return what content waits for a secret: (epoch, log, first seq, count), ascending."""
        return [(*place, *span) for place, span in sorted(self._sealed.items())]

    def proven(self) -> list[bytes]:
        """Return the auth operations, ascending, whose payload holds signatures that were valid."""
        return sorted(self._proven)

    def epoch_secrets(self) -> list[tuple[bytes, bytes]]:
        """Return each epoch with its secret, ascending."""
        return sorted(self._epoch_secrets.items())

    def prekeys(self) -> list[tuple[bytes, bytes]]:
        """Return our own (public, private) prekeys, the newest last."""
        return list(self._prekeys)

    def entry(self, kept: KeptEntry) -> Entry:
        """Return one entry with its payload."""
        row = kept.row
        stored = self.rows[row.log][row.seq]
        return Entry(
            row.container,
            row.kind,
            kept.order,
            row.member,
            stored.core,
            stored.payload,
            kept.arrival,
            row.log,
            row.is_hidden,
        )

    def base(self, log: int) -> Base:
        """Return where a log begins; raises StoreFailed for one that is not stored."""
        row = self.logs.get(log)
        if row is None:
            raise StoreFailed(f"log {log} is not stored; a defect, please report it")
        if row.base_id == ZERO32:
            return Base(None, -1)
        seq = row.first_seq - 1
        (found,) = (
            number
            for number, rows in self.rows.items()
            if seq in rows and rows[seq].op_id == row.base_id
        )
        return Base(found, seq)

    # --- writing

    def check(self, batches: Sequence[Batch]) -> None:
        """Raise StoreFailed if one of these batches contradicts what is held or one before it."""
        logs: set[int] = set()
        places: set[tuple[int, int]] = set()
        for batch in batches:
            for log in batch.logs:
                if log.log in self.logs or log.log in logs:
                    raise StoreFailed(f"nothing was stored: log {log.log} is stored; a defect")
                logs.add(log.log)
            for row in batch.operations:
                if row.log not in self.logs and row.log not in logs:
                    raise StoreFailed(f"nothing was stored: log {row.log} is unknown; a defect")
                place = (row.log, row.seq)
                if place in places or row.seq in self.rows.get(row.log, ()):
                    raise StoreFailed(f"nothing was stored: {place} is stored; a defect")
                places.add(place)

    def apply(self, batch: Batch, arrival: int) -> int:
        """Apply a checked batch; return the last arrival given, counting on from `arrival`."""
        for log in batch.logs:
            self.logs[log.log] = log
            self.rows[log.log] = {}
        for operation in batch.operations:
            self.rows[operation.log][operation.seq] = operation
        for signature, number, seq in batch.signatures:
            self.rows[number][seq] = self.rows[number][seq]._replace(signature=signature)
        for payload, number, seq in batch.payloads:
            self.rows[number][seq] = self.rows[number][seq]._replace(payload=payload)
        for frontier, number, seq in batch.folded:
            self.rows[number][seq] = self.rows[number][seq]._replace(frontier=frontier)
        self._frontiers.update(batch.frontiers)
        arrival = self._apply_views(batch, arrival)
        if batch.tips is not None:
            self._tips = list(batch.tips)
        if batch.reconsidered is not None:
            self._reconsidered = list(batch.reconsidered)
        self._proven.update(batch.proven)
        self._addresses.update(batch.addresses)
        self._apply_epochs(batch)
        return arrival

    def _apply_epochs(self, batch: Batch) -> None:
        self._epochs.update(batch.epochs)
        for epoch, log, first_seq, count in batch.sealed:
            self._sealed[epoch, log] = (first_seq, count)
        for gone in batch.sealed_gone:
            for place in [place for place in self._sealed if place[0] == gone]:
                del self._sealed[place]
        self._epoch_secrets.update(batch.epoch_secrets)
        if batch.prekeys is not None:
            self._prekeys = list(batch.prekeys)

    def _apply_views(self, batch: Batch, arrival: int) -> int:
        for entry in batch.entries:
            arrival += 1
            self._insert(entry, arrival)
        for entry in batch.entries_again:
            self._insert(entry, 0)
        for (container, kind, device), seq in first_seqs(batch.entries_again).items():
            sides = [side.get((container, kind), []) for side in (self.lists, self.hidden)]
            rows = [
                (e.row.seq, e.row.log, side, at)
                for side, kept in enumerate(sides)
                for at, e in enumerate(kept)
                if e.row.device == device and e.row.seq >= seq
            ]
            for _, _, side, at in sorted(rows):
                arrival += 1
                sides[side][at] = sides[side][at]._replace(arrival=arrival)
        for entry in batch.entries_turned:
            self._insert(entry, self._remove(entry._replace(is_hidden=not entry.is_hidden)))
        for entry in batch.entries_gone:
            self._remove(entry)
        for entry in (*batch.entries_again, *batch.entries_turned, *batch.entries_gone):
            self.snapshots.pop(entry.container, None)
        self._apply_states(batch)
        return arrival

    def _insert(self, entry: EntryRow, arrival: int) -> None:
        order = Order(entry.time, entry.device, entry.seq, entry.op_id)
        kept = self._side(entry).setdefault((entry.container, entry.kind), [])
        insort(kept, KeptEntry(order, entry, arrival))

    def _remove(self, entry: EntryRow) -> int:
        """Remove an entry; return its arrival."""
        side, name = self._side(entry), (entry.container, entry.kind)
        arrivals = [other.arrival for other in side.get(name, []) if other.row == entry]
        kept = side.get(name, [])
        kept[:] = [other for other in kept if other.row != entry]
        if not kept:
            side.pop(name, None)
        return arrivals[0] if arrivals else 0

    def _apply_states(self, batch: Batch) -> None:
        for row in batch.subject_operations:
            insort(self.subjects.setdefault(row.subject, []), row, key=_subject_order)
        for row in batch.subject_operations_gone:
            kept_rows = self.subjects.get(row.subject, [])
            kept_rows[:] = [other for other in kept_rows if other != row]
        for state in batch.states:
            self.states[state.subject] = state
        for subject in batch.states_gone:
            self.states.pop(subject, None)

    def clear_views(self) -> None:
        """Forget everything that is made from operations."""
        self.lists.clear()
        self.hidden.clear()
        self.subjects.clear()
        self.states.clear()
        self.snapshots.clear()
        self._frontiers.clear()
        self._tips.clear()
        self._reconsidered.clear()
        self._proven.clear()
        self._epochs.clear()
        self._sealed.clear()
        for rows in self.rows.values():
            for seq, row in rows.items():
                rows[seq] = row._replace(frontier=0)
