"""Real daemon processes for tests, each ended when its test ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.patience import WAIT_S

READY = "running as process"


class Daemon:
    """One process; `log` holds what it has told so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.log = ""

    def wait_until_ready(self) -> None:
        """Return when the daemon answers; fails with its log if it ended instead."""
        self.wait_until_told(READY)

    def wait_until_told(self, text: str) -> None:
        """Return when a new line of the log holds `text`; fails if the daemon ended instead."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log += line
            if text in line:
                return
        raise AssertionError(f"the daemon ended before it told {text!r}: {self.log}")

    def wait(self) -> int:
        """The exit code, once the process has ended; `log` is complete then."""
        _, rest = self.process.communicate(timeout=WAIT_S)
        self.log += rest
        return self.process.returncode

    def interrupt(self) -> int:
        """The exit code after Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        return self.wait()


@contextlib.contextmanager
def started(*arguments: str, **environment: str) -> Iterator[Daemon]:
    """A Python program that says on stderr when it is ready."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **environment},
        text=True,
    )
    try:
        yield Daemon(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@contextlib.contextmanager
def fake_daemon(folder: Path) -> Iterator[Daemon]:
    """A daemon around a node of straw, ready to answer."""
    with started("-m", "tests.api.fake_daemon", str(folder)) as daemon:
        daemon.wait_until_ready()
        yield daemon
