"""What leads back to what is what a walk through all backlinks and parents finds."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from p2pvalue_protocol import reach, walk_back
from p2pvalue_protocol.ids import CONTENT, Reference
from p2pvalue_protocol.operation import Core, decode_core
from p2pvalue_protocol.walk_back import Asked
from tests.laws.histories import History
from tests.protocol.replicas import Copy, founded, joined


def folded_content(copy: Copy) -> dict[bytes, tuple[Reference, Core]]:
    """All folded content of one copy, by id."""
    found: dict[bytes, tuple[Reference, Core]] = {}
    for branch in copy.replica.branches.all():
        log = branch.row
        if log.log_class == CONTENT:
            count = branch.folded_seq - log.first_seq + 1
            for row in copy.replica.branches.rows(branch, log.first_seq, count):
                core = decode_core(row.core)
                found[row.op_id] = Reference(log.device, CONTENT, row.seq, row.op_id), core
    return found


def past_among(copy: Copy, later: Reference, wanted: Sequence[Reference]) -> frozenset[bytes]:
    [found] = copy.replica.branches.reach.pasts_among([Asked(later, wanted)])
    return found


def past_by_walking(held: dict[bytes, tuple[Reference, Core]], op_id: bytes) -> set[bytes]:
    past: set[bytes] = set()
    above = [op_id]
    while above:
        found = above.pop()
        if found in held and found not in past:
            past.add(found)
            core = held[found][1]
            above += [core.backlink, *(parent.op_id for parent in core.parents)]
    return past


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1))
@example(3)
def test_what_leads_back_is_what_walking_finds_with_forks_and_restarts(seed: int) -> None:
    history = History(Random(seed), 80)
    for _, copy in sorted(history.members.items()):
        copy.settle()
        held = folded_content(copy)
        references = [reference for reference, _ in held.values()]
        rng = Random(seed)
        every = [
            Asked(later, rng.sample(references, rng.randint(1, len(references))))
            for later in rng.sample(references, min(25, len(references)))
        ]
        expected = [
            past_by_walking(held, later.op_id).intersection(ref.op_id for ref in wanted)
            for later, wanted in every
        ]
        assert [past_among(copy, later, wanted) for later, wanted in every] == expected
        assert walk_back.walk_back(copy.replica.branches, every) == expected
        for asked, past in zip(every, expected, strict=True):  # alone: not all is later than it
            assert walk_back.walk_back(copy.replica.branches, [asked]) == [past]


def test_what_is_not_held_is_in_no_past_and_has_none() -> None:
    ana = founded("ana")
    [said] = ana.say("hello")
    unknown = Reference(said.device, CONTENT, 7, bytes(32))
    assert past_among(ana, said, [unknown]) == frozenset()
    assert past_among(ana, unknown, [said]) == frozenset()
    every = [Asked(said, [unknown]), Asked(unknown, [said])]
    assert walk_back.walk_back(ana.replica.branches, every) == [frozenset()] * 2
    assert past_among(ana, said, [said]) == {said.op_id}


def test_a_look_at_what_was_named_soon_reads_little_of_what_came_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ana = founded("ana")
    bea = joined(ana, "bea")
    [sought] = bea.say("look at this")
    bea.give(ana)
    [last] = [ana.say(f"said {number}") for number in range(400)][-1]
    read = _count_reads(monkeypatch)
    assert past_among(ana, last, [sought])
    assert len(read) < 40


def test_what_was_not_found_is_not_sought_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    ana = founded("ana")
    bea = joined(ana, "bea")
    [sought] = bea.say("nobody answers")
    [[first]] = [ana.say(f"said {number}") for number in range(400)][-1:]
    bea.give(ana)
    read = _count_reads(monkeypatch)
    assert not past_among(ana, first, [sought])
    once = len(read)
    assert once > 300
    assert not past_among(ana, first, [sought])
    assert len(read) == once


def test_what_nobody_heard_of_is_sought_in_one_walk_however_much_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A liar's CLOSEs name what eight of her devices said unheard, thirty times each."""
    ana = founded("ana")
    liars = [joined(ana, f"liar {number}") for number in range(8)]
    sought = [ref for liar in liars for at in range(30) for ref in liar.say(f"unheard {at}")]
    later = [ref for number in range(400) for ref in ana.say(f"said {number}")][-3:]
    for liar in liars:
        liar.give(ana)
    read = _count_reads(monkeypatch)
    asked = [Asked(close, sought) for close in later]
    found = ana.replica.branches.reach.pasts_among(asked)
    assert found == [frozenset()] * 3
    assert len(read) < 4_000


def test_where_searches_go_too_far_one_walk_finds_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ana = founded("ana")
    said = [ref for number in range(60) for ref in ana.say(f"said {number}")]
    monkeypatch.setattr(reach, "SEARCHED_MAX", 40)
    every = [Asked(later, [said[20], said[50]]) for later in said]
    found = ana.replica.branches.reach.pasts_among(every)
    assert found == [
        {ref.op_id for ref in (said[20], said[50]) if ref.seq <= later.seq} for later in said
    ]


def test_no_more_answers_are_remembered_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "KNOWN_MAX", 50)
    ana = founded("ana")
    said = [ref for number in range(40) for ref in ana.say(f"said {number}")]
    every = [Asked(later, said[:30]) for later in said]
    found = ana.replica.branches.reach
    expected = [{ref.op_id for ref in said[: min(30, number)]} for number in range(1, 41)]
    assert found.pasts_among(every) == found.pasts_among(every) == expected
    kept = found._known.values()
    assert sum(len(known.sought) for known in kept) == found._known_count <= 50


def _count_reads(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Note what a search decodes from here on."""
    read: list[bytes] = []

    def decoding(core: bytes) -> Core:
        read.append(core)
        return decode_core(core)

    for module in (reach, walk_back):
        monkeypatch.setattr(module, "decode_core", decoding)
    return read
