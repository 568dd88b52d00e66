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
_FRAME_FILLED_BYTES = limits.FRAME_BYTES_MAX * 7 // 8  # aimed at: what comes may pack less well
_BATCH_BYTES_MIN = 1  # one signed stretch, whatever its size
# Peers wait 10 s for a frame, and on a narrow line a full one takes longer than that: frames begin
# small and grow as long as they are acknowledged at once.
_FILLED_BYTES_FIRST = 8 * 1_024
_FILLED_BYTES_MIN = 2 * 1_024
_QUICK_MS = 1_000
_SLOW_MS = 4_000


class Supply:
    """The queue of one peer's wants and how many frames it has not acknowledged."""

    def __init__(self, replica: Replica, gives: Callable[[], Scope]) -> None:
        """`gives` says what the peer may see now, whatever it could see when it asked."""
        self._replica = replica
        self._gives = gives
        self._queue: deque[f.Want] = deque()
        self._sent_at_ms: deque[int] = deque()  # of frames that are not acknowledged
        self._filled_bytes = _FILLED_BYTES_FIRST
        self._bytes_target = _FILLED_BYTES_FIRST

    @property
    def _unacked(self) -> int:
        return len(self._sent_at_ms)

    @property
    def has_work(self) -> bool:
        """True if a frame can be sent now."""
        return bool(self._queue) and self._unacked < limits.UNACKED_FRAMES_MAX

    @property
    def is_idle(self) -> bool:
        """True if everything that the peer wanted was sent."""
        return not self._queue

    def want(self, wants: Iterable[f.Want]) -> None:
        """Queue wants; raises Refused(over-limit) if a peer asks without waiting for answers."""
        self._queue.extend(wants)
        if len(self._queue) > limits.WANTS_QUEUED_MAX:
            raise Refused(Reason.OVER_LIMIT)

    def acked(self, now_ms: int) -> None:
        """Note that one frame was dealt with; raises Refused(unasked) if none was out."""
        if not self._unacked:
            raise Refused(Reason.UNASKED)
        took_ms = now_ms - self._sent_at_ms.popleft()
        if took_ms < _QUICK_MS and self._filled_bytes < _FRAME_FILLED_BYTES:
            self._filled_bytes = min(self._filled_bytes * 2, _FRAME_FILLED_BYTES)
            self._bytes_target = min(self._bytes_target * 2, limits.BATCH_BYTES_TARGET)
        elif took_ms > _SLOW_MS and self._filled_bytes > _FILLED_BYTES_MIN:
            self._filled_bytes = max(self._filled_bytes // 2, _FILLED_BYTES_MIN)
            self._bytes_target = max(self._bytes_target // 2, _BATCH_BYTES_MIN)

    def next_frame(self, now_ms: int) -> f.Ops:
        """Return the next batch. Call only while `has_work`; costs about 10 ms."""
        self._sent_at_ms.append(now_ms)
        while True:
            bytes_target = self._bytes_target
            runs, finished, rest = self._collect(bytes_target)
            batch = encode_batch(runs)
            self._aim(runs, len(batch))
            if len(batch) + _FRAME_OVERHEAD_BYTES <= limits.FRAME_BYTES_MAX:
                break
            if bytes_target == _BATCH_BYTES_MIN:
                # No frame can carry this stretch. Signatures stand close enough that it cannot be.
                batch, finished, rest = encode_batch([]), 1, None
                break
            self._bytes_target = max(
                _BATCH_BYTES_MIN, min(self._bytes_target, bytes_target * 3 // 4)
            )
        for _ in range(finished):
            self._queue.popleft()
        if rest is not None:
            self._queue[0] = rest
        return f.Ops(finished, batch)

    def _aim(self, runs: list[Run], packed_bytes: int) -> None:
        """Take the next batch as large as fills a frame if it packs like this one.

        What is sealed hardly packs, what people type packs well; a log is mostly one of them.
        """
        aimed = sum(map(_size, runs)) * self._filled_bytes // packed_bytes
        self._bytes_target = max(_BATCH_BYTES_MIN, min(aimed, limits.BATCH_BYTES_TARGET))

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
