"""Rules of the ladder: what is stored, what waits, what folds, what changes nothing."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import msgspec
import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.ids import AUTH, ZERO32, subject_of
from p2pvalue_protocol.kinds import need, pledge, profile
from p2pvalue_protocol.log import Run
from p2pvalue_protocol.past import OperationRow
from tests.protocol.authoring import key_named
from tests.protocol.replicas import (
    NOW_MS,
    Chain,
    Copy,
    admitted,
    device_added,
    founded,
    frontier_of,
    genesis_of,
    joined,
    run_of,
    said,
)

LINE = need.NeedLine("hours", "minute", 0, 60)


@pytest.fixture
def ana() -> Copy:
    """The founder's copy."""
    return founded()


@pytest.fixture
def ben(ana: Copy) -> Copy:
    """A member's copy."""
    return joined(ana, "ben")


def by_hand(copy: Copy, name: str) -> Chain:
    """A content log of a member's device, written by hand; its first operation names the heads."""
    log = Chain(key_named(f"{name} device"), copy.community)
    log.say("first", parents=frontier_of(copy))
    return log


def auth_log(copy: Copy, name: str) -> Chain:
    """The auth log of a member's device, to be continued by hand."""
    key = key_named(f"{name} device")
    (head,) = [h for h in copy.replica.heads() if (h.device, h.log_class) == (key.public, AUTH)]
    return Chain(key, copy.community, AUTH, copy.log_of(head))


def newcomer(copy: Copy) -> Copy:
    """A copy that holds GENESIS alone."""
    reader = Copy(copy.community)
    reader.take(run_of([genesis_of(copy)]))
    return reader


def assert_unchanged_by(copy: Copy, runs: Sequence[Run], *, now_ms: int = NOW_MS) -> Reason | None:
    """Check that receiving these runs changes nothing; return the reason of the first refusal."""
    before = copy.seen()
    copy.replica.begin()
    receipt = copy.replica.receive(runs, now_ms)
    batch = copy.replica.finish()
    copy.replica.begin()
    assert batch.is_empty()
    assert receipt.stored == 0
    assert copy.seen() == before
    return receipt.refused[0][0] if receipt.refused else None


# --- stored, waiting, folded


def test_an_operation_is_stored_when_its_backlink_is_and_waits_for_its_parents(
    ana: Copy, ben: Copy
) -> None:
    (named,) = ana.say("asked")
    ana.give(ben)
    ben.say("answered")
    reader = newcomer(ana)
    auth_runs = [run for run in ana.runs() if run.log_class == AUTH]
    reader.take(*auth_runs, *[run for run in ben.runs() if run.device == ben.replica.device])
    assert reader.replica.held(ben.replica.heads()[-1]) or reader.texts() == []
    assert reader.texts() == []
    assert {head.device for head in reader.replica.heads()} >= {ben.replica.device}
    reader.take(*[run for run in ana.runs() if run.log_class != AUTH])
    assert reader.replica.held(named)
    assert reader.texts() == ["asked", "answered"]


def test_logs_that_answer_each_other_fold_completely_one_after_the_other(
    ana: Copy, ben: Copy
) -> None:
    for number in range(40):
        ana.say(f"ana {number}")
        ana.give(ben)
        ben.say(f"ben {number}")
        ben.give(ana)
    runs = ana.runs()
    first = ana.replica.device
    for order in (lambda run: run.device == first, lambda run: run.device != first):
        reader = newcomer(ana)
        reader.take(*sorted(runs, key=order))
        reader.settle()
        assert reader.seen() == ana.seen()
        assert len(reader.texts()) == 80


def test_folding_what_waited_reads_little_more_than_the_log(ana: Copy, ben: Copy) -> None:
    for number in range(50):
        ana.say(f"ana {number}")
        ana.give(ben)
        ben.say(f"ben {number}")
        ben.give(ana)
    reader = newcomer(ana)
    runs = ana.runs()
    reader.take(*[r for r in runs if r.log_class == AUTH])
    reader.take(*[r for r in runs if r.device == ben.replica.device and r.log_class != AUTH])
    past = reader.store.past(reader.community)
    rows_read = 0
    read = past.operations

    def counted(log: int, first_seq: int, count: int) -> list[OperationRow]:
        nonlocal rows_read
        rows = read(log, first_seq, count)
        rows_read += len(rows)
        return rows

    past.operations = counted  # type: ignore[method-assign]  # counts, then reads
    reader.take(*[r for r in runs if r.device == ana.replica.device and r.log_class != AUTH])
    assert len(reader.texts()) == 100
    assert rows_read < 6 * 100


def test_a_run_received_again_changes_nothing(ana: Copy, ben: Copy) -> None:
    ana.say(*[f"{n}" for n in range(100)])
    runs = ana.runs()
    ben.take(*runs)
    assert assert_unchanged_by(ben, [*runs, *reversed(runs)]) is None


def test_a_run_that_overlaps_what_is_held_adds_only_what_is_new(ana: Copy, ben: Copy) -> None:
    log = by_hand(ben, "ben")
    for number in range(9):
        log.say(f"{number}")
    ana.take(log.run(0, 4))
    receipt = ana.take(log.run(2, 9))
    assert (receipt.stored, receipt.duplicates, receipt.refused) == (5, 3, ())
    receipt = ana.take(log.run(0, 9))
    assert (receipt.stored, receipt.duplicates) == (0, 10)


def test_a_gap_is_named_and_nothing_is_stored_beyond_it(ana: Copy, ben: Copy) -> None:
    log = by_hand(ben, "ben")
    for number in range(5):
        log.say(f"{number}")
    ana.take(log.run(0, 1))
    before = ana.seen()
    receipt = ana.take(log.run(4))
    assert receipt.refused == ((Reason.CHAIN_BROKEN, False),)
    assert receipt.missing_backlinks == ((ben.replica.device, 1, 4),)
    assert ana.seen() == before


