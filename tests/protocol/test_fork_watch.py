"""Who holds two operations for one place of a log tells everybody, after a wait by rank."""

from __future__ import annotations

import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.auth_payloads import references_of
from p2pvalue_protocol.effects import Store
from p2pvalue_protocol.fork_watch import ForkWatch
from p2pvalue_protocol.ids import AUTH, CONTENT, Reference
from p2pvalue_protocol.inputs import Draft, Wakeup
from p2pvalue_protocol.machine import Machine
from p2pvalue_protocol.operation import read_core
from tests.protocol.authoring import key_named
from tests.protocol.replicas import (
    NOW_MS,
    Chain,
    Copy,
    admitted,
    auth_log,
    by_hand,
    founded,
    invited,
    joined,
)

BENS = key_named("ben device").public


@pytest.fixture
def cem(ana: Copy, ben: Copy) -> Copy:
    made = joined(ana, "cem")
    ana.give(ben)
    return made


def watching(jitter: float = 0.5) -> ForkWatch:
    return ForkWatch(lambda: jitter)


def two_histories(copy: Copy) -> tuple[Chain, Chain]:
    """Two logs of ben's device with one beginning."""
    log = by_hand(copy, "ben")
    other = log.branch(1)
    log.say("one")
    other.say("two")
    return log, other


def meet(copy: Copy, first: Chain, second: Chain) -> None:
    copy.take(first.run())
    copy.take(second.run(1))


def tell(watch: ForkWatch, copy: Copy, now_ms: int) -> list[auth.ForkPayload]:
    """Let a watch tell what is due; return the FORKs that it wrote."""
    copy.replica.begin()
    watch.tell(copy.replica, now_ms)
    batch = copy.commit()
    payloads = [
        auth.read_payload(auth.ForkPayload, row.payload)
        for row in batch.operations
        if read_core(row.core).kind == auth.FORK
    ]
    return [payload for payload in payloads if payload is not None]


def test_a_founder_tells_after_her_wait_and_names_both(ana: Copy, ben: Copy) -> None:
    first, second = two_histories(ana)
    meet(ana, first, second)
    watch = watching(0.5)
    watch.review(ana.replica, NOW_MS)
    assert watch.next_wakeup_ms() == NOW_MS + 2_500
    assert tell(watch, ana, NOW_MS + 2_499) == []
    (fork,) = tell(watch, ana, NOW_MS + 2_500)
    named = {op.op_id for op in references_of(fork.operations)}
    assert named == {first.operations[1].op_id, second.operations[1].op_id}
    assert watch.next_wakeup_ms() is None
    assert tell(watch, ana, NOW_MS + 999_999) == []


def test_a_copy_that_was_made_anew_has_no_fork_to_tell_of(ana: Copy, ben: Copy) -> None:
    again = joined(ana, "cem")  # the same community
    first, second = two_histories(ana)
    meet(ana, first, second)
    watch = watching(0.0)
    watch.review(ana.replica, NOW_MS)
    assert again.replica.branches.forked_devices() == []
    assert tell(watch, again, NOW_MS + 1) == []
    assert watch.next_wakeup_ms() is None


def test_what_was_held_before_the_second_branch_stays_and_nothing_else(
    ana: Copy, ben: Copy
) -> None:
    first, second = two_histories(ana)
    meet(ana, first, second)
    first.say("went on")
    ana.take(first.run(2))
    assert sorted(ana.texts()) == ["first", "one", "two", "went on"]
    tell(watching(0.0), ana, NOW_MS)
    assert ana.texts() == ["first", "one"]
    assert ana.replica.membership.is_gone(BENS)
    assert not ana.replica.membership.is_live(BENS)  # whoever is stronger takes the device away


def test_what_was_held_before_is_of_both_logs_and_no_later_branch_changes_it(
    ana: Copy, ben: Copy
) -> None:
    first, second = two_histories(ana)
    meet(ana, first, second)
    held = ana.replica.branches.held_before_fork(BENS)
    tops = {(head.log_class, head.op_id) for head in held}
    [auth_head] = [h for h in ana.replica.heads() if (h.device, h.log_class) == (BENS, AUTH)]
    assert tops == {(AUTH, auth_head.op_id), (CONTENT, first.operations[1].op_id)}
    first.say("went on")
    ana.take(first.run(2))
    third = first.branch(2)
    third.say("another end")
    ana.take(third.run(2))
    assert len(ana.replica.branches.of(BENS, CONTENT)) == 3
    assert ana.replica.branches.held_before_fork(BENS) == held


