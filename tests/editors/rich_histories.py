"""Random histories of real rich editors, with undo: what they say counts, and all show the same.

Between one editor and another stands what a daemon does: what was said before is passed over, and
what stands between no neighbours is mended before anybody else hears of it.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from random import Random
from typing import Any, Final, NamedTuple

from p2pvalue_protocol.documents.bursts import said_anew
from p2pvalue_protocol.documents.clients import client_of
from p2pvalue_protocol.documents.mending import mending
from p2pvalue_protocol.documents.steps import finish
from p2pvalue_protocol.documents.update_form import read_update, write_update
from tests.documents.peers import DOCUMENT, Replica, Written, written
from tests.editors import javascript

STEPS: Final = 500
HEARING_SHARE: Final = 0.3  # who hears little undoes much: that is where undo has gone wrong
AUTHOR, *DEVICES = (sha256(b"rich %d" % number).digest() for number in range(4))


class Said(NamedTuple):
    """What an editor said, as others hear it; `heard` is how much of each it had heard before."""

    author: int
    heard: list[int]
    op: Written


class Process:
    """The process that the editors are in."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, *question: Any) -> Any:
        """Return what it answers; raises RuntimeError if it has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the process of rich editors has ended")
        return json.loads(line)


@contextlib.contextmanager
def editors() -> Iterator[Process]:
    """A process for editors, ended when the block ends."""
    command = javascript.command("rich_editors.mjs")
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=javascript.HERE, stdin=pipe, stdout=pipe, text=True)
    try:
        yield Process(process)
    finally:
        process.kill()
        process.communicate()


class History:
    """Two or three editors of one document."""

    def __init__(self, seed: int, process: Process) -> None:
        self.mended = self.lost = 0  # updates put right, and undos that Yjs failed in
        self._process = process
        self._rng = Random(seed)
        self._devices = DEVICES[: 2 + seed % 2]
        clients = [client_of(device, DOCUMENT, 0) for device in (AUTHOR, *self._devices)]
        first = process.ask("begin", seed, clients[0], clients[1:])
        self.replica = Replica("rich", 1)
        self._first = written(AUTHOR, None, 0, (), b64decode(first))
        self.replica.take(self._first)
        self._clocks = [0 for _ in self._devices]
        self._heard = [[0 for _ in self._devices] for _ in self._devices]
        self._logs: list[list[Said]] = [[] for _ in self._devices]

    def play(self) -> None:
        """Edit and hear, until all have heard all; raises AssertionError if one is refused."""
        everybody = range(len(self._devices))
        for _ in range(STEPS):
            one = self._rng.choice(everybody)
            if self._rng.random() > HEARING_SHARE:
                self._say(one, self._process.ask("edit", one))
            else:
                for _ in range(self._rng.randrange(6)):
                    self._hear(one)
        while any(self._hear(one) for one in everybody):
            pass
        shown = json.loads(self.replica.shown)
        for one in everybody:
            seen = self._process.ask("shown", one)
            assert seen == shown, f"editor {one} shows something else: {seen} {shown}"
            self.lost += self._process.ask("lost", one)

    @property
    def updates(self) -> int:
        """How many there are."""
        return len(self.replica.held)

    def _hear(self, one: int) -> bool:
        heard = self._heard[one]
        following = [
            log[count] for log, count in zip(self._logs, heard, strict=True) if log[count:]
        ]
        ready = [
            said
            for said in following
            if said.author != one
            and all(n <= has for n, has in zip(said.heard, heard, strict=True))
        ]
        if ready:
            said = self._rng.choice(ready)
            heard[said.author] += 1
            update = b64encode(said.op.data).decode()
            self._say(one, self._process.ask("hear", one, update))
        return bool(ready)

    def _say(self, one: int, updates: Sequence[str]) -> None:
        for data in map(b64decode, updates):
            op = self._written(one, data)
            self.replica.take(op)
            reason = self.replica.reason(op)
            assert reason is None, f"what an honest editor says is refused: {reason}"
            self._logs[one].append(Said(one, [*self._heard[one]], op))
            self._heard[one][one] += 1

    def _written(self, one: int, data: bytes) -> Written:
        update = said_anew(read_update(data), self._clocks[one])
        self._clocks[one] = max(self._clocks[one], update.end_clock)
        counts = zip(self._logs, self._heard[one], strict=True)
        heads = [log[n - 1].op.op_id for log, n in counts if n and log is not self._logs[one]]
        heads = sorted([*heads, self._first.op_id])
        last = self._logs[one][-1].op if self._logs[one] else None
        device, said = self._devices[one], write_update(update)
        branch = self.replica.branch_of(written(device, last, 0, (), said))
        fits = finish(mending(self.replica.facts, branch, device, 0, tuple(heads), said))
        self.mended += fits != said
        return written(device, last, 0, tuple(heads), fits)


def play(seeds: Sequence[int]) -> Counter[str]:
    """Play histories; raises AssertionError if one goes wrong."""
    met: Counter[str] = Counter()
    with editors() as process:
        for seed in seeds:
            history = History(seed, process)
            try:
                history.play()
            except AssertionError as error:
                raise AssertionError(f"rich editors: seed {seed}: {error}") from None
            met += Counter(rich=1, rich_updates=history.updates)
            met += Counter(mended=history.mended, undos_lost=history.lost)
    return met
