"""What a line does to a packet: when it arrives at the other end, or that it never does."""

from __future__ import annotations

import random

import msgspec

QUEUE_S_MAX = 1.5
"""What a full buffer holds before a narrow line, in seconds; modems at home have about that."""


class Line(msgspec.Struct, frozen=True):
    """One place's connection to the middle of the network, the same in both directions.

    A path leads over two lines, so the way between two places takes both delays. Jitter delays
    packets, but never lets one overtake another. `kbit_per_s` is 0 where nothing is narrow.
    """

    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss_share: float = 0.0
    kbit_per_s: float = 0.0


class Direction:
    """One direction of a line, with what is on its way; time is in seconds and given by callers."""

    def __init__(self, line: Line, rng: random.Random) -> None:
        self.line = line
        self._rng = rng
        self._is_free_s = 0.0
        self._arrived_last_s = 0.0

    def arrival_s(self, size: int, now_s: float) -> float | None:
        """Return when a packet of `size` bytes arrives; None if it is lost or finds no room."""
        line = self.line
        if line.loss_share and self._rng.random() < line.loss_share:
            return None
        sent_s = now_s
        if line.kbit_per_s:
            begun_s = max(now_s, self._is_free_s)
            if begun_s - now_s > QUEUE_S_MAX:
                return None
            sent_s = self._is_free_s = begun_s + size * 8 / (line.kbit_per_s * 1000)
        delay_s = (line.delay_ms + self._rng.random() * line.jitter_ms) / 1000
        self._arrived_last_s = max(self._arrived_last_s, sent_s + delay_s)
        return self._arrived_last_s


class Rhythm(msgspec.Struct, frozen=True):
    """When a way is closed: for `closed_s` after every `open_s`, from `begun_s` on."""

    begun_s: float
    open_s: float
    closed_s: float

    def is_closed(self, now_s: float) -> bool:
        return (now_s - self.begun_s) % (self.open_s + self.closed_s) >= self.open_s