def test_the_fork_of_an_equal_hides_content_and_takes_no_authority(
    ana: Copy, ben: Copy, cem: Copy
) -> None:
    first, second = two_histories(ana)
    meet(cem, first, second)
    tell(watching(0.0), cem, NOW_MS)
    assert cem.texts() == ["first", "one"]
    assert cem.replica.membership.is_live(BENS)
    listed = {(head.device, head.log_class) for head in cem.replica.heads()}
    assert (BENS, AUTH) in listed
    assert (BENS, CONTENT) not in listed


def test_a_fork_takes_nothing_from_anybody_else(ana: Copy, ben: Copy, cem: Copy) -> None:
    first, second = two_histories(ana)
    meet(cem, first, second)
    cem.say("an answer to both")
    tell(watching(0.0), cem, NOW_MS)
    tell(watching(0.0), cem, NOW_MS)
    cem.give(ana)
    while missing := ana.replica.missing():
        for reference in missing:
            ana.take(*cem.replica.runs_wanted(reference, 0, 100_000)[0])
    assert ana.texts() == cem.texts() == ["first", "one", "an answer to both"]


def test_the_weaker_wait_longer_and_are_silent_once_it_is_told(
    ana: Copy, ben: Copy, cem: Copy
) -> None:
    first, second = two_histories(ana)
    watch = watching(1.0)
    meet(ana, first, second)
    meet(cem, first, second)
    watch.review(cem.replica, NOW_MS)
    assert watch.next_wakeup_ms() == NOW_MS + 30_000
    tell(watching(0.0), ana, NOW_MS)
    ana.give(cem)
    watch.review(cem.replica, NOW_MS + 1_000)
    assert watch.next_wakeup_ms() is None
    assert tell(watch, cem, NOW_MS + 60_000) == []


def test_who_could_not_put_the_device_out_is_silent_once_an_equal_has_told(
    ana: Copy, ben: Copy, cem: Copy
) -> None:
    dan = joined(ana, "dan")
    ana.give(cem)
    first, second = two_histories(ana)
    meet(cem, first, second)
    tell(watching(0.0), cem, NOW_MS)
    meet(dan, first, second)
    ana.give(dan)
    cem.give(dan)
    assert dan.replica.membership.is_gone(first.key.public)
    assert tell(watching(0.0), dan, NOW_MS + 1_000) == []


def test_who_could_put_the_device_out_tells_though_an_equal_has_told(
    ana: Copy, ben: Copy, cem: Copy
) -> None:
    first, second = two_histories(ana)
    meet(cem, first, second)
    tell(watching(0.0), cem, NOW_MS)
    forked = first.key.public
    assert cem.replica.membership.is_live(forked)
    meet(ana, first, second)
    cem.give(ana)
    tell(watching(0.0), ana, NOW_MS + 1_000)
    assert not ana.replica.membership.is_live(forked)


def test_guests_readers_and_the_forked_device_itself_stay_silent(ana: Copy, ben: Copy) -> None:
    admitted(ana, "gul", invited(ana, auth.GUEST))
    guest = Copy(ana.community, key_named("gul device"))
    ana.give(guest)
    reader = Copy(ana.community)
    ana.give(reader)
    first, second = two_histories(ana)
    for copy in (guest, reader, ben):
        meet(copy, first, second)
        watch = watching(0.0)
        assert tell(watch, copy, NOW_MS) == []
        assert watch.next_wakeup_ms() is None


def test_a_restart_forgets_no_fork(ana: Copy, ben: Copy) -> None:
    meet(ana, *two_histories(ana))
    ana.restart()
    watch = watching(0.0)
    (fork,) = tell(watch, ana, NOW_MS)
    kept = references_of(fork.keeps)
    trunk = ana.replica.branches.of(BENS, CONTENT)[0]
    assert Reference(BENS, CONTENT, trunk.head_seq, trunk.head_id) in kept
    assert ana.texts() == ["first", "one"]


def test_what_two_equals_kept_of_different_branches_counts_on_both(
    ana: Copy, ben: Copy, cem: Copy
) -> None:
    dua = joined(ana, "dua")
    ana.give(cem)
    first, second = two_histories(ana)
    meet(dua, first, second)
    meet(cem, second, first)
    assert tell(watching(0.0), dua, NOW_MS)
    assert tell(watching(0.0), cem, NOW_MS)
    runs = cem.runs()
    dua.give(cem)
    dua.take(*runs)
    assert sorted(dua.texts()) == sorted(cem.texts()) == ["first", "one", "two"]
    assert dua.replica.heads() == cem.replica.heads()


