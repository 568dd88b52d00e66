"""Targets for the facts of documents: bytes of updates, and programs of several authors.

What the reader takes, it writes as the same bytes. Two facts that are given the same updates, each
log in its order, judge them alike, and what counts does not break the text library.
"""

from __future__ import annotations

from random import Random

import pycrdt

from p2pvalue_protocol.documents.kept_facts import dump_facts, load_facts
from p2pvalue_protocol.documents.update_form import read_update, write_update
from p2pvalue_protocol.documents.verdict import UpdateInvalid
from p2pvalue_protocol.kinds.document import UPDATE_BYTES_MAX
from tests.documents.by_hand import ANA, APPLIES, Scene
from tests.documents.liars import Liar
from tests.documents.peers import Replica, Written, shown_in
from tests.documents.test_rules import CASES
from tests.fuzz.target import Budget, Target

P = "p2pvalue_protocol.documents"
_SHAPES = ("plain", "rich")
_UPDATES_MAX = 16


def _form(data: bytes) -> bool:
    try:
        update = read_update(data)
    except UpdateInvalid:
        return False
    assert write_update(update) == data, "accepted bytes are not the one form of what they say"
    return True


def _first(data: bytes) -> bool:
    """Judge bytes as the first update of a document, and apply what counts."""
    is_counting = False
    for shape in _SHAPES:
        scene = Scene(shape)
        if scene.give(ANA, data) == APPLIES:
            doc: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc(client_id=1)
            shown_in(doc, shape)  # names the roots
            doc.apply_update(data)
            assert shown_in(doc, shape)
            is_counting = True
    return is_counting


class _Dice(Random):
    """Random numbers that a program says, and zeros when it has ended."""

    def __init__(self, data: bytes) -> None:
        super().__init__(0)
        self._data = data
        self._at = 0

    @property
    def is_spent(self) -> bool:
        return self._at >= len(self._data)

    def random(self) -> float:
        return self.getrandbits(16) / 65_536

    def getrandbits(self, count: int, /) -> int:
        size = (count + 7) // 8
        taken = self._data[self._at : self._at + size]
        self._at += size
        return int.from_bytes(taken, "big") & ((1 << count) - 1)


def _lies(data: bytes) -> bool:
    """Two liars, who see each other's updates, write what a program says; two others judge."""
    dice = _Dice(data[1:])
    shape = _SHAPES[data[0] % 2 if data else 0]
    one, other = Liar(b"one", shape), Liar(b"other", shape)
    ops: list[Written] = []
    while not dice.is_spent and len(ops) < _UPDATES_MAX:
        author, reader = (one, other) if dice.getrandbits(1) else (other, one)
        op = author.lie(dice)
        if op.op_id not in reader.held:
            ops.append(op)
            reader.take(op)
    late = Replica(shape, 9)
    for device in (other.device, one.device):  # log by log: what names the other waits
        for op in ops:
            if op.device == device:
                late.take(op)
    reasons = [{op.op_id: who.reason(op) for op in ops} for who in (one, other, late)]
    assert reasons[0] == reasons[1] == reasons[2]
    assert one.shown == other.shown == late.shown
    kept = dump_facts(late.facts)
    assert dump_facts(load_facts(kept, late.ids)) == kept
    return None in reasons[0].values()


def updates_by_hand() -> list[bytes]:
    found = []
    for case in CASES:
        scene = Scene(case.shape)
        case.play(scene)
        found += [given.data for given in scene.given if len(given.data) < 4_096]
    return found


DOCUMENT_FACTS = (
    Target(
        name="document-update-form",
        run=_form,
        seeds=updates_by_hand,
        covers=(f"{P}.update_form", f"{P}.values", f"{P}.numbers"),
        bytes_max=UPDATE_BYTES_MAX,
        budget=Budget(units_per_kib=8, memory_per_byte=400),
    ),
    Target(
        name="document-update-first",
        run=_first,
        seeds=updates_by_hand,
        covers=(f"{P}.facts", f"{P}.rules"),
        budget=Budget(units=30, units_per_kib=30, memory_per_byte=800, memory_bytes=2_000_000),
    ),
    Target(
        name="document-facts",
        run=_lies,
        seeds=lambda: [Random(seed).randbytes(40 + 40 * seed) for seed in range(12)],
        covers=(f"{P}.naming", f"{P}.past", f"{P}.kept_facts"),
        shape="program",
        bytes_max=1_024,
        budget=Budget(units=200, units_per_kib=200, memory_bytes=4_000_000),
    ),
)
