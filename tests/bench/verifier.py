"""How many updates of a document are judged in a second of CPU: typing, and editing here and there.

A typist writes letter by letter, moves and deletes now and then; `typing` are all her updates,
`elsewhere` those of somebody who writes each letter at another place. `tangled` are those of a
liar: two sessions write letters in turns, all in front of one that a third wrote, and then she asks
with each letter what stands at both ends of that chain. Prints one JSON line, with medians over
repetitions and the bytes that kept facts take for each update:

    python -m tests.bench.verifier --updates 60000 --repetitions 5
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable
from hashlib import sha256
from itertools import repeat
from random import Random
from statistics import median

import pycrdt

from p2pvalue_protocol.documents.facts import Facts
from p2pvalue_protocol.documents.kept_facts import dump_facts
from p2pvalue_protocol.documents.placement import Placement
from p2pvalue_protocol.documents.verdict import Applies
from tests.documents.by_hand import ANA, DOCUMENT, client, string, update

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


def tangled(count: int) -> tuple[list[bytes], list[int]]:
    """Return updates of one letter, half of them the chain, and the session of each."""
    end, *turns = (client(ANA, session) for session in range(3))
    updates = [update(end, 0, string("z"))]
    sessions = [0]
    clocks = [0, 0]
    last = None
    for at in range(count // 2):
        turn = at % 2
        letter = string("a") if last is None else string("a", origin=last)
        updates.append(update(turns[turn], clocks[turn], letter))
        last = (turns[turn], clocks[turn])
        clocks[turn] += 1
        sessions.append(1 + turn)
    for session in range(3, 3 + count - len(updates)):
        updates.append(update(client(ANA, session), 0, string("x", origin=last, right=(end, 0))))
        sessions.append(session)
    return updates, sessions


def judged(updates: list[bytes], sessions: Iterable[int] = repeat(0)) -> tuple[Facts, float]:
    """Return the facts of updates by one device, and the CPU seconds it took to take them."""
    places = [Placement(sha256(b"%d" % seq).digest(), ANA, 0, seq) for seq in range(len(updates))]
    facts = Facts(DOCUMENT, "plain", lambda _, seq: places[seq].op_id)
    start_s = time.process_time()
    for placement, data, session in zip(places, updates, sessions, strict=False):
        verdict = facts.take(placement, session, (), data)
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
    cpu_s = median(judged(*tangled(asked.updates))[1] for _ in range(asked.repetitions))
    found["tangled_per_s"] = round(asked.updates / cpu_s)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
