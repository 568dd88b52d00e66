"""How long nobody else has a turn in the node while documents are worked with.

Each case is done by a node with a store on disk and the worker process of texts; the longest step
of any task is the stall. Hostile updates are by the rules, and as heavy as these allow. Prints one
JSON line: by case the longest step in ms of processor time, all of it, and the longest collection
of Python's garbage, which is in neither; then what one edit and
one opening take, in ms of a clock and of processor time, with the process and beside the node.

    python -m tests.bench.stalls --updates 10000 --hostile 20
"""

from __future__ import annotations

import argparse
import gc
import json
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import trio

from p2pvalue.collecting import begin_collecting
from p2pvalue.node.documents.open_documents import OpenDocuments
from p2pvalue.node.editors.editor_messages import news
from p2pvalue.store import SqliteStore
from p2pvalue.texts.remote import Texts
from p2pvalue.texts.workers import TextWorkers
from p2pvalue_protocol.documents.bursts import EDITOR_CAPS
from p2pvalue_protocol.documents.clients import client_of
from p2pvalue_protocol.documents.numbers import write_number as n
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import document
from tests.bench.history import Typist
from tests.node.near_texts import NearTexts
from tests.node.small_node import SmallNode
from tests.node.straw_editor import Desk

TITLE = "Plan"
_ROOT = b"\x01\x07content"
_STRUCTS_MAX = 4_096
_SIDED_MAX = 2_600
_CHAIN_RUNS = 1_000
_FROM_ITS_ENDS = 64
_WRITTEN_AT_ONCE = 2_000
EDITS = 300


class Stalls(trio.abc.Instrument):
    """The longest step of a task, and all steps together, in seconds of processor time.

    Python's collections of garbage, which may come in any step, are counted apart.
    """

    def __init__(self) -> None:
        self.longest_s = self.total_s = self.collecting_s = 0.0
        self._since_s = self._collecting_since_s = time.thread_time()

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self._since_s = time.thread_time()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        self.note()

    def collects(self, phase: str, info: dict[str, int]) -> None:
        """Take a collection out of the step that it comes in."""
        now_s = time.thread_time()
        if phase == "start":
            self._collecting_since_s = now_s
        else:
            took_s = now_s - self._collecting_since_s
            self._since_s += took_s
            self.collecting_s = max(self.collecting_s, took_s)

    def note(self) -> None:
        """Count a step that ends now."""
        took_s = time.thread_time() - self._since_s
        self.longest_s = max(self.longest_s, took_s)
        self.total_s += took_s


class Update(NamedTuple):
    """What an update operation says."""

    data: bytes
    session: int = 0
    heads: tuple[bytes, ...] = ()


def section(client: int, clock: int, *structs: bytes) -> bytes:
    """Return an update of one section, that deletes nothing."""
    return b"\x01" + n(len(structs)) + n(client) + n(clock) + b"".join(structs) + b"\x00"


def beside(info: int, *places: tuple[int, int]) -> bytes:
    """Return a struct of one letter with these sides; without any it begins the text."""
    sides = b"".join(n(client) + n(clock) for client, clock in places) or _ROOT
    return bytes([info]) + sides + b"\x01a"


class Written:
    """A node that holds one document, written by itself in one go."""

    def __init__(self, folder: Path) -> None:
        self.node = SmallNode("ana", ["ana"], SqliteStore(folder / "stalls.db"))
        self.subject = b""

    async def begin(self) -> None:
        """Make the document."""
        made = await self.node.community.create_document(TITLE)
        self.subject = bytes.fromhex(made.document)

    def client(self, session: int) -> int:
        """Return the client of a session of ours."""
        return client_of(self.node.device_seen, self.subject, session)

    async def write(self, updates: list[Update]) -> None:
        """Write updates as a member whose software checks nothing would."""
        drafts = [
            Draft(
                document.UPDATE_NUMBER,
                self.subject,
                document.encode_document_update(u.data, u.session, u.heads),
            )
            for u in updates
        ]
        for at in range(0, len(drafts), _WRITTEN_AT_ONCE):
            await self.node.write(self.node.community_id, drafts[at : at + _WRITTEN_AT_ONCE])

    def structs(self, count: int) -> list[Update]:
        """As many structs as fit that stand between two others."""
        found = []
        for session in range(1, count + 1):
            own = self.client(session)
            rest = [beside(0x84, (own, 0))]
            rest += [beside(0xC4, (own, 0), (own, at)) for at in range(1, _SIDED_MAX)]
            found.append(Update(section(own, 0, beside(0x04), *rest), session))
        return found

    def crowded(self) -> list[Update]:
        """Two that put each letter before all others: the text library takes seconds for them."""
        found = []
        for session in (1, 2):
            own = self.client(session)
            rest = [beside(0x44, (own, at)) for at in range(_STRUCTS_MAX - 1)]
            found.append(Update(section(own, 0, beside(0x04), *rest), session))
        return found

    def tangled(self, count: int) -> list[Update]:
        """Few bytes that ask often what stands at both ends of a long chain."""
        found = [Update(section(self.client(3), 0, beside(0x04)), 3)]
        last: tuple[tuple[int, int], ...] = ()
        clocks = [0, 0]
        for at in range(_CHAIN_RUNS):  # two sessions take turns
            session = at % 2
            own = (self.client(session), clocks[session])
            found.append(Update(section(*own, beside(0x84 if last else 0x04, *last)), session))
            last = (own,)
            clocks[session] += 1
        for session in range(4, 4 + count):
            sides = (*last, (self.client(3), 0))
            own_structs = [beside(0xC4, *sides)] * (_FROM_ITS_ENDS)
            found.append(Update(section(self.client(session), 0, *own_structs), session))
        return found

    def bytes(self, count: int) -> list[Update]:
        """As many bytes as fit, in letters that take the most looking at."""
        found = []
        text = "😀".encode() * 3_800
        piece = n(len(text)) + text
        for session in range(1, count + 1):
            own = self.client(session)
            rest = [b"\x84" + n(own) + n(7_600 * at - 1) + piece for at in range(1, 4)]
            found.append(Update(section(own, 0, b"\x04" + _ROOT + piece, *rest), session))
        return found

    def typed(self, count: int, rng: Random) -> list[Update]:
        """What somebody typed."""
        typist = Typist(self.client(0), rng)
        return [Update(typist.update()) for _ in range(count)]


