"""What was folded leaves the views when it stops counting, and comes back when it counts again."""

from __future__ import annotations

import pytest

from p2pvalue_protocol import ladder
from p2pvalue_protocol.auth_payloads import AUTH_SEEN, GUEST
from p2pvalue_protocol.ids import AUTH, CONTENT, Reference, subject_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import card, document, need
from p2pvalue_protocol.past import Batch
from p2pvalue_protocol.sealed_content import SealedContent
from tests.protocol.authoring import key_named
from tests.protocol.replicas import (
    NOW_MS,
    Chain,
    Copy,
    admitted,
    auth_log,
    by_hand,
    frontier_of,
    invited,
    joined,
)
from tests.protocol.verdicts import Verdicts

LINE = need.NeedLine("hours", "minute", 0, 600)
PLAN = bytes(range(16))


@pytest.fixture
def verdicts(ana: Copy) -> Verdicts:
    made = Verdicts()
    made.rule(ana.replica)
    return made


def step(copy: Copy) -> Batch:
    """One input in which nothing else happens."""
    copy.replica.begin()
    return copy.commit()


def test_what_stops_counting_leaves_the_views_and_is_announced(
    ana: Copy, verdicts: Verdicts
) -> None:
    two = ana.say("one", "two", "three")[1]
    verdicts.hide(two)
    ana.replica.begin()
    ana.store.commit([ana.replica.finish()])
    (change,) = ana.replica.changes
    assert (change.order.op_id, change.again, change.payload) == (two.op_id, "hidden", b"")
    assert ana.texts() == ["one", "three"]
    assert ana.replica.held(two)


def test_who_is_judged_again_from_somewhere_is_judged_from_further_back_if_that_is_due(
    ana: Copy, verdicts: Verdicts
) -> None:
    one, _, three = ana.say("one", "two", "three")
    verdicts.hide(one)
    judging = ana.replica.ladder._reconsideration
    [branch] = ana.replica.branches.of(one.device, CONTENT)
    ana.replica.begin()
    judging.add([one.device])
    judging.add_from(branch.row.log, three.seq)
    changes = judging.step(ana.replica.batch)
    assert [change.order.op_id for change in changes] == [one.op_id]


def test_what_counts_again_is_back_where_it_was(ana: Copy, verdicts: Verdicts) -> None:
    references = ana.say("one", "two", "three")
    before = ana.seen()
    verdicts.hide(*references[:2])
    step(ana)
    assert ana.texts() == ["three"]
    verdicts.show(*references)
    ana.replica.begin()
    ana.store.commit([ana.replica.finish()])
    assert [change.again for change in ana.replica.changes] == ["shown", "shown"]
    assert ana.seen() == before


def test_only_the_subjects_touched_are_folded_anew(ana: Copy, verdicts: Verdicts) -> None:
    (other,) = ana.write(Draft(need.NUMBER, b"", need.encode_need("Roof", [LINE])))
    (made,) = ana.write(Draft(need.NUMBER, b"", need.encode_need("Floor", [LINE])))
    change = need.encode_need_change(title="Cellar")
    (renamed,) = ana.write(Draft(need.NUMBER, subject_of(made.op_id), change))
    verdicts.hide(renamed)
    batch = step(ana)
    (row,) = batch.states
    assert row.subject == subject_of(made.op_id)
    assert row.op_id == made.op_id
    verdicts.hide(made)
    batch = step(ana)
    assert (batch.states, batch.states_gone) == ([], [subject_of(made.op_id)])
    assert ana.store.state(ana.community, subject_of(other.op_id)) is not None


def test_what_is_made_and_hidden_in_one_input_is_never_seen(ana: Copy, verdicts: Verdicts) -> None:
    ben = joined(ana, "ben")
    (said,) = ben.say("hello")
    (promised,) = ben.write(Draft(need.NUMBER, b"", need.encode_need("Roof", [LINE])))
    runs = ben.runs()
    ana.replica.begin()
    ana.replica.receive(runs, NOW_MS)
    verdicts.hide(said, promised)
    ana.commit()
    assert ana.texts() == []
    assert ana.store.state(ana.community, subject_of(promised.op_id)) is None
    assert ana.store.past(ana.community).subject_operations(subject_of(promised.op_id)) == []


