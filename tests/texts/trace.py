"""A trace of two people who type in one document at the same time, as the updates they would write.

The data lies beside the project and is no part of it; whoever needs it says so when it is missing.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from p2pvalue.texts.edits import Edit
from p2pvalue.texts.shared import SharedDocument

FILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "friendsforever.json.gz"


class Typed(NamedTuple):
    """One update: by which of the two, and how many of the other's it has seen."""

    agent: int
    seen: int
    update: bytes


def read() -> dict[str, Any]:
    """Return the trace as it is published; raises FileNotFoundError."""
    with gzip.open(FILE) as file:
        trace: dict[str, Any] = json.load(file)
    return trace


def played(trace: dict[str, Any], clients: tuple[int, int]) -> Iterator[Typed]:
    """Yield what both type, in an order in which nothing comes before what its writer had seen."""
    writers = [SharedDocument("plain", client) for client in clients]
    written: list[list[bytes]] = [[], []]
    applied = [0, 0]  # of the other's
    pasts: list[tuple[int, int]] = []  # by transaction, how many of each it and its past are
    for transaction in trace["txns"]:
        agent, other = transaction["agent"], 1 - transaction["agent"]
        before = [pasts[parent] for parent in transaction["parents"]]
        seen = max((past[other] for past in before), default=0)
        writers[agent].apply(written[other][applied[agent] : seen])
        applied[agent] = max(seen, applied[agent])
        edits = [Edit(*patch) for patch in transaction["patches"]]
        for update in writers[agent].edit(edits):
            written[agent].append(update)
            yield Typed(agent, applied[agent], update)
        counts = [0, 0]
        counts[agent], counts[other] = len(written[agent]), applied[agent]
        pasts.append((counts[0], counts[1]))
