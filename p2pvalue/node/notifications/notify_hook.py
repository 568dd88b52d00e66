"""A person's own command, run for each notification that is shown: a desktop popup, a mail.

No shell has a part in it. Each argument that is exactly `{text}`, `{why}` or `{kind}` is replaced;
the whole event is on the standard input as one line of JSON. One runs at a time, for some seconds;
what comes while many wait is left out, because it is in the list anyway.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import msgspec
import trio

from p2pvalue.types import EventView

log = logging.getLogger(__name__)

RUN_S_MAX: Final = 10.0
WAITING_MAX: Final = 16
_NAMES: Final = ("text", "why", "kind")


class NotifyHook:
    """Runs one command for each event that it is given; without a command it does nothing."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)
        self._into, self._waiting = trio.open_memory_channel[EventView](WAITING_MAX)
        self._failure = ""  # what was told of already

    def show(self, event: EventView) -> None:
        """Let the command run for an event, soon."""
        if self._command:
            with suppress(trio.WouldBlock):
                self._into.send_nowait(event)

    async def run(self) -> None:
        """Run the command for what is shown, until cancelled."""
        async for event in self._waiting:
            failure = await self._run(event)
            if failure and failure != self._failure:
                log.warning("the command of notify.hook %s: %s", failure, self._command[0])
            self._failure = failure

    async def _run(self, event: EventView) -> str:
        """Return what went wrong, in words; empty if nothing did."""
        words = arguments(self._command, event)
        line = msgspec.json.encode(event) + b"\n"
        try:
            process = await trio.lowlevel.open_process(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # so that what it starts ends with it
            )
        except (OSError, ValueError) as error:
            return f"cannot be run ({error.strerror if isinstance(error, OSError) else error})"
        try:
            with trio.move_on_after(RUN_S_MAX):
                await _give(process, line)
                await process.wait()
        finally:
            is_late = process.returncode is None
            if is_late:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                with trio.CancelScope(shield=True):
                    await process.wait()
        if is_late:
            return f"did not end within {RUN_S_MAX:.0f} s, and was ended"
        return f"ended with {process.returncode}" if process.returncode else ""


def arguments(command: Sequence[str], event: EventView) -> list[str]:
    """Return a command with an event's texts put in where it asks for them.

    None looks like an option: whoever wrote a title could otherwise give the command orders.
    """
    texts = {f"{{{name}}}": str(event.data.get(name, "")) for name in _NAMES}
    return [_no_option(texts[word]) if word in texts else word for word in command]


def _no_option(text: str) -> str:
    return f" {text}" if text.startswith(("-", "+", "@")) else text


async def _give(process: trio.Process, line: bytes) -> None:
    assert process.stdin is not None
    async with process.stdin:
        with suppress(trio.BrokenResourceError):  # it does not read
            await process.stdin.send_all(line)
