"""A person at a real terminal: what a command asks, and what she types."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Sequence

from tests.patience import WAIT_S

AT_A_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "p2pvalue_cli", *sys.argv[1:]])
"""


def typed(arguments: Sequence[str], *answers: tuple[str, str]) -> tuple[int, str]:
    """The exit code of a command and all that its terminal showed.

    Each answer is typed once its question has come; fails when a question does not come.
    """
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", AT_A_TERMINAL, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown, seen = "", 0
    waiting = list(answers)
    try:
        while text := _next(ours):
            shown += text
            while waiting and waiting[0][0] in shown[seen:]:
                question, answer = waiting.pop(0)
                seen = shown.index(question, seen) + len(question)
                os.write(ours, f"{answer}\n".encode())
    finally:
        os.close(ours)
        if waiting:
            process.kill()
        code = process.wait()
    assert not waiting, f"nobody asked {waiting[0][0]!r}; shown was:\n{shown}"
    return code, shown.replace("\r\n", "\n")


def _next(terminal: int) -> str:
    ready, _, _ = select.select([terminal], [], [], WAIT_S)
    if not ready:
        return ""
    try:
        return os.read(terminal, 4_096).decode(errors="replace")
    except OSError:  # the command has ended, and with it its end of the terminal
        return ""
