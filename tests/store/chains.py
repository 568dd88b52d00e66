"""Batches of real, chained operations, as the core would hand them to a store."""

from __future__ import annotations

from p2pvalue.store import Fault, Store
from p2pvalue.store.verify import verify_logs
from p2pvalue_protocol.ids import (
    CONTENT,
    ZERO32,
    Reference,
    op_id_of,
    payload_hash_of,
    tagged_hash,
)
from p2pvalue_protocol.keys import SigningKey
from p2pvalue_protocol.kind import NO_SUBJECT, Order
from p2pvalue_protocol.operation import SIGNED, Core, encode_core
from p2pvalue_protocol.past import (
    Batch,
    EntryRow,
    LogRow,
    OperationRow,
    StateRow,
    SubjectOperationRow,
)

COMMUNITY = tagged_hash("test", b"community")
CHAT = 35
PLEDGE = 38
START_MS = 1_800_000_000_000


class Chain:
    """One log of one device, growing; each operation names the one before it."""

    def __init__(
        self,
        log: int,
        *,
        community: bytes = COMMUNITY,
        log_class: int = CONTENT,
        seed: int | None = None,
    ) -> None:
        self.key = SigningKey(tagged_hash("test", b"device %d" % (log if seed is None else seed)))
        self.member = tagged_hash("test", b"member of " + self.key.public)
        self.row = LogRow(log, community, self.key.public, log_class, b"", 0, ZERO32)
        self.seq = 0
        self.backlink = ZERO32

    def resume(self, seq: int, backlink: bytes) -> None:
        """Go on after what a store held: the next operation is `seq`."""
        self.seq, self.backlink = seq, backlink

    def operation(
        self, payload: bytes, *, frontier: int = 1, time: int | None = None, signed: bool = False
    ) -> OperationRow:
        """Return the next operation."""
        core = Core(
            version=1,
            community=self.row.community,
            device=self.key.public,
            seq=self.seq,
            backlink=self.backlink,
            kind=CHAT if self.row.log_class == CONTENT else 3,
            subject=b"",
            parents=(),
            time=START_MS + self.seq if time is None else time,
            epoch=b"",
            payload_size=len(payload),
            payload_hash=payload_hash_of(payload),
        )
        data = encode_core(core)
        op_id = op_id_of(data)
        signature = self.key.sign(SIGNED + data) if signed else b""
        row = OperationRow(self.row.log, self.seq, op_id, data, signature, payload, frontier)
        self.seq, self.backlink = self.seq + 1, op_id
        return row

    def place(self, row: OperationRow, time: int | None = None) -> Order:
        """Return where an operation of this chain sorts."""
        at = START_MS + row.seq if time is None else time
        return Order(at, self.key.public, row.seq, row.op_id)

    def entry(
        self, row: OperationRow, *, time: int | None = None, container: bytes = NO_SUBJECT
    ) -> EntryRow:
        """Return the list item that an operation of this chain is."""
        order = self.place(row, time)
        return EntryRow(container, *order, CHAT, self.member, self.row.log)

    def subject_operation(
        self, row: OperationRow, subject: bytes, *, time: int | None = None
    ) -> SubjectOperationRow:
        """Return an operation of this chain as one of a folded subject."""
        order = self.place(row, time)
        return SubjectOperationRow(subject, *order, PLEDGE, self.member, 2, self.row.log)

    def state(
        self, row: OperationRow, subject: bytes, state: bytes, *, group: bytes = NO_SUBJECT
    ) -> StateRow:
        """Return a state that an operation of this chain changed last."""
        return StateRow(subject, PLEDGE, group, *self.place(row), state)

    def reference(self, row: OperationRow) -> Reference:
        """Return the pointer to an operation of this chain."""
        return Reference(self.key.public, self.row.log_class, row.seq, row.op_id)

    def message_batch(self, text: bytes) -> Batch:
        """Return what committing one chat message takes, the log's first row with the first."""
        logs = [self.row] if self.seq == 0 else []
        row = self.operation(text)
        return Batch(
            self.row.community,
            logs=logs,
            operations=[row],
            entries=[self.entry(row)],
            tips=[self.row.log],
        )


def subject_named(name: str) -> bytes:
    """Return a 16-byte subject for a test."""
    return tagged_hash("test", name.encode())[:16]


def log_faults(store: Store) -> tuple[Fault, ...]:
    """Return what is wrong with the logs; these communities have no founder to fold by."""
    return verify_logs(store, deep=True).faults


def texts(store: Store, container: bytes = NO_SUBJECT) -> list[bytes | None]:
    """Return the texts of a channel in order."""
    return [entry.payload for entry in store.entries(COMMUNITY, container, CHAT)]
