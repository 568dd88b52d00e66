"""A command that goes on until Ctrl-C, in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from tests.cli.conftest import Person


@contextmanager
def following(person: Person, *words: str) -> Iterator[IO[str]]:
    """Give what the command prints; in the end it is interrupted, and says nothing of that."""
    with subprocess.Popen(
        [sys.executable, "-m", "p2pvalue_cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "P2PVALUE_DATA_DIR": str(person.folder)},
        text=True,
    ) as follower:
        try:
            assert follower.stdout is not None
            yield follower.stdout
        finally:
            follower.send_signal(signal.SIGINT)
        assert (follower.wait(), follower.stderr and follower.stderr.read()) == (0, "")
