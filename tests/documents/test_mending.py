"""What an honest editor writes between what are no neighbours counts, and stands where it was."""

from __future__ import annotations

import pytest

from p2pvalue_protocol.documents import mending as tested
from p2pvalue_protocol.documents.mending import mending
from p2pvalue_protocol.documents.steps import finish
from p2pvalue_protocol.documents.update_form import Place, read_update
from tests.documents.by_hand import ANA, APPLIES, EVA, Scene, client, string, struct, update

A, E = client(ANA), client(EVA)


def mended(scene: Scene, data: bytes) -> bytes:
    """What Ana would sign for this, after all that is there."""
    heads = scene.facts.frontier(ANA[0])
    return finish(mending(scene.facts, ANA[0], ANA, 0, heads, data))


def sides(data: bytes) -> list[tuple[Place | None, Place | None]]:
    return [(struct.origin, struct.right) for struct in read_update(data).structs]


def both() -> Scene:
    """Ana's "ab", and Eva's "xy" behind the a and "uv" before it: "uvaxyb"."""
    scene = Scene()
    scene.give(ANA, update(A, 0, string("ab")))
    scene.give(EVA, update(E, 0, string("xy", origin=(A, 0), right=(A, 1))))
    scene.give(EVA, update(E, 2, string("uv", right=(A, 0))))
    return scene


@pytest.mark.parametrize(
    ("origin", "right", "found"),
    [
        pytest.param((A, 0), (A, 0), None, id="one-unit"),
        pytest.param((A, 1), (A, 0), None, id="right-side-is-left"),
        pytest.param((A, 1), (E, 3), None, id="right-side-is-elsewhere"),
        pytest.param((A, 0), (E, 1), (E, 0), id="right-side-is-behind-the-neighbour"),
        pytest.param((E, 0), (E, 0), None, id="one-unit-of-another"),
        pytest.param(None, (E, 3), (E, 2), id="nothing-on-the-left"),
        pytest.param(None, (E, 1), (A, 0), id="nothing-on-the-left-by-far"),
    ],
)
def test_sides_that_are_no_neighbours_become_those_of_who_wrote_it(
    origin: Place, right: Place, found: Place | None
) -> None:
    scene = both()
    data = update(A, 2, string("new", origin=origin, right=right))
    fits = mended(scene, data)
    assert sides(fits) == [(origin, found)]
    assert scene.give(ANA, fits) == APPLIES
    assert both().give(ANA, data) != APPLIES


def test_a_unit_within_a_run_is_found_behind_its_origin() -> None:
    scene = Scene()
    scene.give(ANA, update(A, 0, string("abcd")))
    fits = mended(scene, update(A, 4, string("new", origin=(A, 1), right=(A, 3))))
    assert sides(fits) == [((A, 1), (A, 2))]


def test_what_stands_right_stays_and_what_follows_may_name_what_was_mended() -> None:
    scene = both()
    good = string("good", origin=(A, 0), right=(E, 0))
    bad = string("bad", origin=(A, 5), right=(A, 5))
    within = string("in", origin=(A, 6), right=(A, 8))
    data = update(A, 2, good, bad, within, deletes=((E, 0, 1),))
    fits = mended(scene, data)
    assert sides(fits) == [((A, 0), (E, 0)), ((A, 5), None), ((A, 6), (A, 7))]
    assert read_update(fits).deletions == read_update(data).deletions
    assert scene.give(ANA, fits) == APPLIES


def test_a_long_update_is_mended_to_its_end() -> None:
    scene = both()
    good = [string("x", origin=(A, 1 + n)) for n in range(300)]
    bad = string("bad", origin=(A, 0), right=(A, 0))
    fits = mended(scene, update(A, 2, *good, bad))
    assert sides(fits) == [((A, 1 + n), None) for n in range(300)] + [((A, 0), None)]


def test_what_is_by_the_rules_or_breaks_others_stays_as_it_is() -> None:
    scene = both()
    for data in (
        update(A, 2, string("new", origin=(A, 0), right=(E, 0))),
        update(A, 2, string("new", origin=(A, 1))),
        update(A, 2, string("new", origin=(A, 9), right=(A, 0))),
        update(A, 2, string("a", origin=(A, 0), right=(A, 0)), struct(7, body=b"\x02")),
        update(-1, -1, deletes=((A, 0, 1),)),
        b"\x05",
    ):
        assert mended(scene, data) == data
        assert len(scene.facts.branches[ANA[0]].strands[0].runs) == 1


def test_after_a_fork_neighbours_are_named_as_their_past_names_them() -> None:
    scene = Scene()
    scene.give(ANA, update(A, 0, string("ab")))
    scene.give(EVA, update(E, 0, string("xyz", origin=(A, 0), right=(A, 1))))
    scene.fork(7, EVA, -1)
    scene.give(EVA, update(E, 0, string("uvw", origin=(A, 0), right=(A, 1))), branch=7, heads=(0,))
    past = scene.facts.past_of(ANA[0], ANA, 0, scene.facts.frontier(ANA[0]))
    names = {past.naming.called(strand, 0)[0] for strand in past.claims.shared[E]}
    assert len(names) == 2
    for name in names:
        fits = mended(scene, update(A, 2, string("new", origin=(A, 0), right=(name, 2))))
        assert sides(fits) == [((A, 0), (name, 0))]


@pytest.mark.parametrize("is_new_branch", [False, True])
def test_who_writes_under_another_name_after_a_fork_is_mended_under_it(is_new_branch: bool) -> None:
    scene = Scene()
    scene.give(ANA, update(A, 0, string("ab")))
    for branch in (7, 8):
        scene.fork(branch, ANA, 0)
        scene.give(ANA, update(A, 2, string("cd")), branch=branch, heads=(0,))
    anchors = {branch: scene.op_id(number) for branch, number in ((7, 1), (8, 2))}
    branch = max(anchors, key=lambda one: anchors[one])  # the other keeps the name
    if is_new_branch:
        scene.fork(9, bytes([branch]), 1)
        branch = 9
    heads = tuple(sorted(anchors.values()))
    past = scene.facts.past_of(branch, ANA, 0, heads)
    name, shift = past.name, past.shift
    assert (name != A, shift) == (True, 2)
    words = (string("xyz", origin=(name, 1)), string("in", origin=(name, 2), right=(name, 4)))
    data = update(name, 2, *words)
    fits = finish(mending(scene.facts, branch, ANA, 0, heads, data))
    assert sides(fits) == [((name, 1), None), ((name, 2), (name, 3))]
    assert scene.give(ANA, fits, branch=branch, heads=(1, 2)) == APPLIES


def test_an_editor_whose_sides_are_too_tangled_is_not_mended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = both()
    far = [string("new", right=(E, 1)) for _ in range(2)]
    data = update(A, 2, *far)
    assert mended(scene, data) != data
    for hops_max, is_mended in ((0, False), (1, True)):  # each is one away from its neighbour
        monkeypatch.setattr(tested, "HOPS_MAX", hops_max)
        assert (mended(scene, data) != data) == is_mended
