"""When one session tells, compares and waits no longer (spec: sync, "HEADS").

Times are milliseconds of the caller's clock. Where that is set back, all stay as far ahead as they
were: else a comparison would wait for as long as the clock was set back.
"""

from __future__ import annotations

from collections.abc import Callable

from p2pvalue_protocol import limits


class SessionTimes:
    """What is due when in one session after its handshake."""

    def __init__(self, jitter: Callable[[], float], now_ms: int) -> None:
        """Begin now; `jitter` returns numbers from 0 up to 1."""
        self._jitter = jitter
        self._opened_ms = self._told_ms = now_ms
        self._tell_due_ms: int | None = None
        self._reply_due_ms: int | None = None
        self._compare_due_ms = 0
        self.compare_later(now_ms)

    def set_back(self, by_ms: int) -> None:
        """Stay as far ahead as before, now that the clock was set back by so much."""
        self._opened_ms -= by_ms
        self._told_ms -= by_ms
        self._compare_due_ms -= by_ms
        if self._tell_due_ms is not None:
            self._tell_due_ms -= by_ms
        if self._reply_due_ms is not None:
            self._reply_due_ms -= by_ms

    def next_ms(self) -> int:
        """Return the earliest; asked after every input, for every session."""
        due_ms = self._compare_due_ms
        if self._tell_due_ms is not None and self._tell_due_ms < due_ms:
            due_ms = self._tell_due_ms
        if self._reply_due_ms is not None and self._reply_due_ms < due_ms:
            due_ms = self._reply_due_ms
        return due_ms

    def has_lasted(self, now_ms: int) -> bool:
        """Return whether the peer has had the time to ask for what we showed it, 10 s."""
        return now_ms - self._opened_ms >= limits.REPLY_MS_MAX

    # --- telling: at most every 50 ms

    def may_tell(self, now_ms: int) -> bool:
        """Return whether news may be told now; if not, `must_tell` says when."""
        if now_ms - self._told_ms >= limits.TELL_MS_MIN:
            return True
        self._tell_due_ms = self._told_ms + limits.TELL_MS_MIN
        return False

    def must_tell(self, now_ms: int) -> bool:
        """Return whether news waited and may be told by now."""
        return self._tell_due_ms is not None and now_ms >= self._tell_due_ms

    def told(self, now_ms: int) -> None:
        """Note that all news was told."""
        self._told_ms = now_ms
        self._tell_due_ms = None

    # --- comparing: every 15 to 60 s

    def must_compare(self, now_ms: int) -> bool:
        """Return whether to find out anew what differs."""
        return now_ms >= self._compare_due_ms

    def compare_later(self, now_ms: int) -> None:
        """Begin another wait of random length."""
        spread_ms = limits.HEADS_EVERY_MS_MAX - limits.HEADS_EVERY_MS_MIN
        self._compare_due_ms = now_ms + limits.HEADS_EVERY_MS_MIN + int(self._jitter() * spread_ms)

    # --- waiting: for 10 s

    def await_reply(self, now_ms: int, *, is_fresh: bool = True) -> None:
        """Wait for what the peer owes; anew if something `is_fresh`, else since it owes it."""
        if is_fresh or self._reply_due_ms is None:
            self._reply_due_ms = now_ms + limits.REPLY_MS_MAX

    def await_nothing(self) -> None:
        """Note that the peer owes nothing."""
        self._reply_due_ms = None

    def is_overdue(self, now_ms: int) -> bool:
        """Return whether the peer let us wait for too long."""
        return self._reply_due_ms is not None and now_ms >= self._reply_due_ms
