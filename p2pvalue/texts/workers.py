"""The keeper of the worker process: starts it, asks it, and ends it if it does not answer.

One process holds the documents of a node. It starts with the first question, answers one at a time
and costs nothing while nobody asks: no task waits for it here. A question is never abandoned half
way: who is cancelled waits for the answer first, at most as long as the watchdog does.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import trio

from p2pvalue.texts.broken import WorkerLost
from p2pvalue.texts.frames import FRAME_BYTES_MAX, HEAD_BYTES, framed
from p2pvalue.texts.remote import Texts
from p2pvalue_protocol.errors import P2PValueError

START_S_MAX: Final = 30.0
ANSWER_S_MAX: Final = 60.0  # of a clock: what works for long ends itself before
END_S_MAX: Final = 1.0
_READ_BYTES: Final = 65_536
# Nothing else of our surroundings is the process's business.
_VARIABLES: Final = ("LD_LIBRARY_PATH", "PYTHONHOME")


class TextWorkers(Texts):
    """Documents in a worker process; one after the other, as each ends."""

    def __init__(self, answer_s_max: float = ANSWER_S_MAX) -> None:
        """Begin without a process; one that has not answered for so long is ended."""
        super().__init__()
        self._answer_s_max = answer_s_max
        self._lock = trio.Lock()
        self._process: trio.Process | None = None
        self._apart: TextWorkers | None = None

    @property
    def pid(self) -> int | None:
        """The process that there is, if any."""
        return None if self._process is None else self._process.pid

    def apart(self) -> TextWorkers:
        self._apart = self._apart or TextWorkers(self._answer_s_max)
        return self._apart

    def is_there(self, epoch: int) -> bool:
        return epoch == self.epoch and self._is_alive()

    def _is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    async def close_if_unused(self) -> None:
        if self._apart is not None:
            await self._apart.close_if_unused()
        async with self._lock:
            if not self.count:
                await self._end("the process of texts was closed", is_ours=False)

    async def close(self) -> None:
        with trio.CancelScope(shield=True):
            if self._apart is not None:
                await self._apart.close()
            async with self._lock:
                await self._end("the process of texts was closed", is_ours=False)

    async def _exchange(self, question: bytes, epoch: int | None) -> bytes:
        async with self._lock:
            if not self._is_alive():
                await self._end("the process of texts has ended", is_ours=False)
            if epoch is not None and (self._process is None or epoch != self.epoch):
                raise WorkerLost("the process of texts has ended", is_ours=False)
            process = self._process or await self._start()
            return await self._answer_of(process, question, self._answer_s_max)

    async def _start(self) -> trio.Process:
        try:
            process = await trio.lowlevel.open_process(
                [sys.executable, "-S", "-P", "-m", "p2pvalue.texts.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(),
                start_new_session=True,
            )
        except OSError as error:
            raise P2PValueError(
                f"no process could be started to hold texts ({error}): close other programs,"
                " or restart the daemon"
            ) from None
        self._process = process
        self.epoch += 1
        try:
            await self._answer_of(process, None, START_S_MAX)
        except WorkerLost as error:
            raise P2PValueError(
                f"the process that holds texts could not be started ({error}):"
                " install p2pvalue again, or give the machine more memory"
            ) from None
        return process

    async def _answer_of(
        self, process: trio.Process, question: bytes | None, wait_s: float
    ) -> bytes:
        """Send a question, if any, and return the answer; else end the process and say so."""
        why = f"did not answer within {wait_s:g} s"
        with trio.move_on_after(wait_s, shield=True):
            try:
                return await _talk(process, question)
            except (trio.BrokenResourceError, EOFError):
                why = "ended"
        raise await self._end(f"the process of texts {why}", is_ours=True)

    async def _end(self, why: str, *, is_ours: bool) -> WorkerLost:
        """Let the process go; return what to raise to who still needed it."""
        process, self._process = self._process, None
        self._held.clear()
        self._dropped.clear()
        if process is None:
            return WorkerLost(why, is_ours=is_ours)
        with trio.CancelScope(shield=True):
            if is_ours:
                process.kill()
            assert process.stdin is not None
            assert process.stdout is not None
            await process.stdin.aclose()
            await process.stdout.aclose()
            with trio.move_on_after(END_S_MAX):
                await process.wait()
            if process.returncode is None:
                process.kill()
                await process.wait()
        return WorkerLost(f"{why} (exit code {process.returncode})", is_ours=is_ours)


def _environment() -> dict[str, str]:
    """Return what the process needs to find the same modules as we do."""
    kept = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
    path = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)  # "" is where we are
    return {**kept, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "RUST_BACKTRACE": "0"}


async def _talk(process: trio.Process, question: bytes | None) -> bytes:
    """Send a question, if any; return one answer. Raises EOFError if none comes."""
    assert process.stdin is not None
    assert process.stdout is not None
    if question is not None:
        await process.stdin.send_all(framed(question))
    answer, wanted = bytearray(), HEAD_BYTES
    while len(answer) < wanted:
        part = await process.stdout.receive_some(_READ_BYTES)
        if not part:
            raise EOFError
        answer += part
        if wanted == HEAD_BYTES and len(answer) >= HEAD_BYTES:
            wanted += int.from_bytes(answer[:HEAD_BYTES], "big")
            if wanted > FRAME_BYTES_MAX:
                raise EOFError
    return bytes(answer[HEAD_BYTES:])
