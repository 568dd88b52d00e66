"""A person at a real terminal: what a command asks, and what she types."""

from __future__ import annotations

import os
import pty
import select
import sys
from collections.abc import Sequence

SILENT_S_MAX = 20.0


def typed(
    arguments: Sequence[str], *answers: tuple[str, str], **environment: str
) -> tuple[int, str]:
    """The exit code of a command and all that its terminal showed.

    Each answer is typed once its question has come; fails when a question does not come.
    """
    process, terminal = pty.fork()
    if process == 0:
        command = [sys.executable, "-m", "p2pvalue_cli", *arguments]
        os.execve(sys.executable, command, {**os.environ, **environment})
    shown, seen = "", 0
    waiting = list(answers)
    try:
        while text := _next(terminal):
            shown += text
            while waiting and waiting[0][0] in shown[seen:]:
                question, answer = waiting.pop(0)
                seen = shown.index(question, seen) + len(question)
                os.write(terminal, f"{answer}\n".encode())
    finally:
        os.close(terminal)
        _, status = os.waitpid(process, 0)
    assert not waiting, f"nobody asked {waiting[0][0]!r}; shown was:\n{shown}"
    return os.waitstatus_to_exitcode(status), shown.replace("\r\n", "\n")


def _next(terminal: int) -> str:
    ready, _, _ = select.select([terminal], [], [], SILENT_S_MAX)
    if not ready:
        return ""
    try:
        return os.read(terminal, 4_096).decode(errors="replace")
    except OSError:  # the command has ended, and with it its end of the terminal
        return ""
