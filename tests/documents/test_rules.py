"""Each rule of document updates: what keeps it counts, what breaks it is void for its reason."""

from __future__ import annotations

import zlib

import pytest

from p2pvalue_protocol.documents.kept_facts import dump_facts, load_facts
from p2pvalue_protocol.documents.update_form import read_update, write_update
from p2pvalue_protocol.documents.verdict import VoidReason
from p2pvalue_protocol.errors import LocalProtocolError
from tests.documents import cases, cases_of_neighbours, cases_of_pasts, cases_of_places
from tests.documents.by_hand import (
    ANA,
    APPLIES,
    DOCUMENT,
    EVA,
    KIM,
    Scene,
    StoredIds,
    string,
    update,
)

CASES = (
    *(*cases.FORM, *cases.VALUES, *cases.NO_JSON, *cases.SESSIONS),
    *(*cases_of_places.PAST, *cases_of_places.PARENTS),
    *(*cases_of_neighbours.SIDES, *cases_of_neighbours.ADJACENT),
    *(*cases_of_pasts.FOLLOWING, *cases_of_pasts.FORKS),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_update_counts_or_is_void_for_its_reason(case: cases.Case) -> None:
    scene = Scene(case.shape)
    assert case.play(scene) == case.ends


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_counts_is_written_as_it_was_read(case: cases.Case) -> None:
    scene = Scene(case.shape)
    case.play(scene)
    counting = [g for g in scene.given if scene.verdicts[g.placement.op_id] == APPLIES]
    for given in counting:
        assert write_update(read_update(given.data)) == given.data
    assert counting or case.ends != APPLIES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_facts_that_were_kept_are_the_same(case: cases.Case) -> None:
    scene = Scene(case.shape)
    case.play(scene)
    again = load_facts(dump_facts(scene.facts), scene.ids)
    assert dump_facts(again) == dump_facts(scene.facts)
    assert again.frontier(None) == scene.facts.frontier(None)


def test_every_reason_has_a_case() -> None:
    assert {case.ends for case in CASES} >= {str(reason) for reason in VoidReason}
    assert len({case.name for case in CASES}) == len(CASES)


def test_facts_of_another_version_are_refused() -> None:
    kept = zlib.decompress(dump_facts(Scene().facts))
    other = zlib.compress(kept.replace(b"\x95\x02", b"\x95\x01", 1))
    for data in (b"", b"\x93\x01", zlib.compress(b"\x93\x01"), other):
        with pytest.raises(ValueError, match="these"):
            load_facts(data, StoredIds())


def test_a_shape_of_a_later_version_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="update p2pvalue"):
        Scene("sheet")


def test_updates_of_a_branch_come_in_their_order() -> None:
    scene = Scene()
    scene.give(ANA, b"\x00\x00")
    with pytest.raises(ValueError, match="order"):
        scene.facts.take(scene.given[0].placement, 0, (), b"\x00\x00")
    later = scene.given[0].placement
    later = later._replace(seq=later.seq + 1, device=bytes(32), op_id=b"o" * 32)
    with pytest.raises(ValueError, match="order"):
        scene.facts.take(later, 0, (), b"\x00\x00")


def test_heads_are_the_newest_of_others_that_count_and_that_nothing_holds() -> None:
    scene = Scene()
    scene.give(ANA, cases.WORD)
    scene.give(EVA, update(cases.E, 0, string("e")), heads=())
    assert scene.facts.frontier(None) == tuple(sorted((scene.op_id(0), scene.op_id(1))))
    assert scene.facts.frontier(ANA[0]) == (scene.op_id(1),)
    scene.give(KIM, b"\x00\x00")
    assert scene.facts.frontier(None) == (scene.op_id(2),)
    scene.give(ANA, b"")
    assert scene.facts.frontier(None) == (scene.op_id(2),)
    assert scene.facts.document == DOCUMENT
