"""Runs one node of ours under the bench driver: JSON lines on standard input, `@@{json}` on output.

The driver starts two or more of these as processes and gives all of them the same commands as it
gives to the agents of other systems. Only the public library is used, so what is measured is what a
program that embeds p2pvalue gets. BENCH_DURABILITY=kill|power-cut chooses what an acknowledged
append survives.
"""

from __future__ import annotations

import gc
import gzip
import hashlib
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import trio

from tests.bench.filler import Filler
from tests.ports import KeptPort

PAGE = 1_000
FILLED_AT_ONCE = 2_000


def ns() -> int:
    return time.monotonic_ns()


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def stats(values_ms: list[float]) -> dict[str, float | int | None]:
    if not values_ms:
        return {"n": 0, "p50": None, "p99": None, "max": None}
    ordered = sorted(values_ms)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return {"n": len(ordered), "p50": ordered[len(ordered) // 2], "p99": p99, "max": ordered[-1]}


def read_trace(file: str, count: int) -> list[tuple[int, int, str]]:
    """Return the first keystrokes of a recorded trace: (position, deleted, inserted)."""
    trace = json.loads(gzip.decompress(Path(file).read_bytes()))
    patches = (patch for change in trace["txns"] for patch in change["patches"])
    return [(at, gone, new) for at, gone, new in islice(patches, count)]


class Agent:
    """One node, and the driver's commands on it."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self._filler = Filler(os.getpid())
        self._live_ms: list[float] = []
        self._stop = trio.Event()
        self._stopped = trio.Event()
        self._changed = trio.Event()
        self.is_settled = trio.Event()
        self._port = KeptPort()
        self.node: Any = None
        self.community: Any = None
        self._link = ""
        self._document = ""

    async def open(self, m: dict[str, Any]) -> dict[str, Any]:
        import p2pvalue  # imported here: spawning and first read are part of what is measured
        from p2pvalue.config import Config

        folder = Path(m["dir"])
        config = Config(
            data_dir=folder,
            listen=(f"/ip4/127.0.0.1/tcp/{self._port.number}",),
            lan_discovery=False,
            durability=os.environ.get("BENCH_DURABILITY", "power-cut"),  # type: ignore[arg-type]  # two words
        )
        if not (folder / "keys.json").exists():
            p2pvalue.init(folder, m.get("tag", "bench"))
        await self._nursery.start(self._run, folder, config)
        address = f"{config.listen[0]}/p2p/{self.node.network.peer_id}"
        self._link = m.get("db") or ""
        if self.node.communities():
            self.community = self.node.community()
        elif m.get("role") == "A":
            self.community = await self.node.create_community("bench")
            self._link = (await self.community.invite(uses=0)).link
        return {"db": self._link, "addr": address, "pub": self.node.network.peer_id}

    async def _run(self, folder: Path, config: Any, *, task_status: trio.TaskStatus[None]) -> None:
        import p2pvalue

        async with p2pvalue.open_node(folder, config) as self.node:
            async with trio.open_nursery() as nursery:
                await nursery.start(self._listen)
                nursery.start_soon(self._settle)
                task_status.started()
                await self._stop.wait()
                nursery.cancel_scope.cancel()
        self._stopped.set()

    async def _settle(self) -> None:
        """Tell the collector, as the daemon does, that what is loaded by now stays."""
        if self.node.network is not None:
            await self.node.is_network_up.wait()
        gc.collect()
        gc.freeze()
        self.is_settled.set()

    async def _listen(self, *, task_status: trio.TaskStatus[None]) -> None:
        async with self.node.events() as events:
            task_status.started()
            async for event in events:
                text = str(event.data.get("text", "")) if event.event == "message" else ""
                if text.startswith("L|"):
                    self._live_ms.append((ns() - int(text.split("|")[1])) / 1e6)
                self._changed.set()

    async def _until(self, look: Callable[[], Awaitable[bool]]) -> None:
        """Return when `look` is true; it is asked again after events, once for many at once."""
        while True:
            changed = self._changed = trio.Event()
            if await look():
                return
            await changed.wait()

    async def connect(self, m: dict[str, Any]) -> dict[str, Any]:
        await self.node.is_network_up.wait()
        if self.community is None:
            self.community = await self.node.join(self._link)
        else:
            await self.node.add_peer(m["addr"])
        return {}

    async def grant(self, m: dict[str, Any]) -> dict[str, Any]:
        return {}  # the invite admitted the other node as a member

    async def append(self, m: dict[str, Any]) -> dict[str, Any]:
        latencies: list[float] = []
        size = m.get("size", 200)
        texts = [self._filler.pad(f"{m['tag']}|{index}|", size) for index in range(m["n"])]
        start = ns()
        for text in texts:
            before = ns()
            await self.community.post(text)
            latencies.append((ns() - before) / 1e6)
        return {"secs": (ns() - start) / 1e9, **stats(latencies)}

    async def fill(self, m: dict[str, Any]) -> dict[str, Any]:
        """Write many messages in few commits, to come to a long history soon."""
        from p2pvalue_protocol.inputs import Draft
        from p2pvalue_protocol.kinds import chat

        for first in range(0, m["n"], FILLED_AT_ONCE):
            texts = (f"fill|{n}" for n in range(first, min(first + FILLED_AT_ONCE, m["n"])))
            drafts = [Draft(chat.NUMBER, b"", chat.encode_chat_message(text)) for text in texts]
            await self.node.write(self.community.id, drafts)
        return {}

    async def invite(self, m: dict[str, Any]) -> dict[str, Any]:
        return {"db": (await self.community.invite(uses=0)).link}

    async def pages(self, m: dict[str, Any]) -> dict[str, Any]:
        """Read a page of every view."""
        found = (
            self.community.messages(),
            self.community.documents(),
            await self.community.needs.all(),
            await self.community.pledges.all(),
        )
        return {"found": [len(page) for page in found]}

    async def live(self, m: dict[str, Any]) -> dict[str, Any]:
        start = ns()
        writes: list[float] = []
        for index in range(m["n"]):
            due = start + index * m["every"] * 1_000_000
            await trio.sleep(max(0.0, (due - ns()) / 1e9))  # the rate is what is asked for
            before = ns()
            await self.community.post(self._filler.pad(f"L|{before}|{index}|", 200))
            writes.append((ns() - before) / 1e6)
        return {"secs": (ns() - start) / 1e9, "write": stats(writes)}

    async def livestats(self, m: dict[str, Any]) -> dict[str, Any]:
        found, self._live_ms = stats(self._live_ms), []
        return dict(found)

    def _count(self) -> int:
        if self.community is None:
            return 0
        return int(self.node.store.entry_count(self.community.id, bytes(16), 35))

    async def count(self, m: dict[str, Any]) -> dict[str, Any]:
        return {"n": self._count()}

    async def wait(self, m: dict[str, Any]) -> dict[str, Any]:
        async def is_reached() -> bool:
            return self._count() >= int(m["n"])

        reached: int | None = None
        with trio.move_on_after(m.get("timeout", 600)):
            await self._until(is_reached)
            reached = ns()
        return {"t": reached, "n": self._count()}

    def _texts(self) -> list[str]:
        """Return all texts in order; the interface pages back from the newest."""
        page = self.community.messages(limit=PAGE)
        pages = [page]
        while len(page) == PAGE:
            page = self.community.messages(limit=PAGE, before=page[0].cursor)
            pages.append(page)
        return [message.text for page in reversed(pages) for message in page]

    async def read(self, m: dict[str, Any]) -> dict[str, Any]:
        start = ns()
        texts = self._texts()
        return {
            "n": len(texts),
            "hash": sha("\n".join(sorted(texts))),
            "ordered": sha("\n".join(texts)),
            "secs": (ns() - start) / 1e9,
            "t": ns(),
        }

    async def waitread(self, m: dict[str, Any]) -> dict[str, Any]:
        waited = await self.wait(m)
        return {**await self.read(m), "twait": waited["t"]}

    async def last(self, m: dict[str, Any]) -> dict[str, Any]:
        start = ns()
        page = self.community.messages(limit=m.get("k", 20))
        return {"n": len(page), "secs": (ns() - start) / 1e9, "t": ns()}

    # --- documents

    async def textopen(self, m: dict[str, Any]) -> dict[str, Any]:
        """Make a document, or know one that another node made."""
        self._document = m.get("doc") or (await self.community.create_document("trace")).document
        return {"doc": self._document}

    async def textreplay(self, m: dict[str, Any]) -> dict[str, Any]:
        """Type a trace, `burst` keys in a call; each call is awaited, and then durable."""
        edits, burst = read_trace(m["file"], m["n"]), m.get("burst", 1)
        latencies: list[float] = []
        start = ns()
        for first in range(0, len(edits), burst):
            before = ns()
            keys = edits[first : first + burst]
            await self.community.splice_document(self._document, keys, session=1)
            latencies.append((ns() - before) / 1e6)
        end = ns()
        text = (await self.community.document_text(self._document)).text
        return {
            "secs": (end - start) / 1e9,
            "t0": start,
            "t1": end,
            "edits": len(edits),
            "len": len(text),
            "sha": sha(text),
            **stats(latencies),
        }

    async def textwait(self, m: dict[str, Any]) -> dict[str, Any]:
        async def is_there() -> bool:
            return sha(await self._text(self._document)) == str(m["sha"])

        with trio.move_on_after(m.get("timeout", 300)):
            await self._until(is_there)
            return {"t": ns()}
        return {"t": None}

    async def _text(self, document: str) -> str:
        """Return the text of a document, none while it has not arrived."""
        from p2pvalue_protocol.errors import NotFound

        try:
            return str((await self.community.document_text(document)).text)
        except NotFound:
            return ""

    async def _is_whole(self, document: str, characters: int) -> bool:
        return len(await self._text(document)) == characters

    async def docscreate(self, m: dict[str, Any]) -> dict[str, Any]:
        texts = [self._filler.pad(f"doc {number}", m["size"]) for number in range(m["n"])]
        start = ns()
        ids = []
        for number, text in enumerate(texts):
            ids.append((await self.community.create_document(f"doc {number}", text)).document)
        return {"secs": (ns() - start) / 1e9, "ids": ids}

    async def docswait(self, m: dict[str, Any]) -> dict[str, Any]:
        """Wait until the text of every document is here."""
        start, got = ns(), 0
        with trio.move_on_after(m.get("timeout", 300)):
            for document in m["ids"]:
                await self._until(partial(self._is_whole, document, m["size"]))
                got += 1
        return {"got": got, "t": ns(), "secs": (ns() - start) / 1e9}

    async def stop(self, m: dict[str, Any]) -> dict[str, Any]:
        self._stop.set()
        if self.node is not None:
            await self._stopped.wait()
        return {"bye": 1}


def say(answer: dict[str, Any]) -> None:
    os.write(1, b"@@" + json.dumps(answer).encode() + b"\n")


async def answer(agent: Agent, m: dict[str, Any]) -> None:
    handler: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]] = getattr(agent, m["cmd"])
    try:
        say({"id": m["id"], "ok": 1, **await handler(m)})
    except Exception as error:  # noqa: BLE001 - the driver prints whatever went wrong
        say({"id": m["id"], "ok": 0, "err": repr(error)})
    if m["cmd"] == "stop":
        os._exit(0)


async def main(make: Callable[[trio.Nursery], Agent] = Agent) -> None:
    async with trio.open_nursery() as nursery:
        agent = make(nursery)
        say({"id": 0, "ok": 1, "ready": ns()})
        stdin = trio.lowlevel.FdStream(os.dup(sys.stdin.fileno()))
        rest = b""
        async for data in stdin:
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                nursery.start_soon(answer, agent, json.loads(line))
        os._exit(0)


if __name__ == "__main__":
    trio.run(main)
