"""What is judged when the past is complete, what is held back, and what is folded anew."""

from __future__ import annotations

import itertools

import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import limits
from p2pvalue_protocol.branches import Branch
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.ids import CONTENT, subject_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import blob, decode_state, document, need, pledge, profile
from p2pvalue_protocol.log import Run
from tests.protocol.authoring import key_named
from tests.protocol.replicas import (
    NOW_MS,
    Chain,
    Copy,
    auth_log,
    by_hand,
    device_added,
    frontier_of,
    genesis_of,
    joined,
    newcomer,
)

LINE = need.NeedLine("hours", "minute", 0, 60)


# --- judged when the past is complete


def orders_of(ana: Copy, *runs: Run) -> list[Copy]:
    """Readers that received the community, and these runs in every order until all were taken."""
    readers = []
    for order in itertools.permutations(runs):
        reader = newcomer(ana)
        reader.take(*ana.runs())
        while sum(reader.take(run).stored for run in order):
            pass
        readers.append(reader)
    return readers


def test_a_time_not_after_its_backlink_ends_the_effect_of_that_log_everywhere(
    ana: Copy, ben: Copy
) -> None:
    log = by_hand(ben, "ben")
    log.say("backdated", time=log.operations[0].core.time)
    log.say("after it", time=NOW_MS)
    names_it = Chain(key_named("ana device"), ana.community)
    refused = log.operations[1].reference
    names_it.say("names it", parents=[*frontier_of(ana), refused], time=NOW_MS + 1)
    readers = orders_of(ana, log.run(0, 0), log.run(1, 1), log.run(2, 2), names_it.run())
    assert {reader.seen() for reader in readers} == {readers[0].seen()}
    assert readers[0].texts() == ["first"]
    assert readers[0].replica.held(log.operations[2].reference)
    assert readers[0].replica.held(names_it.operations[0].reference)


def test_a_time_not_after_a_content_parent_has_no_effect_in_any_order(ana: Copy, ben: Copy) -> None:
    late = by_hand(ben, "ben")
    early = Chain(key_named("ana device"), ana.community)
    early.say(
        "before its parent",
        parents=[late.operations[0].reference],
        time=late.operations[0].core.time,
    )
    early.say("and after that")
    readers = orders_of(ana, late.run(), early.run(0, 0), early.run(1, 1))
    assert {reader.seen() for reader in readers} == {readers[0].seen()}
    assert readers[0].texts() == ["first"]


def test_what_was_without_effect_is_so_after_a_restart(ana: Copy, ben: Copy) -> None:
    log = by_hand(ben, "ben")
    log.say("backdated", time=1)
    ana.take(log.run())
    ana.restart()
    ana.settle()
    log.say("after it", time=NOW_MS)
    ana.take(log.run(2))
    assert ana.texts() == ["first"]


def test_content_without_an_auth_past_has_no_effect(ana: Copy, ben: Copy) -> None:
    log = Chain(key_named("ben device"), ana.community)
    log.say("names nothing")
    log.say("late", parents=frontier_of(ana))
    ana.take(log.run())
    assert ana.texts() == []
    assert ana.replica.held(log.operations[1].reference)


def test_the_times_of_auth_operations_bind_nobody(ana: Copy, ben: Copy) -> None:
    log = auth_log(ana, "ben")
    log.add(kind=auth.AUTH_SEEN, time=2**53 - 1)
    assert ana.take(log.run()).stored == 1
    (reference,) = ana.say("on time")
    assert ana.log_of(reference)[-1].core.time == NOW_MS
    future = by_hand(ben, "ben")
    future.say("held back", time=NOW_MS + 10**9)
    ana.take(future.run())
    assert "held back" not in ana.texts()


def test_content_of_a_device_that_was_no_member_then_is_never_shown(ana: Copy) -> None:
    device_add = device_added(ana.community, genesis_of(ana), "ben")
    early = Chain(key_named("ben device"), ana.community)
    early.say("not yet a member", parents=[device_add.reference])
    ben = joined(ana, "ben")
    early.say("now", parents=frontier_of(ben), time=NOW_MS)
    ana.take(early.run())
    assert ana.texts() == ["now"]


def test_a_payload_without_meaning_hides_one_operation_and_not_the_log(
    ana: Copy, ben: Copy
) -> None:
    log = by_hand(ben, "ben")
    log.add(b"\xc1 no payload")
    log.say("after it")
    ana.take(log.run())
    assert ana.texts() == ["first", "after it"]


