"""Pasts by heads, letters, and updates in parts: what history is made of."""

from __future__ import annotations

import pycrdt
import pytest

from p2pvalue_protocol.documents.looking_back import (
    is_effective,
    letters_of,
    parts_of,
    through,
)
from p2pvalue_protocol.documents.verdict import VoidReason
from tests.documents.by_hand import ANA, APPLIES, EVA, KIM, WAITS, Scene, client, string, update

A, E, K = client(ANA), client(EVA), client(KIM)


def scene_of_three() -> Scene:
    """Ana and Eva write at the same time, Ana goes on after both, and Kim has seen only Eva."""
    scene = Scene()
    given = [
        scene.give(ANA, update(A, 0, string("tea")), heads=()),
        scene.give(EVA, update(E, 0, string("日本😀")), heads=()),
        scene.give(ANA, update(A, 3, string("!", origin=(A, 2)), deletes=((E, 1, 3),)), heads=(1,)),
        scene.give(KIM, update(K, 0, string("x", origin=(E, 3))), heads=(1,)),
    ]
    assert given == [APPLIES] * 4
    return scene


def test_a_past_holds_what_its_heads_had_seen_and_nothing_else() -> None:
    scene = scene_of_three()

    def seen(*numbers: int) -> dict[int, int]:
        return through(scene.facts, map(scene.op_id, numbers))

    assert seen(0) == {1: 0}
    assert seen(2) == {1: 1, 2: 0}
    assert seen(3) == {2: 0, 3: 0}
    assert seen(0, 3) == {1: 0, 2: 0, 3: 0}
    assert seen() == {}
    with pytest.raises(KeyError):
        seen(9)


def test_a_past_after_a_fork_ends_where_the_branch_began() -> None:
    scene = Scene()
    scene.give(ANA, update(A, 0, string("tea")), heads=())
    scene.give(ANA, update(A, 3, string("!", origin=(A, 2))), heads=())
    scene.fork(7, ANA, 0)
    scene.give(ANA, update(A, 3, string("?", origin=(A, 2))), branch=7, heads=())
    assert through(scene.facts, [scene.op_id(2)]) == {1: 0, 7: 1}
    assert through(scene.facts, [scene.op_id(1)]) == {1: 1}


def test_what_is_void_or_waits_has_no_effect() -> None:
    scene = scene_of_three()
    assert scene.give(KIM, update(K, 9, string("y"))) == VoidReason.OUT_OF_TURN
    assert scene.give(ANA, update(A, 4, string("z", origin=(A, 3))), heads=(77,)) == WAITS
    effective = [is_effective(scene.facts, given.placement) for given in scene.given]
    assert effective == [True] * 4 + [False] * 2


def test_letters_are_code_points_and_what_is_inserted_and_deleted_at_once_is_neither() -> None:
    scene = scene_of_three()
    letters = [letters_of(scene.facts, given.placement, given.data) for given in scene.given]
    assert letters == [(3, 0), (3, 0), (1, 2), (1, 0)]
    both = update(A, 4, string("ab", origin=(A, 3)), deletes=((A, 3, 2),))
    assert scene.give(ANA, both) == APPLIES
    assert letters_of(scene.facts, scene.given[4].placement, both) == (2, 1)


def shown(*updates: bytes) -> str:
    doc: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc()
    text = doc.get("content", type=pycrdt.Text)
    for each in updates:
        doc.apply_update(each)
    return str(text)


def test_the_parts_of_an_update_are_what_it_does() -> None:
    scene = scene_of_three()
    before = [given.data for given in scene.given[:2]]
    placement, data = scene.given[2].placement, scene.given[2].data
    writes, deletes, unwrites = parts_of(scene.facts, placement, data)
    whole = shown(*before, data)
    assert sorted(whole) == sorted("tea!日")
    assert shown(*before, writes, deletes) == whole
    assert sorted(shown(*before, writes)) == sorted("tea!日本😀")
    hidden = scene.facts.encode(placement, data, is_hidden=True)
    assert shown(*before, writes, unwrites) == shown(*before, hidden) == shown(*before)
    assert parts_of(scene.facts, scene.given[0].placement, before[0]).deletes == b"\x00\x00"


def test_parts_are_called_as_all_call_them_after_a_fork() -> None:
    scene = Scene()
    scene.give(ANA, update(A, 0, string("tea")), heads=())
    scene.give(ANA, update(A, 3, string("!", origin=(A, 2))), heads=())
    scene.fork(7, ANA, 0)
    other = update(A, 3, string("?", origin=(A, 2)), deletes=((A, 0, 4),))
    assert scene.give(ANA, other, branch=7, heads=()) == APPLIES
    encoded = [scene.facts.encode(given.placement, given.data) for given in scene.given]
    parts = [parts_of(scene.facts, given.placement, given.data) for given in scene.given]
    writes, deletes, unwrites = zip(*parts, strict=True)
    assert shown(*writes, *deletes) == shown(*encoded) == "!"
    assert shown(*writes, *unwrites) == ""


def test_an_update_that_only_deletes_writes_nothing() -> None:
    scene = Scene()
    scene.give(ANA, update(A, 0, string("tea")))
    data = update(E, 0, deletes=((A, 0, 1),))
    scene.give(EVA, data)
    placement = scene.given[1].placement
    assert parts_of(scene.facts, placement, data) == (b"\x00\x00", data, b"\x00\x00")
    assert letters_of(scene.facts, placement, data) == (0, 1)
