"""Rules of the ladder: what is stored, what waits, what folds, what changes nothing."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import msgspec

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.ids import AUTH
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import chat, need
from p2pvalue_protocol.log import Run
from p2pvalue_protocol.past import OperationRow
from tests.protocol.authoring import key_named
from tests.protocol.replicas import (
    NOW_MS,
    Chain,
    Copy,
    admitted,
    by_hand,
    device_added,
    founded,
    frontier_of,
    genesis_of,
    joined,
    newcomer,
    run_of,
    said,
)

LINE = need.NeedLine("hours", "minute", 0, 60)


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
    (answer,) = ben.say("answered")
    ana_runs, ben_runs = ana.runs(), ben.runs()
    reader = newcomer(ana)
    reader.take(*[run for run in ana_runs if run.log_class == AUTH])
    reader.take(*[run for run in ben_runs if run.device == ben.replica.device])
    assert reader.replica.held(answer)
    assert answer in reader.replica.heads()
    assert reader.texts() == []
    assert frontier_of(reader) == [ref for ref in frontier_of(reader) if ref.log_class == AUTH]
    reader.take(*[run for run in ana_runs if run.log_class != AUTH])
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


def test_what_an_auth_operation_says_is_told_with_it(ana: Copy, ben: Copy) -> None:
    payload = auth.grant_payload(key_named("cia root").public, auth.GUEST)
    ana.replica.begin()
    [grant] = ana.replica.write([Draft(auth.GRANT, b"", payload)], NOW_MS)
    [change] = ana.replica.changes
    assert (change.kind, change.payload, change.order.op_id) == (auth.GRANT, payload, grant.op_id)
    ana.commit()
    [run] = [run for run in ana.runs() if run.items[-1].kind == auth.GRANT]
    ben.replica.begin()
    ben.replica.receive([run], NOW_MS)
    assert [(change.kind, change.payload) for change in ben.replica.changes] == [
        (auth.GRANT, payload)
    ]
    ben.commit()


def test_what_content_says_is_told_with_it(ana: Copy, ben: Copy) -> None:
    payload = chat.encode_chat_message("hello")
    ana.replica.begin()
    ana.replica.write([Draft(chat.NUMBER, b"", payload)], NOW_MS)
    assert [(change.kind, change.payload) for change in ana.replica.changes] == [
        (chat.NUMBER, payload)
    ]
    ana.commit()


def test_who_is_admitted_by_the_operation_that_begins_her_log_is_taken_whole(ana: Copy) -> None:
    payload = auth.grant_payload(key_named("nia root").public, auth.MEMBER)
    ana.write(Draft(auth.GRANT, b"", payload))
    begun = device_added(ana.community, genesis_of(ana), "nia")
    log = Chain(key_named("nia device"), ana.community, AUTH, [begun])
    for _ in range(2):
        log.add(kind=auth.AUTH_SEEN)
    ana.replica.expect(key_named("nia device").public)
    assert ana.take(log.run()).stored == 3
    assert ana.take(log.run()).duplicates == 3
    assert ana.replica.held(log.operations[-1].reference)
