"""What typing in an attached editor costs: `python -m tests.bench.editors lag|trace FILE`.

`lag` types in a tab at one daemon and watches a tab at another. `trace` plays a recorded text
(josephg/editing-traces) through a tab of a node without network, twenty keys a burst.
"""

from __future__ import annotations

import argparse
import gzip
import json
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import pycrdt
import trio

from p2pvalue.node.editors import editor_messages as m
from p2pvalue.node.editors.editor_tab import Tab
from p2pvalue.node.node import DATABASE_NAME
from p2pvalue.node.opening import init, open_node
from p2pvalue_protocol.kinds.document import UPDATE_NUMBER
from tests.editors.javascript import run
from tests.editors.tabs import attach, new_document
from tests.system.person import gathered, people

KEYS, EVERY_MS = 1_000, 15
KEYS_OF_BURST = 20


def lag() -> dict[str, float]:
    """Milliseconds from a key in a tab to the same letter in a tab at another daemon."""
    with tempfile.TemporaryDirectory() as root, people(Path(root), "Ana", "Ben") as (ana, ben):
        gathered(ana, ben)
        document = new_document(ana, ben)
        views = [json.dumps(attach(person, document)) for person in (ana, ben)]
        lags = sorted(json.loads(run("lag.mjs", str(KEYS), str(EVERY_MS), *views)))
    return {"p50_ms": lags[len(lags) // 2], "p99_ms": lags[len(lags) * 99 // 100], "max": lags[-1]}


async def play(path: Path, most: int) -> dict[str, float]:
    """Type a trace; return bytes on disk when all is closed, operations and processor time."""
    trace = json.loads(gzip.decompress(path.read_bytes()))
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / "ana"
        init(folder, "Ana", listen=())
        async with open_node(folder) as node:
            community = await node.create_community("Garden")
            await community.create_document("Trace", trace["startContent"])
            node.editors.serves_at(1)
            view = await node.editors.attach(None, "Trace", origin="", schema=1)
            async with node.editors.tab(view.room, view.token) as tab:
                figures = await _typed(tab, trace["txns"][:most])
            subject, community_id = bytes.fromhex(view.document), community.id
            entries = node.store.entries_since(
                community_id, subject, UPDATE_NUMBER, 0, limit=len(trace["txns"]), hidden=True
            )
            figures["operations"] = len(entries)
            signed = sum(len(entry.payload or b"") for entry in entries)
            figures["payload_bytes_per_key"] = signed / figures["keys"]
        figures["disk_bytes_per_key"] = _on_disk(folder / DATABASE_NAME) / figures["keys"]
        return figures


async def _typed(tab: Tab, transactions: list[Any]) -> dict[str, float]:
    doc: pycrdt.Doc[Any] = pycrdt.Doc(client_id=tab.client)
    text = doc.get("content", type=pycrdt.Text)
    shown = ""
    await tab.take(m.holding(doc.get_state()))
    await tab.take(m.all_missing(b"\x00\x00"))
    told: list[bytes] = []
    subscription = doc.observe(lambda event: told.append(event.update))
    cpu_s, lags, said = 0.0, [], 0
    for number, transaction in enumerate(transactions, 1):
        with doc.transaction():
            for at, deleted, inserted in transaction["patches"]:
                start = len(shown[:at].encode())
                if deleted:
                    del text[start : start + len(shown[at : at + deleted].encode())]
                if inserted:
                    text.insert(start, inserted)
                shown = shown[:at] + inserted + shown[at + deleted :]
        if number % KEYS_OF_BURST and number != len(transactions):
            continue
        said += sum(map(len, told))
        began_s, began = time.process_time(), time.monotonic()
        for update in told:
            await tab.take(m.news(update))
        await tab.sign()
        cpu_s += time.process_time() - began_s
        lags.append(time.monotonic() - began)
        told.clear()
    doc.unobserve(subscription)
    keys = len(transactions)
    return {
        "keys": keys,
        "said_bytes_per_key": said / keys,
        "cpu_us_per_key": cpu_s * 1e6 / keys,
        "burst_ms_p50": statistics.median(lags) * 1_000,
        "worker_cpu_us_per_key": 0.0,
    }


def _on_disk(database: Path) -> int:
    return sum(file.stat().st_size for file in database.parent.glob(f"{database.name}*"))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.editors", description=__doc__)
    parser.add_argument("what", choices=("lag", "trace"))
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--most", type=int, default=10**9, help="so many edits of the trace")
    asked = parser.parse_args()
    if asked.what == "lag":
        print(json.dumps(lag()))
        return
    figures = trio.run(play, asked.file, asked.most)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    figures["worker_cpu_us_per_key"] = (used.ru_utime + used.ru_stime) * 1e6 / figures["keys"]
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
