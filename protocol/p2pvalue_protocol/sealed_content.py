"""Content whose epoch's secret is still missing, so that it can be opened when the secret comes.

Only where it begins and how much it is is kept, for each epoch and log: the log is read again.
"""

from __future__ import annotations

from collections.abc import Iterable

from p2pvalue_protocol.past import Batch


class SealedContent:
    """What waits for secrets in one community."""

    def __init__(self, rows: Iterable[tuple[bytes, int, int, int]]) -> None:
        """Take what was stored: (epoch, log, first seq, count)."""
        self._waiting: dict[bytes, dict[int, tuple[int, int]]] = {}
        for epoch, log, first_seq, count in rows:
            self._waiting.setdefault(epoch, {})[log] = (first_seq, count)
        self._touched: set[tuple[bytes, int]] = set()
        self._gone: list[bytes] = []

    @property
    def count(self) -> int:
        """How many operations wait."""
        return sum(count for logs in self._waiting.values() for _, count in logs.values())

    def add(self, epoch: bytes, log: int, seq: int) -> None:
        """Note an operation that was folded just now and cannot be opened."""
        logs = self._waiting.setdefault(epoch, {})
        first_seq, count = logs.get(log, (seq, 0))
        logs[log] = (min(first_seq, seq), count + 1)
        self._touched.add((epoch, log))

    def take(self, epoch: bytes) -> list[tuple[int, int]]:
        """Return (log, first seq) of what waited for a secret that is known now, and forget it."""
        logs = self._waiting.pop(epoch, {})
        if logs:
            self._gone.append(epoch)
        return [(log, first_seq) for log, (first_seq, _) in sorted(logs.items())]

    def write_to(self, batch: Batch) -> None:
        """Add what changed to a batch."""
        for epoch, log in sorted(self._touched):
            if epoch in self._waiting:
                batch.sealed.append((epoch, log, *self._waiting[epoch][log]))
        batch.sealed_gone += self._gone
        self._touched.clear()
        self._gone.clear()