def test_what_waited_before_a_restart_folds_after_it(ana: Copy, ben: Copy) -> None:
    ana.say("asked")
    ana.give(ben)
    ben.say("answered")
    reader = newcomer(ana)
    runs = ana.runs()
    reader.take(*[run for run in runs if run.log_class == AUTH])
    reader.take(*[run for run in ben.runs() if run.device == ben.replica.device])
    reader.restart()
    reader.take(*[run for run in runs if run.log_class != AUTH])
    assert reader.texts() == ["asked", "answered"]


# --- refused


def test_a_wrong_signature_changes_nothing_and_is_the_senders_offence(ana: Copy, ben: Copy) -> None:
    log = by_hand(ben, "ben")
    op = log.say("forged")
    log.operations[-1] = msgspec.structs.replace(op, signature=bytes(64))
    assert assert_unchanged_by(ana, [log.run()]) is Reason.SIGNATURE_INVALID
    assert ana.take(log.run()).refused == ((Reason.SIGNATURE_INVALID, True),)


def test_a_run_whose_payload_was_exchanged_has_other_ids_than_its_signature_covers(
    ana: Copy, ben: Copy
) -> None:
    log = by_hand(ben, "ben")
    run = log.run()
    item = msgspec.structs.replace(run.items[0], payload=said("lie").payload)
    assert (
        assert_unchanged_by(ana, [msgspec.structs.replace(run, items=[item])])
        is Reason.SIGNATURE_INVALID
    )


def test_the_genesis_of_another_community_is_refused(ana: Copy) -> None:
    other = founded("zoe")
    assert other.community != ana.community
    assert assert_unchanged_by(ana, other.runs()) is Reason.WRONG_COMMUNITY


def test_a_second_genesis_is_refused(ana: Copy) -> None:
    log = Chain(key_named("ana device"), ana.community, AUTH, [genesis_of(ana)])
    log.add(genesis_of(ana).payload or b"", kind=auth.GENESIS)
    assert assert_unchanged_by(ana, [log.run(1)]) is Reason.SECOND_GENESIS


def test_an_unknown_author_is_refused_without_offence_and_taken_once_admitted(ana: Copy) -> None:
    reader = newcomer(ana)
    device_add = admitted(ana, "ben")
    stranger = Chain(key_named("ben device"), ana.community, AUTH, [device_add])
    assert reader.take(stranger.run()).refused == ((Reason.UNKNOWN_AUTHOR, False),)
    reader.take(*[run for run in ana.runs() if run.device == ana.replica.device])
    assert reader.take(stranger.run()).stored == 1
    assert reader.seen() == ana.seen()


def test_an_author_may_become_known_inside_one_batch(ana: Copy) -> None:
    ben = joined(ana, "ben")
    ben.say("hello")
    for runs in itertools.permutations(ben.runs()):
        reader = newcomer(ana)
        assert reader.take(*runs).refused == ()
        assert reader.seen() == ben.seen()


def test_an_author_named_by_what_waits_is_known_after_a_restart(ana: Copy) -> None:
    reader = newcomer(ana)
    device_add = admitted(ana, "ben")
    reader.take(*[run for run in ana.runs() if run.device == ana.replica.device])
    reader.restart()
    assert reader.take(run_of([device_add])).stored == 1
    assert reader.seen() == ana.seen()


def test_a_strangers_log_is_not_stored(ana: Copy) -> None:
    stranger = device_added(ana.community, genesis_of(ana), "eve")
    assert assert_unchanged_by(ana, [run_of([stranger])]) is Reason.UNKNOWN_AUTHOR


def test_one_bad_run_does_not_spoil_the_others_of_its_batch(ana: Copy, ben: Copy) -> None:
    log = by_hand(ben, "ben")
    other = founded("zoe")
    receipt = ana.take(*other.runs(), log.run())
    assert receipt.stored == 1
    assert receipt.refused == ((Reason.WRONG_COMMUNITY, True),)


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
    names_it.say("names it", parents=[log.operations[1].reference], time=NOW_MS + 1)
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
        (pledge.NUMBER, pledge.encode_pledge(bytes(16), 0, 1)),
        (pledge.NUMBER, pledge.encode_pledge_withdrawal()),
        (need.NUMBER, need.encode_need_change(title="mine now")),
    ],
    ids=["pledge", "withdrawal", "need-change"],
)
def test_an_operation_of_another_kind_cannot_take_a_subject_over(
    ana: Copy, ben: Copy, kind: int, payload: bytes
) -> None:
    mine = by_hand(ana, "ana")
    asked = mine.add(need.encode_need("dig", [LINE]), kind=need.NUMBER)
    promised = mine.add(pledge.encode_pledge(bytes(16), 0, 1), kind=pledge.NUMBER)
    log = by_hand(ben, "ben")
    for number, op in enumerate((asked, promised)):
        log.add(payload, kind=kind, subject=subject_of(op.op_id), time=NOW_MS + number)
    readers = orders_of(ana, mine.run(), log.run(0, 0), log.run(1, 1), log.run(2, 2))
    assert {reader.seen() for reader in readers} == {readers[0].seen()}
    for op, number in ((asked, need.NUMBER), (promised, pledge.NUMBER)):
        state = readers[0].store.state(ana.community, subject_of(op.op_id))
        assert state is not None
        assert state.kind == number


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


def test_a_first_operation_names_no_backlink() -> None:
    assert genesis_of(founded()).core.backlink == ZERO32
