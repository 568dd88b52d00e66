"""A device that signs two operations with one seq: nothing is voided, nothing replaced."""

from __future__ import annotations

import itertools
import random

import msgspec
import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import limits
from p2pvalue_protocol.access import heads_of_past
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.ids import AUTH, CONTENT
from p2pvalue_protocol.kinds import chat, decode_state, profile
from p2pvalue_protocol.log import Run
from p2pvalue_protocol.past import OperationRow
from tests.protocol.authoring import key_named
from tests.protocol.meeting import Community, Link, assert_equal_nodes
from tests.protocol.replicas import (
    NOW_MS,
    Chain,
    Copy,
    auth_log,
    founded,
    frontier_of,
    genesis_of,
    joined,
    run_of,
)


@pytest.fixture
def ana() -> Copy:
    """The founder's copy, with a member's words in it."""
    ana = founded()
    ben = joined(ana, "ben")
    ben.say("I was here")
    ben.give(ana)
    return ana


def log_by_eve(copy: Copy) -> Chain:
    """The content log of a member who is about to fork it."""
    joined(copy, "eve")
    log = Chain(key_named("eve device"), copy.community)
    log.say("0", parents=frontier_of(copy), time=NOW_MS + 1)
    return log


def reader_of(copy: Copy) -> Copy:
    """A newcomer that has all that a copy holds."""
    reader = Copy(copy.community)
    reader.take(*copy.runs())
    return reader


def readers_in_every_order(copy: Copy, *runs: Run) -> list[Copy]:
    """Newcomers that received these runs in every order until nothing more was taken."""
    readers = []
    for order in itertools.permutations(runs):
        reader = reader_of(copy)
        while sum(reader.take(run).stored for run in order):
            pass
        readers.append(reader)
    assert {reader.seen() for reader in readers} == {readers[0].seen()}
    return readers


def test_both_operations_of_one_seq_are_stored_in_whichever_order_they_came(ana: Copy) -> None:
    log = log_by_eve(ana)
    fork = log.branch(1)
    log.say("left")
    log.say("left again")
    fork.say("right")
    readers = readers_in_every_order(ana, log.run(), fork.run(), log.run(2), fork.run(1))
    leaves = {head.op_id for head in readers[0].replica.heads() if head.device == fork.key.public}
    assert leaves >= {log.operations[2].op_id, fork.operations[1].op_id}
    for text in ("I was here", "0", "left", "left again", "right"):
        assert readers[0].texts().count(text) == 1


def test_a_fork_of_the_first_operation_is_a_log_of_its_own(ana: Copy) -> None:
    log = log_by_eve(ana)
    fork = log.branch(0)
    fork.say("another beginning", parents=frontier_of(ana), time=NOW_MS + 1)
    readers = readers_in_every_order(ana, log.run(), fork.run())
    assert sorted(readers[0].texts()) == ["0", "I was here", "another beginning"]


def test_a_branch_can_be_forked_again(ana: Copy) -> None:
    log = log_by_eve(ana)
    fork = log.branch(1)
    log.say("left")
    fork.say("right")
    again = fork.branch(2)
    fork.say("right, then left")
    again.say("right, then right")
    third = again.branch(3)
    third.say("deep")
    again.say("deep too")
    runs = (log.run(1), fork.run(), again.run(1), third.run(2))
    readers = readers_in_every_order(ana, *runs)
    assert len(readers[0].texts()) == 8


def test_a_fork_of_an_auth_log_leaves_both_branches_standing(ana: Copy) -> None:
    log_by_eve(ana)
    key = key_named("eve device")
    (head,) = [h for h in ana.replica.heads() if (h.device, h.log_class) == (key.public, AUTH)]
    log = Chain(key, ana.community, AUTH, ana.log_of(head))
    fork = log.branch(1)
    log.add(kind=auth.AUTH_SEEN)
    fork.add(kind=auth.AUTH_SEEN, parents=[genesis_of(ana).reference])
    readers = readers_in_every_order(ana, log.run(), fork.run())
    assert readers[0].replica.membership.member_of(key.public) is not None
    assert len(readers[0].replica.graph.heads()) >= 2


