"""Random histories of real Yjs clients, with undo: all count, and both libraries show the same.

python -m tests.editors.yjs_histories --histories 3000      what `make yjs-histories` runs

What liars wrote and counts all the same (`tests.documents.hostile`) is applied to both, too; and
rich editors with all their parts edit and undo (`tests.editors.rich_histories`).
"""

from __future__ import annotations

import argparse
import json
import sys
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from random import Random
from typing import Any, Final

import pycrdt

from p2pvalue_protocol.documents.clients import client_of
from p2pvalue_protocol.documents.update_form import read_update
from tests.documents.hostile import deliver, played
from tests.documents.peers import DOCUMENT, Replica, Written, roots_of, shown_in, written
from tests.editors import javascript, rich_histories

SHAPES: Final = ("plain", "rich")
AT_ONCE: Final = 100
RICH_EVERY: Final = 10
READER: Final = 1
DEVICES: Final = tuple(sha256(b"editor %d" % number).digest() for number in range(4))


def play(seeds: Sequence[int]) -> Counter[str]:
    """Play histories in Yjs, and judge and apply them here.

    Raises AssertionError if an update is refused, or if what is shown differs between two clients,
    or between them and the text library here.
    """
    asked = [_history(seed) for seed in seeds]
    met: Counter[str] = Counter()
    for seed, one, told in zip(seeds, asked, _answers("histories.mjs", asked), strict=True):
        ops = _written(told["updates"])
        replica = Replica(one["shape"], READER)
        deliver(replica, [*ops], len(ops), Random(seed))
        refused = {replica.reason(op) for op in ops} - {None}
        assert not refused, f"honest updates are refused: seed {seed}: {refused}"
        assert len(replica.applied) == len(ops), f"updates wait: seed {seed}"
        shown = json.loads(replica.shown)
        for client, seen in enumerate(told["shown"]):
            assert seen == shown, f"shown differs: seed {seed}, client {client}: {seen} {shown}"
        met += Counter(histories=1, updates=len(ops))
    return met


def _history(seed: int) -> dict[str, Any]:
    clients = [client_of(device, DOCUMENT, 0) for device in DEVICES[: 2 + seed // 2 % 3]]
    return {"seed": seed, "shape": SHAPES[seed % 2], "clients": clients}


def _written(updates: Sequence[dict[str, Any]]) -> list[Written]:
    """Return what was said as operations of logs, which name what their authors had heard."""
    logs: dict[int, list[Written]] = {}
    ops = []
    for said in updates:
        author = said["author"]
        log = logs.setdefault(author, [])
        heard = ((other, count) for other, count in enumerate(said["heard"]) if other != author)
        heads = sorted(logs[other][count - 1].op_id for other, count in heard if count)
        last = log[-1] if log else None
        data = b64decode(said["update"])
        log.append(written(DEVICES[author], last, 0, tuple(heads), data))
        ops.append(log[-1])
    return ops


def play_lies(seeds: Sequence[int]) -> Counter[str]:
    """Apply what liars wrote and counts, in the order in which it was judged, to Yjs too.

    Raises AssertionError if it shows something else than the text library here, also after what an
    editor does that cleans up behind others: it deletes marks that show nothing.
    """
    asked: list[dict[str, Any]] = []
    docs: list[tuple[int, pycrdt.Doc[Any]]] = []
    for seed in seeds:
        party = played(seed)
        for hidden in (frozenset[bytes](), party.hostile):
            updates = [*party.late.encoded(hidden)]
            asked.append({"shape": party.late.shape, "updates": [*map(_text, updates)]})
            docs.append((seed, _document(party.late.shape, updates)))
    cleaned = 0
    for one, (seed, doc), told in zip(asked, docs, _answers("applied.mjs", asked), strict=True):
        _assert_same(told["shown"], doc, one["shape"], f"liars part the libraries: seed {seed}")
        for update in map(b64decode, told["said"]):
            assert not read_update(update).structs, f"cleaning up writes: seed {seed}"
            doc.apply_update(update)
        cleaned += len(told["said"])
        _assert_same(told["cleaned"], doc, one["shape"], f"cleaning up parts: seed {seed}")
    return Counter(lies=len(seeds), cleaned=cleaned)


def _document(shape: str, updates: Sequence[bytes]) -> pycrdt.Doc[Any]:
    doc: pycrdt.Doc[Any] = pycrdt.Doc(client_id=READER)
    roots_of(doc, shape)
    for update in updates:
        doc.apply_update(update)
    return doc


def _assert_same(told: object, doc: pycrdt.Doc[Any], shape: str, finding: str) -> None:
    shown = json.loads(shown_in(doc, shape))
    assert told == shown, f"{finding}: {told} {shown}"


def _text(update: bytes) -> str:
    return b64encode(update).decode()


def _answers(script: str, asked: Sequence[dict[str, Any]]) -> list[Any]:
    given = "".join(json.dumps(one) + "\n" for one in asked)
    return [json.loads(line) for line in javascript.run(script, given=given).splitlines()]


def play_rich(seeds: Sequence[int]) -> Counter[str]:
    """Play every tenth of these histories in rich editors: they are ten times as long."""
    return rich_histories.play([seed for seed in seeds if seed % RICH_EVERY == 0])


def main() -> int:
    """Play histories; 1 if one fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=3_000)
    parser.add_argument("--first", type=int, default=0)
    asked = parser.parse_args()
    met: Counter[str] = Counter()
    wrong = 0
    end = asked.first + asked.histories
    for first in range(asked.first, end, AT_ONCE):
        seeds = range(first, min(first + AT_ONCE, end))
        for game in (play, play_lies, play_rich):
            try:
                met += game(seeds)
            except AssertionError as error:
                wrong += 1
                print(error, flush=True)
        print(f"{seeds.stop - asked.first} histories, {wrong} wrong: {dict(met)}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