async def measured(work: Callable[[], Awaitable[Any]]) -> dict[str, float]:
    """Do some work; return the longest step and all of it in ms."""
    stalls = Stalls()
    trio.lowlevel.add_instrument(stalls)
    gc.callbacks.append(stalls.collects)
    try:
        await work()
    finally:
        stalls.note()  # the step that we are in
        trio.lowlevel.remove_instrument(stalls)
        gc.callbacks.remove(stalls.collects)
    return {
        "longest_ms": round(1_000 * stalls.longest_s, 1),
        "total_ms": round(1_000 * stalls.total_s, 1),
        "longest_collection_ms": round(1_000 * stalls.collecting_s, 1),
    }


async def opened(written: Written, texts: Texts) -> dict[str, float]:
    """Open the document in a node that begins, from all its updates or a snapshot."""
    node = written.node
    node.restart()
    node.documents = OpenDocuments(texts)
    node.community = node.community_object()
    await (await texts.open("plain", 1)).text()  # the process is there
    return await measured(lambda: node.community.document_text(TITLE))


async def of_case(updates: Callable[[Written], list[Update]], texts: Texts) -> dict[str, Any]:
    """Open a document of these updates, close it, and open it from its snapshot."""
    with tempfile.TemporaryDirectory() as folder:
        written = Written(Path(folder))
        await written.begin()
        await written.write(updates(written))
        found = {"open": await opened(written, texts)}
        shown = await written.node.community.document_text(TITLE)
        assert not shown.skipped, shown.without_effect
        found["close"] = await measured(written.node.documents.close)
        found["open_kept"] = await opened(written, texts)
        await written.node.documents.close()
        written.node.store.close()
    return found


async def of_tab(texts: Texts) -> dict[str, float]:
    """Take the largest message of a tab: as many letters as may be, apart from each other."""
    with tempfile.TemporaryDirectory() as folder:
        written = Written(Path(folder))
        await written.begin()
        desk = Desk(written.node, Path(folder))
        written.node.documents = OpenDocuments(texts)
        view = await desk.attach(TITLE)
        async with desk.opened(view) as editor:
            own = view.client
            places = ((own, max(0, at - 2)) for at in range(1, EDITOR_CAPS.structs - 1))
            rest = [beside(0x84, place) for place in places]
            said = news(section(own, 0, beside(0x04), *rest))
            found = await measured(lambda: editor.tab.take(said))
        shown = await written.node.community.document_text(TITLE)
        assert (len(shown.text), shown.skipped) == (EDITOR_CAPS.structs - 1, 0)
        await written.node.documents.close()
        written.node.store.close()
    return found


async def latency(updates: int, rng: Random, texts: Texts) -> dict[str, float]:
    """Return what an edit and an opening take."""
    with tempfile.TemporaryDirectory() as folder:
        written = Written(Path(folder))
        await written.begin()
        await written.write(written.typed(updates, rng))
        found = {}
        clock_s, processor_s = time.perf_counter(), time.process_time()
        await opened(written, texts)
        found["open_ms"] = 1_000 * (time.perf_counter() - clock_s)
        found["open_processor_ms"] = 1_000 * (time.process_time() - processor_s)
        clock_s, processor_s = time.perf_counter(), time.process_time()
        for at in range(EDITS):
            await written.node.community.splice_document(TITLE, [(at, 0, "x")])
        found["edit_ms"] = 1_000 * (time.perf_counter() - clock_s) / EDITS
        found["edit_processor_ms"] = 1_000 * (time.process_time() - processor_s) / EDITS
        await written.node.documents.close()
        written.node.store.close()
    return {name: round(value, 3) for name, value in found.items()}


async def measure(updates: int, hostile: int, seed: int) -> dict[str, Any]:
    """Return what all cases take."""
    found: dict[str, Any] = {"updates": updates, "hostile": hostile, "seed": seed}
    cases: dict[str, Callable[[Written], list[Update]]] = {
        "typed": lambda written: written.typed(updates, Random(seed)),
        "structs": lambda written: written.structs(hostile),
        "crowded": lambda written: written.crowded(),
        "tangled": lambda written: written.tangled(hostile),
        "bytes": lambda written: written.bytes(hostile),
    }
    for name, case in cases.items():
        found[name] = await of_case(case, TextWorkers())
    found["tab"] = await of_tab(TextWorkers())
    for kind in (TextWorkers, NearTexts):
        found[kind.__name__] = await latency(updates, Random(seed), kind())
    return found


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--updates", type=int, default=10_000)
    parser.add_argument("--hostile", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    begin_collecting()  # as the daemon does when it is ready
    print(json.dumps(trio.run(measure, asked.updates, asked.hostile, asked.seed)))


if __name__ == "__main__":
    main()