def test_a_long_log_is_judged_again_in_several_inputs(
    ana: Copy, verdicts: Verdicts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("p2pvalue_protocol.reconsideration._OPERATIONS_PER_INPUT_MAX", 3)
    references = ana.say(*map(str, range(8)))
    verdicts.hide(*references)
    left: list[int] = []
    while not left or ana.replica.has_work:
        step(ana)
        left.append(len(ana.texts()))
    assert left == [5, 2, 0]
    assert step(ana).is_empty()


def test_judging_again_goes_on_after_a_crash_at_any_input(
    ana: Copy, verdicts: Verdicts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("p2pvalue_protocol.reconsideration._OPERATIONS_PER_INPUT_MAX", 3)
    references = ana.say(*map(str, range(8)))
    verdicts.hide(*references[:7])
    step(ana)
    while ana.replica.has_work:
        ana.restart()
        verdicts.rule(ana.replica)
        assert ana.replica.has_work
        step(ana)
    assert ana.texts() == ["7"]
    ana.restart()
    assert not ana.replica.has_work


def test_a_second_verdict_on_a_log_begins_at_its_beginning(
    ana: Copy, verdicts: Verdicts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("p2pvalue_protocol.reconsideration._OPERATIONS_PER_INPUT_MAX", 3)
    references = ana.say(*map(str, range(8)))
    verdicts.hide(*references)
    step(ana)
    verdicts.show(references[0])
    ana.settle()
    step(ana)
    ana.settle()
    assert ana.texts() == ["0"]


def test_what_is_written_meanwhile_is_judged_once_by_what_is_held(
    ana: Copy, verdicts: Verdicts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("p2pvalue_protocol.reconsideration._OPERATIONS_PER_INPUT_MAX", 2)
    references = ana.say(*map(str, range(5)))
    verdicts.hide(*references)
    step(ana)
    ana.say("new")
    ana.settle()
    assert ana.texts() == ["new"]


def test_every_branch_of_a_forked_log_is_judged_again(ana: Copy, verdicts: Verdicts) -> None:
    log = by_hand(ana, "ana")
    other = log.branch(1)
    one, two = log.say("one"), other.say("two")
    ana.take(log.run())
    ana.take(other.run(1))
    assert len(ana.replica.branches.of(log.key.public, CONTENT)) == 2
    verdicts.hide(one.reference, two.reference)
    step(ana)
    assert ana.texts() == ["first"]


def test_a_rebuild_sees_what_the_verdicts_say_now(ana: Copy, verdicts: Verdicts) -> None:
    references = ana.say("one", "two")
    verdicts.hide(references[0])
    step(ana)
    before = ana.seen()
    ana.store.clear_views(ana.community)
    ana.restart()
    verdicts.rule(ana.replica)
    ana.settle()
    assert ana.seen() == before


# --- kinds that keep what is hidden


def an_update(said: str = "x") -> Draft:
    payload = document.encode_document_update(said.encode(), session=0)
    return Draft(document.UPDATE_NUMBER, PLAN, payload)


def updates_of(copy: Copy) -> list[tuple[int, bool]]:
    """The updates of the one document, as they came: (seq, whether it is hidden)."""
    found = copy.store.entries_since(
        copy.community, PLAN, document.UPDATE_NUMBER, 0, limit=100, hidden=True
    )
    return [(entry.order.seq, entry.is_hidden) for entry in found]


def test_an_update_that_is_hidden_stays_in_its_list_and_is_announced(
    ana: Copy, verdicts: Verdicts
) -> None:
    one, two = ana.write(an_update(), an_update())
    arrivals = updates_of(ana)
    verdicts.hide(one)
    ana.replica.begin()
    ana.store.commit([ana.replica.finish()])
    (change,) = ana.replica.changes
    assert (change.order.op_id, change.again, change.payload) == (one.op_id, "hidden", b"")
    assert updates_of(ana) == [(one.seq, True), (two.seq, False)]
    assert ana.store.entry_count(ana.community, PLAN, document.UPDATE_NUMBER) == 1
    verdicts.show(one)
    ana.replica.begin()
    ana.store.commit([ana.replica.finish()])
    (change,) = ana.replica.changes
    assert (change.again, change.payload) == ("shown", an_update().payload)
    assert updates_of(ana) == arrivals
    verdicts.show(one)
    batch = step(ana)
    assert (batch.entries_again, batch.entries_turned, batch.entries_gone) == ([], [], [])


def test_an_update_that_is_hidden_before_it_comes_is_listed_and_told_of_without_words(
    ana: Copy, verdicts: Verdicts
) -> None:
    ben = joined(ana, "ben")
    said, seen = ben.write(an_update(), an_update())
    verdicts.hide(said)
    runs = ben.runs()
    ana.replica.begin()
    ana.replica.receive(runs, NOW_MS)
    ana.store.commit([ana.replica.finish()])
    changes = [(change.order.op_id, bool(change.payload)) for change in ana.replica.changes]
    assert changes == [(said.op_id, False), (seen.op_id, True)], "what waited for it may show now"
    assert updates_of(ana) == [(said.seq, True), (seen.seq, False)]


def test_an_update_that_comes_and_is_hidden_in_one_input_is_listed_once(
    ana: Copy, verdicts: Verdicts
) -> None:
    ben = joined(ana, "ben")
    (said,) = ben.write(an_update())
    runs = ben.runs()
    ana.replica.begin()
    ana.replica.receive(runs, NOW_MS)
    verdicts.hide(said)
    ana.commit()
    assert updates_of(ana) == [(said.seq, True)]


def test_updates_made_anew_carry_the_same_marks(ana: Copy, verdicts: Verdicts) -> None:
    references = ana.write(an_update(), an_update(), an_update())
    verdicts.hide(references[1])
    step(ana)
    before = updates_of(ana)
    digest = ana.store.state_digest(ana.community, hidden=True)
    ana.store.clear_views(ana.community)
    ana.restart()
    verdicts.rule(ana.replica)
    ana.settle()
    assert updates_of(ana) == before
    assert ana.store.state_digest(ana.community, hidden=True) == digest


def test_a_hidden_update_that_nobody_could_read_is_no_item(ana: Copy, verdicts: Verdicts) -> None:
    log = by_hand(ana, "ana")
    said = log.add(b"no payload of this kind", kind=document.UPDATE_NUMBER, subject=PLAN)
    verdicts.hide(said.reference)
    ana.take(log.run())
    assert ana.replica.held(said.reference)
    assert updates_of(ana) == []


def test_what_a_rank_may_not_write_does_not_come_to_count_by_being_judged_again(ana: Copy) -> None:
    admitted(ana, "gul", invited(ana, GUEST))
    log = Chain(key_named("gul device"), ana.community)
    log.add(card.encode_card("ours now"), kind=card.NUMBER, parents=frontier_of(ana))
    log.say("hello")
    ana.take(log.run())
    before = ana.seen()
    ana.replica.ladder.reconsider([log.key.public])
    batch = step(ana)
    assert ana.replica.changes == []
    assert not ana.replica.has_work
    assert ana.seen() == before
    assert batch.subject_operations == []
    assert ana.texts() == ["hello"]


def test_of_what_an_input_unblocks_a_bounded_part_is_folded_and_the_rest_with_the_next(
    ana: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = by_hand(joined(ana, "ben"), "ben")
    joined(ana, "cia")
    log = Chain(key_named("cia device"), ana.community)
    parents = sorted([*frontier_of(ana), first.operations[0].reference])
    log.say("0", parents=parents, time=NOW_MS)
    for number in range(1, 12):
        log.say(f"{number}")
    ana.take(log.run())
    assert ana.texts() == []
    monkeypatch.setattr(ladder, "_FOLDS_PER_INPUT_MAX", 2)
    ana.take(first.run())
    assert 0 < len(ana.texts()) < 6
    while ana.replica.has_work:
        assert len(step(ana).folded) <= 4
    assert ana.texts() == ["first", *map(str, range(12))]


def test_what_was_folded_and_opened_in_one_input_does_not_wait() -> None:
    sealed = SealedContent([])
    sealed.add(b"opened", 1, 7)
    sealed.add(b"closed", 1, 8)
    assert sealed.take(b"opened") == [(1, 7)]
    batch = Batch(bytes(32))
    sealed.write_to(batch)
    assert batch.sealed == [(b"closed", 1, 8, 1)]
    assert batch.sealed_gone == [b"opened"]


def test_what_is_missing_behind_heads_is_found_once(ana: Copy) -> None:
    joined(ana, "ben")
    unheard = Reference(key_named("cia device").public, AUTH, 0, bytes(32))
    log = auth_log(ana, "ben")
    count = len(log.operations)
    waiting = log.add(kind=AUTH_SEEN, parents=[unheard])
    ana.take(log.run(count))
    heads = [waiting.reference, waiting.reference]
    assert ana.replica.ladder.missing_behind(heads) == [unheard]
    assert ana.replica.ladder.missing_behind([]) == []
