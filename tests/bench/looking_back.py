"""What looking back at a document of two people costs: `python -m tests.bench.looking_back`.

Processor time, of the node and of the text library in one process, on a store in memory.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Awaitable, Callable
from itertools import groupby

import trio

from p2pvalue_protocol.documents.clients import client_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import document
from tests.node.small_node import SmallNode, exchange
from tests.texts import trace

NAMES = ["ana", "eva"]
SESSION = 1
BETWEEN_MS = 200


async def written(count: int) -> SmallNode:
    """Return a node that holds the first so many updates of the trace."""
    nodes = [SmallNode(name, NAMES) for name in NAMES]
    made = await nodes[0].community.create_document("Plan", "")
    exchange(*nodes)
    subject = bytes.fromhex(made.document)
    first, second = (client_of(node.device(b""), subject, SESSION) for node in nodes)
    ids: list[list[bytes]] = [[], []]
    updates = list(trace.played(trace.read(), (first, second)))[:count]
    for (agent, seen), group in groupby(updates, lambda typed: typed[:2]):
        heads = ids[1 - agent][:seen][-1:]
        drafts = []
        for typed in group:
            payload = document.encode_document_update(typed.update, SESSION, heads)
            drafts.append(Draft(document.UPDATE_NUMBER, subject, payload))
            heads = []
        node = nodes[agent]
        node.now_ms = nodes[1 - agent].now_ms = max(n.now_ms for n in nodes) + BETWEEN_MS
        ids[agent] += [o.op_id for o in await node.write(node.community_id, drafts)]
    exchange(*nodes)
    return nodes[0]


async def measured(name: str, question: Callable[[], Awaitable[object]]) -> None:
    """Print what a question costs."""
    begun = time.process_time()
    await question()
    print(f"{name}: {time.process_time() - begun:.2f} s")


async def run(count: int) -> None:
    """Print what each question costs."""
    node = await written(count)
    history = node.community.history
    await measured("open", lambda: node.community.document_text("Plan"))
    view = await history.edits("Plan", 1_000)
    print(f"{sum(e.updates for e in view.edits)} updates in {len(view.edits)} edits")
    await measured("history", lambda: history.edits("Plan", 50))
    await measured(
        "at the half", lambda: history.at("Plan", view.edits[len(view.edits) // 2].version)
    )
    await measured("blame", lambda: history.blame("Plan", "", deleted=False))
    await measured("undo", lambda: history.undo("Plan"))
    await measured("redo", lambda: history.redo("Plan"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=26_078)
    trio.run(run, parser.parse_args().count)
