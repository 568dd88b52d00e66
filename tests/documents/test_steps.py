"""What is heavy to judge is judged in steps, so that a node can do other things between two."""

from __future__ import annotations

from collections.abc import Sequence

from p2pvalue_protocol.documents.placement import Placement
from p2pvalue_protocol.documents.steps import Steps
from p2pvalue_protocol.documents.strands import Waiting
from p2pvalue_protocol.documents.update_form import STRUCTS_MAX, Struct
from p2pvalue_protocol.documents.verdict import Applies
from tests.documents.by_hand import ANA, EVA, KIM, Scene, client, string, update

A, E = client(ANA), client(EVA)
STRUCTS, HOPS = 256, 4_096  # of one step
RUNS = STRUCTS_MAX // 2


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


def chain(scene: Scene, updates: int) -> tuple[int, int]:
    """Let Ana write runs that each go on from the one before; return the ends of them."""
    for first in range(0, updates * 2 * RUNS, 2 * RUNS):
        structs = []
        for clock in range(first, first + 2 * RUNS, 2):  # each second letter is in the chain
            origin = (A, clock - 2) if clock else None
            structs += [string("a", origin=origin), string("z", origin=(A, clock))]
        scene.give(ANA, update(A, first, *structs))
    return 1, updates * 2 * RUNS - 2


def test_many_structs_are_judged_some_at_a_time() -> None:
    structs = [string("a"), *(string("b", origin=(E, at)) for at in range(STRUCTS_MAX - 1))]
    assert judged(Scene(), structs) >= STRUCTS_MAX // STRUCTS


def test_structs_that_ask_for_many_hops_are_judged_fewer_at_a_time() -> None:
    scene = Scene()
    start, end = chain(scene, 1)
    far = string("x", origin=(A, end), right=(A, start))
    assert judged(scene, [far] * 32) >= 32 * RUNS // (2 * HOPS)


def test_one_struct_that_asks_for_many_hops_is_judged_in_steps() -> None:
    scene = Scene()
    start, end = chain(scene, 4)
    few = judged(Scene(), [string("x")])
    assert judged(scene, [string("x", origin=(A, end), right=(A, start))]) >= few + 1


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
