"""A word to a person who waits for the daemon longer than a moment."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

MOMENT_S = 1.0
_WORD = "working ..."


@contextlib.contextmanager
def told_if_long() -> Iterator[None]:
    """Say on a terminal that something is done, if it takes long; gone again when it is done."""
    if not sys.stderr.isatty():
        yield
        return
    import threading

    is_told = threading.Event()

    def tell() -> None:
        is_told.set()
        sys.stderr.write(_WORD)
        sys.stderr.flush()

    timer = threading.Timer(MOMENT_S, tell)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        if is_told.is_set():
            sys.stderr.write("\r" + " " * len(_WORD) + "\r")
            sys.stderr.flush()
