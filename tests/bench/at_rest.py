"""What documents at rest cost: a thousand are opened and read in turn, from a store on disk.

Each has 10,000 characters and 500 scattered inserts, in edits of so many, and was closed once.
Prints one JSON line: the processor time of an opening, in this process and in that of texts, in ms,
and how much more memory this process takes after the last than before the first, in MB:

    python -m tests.bench.at_rest --documents 1000 --inserts-each 500
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from pathlib import Path
from random import Random
from statistics import median, quantiles

import trio

from p2pvalue.node.documents.open_documents import OpenDocuments
from p2pvalue.store import SqliteStore
from p2pvalue.texts.workers import TextWorkers
from tests.node.small_node import SmallNode

CHARACTERS, INSERTS = 10_000, 500
MIB = 2**20
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def resident_mb() -> float:
    """Return what this process takes of memory now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * PAGE_BYTES / MIB


async def write(node: SmallNode, documents: int, inserts_each: int, rng: Random) -> list[str]:
    """Write so many documents and close them; return their ids."""
    found = []
    for number in range(documents):
        text = "".join(rng.choice("abcdefgh ") for _ in range(CHARACTERS - INSERTS))
        made = await node.community.create_document(f"Minutes {number}", text)
        found.append(made.document)
        places = [(rng.randrange(len(text)), 0, "x") for _ in range(INSERTS)]
        for at in range(0, INSERTS, inserts_each):
            edits = sorted(places[at : at + inserts_each])
            await node.community.splice_document(made.document, edits)
        await node.documents.close()
    return found


async def measured(documents: int, inserts_each: int, rng: Random) -> dict[str, float]:
    """Open and read all in turn."""
    took: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "at-rest.db")
        node = SmallNode("ana", ["ana"], store)
        first, *others = await write(node, documents, inserts_each, rng)
        node.restart()
        node.documents = OpenDocuments(TextWorkers())
        node.community = node.community_object()
        await node.community.document_text(first)  # the process of texts is there
        before_mb = resident_mb()
        for one in others:
            since_s = time.process_time()
            shown = await node.community.document_text(one)
            took.append(1_000 * (time.process_time() - since_s))
            assert len(shown.text) == CHARACTERS, one
        more_mb = resident_mb() - before_mb
        await node.documents.close()
        store.close()
    beside = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "open_ms": round(median(took), 3),
        "open_p99_ms": round(quantiles(took, n=100)[-1], 3),
        "beside_ms": round(1_000 * (beside.ru_utime + beside.ru_stime) / len(took), 3),
        "more_mb": round(more_mb, 1),
    }


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=1_000)
    parser.add_argument("--inserts-each", type=int, default=INSERTS)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    found = trio.run(measured, asked.documents, asked.inserts_each, Random(asked.seed))
    print(json.dumps({**vars(asked), **found}))


if __name__ == "__main__":
    main()
