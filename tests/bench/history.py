"""Folders that hold a history of so many operations, made once and kept in build/cost.

Of ten operations six are messages in one list, two are pledges to one need and two are edits of a
document, 2,000 of each: the lists grow as fast as a community's history can make them. One device
writes all. The batches are written by the node itself, faster than a clock ticks, so its clock
starts as many milliseconds in the past as there are operations.
"""

from __future__ import annotations

import json
import random
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from p2pvalue import need_types as nt
from p2pvalue.config import Config
from p2pvalue.keystore import Keystore
from p2pvalue.network.interface import Network
from p2pvalue.node.node import DATABASE_NAME
from p2pvalue.node.running import RunningNode
from p2pvalue.store import Durability, SqliteStore
from p2pvalue.texts.edits import Edit
from p2pvalue.texts.shared import SharedDocument
from p2pvalue_protocol.documents.clients import client_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import chat, document, need, pledge
from tests.bench.filler import Filler

WRITTEN_AT_ONCE = 2_000
TEXT_BYTES = 200
TEXT_CHARACTERS = 5_000
NEED_TITLE = "A roof for the workshop"
EDITS_PER_DOCUMENT = 2_000  # the text library takes longer for a text with a longer past
LINE = need.NeedLine("hours", "minute", 10, 20)
TERMS = need.terms_id(need.Terms((LINE,)))
NAMES_FILE = "history.json"


@asynccontextmanager
async def node_in(
    folder: Path,
    *,
    behind_ms: int = 0,
    durability: Durability = "kill",
    network: Network | None = None,
) -> AsyncIterator[RunningNode]:
    """Run the node of a folder, whose clock may be behind, on a network of the caller's or none."""
    if not (folder / "keys.json").exists():
        Keystore.create(folder, "bench")
    keystore = Keystore.open(folder)
    config = Config(data_dir=folder, listen=(), lan_discovery=False, durability=durability)
    store = SqliteStore(folder / DATABASE_NAME, durability=durability, key=keystore.database_key)

    def clock_ms() -> int:
        return time.time_ns() // 1_000_000 - behind_ms

    try:
        node = RunningNode(folder, config, keystore, store, network, clock_ms=clock_ms)
        async with trio.open_nursery() as nursery:
            await nursery.start(node.run)
            yield node
            await node.close()
            nursery.cancel_scope.cancel()
    finally:
        store.close()


class Typist:
    """Types into one text at places near each other, and deletes what is too much."""

    def __init__(self, client: int, draw: random.Random) -> None:
        self._shared = SharedDocument("plain", client)
        self._draw = draw
        self._place = 0

    def update(self) -> bytes:
        length = len(self._shared.text)
        if self._draw.random() < 0.02:
            self._place = self._draw.randint(0, length)
        if length > TEXT_CHARACTERS:
            self._place = min(self._place, length - 1)
            [update] = self._shared.edit([Edit(self._place, 1, "")])
        else:
            [update] = self._shared.edit([Edit(self._place, 0, self._draw.choice("etaoin shrdlu"))])
            self._place += 1
        return update


def drafts_of(
    node: RunningNode, community: bytes, wanted: bytes, documents: list[bytes], n: int
) -> Iterator[Draft]:
    """Yield the operations of a history; the same for the same device and subjects."""
    draw = random.Random(n)
    filler = Filler(n)
    device = node.device(community)
    typists = (Typist(client_of(device, subject, 0), draw) for subject in documents)
    rest = iter(documents)
    edits = 0
    for number in range(n):
        match number % 10:
            case 3 | 8:
                if edits % EDITS_PER_DOCUMENT == 0:
                    subject, typist = next(rest), next(typists)
                edits += 1
                update = document.encode_document_update(typist.update(), 0)
                yield Draft(document.UPDATE_NUMBER, subject, update)
            case 4 | 9:
                yield Draft(pledge.NUMBER, b"", pledge.encode_pledge(wanted, TERMS, 0, 1))
            case _:
                text = filler.pad(f"fill|{number}|", TEXT_BYTES)
                yield Draft(chat.NUMBER, b"", chat.encode_chat_message(text))


async def fill(folder: Path, operations: int) -> None:
    """Found a community in an empty folder and give it a history."""
    async with node_in(folder, behind_ms=operations + 60_000) as node:
        made = await node.create_community("bench")
        line = nt.LineView(
            kind=LINE.kind, unit=LINE.unit, minimum=LINE.minimum, optimum=LINE.optimum
        )
        wanted = await made.needs.add(nt.NeedDraft(title=NEED_TITLE, lines=[line]))
        count = -(-operations // 5 // EDITS_PER_DOCUMENT)
        shared = [(await made.create_document(f"Minutes {k}")).document for k in range(count)]
        names = {"document": shared[0], "need": wanted.need}
        subjects = [bytes.fromhex(subject) for subject in shared]
        batch: list[Draft] = []
        for draft in drafts_of(node, made.id, bytes.fromhex(wanted.need), subjects, operations):
            batch.append(draft)
            if len(batch) == WRITTEN_AT_ONCE:
                await node.write(made.id, batch)
                batch = []
        if batch:
            await node.write(made.id, batch)
        await made.document_text(shared[0])  # who works with a text keeps it ready to open
    (folder / NAMES_FILE).write_text(json.dumps(names))


def filled(parent: Path, operations: int) -> Path:
    """Return the folder with a history of so many operations, made now if there is none."""
    folder = parent / str(operations)
    if not (folder / NAMES_FILE).exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        trio.run(fill, folder, operations)
    return folder


def names_in(folder: Path) -> dict[str, str]:
    """Return the ids of a history's document and need."""
    names: dict[str, str] = json.loads((folder / NAMES_FILE).read_text())
    return names