def test_who_names_both_branches_sees_both(ana: Copy) -> None:
    log = log_by_eve(ana)
    fork = log.branch(1)
    log.say("left")
    fork.say("right")
    ana.take(log.run(), fork.run())
    ana.say("I saw both")
    reader = reader_of(ana)
    assert reader.seen() == ana.seen()
    assert reader.texts()[-1] == "I saw both"
    assert frontier_of(reader) == frontier_of(ana)
    assert len(frontier_of(reader)) == 1


def test_what_two_branches_say_of_one_thing_at_one_time_is_the_same_for_everybody(
    ana: Copy,
) -> None:
    log = log_by_eve(ana)
    twins = [log.branch(1) for _ in range(4)]
    root = key_named("eve root").public
    for number, twin in enumerate(twins):
        payload = profile.encode_profile(f"Eve {number}")
        twin.add(payload, kind=profile.NUMBER, subject=profile.profile_subject(root))
    last = max(twins, key=lambda twin: twin.operations[1].op_id)
    runs = [twin.run(1) for twin in twins]
    readers = readers_in_every_order(ana, log.run(0, 0), *runs)
    row = readers[0].store.past(ana.community).state(profile.profile_subject(root))
    assert row is not None
    state = decode_state(profile.NUMBER, row.state)
    assert isinstance(state, profile.ProfileState)
    assert state.name == f"Eve {twins.index(last)}"


@pytest.mark.parametrize("first", range(4))
def test_what_is_held_may_come_again_with_what_follows_it(ana: Copy, first: int) -> None:
    log = log_by_eve(ana)
    for number in range(1, 5):
        log.say(str(number))
    reader = reader_of(ana)
    reader.take(log.run(0, 2))
    reader.take(log.run(first, 4))
    assert reader.texts() == ["I was here", "0", "1", "2", "3", "4"]
    assert len(reader.replica.branches.of(log.key.public, CONTENT)) == 1


def test_a_branch_waits_for_parents_like_any_log(ana: Copy) -> None:
    log = log_by_eve(ana)
    fork = log.branch(1)
    log.say("left")
    fork.say(
        "answers left", parents=[log.operations[1].reference], time=log.operations[1].core.time + 1
    )
    readers = readers_in_every_order(ana, log.run(0, 0), log.run(1), fork.run(1))
    assert readers[0].texts()[-2:] == ["left", "answers left"]


def test_what_follows_a_backdated_operation_may_be_forked_and_still_has_no_effect(
    ana: Copy,
) -> None:
    log = log_by_eve(ana)
    log.say("backdated", time=1)
    fork = log.branch(2)
    log.say("left")
    fork.say("right")
    readers = readers_in_every_order(ana, log.run(), fork.run())
    assert readers[0].texts() == ["I was here", "0"]


def test_a_served_branch_brings_its_base_along(ana: Copy) -> None:
    log = log_by_eve(ana)
    for number in range(1, 70):
        log.say(f"{number}", is_signed=number in (63, 69))
    fork = log.branch(67)
    fork.say("fork", is_signed=False)
    fork.say("signed")
    ana.take(log.run(), fork.run(67))
    reader = Copy(ana.community)
    reader.take(*[run for run in ana.runs() if run.log_class == AUTH])
    (head,) = [h for h in ana.replica.heads() if h.op_id == fork.operations[-1].op_id]
    runs, rest = ana.replica.runs(head.log_class, head.device, 0, head.op_id, 10**6)
    assert rest is None
    assert reader.take(*runs).refused == ()
    assert reader.replica.held(head)


def test_a_branch_whose_base_was_signed_late_is_served_within_the_limits(ana: Copy) -> None:
    log = log_by_eve(ana)
    big = chat.encode_chat_message("x" * 16_000)
    for _ in range(3):
        log.add(big, is_signed=False)
    fork = log.branch(4)
    log.say("signs the base")
    for _ in range(3):
        fork.add(big, is_signed=False)
    fork.say("signs the branch")
    ana.take(log.run())
    assert ana.take(fork.run(4)).refused == ()
    reader = Copy(ana.community)
    reader.take(*[run for run in ana.runs() if run.log_class == AUTH])
    for head in sorted(ana.replica.heads(), key=lambda h: h.op_id != fork.operations[-1].op_id):
        seq: int | None = 0
        while seq is not None:
            runs, seq = ana.replica.runs(head.log_class, head.device, seq, head.op_id, 1)
            assert len(runs) == 1
            size = sum(len(item.payload) for item in runs[0].items)
            assert size < limits.UNSIGNED_BYTES_MAX
            assert reader.take(*runs).refused == ()
    assert reader.seen() == ana.seen()


