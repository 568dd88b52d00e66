"""Who is asked for a log of which much is missing: one peer, the others stand in line (spec: sync).

Else all of it would come from each peer that holds it. Who waits looks from time to time whether
enough has come, so nobody holds up the others by keeping back what it was asked for.
"""

from __future__ import annotations

from typing import NamedTuple

from p2pvalue_protocol import limits

Log = tuple[bytes, bytes]
"""Community and device; of content, for auth logs are asked for at once."""


class Turns:
    """The lines of all sessions of one node, by log."""

    def __init__(self) -> None:
        self._lines: dict[Log, list[object]] = {}

    def place(self, log: Log, session: object) -> int:
        """Return how many are before a session; who is not yet in line goes to its end."""
        line = self._lines.setdefault(log, [])
        if session not in line:
            line.append(session)
        return line.index(session)

    def leave(self, log: Log, session: object) -> None:
        """Let those behind move up; nothing if a session is not in this line."""
        line = self._lines.get(log, [])
        if session in line:
            line.remove(session)
        if not line:
            self._lines.pop(log, None)

    def clear(self, log: Log) -> None:
        """Let nobody wait any more: what the first was asked for is here."""
        self._lines.pop(log, None)

    def leave_all(self, session: object) -> None:
        """Take a session that ended out of every line."""
        for log in list(self._lines):
            self.leave(log, session)


class Wait(NamedTuple):
    """Waiting for what another peer was asked for; times in milliseconds, counts of operations."""

    missing_at_first: int
    missing: int  # when it was looked at last
    since_ms: int
    for_ms: int

    def is_over(self, now_ms: int) -> bool:
        """Return whether to look again."""
        return now_ms - self.since_ms >= self.for_ms

    def has_brought(self, missing: int) -> bool:
        """Return whether enough has come since the last look, now that so much is missing."""
        share = limits.TURN_SHARE * limits.TURN_MS
        return (self.missing - missing) * share >= self.missing_at_first * self.for_ms