def test_kinds_that_are_not_known_are_stored_and_relayed(ana: Copy, ben: Copy) -> None:
    log = by_hand(ben, "ben")
    log.add(b"from the future", kind=200)
    log.say("after it")
    ana.take(log.run())
    reader = newcomer(ana)
    reader.take(*ana.runs())
    assert reader.seen() == ana.seen()
    assert reader.texts() == ["first", "after it"]


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (pledge.NUMBER, pledge.encode_pledge(bytes(16), bytes(16), 0, 1)),
        (blob.NUMBER, blob.encode_blob_removal()),
        (need.NUMBER, need.encode_need_change(title="mine now")),
    ],
    ids=["pledge", "removal", "need-change"],
)
def test_an_operation_of_another_kind_cannot_take_a_subject_over(
    ana: Copy, ben: Copy, kind: int, payload: bytes
) -> None:
    mine = by_hand(ana, "ana")
    asked = mine.add(need.encode_need("dig", [LINE]), kind=need.NUMBER)
    file = blob.encode_blob("roof.png", "image/png", 0, bytes(32), [])
    shared = mine.add(file, kind=blob.NUMBER)
    log = by_hand(ben, "ben")
    for number, op in enumerate((asked, shared)):
        log.add(payload, kind=kind, subject=subject_of(op.op_id), time=NOW_MS + number)
    readers = orders_of(ana, mine.run(), log.run(0, 0), log.run(1, 1), log.run(2, 2))
    assert {reader.seen() for reader in readers} == {readers[0].seen()}
    for op, number in ((asked, need.NUMBER), (shared, blob.NUMBER)):
        state = readers[0].store.state(ana.community, subject_of(op.op_id))
        assert state is not None
        assert state.kind == number


def test_what_could_be_read_as_either_kind_changes_only_objects_of_its_own(
    ana: Copy, ben: Copy
) -> None:
    mine = by_hand(ana, "ana")
    asked = mine.add(need.encode_need("dig", [LINE]), kind=need.NUMBER)
    title = document.encode_document_title("mine now")  # says as much as a change of a need
    assert need.NEED.decode(title) == need.Need(title="mine now")
    mine.add(title, kind=document.NUMBER, subject=subject_of(asked.op_id))
    ana.take(mine.run())
    state = ana.store.state(ana.community, subject_of(asked.op_id))
    assert state is not None
    assert decode_state(state.kind, state.state).title == "dig"  # type: ignore[attr-defined]  # a NeedState


def test_a_profile_is_its_members_own_whatever_subject_is_named(ana: Copy, ben: Copy) -> None:
    target = profile.profile_subject(key_named("ana root").public)
    ana_log = by_hand(ana, "ana")
    ana_log.add(profile.encode_profile("Ana"), kind=profile.NUMBER)
    log = by_hand(ben, "ben")
    log.add(profile.encode_profile("Ben"), kind=profile.NUMBER, subject=target)
    log.add(need.encode_need_change(title="x"), kind=need.NUMBER, subject=target)
    ana.take(ana_log.run(), log.run())
    state = ana.store.state(ana.community, target)
    assert state is not None
    assert b"Ana" in state.state


# --- held back


def test_content_from_the_future_is_held_back_until_its_time(ana: Copy, ben: Copy) -> None:
    log = by_hand(ben, "ben")
    ahead_ms = NOW_MS + 5 * 60_000
    log.say("soon", time=ahead_ms)
    log.say("later", time=ahead_ms + 1)
    log.say("after that")
    assert ana.take(log.run()).stored == 2
    assert ana.texts() == ["first", "soon"]
    assert ana.take(log.run(), now_ms=NOW_MS + 60_000).stored == 2
    assert ana.texts() == ["first", "soon", "later", "after that"]


def test_a_clock_that_lost_its_time_holds_nothing_back(ana: Copy, ben: Copy) -> None:
    log = by_hand(ben, "ben")
    ana.take(log.run())
    log.say("a day later")
    assert ana.take(log.run(), now_ms=1_000_000).stored == 1


@pytest.mark.parametrize(("behind_ms", "is_trusted"), [(0, True), (1, False)])
def test_a_clock_is_trusted_until_it_is_a_day_behind_what_is_held(
    ana: Copy, ben: Copy, behind_ms: int, is_trusted: bool
) -> None:
    ana.say("now")
    log = by_hand(ben, "ben")
    log.say("as far ahead as nobody believes")
    now_ms = ana.replica.newest_time_ms - limits.CLOCK_BEHIND_MS_MAX - behind_ms
    taken = ana.take(log.run(), now_ms=now_ms).stored
    assert (taken < len(log.operations)) == is_trusted


