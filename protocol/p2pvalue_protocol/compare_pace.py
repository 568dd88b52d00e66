"""When what a peer wants compared is answered (spec: sync, "HEADS").

To answer costs us far more than to ask, so one comparison is answered in 5 s. Whose clock was set
forward asks too early and cannot know it: it waits for the answer, and only who asks again before
it has come is blamed.
"""

from __future__ import annotations

from p2pvalue_protocol import frames as f
from p2pvalue_protocol import limits
from p2pvalue_protocol.errors import Reason, Refused


class ComparePace:
    """The comparison that one peer waits for; one at a time, so 2 KiB."""

    def __init__(self) -> None:
        self._waiting: f.Buckets | None = None
        self._answered_ms: int | None = None

    @property
    def due_ms(self) -> int | None:
        """When to call `take_due`; None while the peer waits for nothing."""
        if self._waiting is None or self._answered_ms is None:
            return None
        return self._answered_ms + limits.COMPARED_MS_MIN

    def set_back(self, by_ms: int) -> None:
        """Wait no longer, now that our clock was set back by so much."""
        if self._answered_ms is not None:
            self._answered_ms -= by_ms

    def ask(self, buckets: f.Buckets) -> None:
        """Note what a peer wants compared; raises Refused(over-limit) while another waits."""
        if self._waiting is not None:
            raise Refused(Reason.OVER_LIMIT)
        self._waiting = buckets

    def take_due(self, now_ms: int) -> f.Buckets | None:
        """Return what is to be answered now, once."""
        before_ms = self._answered_ms
        if before_ms is not None and now_ms - before_ms < limits.COMPARED_MS_MIN:
            return None
        due, self._waiting = self._waiting, None
        if due is not None:
            self._answered_ms = now_ms
        return due
