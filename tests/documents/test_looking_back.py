"""Pasts by heads, letters and beginnings of ids: what history is made of."""

from __future__ import annotations

import pytest

from p2pvalue_protocol.documents.looking_back import (
    ids_like,
    is_effective,
    letters_of,
    through,
)
from p2pvalue_protocol.documents.update_form import read_update
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


def test_an_update_that_is_looked_at_again_may_name_what_it_wrote_and_nothing_later() -> None:
    scene = scene_of_three()
    scene.give(ANA, update(A, 4, string("more", origin=(A, 3))))
    scene.give(ANA, update(A, 8, string("and more", origin=(A, 7))))
    scene.give(ANA, update(A, 16, string("x", origin=(A, 15))))
    for name, given in zip((A, E, A, K, A, A, A), scene.given, strict=True):
        written = read_update(given.data)
        past = scene.facts.past_at(given.placement, written)
        assert past.char(name, written.end_clock - 1) is not None
        assert past.char(name, written.end_clock) is None


def test_an_update_that_only_deletes_writes_no_letters() -> None:
    scene = Scene()
    scene.give(ANA, update(A, 0, string("tea")))
    data = update(E, 0, deletes=((A, 0, 1),))
    scene.give(EVA, data)
    assert letters_of(scene.facts, scene.given[1].placement, data) == (0, 1)


def test_ids_are_found_by_their_first_digits() -> None:
    scene = scene_of_three()
    ids = [scene.op_id(number) for number in range(4)]
    for op_id in ids:
        for digits in (op_id.hex()[:5], op_id.hex()[:9].upper(), op_id.hex()):
            assert list(ids_like(scene.facts, digits)) == [op_id]
        assert list(ids_like(scene.facts, op_id.hex()[:-1] + "g")) == []
        for count in range(10):
            alike = [other for other in ids if other.hex().startswith(op_id.hex()[:count])]
            assert sorted(ids_like(scene.facts, op_id.hex()[:count])) == sorted(alike)
    assert list(ids_like(scene.facts, "no id")) == []