def test_the_newest_time_that_is_held_never_goes_back(ana: Copy, ben: Copy) -> None:
    ana.say("late", now_ms=NOW_MS + 60_000)
    assert ana.replica.newest_time_ms == NOW_MS + 60_000
    ben.say("early", now_ms=NOW_MS + 1)
    ben.give(ana)
    assert len(ana.texts()) == 2
    assert ana.replica.newest_time_ms == NOW_MS + 60_000
    ana.write(Draft(auth.AUTH_SEEN, b"", b""), now_ms=NOW_MS + 90_000)  # no content
    assert ana.replica.newest_time_ms == NOW_MS + 60_000
    ana.restart()
    assert ana.replica.newest_time_ms == NOW_MS + 60_000


def test_content_from_far_ahead_is_never_named_so_it_never_moves_our_clock(
    ana: Copy, ben: Copy
) -> None:
    log = by_hand(ben, "ben")
    ana.take(log.run())
    log.say("from 2100", time=4_102_444_800_000)
    assert ana.take(log.run(), now_ms=1_000).stored == 1, "a lost clock holds nothing back"
    [mine] = ana.say("back in time", now_ms=NOW_MS + 1_000)
    core = ana.log_of(mine)[mine.seq].core
    assert core.time <= NOW_MS + 5 * 60_000
    assert log.operations[-1].op_id not in [parent.op_id for parent in core.parents]
    ana.give(ben)
    assert "back in time" in ben.texts()


def test_what_is_hardly_ahead_waits_to_be_named_so_slower_clocks_take_the_answer_at_once(
    ana: Copy, ben: Copy
) -> None:
    log = by_hand(ben, "ben")
    log.say("at the edge", time=NOW_MS + 5 * 60_000)
    ana.take(log.run())
    [mine] = ana.say("an answer")
    slower_ms = NOW_MS - 30_000
    runs = [run for run in ana.runs() if run.device == mine.device]
    assert ben.take(*runs, now_ms=slower_ms).refused == ()
    assert "an answer" in ben.texts()


def test_an_unknown_auth_kind_parks_the_rest_of_its_log(ana: Copy, ben: Copy) -> None:
    log = auth_log(ana, "ben")
    log.add(kind=auth.AUTH_SEEN, parents=[genesis_of(ana).reference])
    log.add(kind=31)
    log.add(kind=auth.AUTH_SEEN)
    receipt = ana.take(log.run())
    assert (receipt.stored, receipt.refused) == (1, ())
    assert ana.replica.held(log.operations[1].reference)
    assert not ana.replica.held(log.operations[2].reference)


def test_a_clear_of_the_views_is_healed_by_folding_anew(ana: Copy, ben: Copy) -> None:
    for number in range(30):
        ben.say(f"ben {number}")
        ben.give(ana)
        ana.say(f"ana {number}")
        ana.give(ben)
    before = ana.seen(), sorted(frontier_of(ana))
    ana.store.clear_views(ana.community)
    assert ana.texts() == []
    ana.restart()
    ana.settle()
    assert (ana.seen(), sorted(frontier_of(ana))) == before
    ana.say("goes on")
    assert ana.texts()[-1] == "goes on"


def test_who_waits_for_what_is_refused_when_it_comes_is_refused(ana: Copy, ben: Copy) -> None:
    ending = by_hand(ben, "ben")
    ending.say("too early", time=1)
    waiting = by_hand(ana, "ana")
    waiting.say("names it", parents=[ending.say("after that").reference])
    ana.take(waiting.run())
    [branch] = ana.replica.branches.of(waiting.key.public, CONTENT)
    assert (branch.closed, branch.is_waiting) == (None, True)
    ana.take(ending.run())
    assert branch.closed is Reason.PARENT_REFUSED


def test_a_log_that_ends_wakes_only_those_who_wait_for_it(
    ana: Copy, ben: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = Chain(key_named("nobody's device"), ana.community).say("never sent").reference
    waiting = by_hand(ana, "ana")
    waiting.say("names what never comes", parents=[lost])
    ending = by_hand(ben, "ben")
    ending.say("too early", time=1)
    ana.take(waiting.run())
    judged: list[bytes] = []
    fold_stored = ana.replica.ladder._fold_stored

    def counting(branch: Branch) -> None:
        judged.append(branch.row.device)
        fold_stored(branch)

    monkeypatch.setattr(ana.replica.ladder, "_fold_stored", counting)
    ana.take(ending.run())
    assert ana.replica.branches.of(ending.key.public, CONTENT)[0].closed is not None
    assert waiting.key.public not in judged
