"""Judging stored content again when somebody is removed or brought back (spec: membership, R9).

A removal acts on content that was folded long ago: some leaves the views, and may come back when a
keep arrives. The logs of the devices that membership names are read again from their beginnings, a
bounded number of operations per input, and each operation is shown or hidden as it now counts. How
far this has come is part of every batch, so that a node which dies on the way goes on from there.
Whatever is folded meanwhile is judged by what is held at that time, and needs no second look.
"""

from __future__ import annotations

from collections.abc import Iterable

from p2pvalue_protocol.branches import Branch, Branches
from p2pvalue_protocol.effects import Change
from p2pvalue_protocol.folding import Folding
from p2pvalue_protocol.ids import CONTENT
from p2pvalue_protocol.membership import Membership
from p2pvalue_protocol.operation import Operation, decode_core
from p2pvalue_protocol.past import Batch, OperationRow

_ROWS_AT_ONCE = 64
_OPERATIONS_PER_INPUT_MAX = 1_024


class Reconsideration:
    """The logs of one community that are being judged again, and how far that has come."""

    def __init__(
        self,
        membership: Membership,
        branches: Branches,
        folding: Folding,
        pending: Iterable[tuple[int, int]],
    ) -> None:
        self._membership = membership
        self._branches = branches
        self._folding = folding
        self._pending = dict(pending)  # log -> seq to go on from
        self._is_changed = False

    @property
    def has_work(self) -> bool:
        """True while some log is not read to its end."""
        return bool(self._pending)

    def add(self, devices: Iterable[bytes]) -> None:
        """Judge the content of devices again, each log from its beginning."""
        self.add_logs(
            branch.row.log for device in devices for branch in self._branches.of(device, CONTENT)
        )

    def add_logs(self, logs: Iterable[int]) -> None:
        """Judge content logs again from their beginnings."""
        for log in logs:
            self.add_from(log, self._branches.numbered(log).row.first_seq)

    def add_from(self, log: int, seq: int) -> None:
        """Judge a content log again from a place on, or from further back if that is due."""
        self._pending[log] = min(seq, self._pending.get(log, seq))
        self._is_changed = True

    def step(self, batch: Batch) -> list[Change]:
        """Judge a bounded number of operations; return what came into view or left it.

        About 30 µs each, and a fold for every subject that they touch.
        """
        changes: list[Change] = []
        left = _OPERATIONS_PER_INPUT_MAX
        for log in sorted(self._pending):
            branch = self._branches.numbered(log)
            seq = self._pending[log]
            while left > 0 and seq <= branch.folded_seq:
                count = min(left, _ROWS_AT_ONCE, branch.folded_seq - seq + 1)
                for row in self._branches.rows(branch, seq, count):
                    change = self._judge(branch, row, batch)
                    if change is not None:
                        changes.append(change)
                seq += count
                left -= count
                self._is_changed = True
            if seq > branch.folded_seq:
                del self._pending[log]
                self._is_changed = True
            else:
                self._pending[log] = seq
                break
        if self._is_changed:
            batch.reconsidered = sorted(self._pending.items())
            self._is_changed = False
        return changes

    def _judge(self, branch: Branch, row: OperationRow, batch: Batch) -> Change | None:
        core = decode_core(row.core)
        op = Operation(row.op_id, core, row.core, row.signature, row.payload)
        device, kind, frontier = core.device, core.kind, row.frontier
        standing = self._membership.judge(device, kind, frontier)
        if standing is None:
            return None  # by its own past it never counts
        is_visible = self._membership.visible(device, kind, frontier, op.reference)
        return self._folding.apply_again(op, standing, is_visible, branch.row.log, batch)
