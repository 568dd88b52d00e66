"""What is heavy to judge is judged in steps, so that a node can do other things between two."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from p2pvalue_protocol.documents import facts
from p2pvalue_protocol.documents.placement import Placement
from p2pvalue_protocol.documents.steps import Steps
from p2pvalue_protocol.documents.strands import Waiting
from p2pvalue_protocol.documents.update_form import STRUCTS_MAX, Place, Struct, Update, read_update
from p2pvalue_protocol.documents.verdict import Applies
from tests.documents.by_hand import APPLIES, EVA, KIM, Scene, client, string, update

E = client(EVA)
STRUCTS = 256  # of one step


def counted(steps: Steps[object]) -> tuple[int, object]:
    """Do all steps; return how many there were, and what came of them."""
    count = 1
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return count, done.value
        count += 1


def judged(scene: Scene, structs: Sequence[Struct]) -> int:
    """Let Eva write these; return in how many steps it was judged."""
    placement = Placement(b"e" * 32, EVA, EVA[0], 0)
    heads = scene.facts.frontier(None)
    entry = Waiting(placement, 0, heads, update(E, 0, *structs))
    count, verdict = counted(scene.facts.taking(entry))
    assert isinstance(verdict, Applies)
    return count


def test_many_structs_are_judged_some_at_a_time() -> None:
    structs = [string("a"), *(string("b", origin=(E, at)) for at in range(STRUCTS_MAX - 1))]
    assert judged(Scene(), structs) >= STRUCTS_MAX // STRUCTS


def test_those_that_waited_are_judged_one_after_the_other() -> None:
    scene = Scene()
    missing = scene.op_id(1_000)
    for seq in range(20):
        entry = Waiting(Placement(bytes([seq]) * 32, EVA, EVA[0], seq), 0, (missing,), b"\0\0")
        counted(scene.facts.taking(entry))
    came = Waiting(Placement(missing, KIM, KIM[0], 0), 0, (), b"\0\0")
    counted(scene.facts.taking(came))
    count, released = counted(scene.facts.releasing())
    assert isinstance(released, list)
    assert count > len(released) == 20


@pytest.mark.parametrize("right", [None, (E, 1)])
def test_what_a_typist_goes_on_with_is_not_read_by_the_rules(
    monkeypatch: pytest.MonkeyPatch, right: Place | None
) -> None:
    scene = Scene()
    scene.give(EVA, update(E, 0, string("ab")))
    scene.give(EVA, update(E, 2, string("c", origin=(E, 0 if right else 1), right=right)))
    read: list[bytes] = []

    def noted(data: bytes) -> Update:
        read.append(data)
        return read_update(data)

    monkeypatch.setattr(facts, "read_update", noted)
    for at, text in ((3, "d"), (4, "日本"), (6, "😀"), (8, "e")):
        data = update(E, at, string(text, origin=(E, at - 1), right=right))
        assert scene.give(EVA, data) == APPLIES
    assert read == []
    elsewhere = update(E, 9, string("f", origin=(E, 0)))
    scene.give(EVA, elsewhere)
    assert read == [elsewhere]
