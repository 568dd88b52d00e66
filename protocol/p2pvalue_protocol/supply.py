"""Answering what a peer wants: batches of runs, a few frames at a time (spec: sync)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

import msgspec

from p2pvalue_protocol import frames as f
from p2pvalue_protocol import limits
from p2pvalue_protocol.access import Scope
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.log import Run, encode_batch
from p2pvalue_protocol.replica import Replica
from p2pvalue_protocol.serving import runs_up_to

_FRAME_OVERHEAD_BYTES = 16
_BATCH_BYTES_MIN = 1  # one signed stretch, whatever its size


class Supply:
    """The queue of one peer's wants and how many frames it has not acknowledged."""

    def __init__(self, replica: Replica, gives: Callable[[], Scope]) -> None:
        """`gives` says what the peer may see now, whatever it could see when it asked."""
        self._replica = replica
        self._gives = gives
        self._queue: deque[f.Want] = deque()
        self._unacked = 0
        self._bytes_target = limits.BATCH_BYTES_TARGET

    @property
    def has_work(self) -> bool:
        """True if a frame can be sent now."""
        return bool(self._queue) and self._unacked < limits.UNACKED_FRAMES_MAX

    def want(self, wants: Iterable[f.Want]) -> None:
        """Queue wants; raises Refused(over-limit) if a peer asks without waiting for answers."""
        self._queue.extend(wants)
        if len(self._queue) > limits.WANTS_QUEUED_MAX:
            raise Refused(Reason.OVER_LIMIT)

    def acked(self) -> None:
        """Note that one frame was dealt with; raises Refused(unasked) if none was out."""
        if not self._unacked:
            raise Refused(Reason.UNASKED)
        self._unacked -= 1

    def next_frame(self) -> f.Ops:
        """Return the next batch. Call only while `has_work`; costs about 10 ms."""
        self._unacked += 1
        while True:
            runs, finished, rest = self._collect(self._bytes_target)
            batch = encode_batch(runs)
            if len(batch) + _FRAME_OVERHEAD_BYTES <= limits.FRAME_BYTES_MAX:
                break
            if self._bytes_target == _BATCH_BYTES_MIN:
                # No frame can carry this stretch. Signatures stand close enough that it cannot be.
                batch, finished, rest = encode_batch([]), 1, None
                break
            self._bytes_target = max(_BATCH_BYTES_MIN, self._bytes_target // 2)
        for _ in range(finished):
            self._queue.popleft()
        if rest is not None:
            self._queue[0] = rest
        self._bytes_target = min(limits.BATCH_BYTES_TARGET, max(1_024, self._bytes_target) * 2)
        return f.Ops(finished, batch)

    def _collect(self, bytes_max: int) -> tuple[list[Run], int, f.Want | None]:
        """Return (runs, wants that they finish, what is left of the next want)."""
        scope = self._gives()
        runs: list[Run] = []
        size = 0
        for finished, want in enumerate(self._queue):
            if finished == limits.WANTS_PER_FRAME_MAX or size >= bytes_max:
                return runs, finished, None
            found, next_seq = self._runs(scope, want, bytes_max - size)
            runs.extend(found)
            size += sum(map(_size, found))
            if next_seq is not None and next_seq > want.from_seq:
                return runs, finished, msgspec.structs.replace(want, from_seq=next_seq)
        return runs, len(self._queue), None

    def _runs(self, scope: Scope, want: f.Want, bytes_max: int) -> tuple[list[Run], int | None]:
        """Return what the peer may have of one want, and the seq to go on from."""
        if want.log_class not in scope.classes:
            return [], None
        if scope.heads is None:
            head = Reference(want.device, want.log_class, want.head_seq, want.head_id)
            return self._replica.runs_wanted(head, want.from_seq, bytes_max)
        shown = scope.head(want.device, want.log_class, want.head_id)
        if shown is None:
            return [], None
        return runs_up_to(self._replica.branches, shown, want.from_seq, bytes_max)


def _size(run: Run) -> int:
    """Return roughly what a run takes unpacked, in bytes."""
    return 80 + sum(120 + len(item.payload) for item in run.items)
