"""What two people typed: a recorded trace as intentions that can be played on live daemons.

A recorded position means something only in the text that its author saw then. On live daemons the
authors see each other's typing sooner or later than in the recording, so every edit is turned into
an intention: *after this character insert these; delete those*. Characters have numbers. To find
them, the recording is replayed once with the same CRDT library, one document per author.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any, NamedTuple

from pycrdt import Doc, Text

BEGINNING = -1
"""Stands for the place before the first character."""

OWN_TEXTS = (
    "The garden opens at nine. Bring gloves, and a friend if you have one. " * 40,
    "Water the beans first, then the tomatoes; the pump is behind the shed. " * 40,
)
"""What the two type where the recording is not at hand."""


class Intention(NamedTuple):
    """One edit: after character `left`, delete `deleted` and insert `text` as `inserted`."""

    left: int
    deleted: tuple[int, ...]
    inserted: tuple[int, ...]
    text: str


class Script(NamedTuple):
    """What each of two authors types, in order; `letters[n]` is character n."""

    authors: tuple[list[Intention], list[Intention]]
    letters: list[str]
    left_of: list[int]
    writer_of: list[int]


class _Replica:
    """One author's copy of the recorded text, with the number of every character in it."""

    def __init__(self, client_id: int) -> None:
        self.doc: Doc[Any] = Doc(client_id=client_id)
        self.text: Text = self.doc.get("content", type=Text)
        self.numbers: list[int] = []

    def edit(self, position: int, deleted: int, inserted: str) -> bytes:
        before = self.doc.get_state()
        with self.doc.transaction():
            if deleted:
                del self.text[position : position + deleted]
            if inserted:
                self.text.insert(position, inserted)
        return bytes(self.doc.get_update(before))

    def receive(self, update: bytes, inserted: list[int]) -> None:
        """Apply another author's update; `inserted` are the numbers of what it brings, in order."""
        deltas: list[Any] = []
        watching = self.text.observe(
            lambda event: deltas.append(event.delta)  # type: ignore[attr-defined]  # stub lacks it
        )
        self.doc.apply_update(update)
        self.text.unobserve(watching)
        rest = list(inserted)
        for delta in deltas:
            position = 0
            for step in delta:
                if "retain" in step:
                    position += step["retain"]
                elif "delete" in step:
                    del self.numbers[position : position + step["delete"]]
                else:
                    count = len(step["insert"])
                    self.numbers[position:position] = rest[:count]
                    del rest[:count]
                    position += count


def recorded(path: Path) -> Script:
    """Read a trace of two authors (plain ASCII) into a script."""
    transactions = json.loads(gzip.decompress(path.read_bytes()))["txns"]
    replicas = (_Replica(1), _Replica(2))
    script = Script(([], []), [], [], [])
    updates: list[tuple[bytes, list[int]]] = []
    known: list[set[int]] = [set(), set()]
    for index, transaction in enumerate(transactions):
        agent = transaction["agent"]
        mine = replicas[agent]
        for other in _missing(transactions, transaction["parents"], known[agent]):
            mine.receive(*updates[other])
            known[agent].add(other)
        parts: list[bytes] = []
        numbers: list[int] = []
        for position, deleted, inserted in transaction["patches"]:
            assert inserted.isascii(), "positions would have to be told apart from bytes"
            intention = _intend(script, mine, agent, position, deleted, inserted)
            numbers += intention.inserted
            parts.append(mine.edit(position, deleted, inserted))
        assert len(parts) == 1, "this trace has one patch in a transaction"
        updates.append((parts[0], numbers))
        known[agent].add(index)
    return script


def _missing(transactions: list[Any], parents: list[int], known: set[int]) -> list[int]:
    """Return the transactions before `parents` that are not known, in an order to apply them."""
    found: set[int] = set()
    stack = list(parents)
    while stack:
        index = stack.pop()
        if index in known or index in found:
            continue
        found.add(index)
        stack += transactions[index]["parents"]
    return sorted(found)


def _intend(
    script: Script, mine: _Replica, agent: int, position: int, deleted: int, inserted: str
) -> Intention:
    left = mine.numbers[position - 1] if position else BEGINNING
    first = len(script.letters)
    numbers = tuple(range(first, first + len(inserted)))
    gone = tuple(mine.numbers[position : position + deleted])
    mine.numbers[position : position + deleted] = numbers
    intention = Intention(left, gone, numbers, inserted)
    script.authors[agent].append(intention)
    script.letters.extend(inserted)
    script.left_of.extend((left, *numbers[:-1])[: len(numbers)])
    script.writer_of.extend([agent] * len(numbers))
    return intention


def invented() -> Script:
    """Return a script for machines without the recording: each author types one text of ours."""
    script = Script(([], []), [], [], [])
    for agent, text in enumerate(OWN_TEXTS):
        left = BEGINNING
        for letter in text:
            number = len(script.letters)
            script.authors[agent].append(Intention(left, (), (number,), letter))
            script.letters.append(letter)
            script.left_of.append(left)
            script.writer_of.append(agent)
            left = number
    return script
