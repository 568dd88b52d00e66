"""How many updates of a document are judged in a second of CPU: typing, and editing here and there.

A typist writes letter by letter, moves and deletes now and then; `typing` are all her updates,
`elsewhere` those of somebody who writes each letter at another place. Prints one JSON line, with
medians over repetitions and the bytes that kept facts take for each update:

    python -m tests.bench.verifier --updates 60000 --repetitions 5
"""

from __future__ import annotations

import argparse
import json
import time
from hashlib import sha256
from random import Random
from statistics import median

import pycrdt

from p2pvalue_protocol.documents.facts import Facts
from p2pvalue_protocol.documents.kept_facts import dump_facts
from p2pvalue_protocol.documents.placement import Placement
from p2pvalue_protocol.documents.verdict import Applies
from tests.documents.by_hand import ANA, DOCUMENT, client

MOVES_SHARE = 0.03
DELETES_SHARE = 0.05


def updates_of(count: int, rng: Random, moves_share: float) -> list[bytes]:
    """Return the updates of somebody who writes and deletes single letters."""
    doc: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc(client_id=client(ANA))
    text = doc.get("content", type=pycrdt.Text)
    updates: list[bytes] = []
    doc.observe(lambda event: updates.append(bytes(event.update)))
    position = length = 0
    while len(updates) < count:
        if rng.random() < moves_share:
            position = rng.randint(0, length)
        if position and rng.random() < DELETES_SHARE:
            position, length = position - 1, length - 1
            del text[position : position + 1]
        else:
            text.insert(position, rng.choice("abcdefgh "))
            position, length = position + 1, length + 1
    return updates


def judged(updates: list[bytes]) -> tuple[Facts, float]:
    """Return the facts of updates of one session, and the CPU seconds it took to take them."""
    places = [Placement(sha256(b"%d" % seq).digest(), ANA, 0, seq) for seq in range(len(updates))]
    facts = Facts(DOCUMENT, "plain", lambda _, seq: places[seq].op_id)
    start_s = time.process_time()
    for placement, update in zip(places, updates, strict=True):
        verdict = facts.take(placement, 0, (), update)
        assert type(verdict) is Applies
    return facts, time.process_time() - start_s


def main() -> None:
    """Print the rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--updates", type=int, default=60_000)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    found: dict[str, float] = {"updates": asked.updates}
    for name, moves_share in (("typing", MOVES_SHARE), ("elsewhere", 1.0)):
        updates = updates_of(asked.updates, Random(asked.seed), moves_share)
        taken = [judged(updates) for _ in range(asked.repetitions)]
        found[f"{name}_per_s"] = round(asked.updates / median(cpu_s for _, cpu_s in taken))
        kept_bytes = len(dump_facts(taken[0][0]))
        found[f"{name}_kept_bytes_each"] = round(kept_bytes / asked.updates, 1)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