def test_a_forked_auth_log_is_told_too_and_goes_on_counting(ana: Copy, ben: Copy) -> None:
    log = auth_log(ana, "ben")
    other = log.branch(len(log.operations))
    length = len(log.operations)
    log.add(kind=auth.AUTH_SEEN, time=NOW_MS)
    other.add(kind=auth.AUTH_SEEN, time=NOW_MS + 1)
    ana.take(log.run(length), other.run(length))
    (fork,) = tell(watching(0.0), ana, NOW_MS)
    assert {op.log_class for op in references_of(fork.operations)} == {AUTH}
    assert ana.replica.membership.is_gone(BENS)


def test_the_fork_of_an_equal_has_effect_when_both_its_witnesses_are_here(
    ana: Copy, ben: Copy, cem: Copy
) -> None:
    first, second = two_histories(ana)
    meet(cem, first, second)
    tell(watching(0.0), cem, NOW_MS)
    third = first.say("went on")
    ana.take(first.run())
    ana.take(*(run for run in cem.runs() if run.device != BENS))
    assert ana.texts() == ["first", "one", "went on"]
    assert not ana.replica.membership.is_gone(BENS)
    (witness,) = ana.replica.missing()
    assert witness.op_id == second.operations[1].op_id
    ana.take(*cem.replica.runs_wanted(witness, 1, 100_000)[0])
    assert ana.replica.membership.is_gone(BENS)
    assert ana.texts() == ["first", "one"]
    assert ana.replica.held(third.reference)


def test_a_log_of_our_own_that_is_not_ready_is_waited_for(ana: Copy, ben: Copy) -> None:
    meet(ana, *two_histories(ana))
    own = auth_log(ana, "ana")
    ana.write(Draft(auth.AUTH_SEEN, b"", b""))
    own.add(kind=auth.AUTH_SEEN, time=NOW_MS + 5)
    ana.take(own.run(len(own.operations) - 1))
    watch = watching(0.0)
    assert tell(watch, ana, NOW_MS) == []
    assert watch.next_wakeup_ms() == NOW_MS + 60_000


def test_a_machine_asks_to_be_woken_and_then_tells(ana: Copy, ben: Copy) -> None:
    meet(ana, *two_histories(ana))
    machine = Machine(
        open_past=ana.store.past,
        random_bytes=lambda count: b"\x80".ljust(count, bytes(1)),  # half of every wait
        peer_id="peer",
    )
    machine.add_replica(ana.community, ana.signer)
    machine.handle(Wakeup(), NOW_MS)
    assert machine.next_wakeup_ms() == NOW_MS + 2_500
    effects = machine.handle(Wakeup(), NOW_MS + 2_500)
    (batch,) = [effect.batch for effect in effects if isinstance(effect, Store)]
    assert [read_core(row.core).kind for row in batch.operations] == [auth.FORK]
    assert machine.replica(ana.community).membership.is_gone(BENS)


def test_each_community_is_told_of_its_own_forks(ana: Copy, ben: Copy) -> None:
    other = founded(join=auth.JOIN_OPEN)
    assert other.community != ana.community
    joined(other, "ben")
    for copy in (ana, other):
        meet(copy, *two_histories(copy))
    watch = watching(0.0)
    other.replica.begin()
    watch.review(other.replica, NOW_MS)
    assert len(tell(watch, ana, NOW_MS)) == 1
    assert watch.next_wakeup_ms() == NOW_MS
    assert len(tell(watch, other, NOW_MS)) == 1
    assert watch.next_wakeup_ms() is None


def test_who_told_already_does_not_tell_again_when_she_becomes_stronger(
    ana: Copy, ben: Copy, cem: Copy
) -> None:
    meet(cem, *two_histories(ana))
    watch = watching(0.0)
    assert len(tell(watch, cem, NOW_MS)) == 1
    root = key_named("cem root").public
    ana.write(Draft(auth.GRANT, b"", auth.grant_payload(root, auth.ADMIN)))
    ana.give(cem)
    bens = key_named("ben root").public
    assert cem.replica.membership.may_remove_device(cem.replica.device or b"", bens, BENS)
    assert tell(watch, cem, NOW_MS + 1_000) == []
    assert watch.next_wakeup_ms() is None
