"""What leads back to what is what a walk through all backlinks and parents finds."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from p2pvalue_protocol import reach
from p2pvalue_protocol.ids import CONTENT, Reference
from p2pvalue_protocol.operation import Core, decode_core
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
        for later in rng.sample(references, min(25, len(references))):
            wanted = rng.sample(references, rng.randint(1, len(references)))
            past = past_by_walking(held, later.op_id)
            found = copy.replica.branches.reach.past_among(later, wanted)
            assert found == {reference.op_id for reference in wanted} & past


def test_what_is_not_held_is_in_no_past_and_has_none() -> None:
    ana = founded("ana")
    [said] = ana.say("hello")
    unknown = Reference(said.device, CONTENT, 7, bytes(32))
    found = ana.replica.branches.reach
    assert found.past_among(said, [unknown]) == frozenset()
    assert found.past_among(unknown, [said]) == frozenset()
    assert found.past_among(said, [said]) == {said.op_id}


def test_a_look_at_what_was_named_soon_reads_little_of_what_came_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ana = founded("ana")
    bea = joined(ana, "bea")
    [sought] = bea.say("look at this")
    bea.give(ana)
    [last] = [ana.say(f"said {number}") for number in range(400)][-1]
    read = _count_reads(monkeypatch)
    assert ana.replica.branches.reach.past_among(last, [sought])
    assert len(read) < 40


def test_what_was_not_found_is_not_sought_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    ana = founded("ana")
    bea = joined(ana, "bea")
    [sought] = bea.say("nobody answers")
    [[first]] = [ana.say(f"said {number}") for number in range(400)][-1:]
    bea.give(ana)
    found = ana.replica.branches.reach
    read = _count_reads(monkeypatch)
    assert not found.past_among(first, [sought])
    once = len(read)
    assert once > 300
    assert not found.past_among(first, [sought])
    assert len(read) == once


def _count_reads(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Note what a search decodes from here on."""
    read: list[bytes] = []

    def decoding(core: bytes) -> Core:
        read.append(core)
        return decode_core(core)

    monkeypatch.setattr(reach, "decode_core", decoding)
    return read