def test_branches_of_one_log_are_limited(ana: Copy) -> None:
    log = log_by_eve(ana)
    receipts = []
    for number in range(limits.BRANCHES_PER_LOG_MAX + 1):
        fork = log.branch(1)
        fork.say(f"branch {number}")
        receipts.append(ana.take(fork.run()))
    assert receipts[-2].refused == ()
    assert receipts[-1].refused == ((Reason.OVER_LIMIT, False),)


def test_branches_survive_a_restart(ana: Copy) -> None:
    log = log_by_eve(ana)
    fork = log.branch(1)
    log.say("left")
    fork.say("right")
    ana.take(log.run(), fork.run())
    before = ana.seen()
    ana.restart()
    assert ana.seen() == before
    fork.say("more on the right")
    log.say("more on the left")
    assert ana.take(run_of(fork.operations[2:]), run_of(log.operations[2:])).stored == 2
    assert sorted(ana.texts())[-4:] == ["left", "more on the left", "more on the right", "right"]


def test_runs_that_are_held_cost_few_reads_even_of_a_forked_log(ana: Copy) -> None:
    log = log_by_eve(ana)
    for number in range(200):
        log.say(f"{number}")
    forks = [log.branch(number) for number in range(1, 9)]
    for fork in forks:
        fork.say("fork")
    ana.take(log.run(), *(fork.run() for fork in forks))
    past = ana.store.past(ana.community)
    read = past.operations
    reads = 0

    def counted(log: int, first_seq: int, count: int) -> list[OperationRow]:
        nonlocal reads
        reads += 1
        return read(log, first_seq, count)

    past.operations = counted  # type: ignore[method-assign]  # counts, then reads
    assert ana.take(log.run()).duplicates == 201
    assert 0 < reads < 100


def test_a_forked_log_of_large_operations_passes_over_a_link(rng: random.Random) -> None:
    community = Community("ana", "ben", "eve")
    ana, ben = community.node("ana"), community.node("ben")
    log = Chain(key_named("eve device"), community.community)
    log.say("0", parents=[community.genesis.reference])
    for _ in range(3):
        log.add(rng.randbytes(20_000), is_signed=False)
    fork = log.branch(4)
    for branch in (log, fork):
        for _ in range(2):
            branch.add(rng.randbytes(20_000), is_signed=False)
        branch.add(rng.randbytes(500))
    ana.take([log.run(0, 0)])
    later = log.branch(4)
    later.say("signs what both begin with")
    ana.take([later.run(1), log.run(4), fork.run(4)])
    Link(ana, ben).settle()
    assert_equal_nodes(ana, ben)
    assert len(ben.heads()) == 5  # with the log of who founded


def test_what_shows_a_forked_log_is_the_last_of_each_of_its_branches() -> None:
    ana = founded()
    joined(ana, "ben")
    log = auth_log(ana, "ben")
    other = log.branch(len(log.operations))
    tips = [
        [branch.add(kind=auth.AUTH_SEEN, time=NOW_MS + at + apart) for at in (1, 3)]
        for apart, branch in enumerate((log, other))
    ]
    ana.take(log.run(), other.run())
    first, second = tips
    shown = heads_of_past(ana.replica, [first[1].op_id, second[0].op_id])
    bens = [head for head in shown if head.device == log.key.public]
    assert bens == sorted([first[1].reference, second[0].reference])
    assert [head.device for head in shown] == sorted(head.device for head in shown)
    assert heads_of_past(ana.replica, []) == ()


def test_a_chain_is_of_one_log_alone() -> None:
    ana = founded()
    ana.say("one", "two")
    auth_head, [content_head] = genesis_of(ana).reference, frontier_of(ana)
    branches = ana.replica.branches
    assert branches.is_in_chain(content_head, content_head)
    assert branches.is_in_chain(auth_head, auth_head)
    assert not branches.is_in_chain(auth_head, content_head)
    other_class = msgspec.structs.replace(content_head, log_class=AUTH)
    as_content = msgspec.structs.replace(auth_head, log_class=CONTENT)
    assert not branches.is_in_chain(as_content, auth_head)
    other_device = msgspec.structs.replace(content_head, device=bytes(32))
    assert not branches.is_in_chain(other_class, content_head)
    assert not branches.is_in_chain(other_device, content_head)
