"""Where every log stands, and how a place in a log is found (spec: operation, "Logs and forks").

A log is normally one chain. A device that signed two operations with one seq has forked it: each
branch is then a log of its own, named by the id of its first own operation, and its earlier part is
the branch that it left. Which branch counts as the trunk is local (it was held first) and shows
nowhere: heads are the leaves of the tree, which every node with the same operations has alike.

Reads go to what this input has changed so far, then to what was stored before.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

import msgspec

from p2pvalue_protocol import limits
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.ids import AUTH, CONTENT, ZERO32, Reference
from p2pvalue_protocol.operation import Operation, decode_core
from p2pvalue_protocol.past import HeadRow, LogRow, OperationRow, Past
from p2pvalue_protocol.reach import Reach


class Tip(NamedTuple):
    """The newest folded operation of a log while no folded operation names it."""

    reference: Reference
    time: int


class Branch(msgspec.Struct):
    """One branch of one log: its last stored, folded and signed operation."""

    row: LogRow
    head_seq: int
    head_id: bytes
    signed_seq: int
    unsigned_bytes: int  # since the last signature, for our own logs
    folded_seq: int
    folded_id: bytes
    folded_time: int
    frontier: int  # auth frontier of the last folded operation; 0 before the first
    closed: Reason | None = (
        None  # an operation here was refused: nothing after folded_seq has effect
    )
    waits_for: bytes = b""  # op id that the next operation to fold is missing

    @property
    def is_waiting(self) -> bool:
        return self.folded_seq < self.head_seq

    @property
    def tip(self) -> Tip:
        """Its last folded operation, as long as nothing folded names it."""
        log = self.row
        head = Reference(log.device, log.log_class, self.folded_seq, self.folded_id)
        return Tip(head, self.folded_time)


class Place(NamedTuple):
    """An operation found: in which branch, and whether it is folded."""

    branch: Branch
    is_folded: bool


class Branches:
    """All logs of one community; holds one `Branch` each, never the operations."""

    def __init__(self, past: Past) -> None:
        self.reach = Reach(self)
        self._past = past
        self._by_log: dict[tuple[bytes, int], list[Branch]] = {}
        self._by_number: dict[int, Branch] = {}
        self._fresh: dict[tuple[int, int], OperationRow] = {}
        self._next_number = 1
        self._held_before: dict[bytes, tuple[Reference, ...]] = {}  # by device with a forked log
        for head in past.heads():
            self._restore(head)
        for (device, _), branches in self._by_log.items():
            if len(branches) > 1:
                self._held_before[device] = self._first_held(device)

    def hidden_places(self, container: bytes, kind: int) -> list[Reference]:
        """Return where the hidden entries of a list are, ascending, as of the last input."""
        return self._past.hidden_places(container, kind)

    def _restore(self, row: HeadRow) -> None:
        log = row.log
        head = row.head
        # How much stands behind the last signature is not stored: as much as may.
        unsigned_bytes = 0 if row.signed_seq == head.seq else limits.UNSIGNED_BYTES_MAX
        branch = Branch(
            log, head.seq, head.op_id, row.signed_seq, unsigned_bytes, log.first_seq - 1, b"", 0, 0
        )
        self._insert(branch)
        if row.folded_seq >= log.first_seq:
            folded = head if row.folded_seq == head.seq else self.row(branch, row.folded_seq)
            assert folded is not None
            branch.folded_seq = folded.seq
            branch.folded_id = folded.op_id
            branch.folded_time = decode_core(folded.core).time
            branch.frontier = folded.frontier

    def _insert(self, branch: Branch) -> None:
        self._by_log.setdefault((branch.row.device, branch.row.log_class), []).append(branch)
        self._by_number[branch.row.log] = branch
        self._next_number = max(self._next_number, branch.row.log + 1)

    def begin(self) -> None:
        """Forget the rows of the last input: they are stored now."""
        self._fresh.clear()

    def put(self, row: OperationRow) -> None:
        """Remember a row that this input makes or changes."""
        self._fresh[row.log, row.seq] = row

    def all(self) -> list[Branch]:
        """Return every branch, in the order of their numbers."""
        return list(self._by_number.values())

    def numbered(self, log: int) -> Branch:
        """Return the branch with this number, which must be one of ours."""
        return self._by_number[log]

    def of(self, device: bytes, log_class: int) -> list[Branch]:
        """Return the branches of one log, the trunk first; empty if the log is unknown."""
        return self._by_log.get((device, log_class), [])

    def forked_devices(self) -> list[bytes]:
        """Return the devices of which two branches of one log are held, ascending."""
        return sorted(self._held_before)

    def held_before_fork(self, device: bytes) -> tuple[Reference, ...]:
        """Return the heads that were held of a device when a second branch of a log of it came.

        Known exactly until a restart; from then on, the heads of what was held first.
        """
        return self._held_before[device]

    def _first_held(self, device: bytes) -> tuple[Reference, ...]:
        trunks = [
            branches[0] for c in (AUTH, CONTENT) if (branches := self._by_log.get((device, c)))
        ]
        return tuple(
            Reference(device, t.row.log_class, t.head_seq, t.head_id)
            for t in trunks
            if t.head_seq >= t.row.first_seq
        )

    def beside(self, branch: Branch) -> bytes:
        """Return the id of another operation at the place where a branch begins that is no trunk.

        One is held, or the branch would go on with what was there.
        """
        seq = branch.row.first_seq
        others = (b for b in self.of(branch.row.device, branch.row.log_class) if b is not branch)
        found = (self.id_at(other, seq) for other in others)
        return next(op_id for op_id in found if op_id is not None)

    def open(
        self,
        community: bytes,
        device: bytes,
        log_class: int,
        seq: int,
        backlink: bytes,
        op_id: bytes,
    ) -> Branch:
        """Make an empty branch whose first operation will be `op_id` at `seq`, and return it."""
        is_trunk = not self.of(device, log_class)
        if not is_trunk and device not in self._held_before:
            self._held_before[device] = self._first_held(device)
        row = LogRow(
            self._next_number,
            community,
            device,
            log_class,
            b"" if is_trunk else op_id,
            seq,
            backlink,
        )
        branch = Branch(row, seq - 1, backlink, seq - 1, 0, seq - 1, b"", 0, 0)
        self._insert(branch)
        return branch

    def rows(self, branch: Branch, first_seq: int, count: int) -> list[OperationRow]:
        """Return up to `count` rows of one branch from `first_seq` on."""
        log = branch.row.log
        fresh = self._fresh
        if not fresh:
            return self._past.operations(log, first_seq, count)
        places = range(first_seq, min(first_seq + count - 1, branch.head_seq) + 1)
        found = [fresh.get((log, seq)) for seq in places]
        if None in found:
            stored = {r.seq: r for r in self._past.operations(log, first_seq, count)}
            found = [row or stored.get(seq) for row, seq in zip(found, places, strict=True)]
        return [row for row in found if row is not None]

    def row(self, branch: Branch, seq: int) -> OperationRow | None:
        """Return one row of a branch, or None."""
        fresh = self._fresh.get((branch.row.log, seq))
        if fresh is not None:
            return fresh
        rows = self._past.operations(branch.row.log, seq, 1)
        return rows[0] if rows and rows[0].seq == seq else None

    def id_at(self, branch: Branch, seq: int) -> bytes | None:
        """Return the id of a branch's own operation at `seq`, or None."""
        if seq == branch.head_seq and seq >= branch.row.first_seq:
            return branch.head_id
        if seq == branch.folded_seq and seq >= branch.row.first_seq:
            return branch.folded_id
        if not branch.row.first_seq <= seq <= branch.head_seq:
            return None
        row = self.row(branch, seq)
        return row.op_id if row is not None else None

    def find(self, reference: Reference) -> Place | None:
        """Return where an operation is held, or None; usually without a read."""
        for branch in self.of(reference.device, reference.log_class):
            if self.id_at(branch, reference.seq) == reference.op_id:
                return Place(branch, reference.seq <= branch.folded_seq)
        return None

    def is_in_chain(self, op: Reference, head: Reference) -> bool:
        """Return whether `op` is `head` or precedes it in its log; False if `head` is not held."""
        if (op.device, op.log_class) != (head.device, head.log_class) or op.seq > head.seq:
            return False
        place = self.find(head)
        if place is None:
            return False
        branch = place.branch
        while op.seq < branch.row.first_seq:
            last = branch.row.first_seq - 1
            base = self.owner(op.device, op.log_class, last, branch.row.base_id)
            assert base is not None, "a branch starts from an operation that is held"
            branch = base
        return self.id_at(branch, op.seq) == op.op_id

    def owner(self, device: bytes, log_class: int, seq: int, op_id: bytes) -> Branch | None:
        """Return the branch that holds this operation as its own, or None."""
        for branch in self.of(device, log_class):
            if self.id_at(branch, seq) == op_id:
                return branch
        return None

    def attach(self, operations: list[Operation]) -> tuple[Branch | None, int]:
        """Return where consecutive operations of one log join what is held.

        That is the branch that they extend, None if they begin one, and how many of them are held.
        Raises Refused(chain-broken) if what precedes them is not held.
        """
        first = operations[0].core
        device, log_class = first.device, first.log_class
        for branch in self.of(device, log_class):
            if branch.head_id == first.backlink and branch.head_seq + 1 == first.seq:
                return branch, 0
        # What precedes a held operation is held.
        held = bisect_left(operations, True, key=lambda op: self._owner_of(op) is None)
        if held:
            last = self._owner_of(operations[held - 1])
            is_head = last is not None and last.head_id == operations[held - 1].op_id
            return (last if is_head and held < len(operations) else None), held
        if first.seq == 0:
            return None, 0
        if self.owner(device, log_class, first.seq - 1, first.backlink) is None:
            raise Refused(Reason.CHAIN_BROKEN)
        return None, 0

    def _owner_of(self, op: Operation) -> Branch | None:
        return self.owner(op.core.device, op.core.log_class, op.core.seq, op.op_id)

    def before(self, branch: Branch, seq: int, count: int) -> list[OperationRow]:
        """Return up to `count` rows of the chain that leads to a branch's operation at `seq`."""
        rows: list[OperationRow] = []
        for piece, first, last in self.path(branch, max(0, seq - count)):
            rows += self.rows(piece, first, min(last, seq - 1) - first + 1)
        return rows

    def past_of_first(self, branch: Branch) -> tuple[int, int] | None:
        """Return (time, auth frontier) of what a branch starts from, if it is folded."""
        row = branch.row
        if row.base_id == ZERO32:
            return 0, 0
        base = self.owner(row.device, row.log_class, row.first_seq - 1, row.base_id)
        if base is None or base.folded_seq < row.first_seq - 1:
            return None
        found = self.row(base, row.first_seq - 1)
        assert found is not None
        return decode_core(found.core).time, found.frontier

    def time_and_frontier(self, branch: Branch, seq: int) -> tuple[int, int]:
        """Return (time, auth frontier) of a folded operation."""
        if seq == branch.folded_seq:
            return branch.folded_time, branch.frontier
        row = self.row(branch, seq)
        assert row is not None
        return decode_core(row.core).time, row.frontier

    def path(self, branch: Branch, first_seq: int) -> list[tuple[Branch, int, int]]:
        """Return the pieces (branch, first, last seq) from `first_seq` to a branch's head."""
        pieces: list[tuple[Branch, int, int]] = []
        last = branch.head_seq
        while True:
            start = max(first_seq, branch.row.first_seq)
            if start <= last:
                pieces.append((branch, start, last))
            if first_seq >= branch.row.first_seq or branch.row.base_id == ZERO32:
                break
            last = branch.row.first_seq - 1
            base = self.owner(branch.row.device, branch.row.log_class, last, branch.row.base_id)
            assert base is not None, "a branch starts from an operation that is held"
            branch = base
        pieces.reverse()
        return pieces
