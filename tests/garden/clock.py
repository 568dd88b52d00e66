"""The time in the garden: one clock for all processes, which a story sets forward."""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path

_FORM = struct.Struct(
    "<qq"
)  # the time that was set, ms since 1970; when, by the monotonic clock, ns


class Clock:
    """A clock that goes as any other from what it was set to last; it never goes back."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def now_ms(self) -> int:
        """The time since 1970, ms."""
        set_ms, at_ns = _FORM.unpack(os.pread(self._file, _FORM.size, 0))
        return int(set_ms + (time.monotonic_ns() - at_ns) // 1_000_000)

    def start(self, time_ms: int) -> None:
        """Begin with a time."""
        os.pwrite(self._file, _FORM.pack(time_ms, time.monotonic_ns()), 0)

    def advance(self, time_ms: int) -> None:
        """Go forward to a time; one that is over changes nothing."""
        self.start(max(time_ms, self.now_ms()))

    def close(self) -> None:
        os.close(self._file)
