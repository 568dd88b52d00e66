"""Histories that chance hardly finds, written by hand: both readings of the rules say the same."""

from __future__ import annotations

import pytest

from p2pvalue_protocol.acts import OUT, AddDevice, Give, Nothing, Remove, RemoveDevice, Vote
from p2pvalue_protocol.limits import CERTIFICATE_DEPTH_MAX
from tests.dags.builder import GENESIS
from tests.dags.families import FOUNDER, settle, village
from tests.dags.judged import judged, judged_as_written
from tests.dags.running import Running


@pytest.mark.parametrize("is_admin", [True, False])
def test_a_founder_voted_out_meanwhile_votes_as_what_she_was_given_besides(is_admin: bool) -> None:
    builder = village(1, 1, founders=3, founder_quorum=2, admin_quorum=2)
    if is_admin:
        builder.write(b"g1", Give(b"H", 1), [*builder.known])
    before = [*builder.known]
    builder.write(b"b1", Vote(b"A"), before)
    by_founder = builder.write(b"h1", Vote(b"A"), before)
    assert judged(builder).devices[b"a1"].rank == 1, "a founder is no admin's equal"
    for voter in (FOUNDER, b"g1"):
        builder.write(voter, Vote(b"H"), before)
    state = judged(builder)
    assert state.standings[by_founder] == ((b"H", 1) if is_admin else None)
    assert (b"a1" in state.devices) != is_admin, "two admins' votes"


def test_a_device_at_the_end_of_the_longest_chain_is_taken_by_one_nearer_the_root() -> None:
    builder = village(1)
    last = b"a1"
    for number in range(2, CERTIFICATE_DEPTH_MAX + 2):
        device = b"a%02d" % number
        builder.add_device(device, b"A", last, [*builder.known])
        last = device
    deepest = b"a%02d" % CERTIFICATE_DEPTH_MAX
    assert deepest in judged(builder).devices
    assert last not in judged(builder).devices, "one link too many"
    taken = builder.write(b"a1", RemoveDevice(b"A", deepest), [*builder.known])
    state = judged(builder)
    assert taken in state.effective
    assert deepest not in state.devices


def test_what_takes_a_device_that_is_nobodys_yet_takes_it_when_its_certificates_have_come() -> None:
    builder = village(1)
    before = [*builder.known]
    taken = builder.write(FOUNDER, RemoveDevice(b"A", b"a3"), before)
    assert taken not in judged(builder).effective
    builder.add_device(b"a3", b"A", b"a2", before)
    assert taken not in judged(builder).effective, "who certified it has not come"
    builder.add_device(b"a2", b"A", b"a1", before)
    state = judged(builder)
    assert taken in state.effective
    assert b"a3" not in state.devices


def test_who_came_back_takes_her_device_also_from_what_it_wrote_before() -> None:
    """That she was put out once, before all this, lets nothing of it stand."""
    builder = village(1)
    builder.write(FOUNDER, Remove(b"A"), [*builder.known])
    builder.write(FOUNDER, Give(b"A", 1), [*builder.known])
    builder.add_device(b"a2", b"A", b"a1", [*builder.known])
    before = [*builder.known]
    written = builder.write(b"a2", Give(b"X", 3), before)
    builder.write(b"a1", RemoveDevice(b"A", b"a2"), before)
    assert judged(builder).standings[written] is None


def test_a_removal_that_takes_nothing_lets_no_device_stand() -> None:
    builder = village(founders=2)
    second = builder.add_device(b"f2", b"F", FOUNDER)
    seen = builder.write(b"f2", Give(b"X", 3), [second])
    taken = builder.write(FOUNDER, RemoveDevice(b"F", b"f2"), [second])
    builder.write(b"g1", Remove(b"F", OUT), [seen])  # by an equal: void
    state = judged(builder)
    assert taken in state.effective
    assert state.standings[seen] is None
    assert state.devices[FOUNDER].rank == 0
    assert GENESIS in builder.known


def test_what_a_weaker_one_keeps_of_the_demoted_does_not_outlast_a_stronger_ones_removal() -> None:
    builder = village(1, 1, 2)
    before = [*builder.known]
    written = builder.write(b"a1", Give(b"X", 3), before)
    demoted = builder.write(FOUNDER, Remove(b"A", 3), before)
    keeps = builder.keep(written)
    builder.write(b"c1", Remove(b"A", OUT, keeps), [*before, demoted, written])
    assert judged(builder).standings[written] == (b"A", 3), "a member is stronger than a guest"
    builder.write(b"b1", Remove(b"A"), [*before, demoted])
    assert judged(builder).standings[written] is None


@pytest.mark.parametrize("rank", [2, 3, OUT])
def test_who_puts_a_member_out_lets_stand_what_she_had_seen_and_who_demotes_does_not(
    rank: int,
) -> None:
    builder = village(1)
    second = builder.add_device(b"a2", b"A", b"a1", [*builder.known])
    before = [*builder.known]
    seen = builder.write(b"a2", Give(b"X", 3), before)
    taken = builder.write(b"a1", RemoveDevice(b"A", b"a2"), before)
    assert judged(builder).standings[seen] is None, "taken before it"
    builder.write(FOUNDER, Remove(b"A", rank), [second, seen])
    state = judged(builder)
    assert state.standings[seen] == ((b"A", 1) if rank == OUT else None)
    assert taken in state.effective


def test_a_vote_counts_no_more_when_it_is_heard_that_its_author_had_been_taken() -> None:
    builder = village(1, 1, 1, admin_quorum=2)
    before = [*builder.known]
    for voter in (b"c1", b"b1"):
        builder.write(voter, Vote(b"A"), before)
    builder.write(FOUNDER, Remove(b"B"), before)
    *_, voted_out, left = judged_as_written(builder)
    assert b"a1" not in voted_out.devices
    assert left.devices[b"a1"].rank == 1


def test_votes_count_again_after_something_is_heard_that_leaves_them_as_they_were() -> None:
    builder = village(founders=3, founder_quorum=2)
    builder.write(b"h1", Vote(b"G"), [GENESIS])
    builder.write(FOUNDER, Vote(b"G"), [GENESIS])
    builder.write(b"g1", Vote(b"H"), [GENESIS])
    added = builder.add_device(b"h2", b"H", b"h1", [GENESIS])
    builder.write(b"h2", Give(b"X", 3), [added])
    builder.write(b"h1", RemoveDevice(b"H", b"h2"), [added])
    builder.write(FOUNDER, Remove(b"Z"), [*builder.known])  # whom nobody knows
    for state in judged_as_written(builder)[2:]:
        assert state.devices.keys() - {b"h2"} == {b"f1", b"h1"}


def test_more_votes_than_a_quorum_are_enough() -> None:
    builder = village(1, 1, 1, admin_quorum=2)
    settle(builder, b"d1", 1)
    before = [*builder.known]
    for voter in (b"b1", b"c1", b"d1"):
        builder.write(voter, Vote(b"A"), before)
    one, two, three = judged_as_written(builder)[-3:]
    assert [b"a1" in state.devices for state in (one, two, three)] == [True, False, False]


def test_who_left_by_a_device_that_is_heard_to_be_taken_has_not_left() -> None:
    builder = village(1)
    builder.add_device(b"a2", b"A", b"a1", [*builder.known])
    before = [*builder.known]
    builder.write(b"a2", Remove(b"A"), before)
    builder.write(FOUNDER, RemoveDevice(b"A", b"a2"), before)
    *_, gone, left = judged_as_written(builder)
    assert b"a1" not in gone.devices
    assert left.devices[b"a1"].rank == 1


def test_a_second_vote_takes_nothing_from_the_first() -> None:
    builder = village(1, 1, 1, admin_quorum=2)
    before = [*builder.known]
    votes = [builder.write(voter, Vote(b"A"), before) for voter in (b"b1", b"c1")]
    given = builder.write(b"a1", Give(b"X", 3), votes)
    builder.write(b"b1", Vote(b"A"), [given])
    assert judged_as_written(builder)[-1].standings[given] is None
    asked_late = Running(builder.dag()).take_all(builder.events)
    assert asked_late.authority.view().standing(b"a1") is None, "all votes are looked at"
    assert asked_late.state().standings[given] is None


def test_votes_that_come_to_count_hide_nothing_that_was_said_knowing_them() -> None:
    builder = village(1, 1, 1, admin_quorum=2)
    before = [*builder.known, builder.add_device(b"f2", b"F", FOUNDER)]
    votes = [builder.write(voter, Vote(b"A"), before) for voter in (b"b1", b"c1")]
    taken = builder.write(b"f2", Remove(b"C"), before)
    knowing = builder.say(b"a1", [*votes, taken])
    other = builder.say(b"a1", before, after=knowing)
    assert {knowing, other} <= {*judged(builder).visible}, "one vote is not enough"
    builder.write(FOUNDER, RemoveDevice(b"F", b"f2"), before)
    state = judged(builder)
    assert b"a1" not in state.devices
    assert knowing in state.visible


@pytest.mark.parametrize(("founder_quorum", "admin_quorum"), [(2, 0), (0, 2)])
def test_what_was_judged_falls_when_the_vote_that_makes_the_quorum_is_heard(
    founder_quorum: int, admin_quorum: int
) -> None:
    quorums = {"founder_quorum": founder_quorum, "admin_quorum": admin_quorum}
    builder = village(*(() if founder_quorum else (1, 1, 1)), founders=3, **quorums)
    voters, author = (FOUNDER, b"h1"), b"g1"
    if admin_quorum:
        voters, author = (b"b1", b"c1"), b"a1"
    before = [*builder.known]
    written = builder.write(author, Give(b"X", 3), before)
    for voter in voters:
        builder.write(voter, Vote(author[:1].upper()), before)
    *_, one, two = judged_as_written(builder)
    assert written in one.effective
    assert written not in two.effective


def test_who_votes_again_takes_what_her_first_vote_had_kept() -> None:
    builder = village(1, 1, 1, admin_quorum=2)
    before = [*builder.known]
    written = builder.write(b"a1", Give(b"X", 3), before)
    builder.write(b"b1", Vote(b"A"), before)
    keeping = builder.write(b"c1", Vote(b"A", builder.keep(written)), before)
    builder.write(b"c1", Vote(b"A"), [keeping])
    *_, kept, taken = judged_as_written(builder)
    assert written in kept.effective
    assert written not in taken.effective


def test_who_votes_again_takes_what_was_given_since_her_first_vote() -> None:
    builder = village(1, 1, 1, admin_quorum=2)
    before = [*builder.known]
    votes = [builder.write(voter, Vote(b"A"), before) for voter in (b"b1", b"c1")]
    again = builder.write(FOUNDER, Give(b"A", 1), votes)
    written = builder.write(b"a1", Give(b"X", 3), [again])
    for voter in (b"b1", b"c1"):
        builder.write(voter, Vote(b"A"), [again])
    *_, one, two = judged_as_written(builder)
    assert written in one.effective
    assert written not in two.effective


def test_a_giving_that_knows_what_takes_another_outlasts_a_newer_one_that_does_not() -> None:
    builder = village(1, founders=2)
    before = [*builder.known]
    taken = builder.write(FOUNDER, Remove(b"A"), before)
    knowing = builder.write(FOUNDER, Give(b"A", 1), [taken])
    newer = builder.write(b"g1", Give(b"A", 1), before)
    written = builder.write(b"a1", Give(b"X", 3), [newer])
    both = builder.write(b"a1", Give(b"Y", 3), [knowing, written])
    state = judged(builder)
    assert state.standings[written] is None
    assert state.standings[both] == (b"A", 1)


@pytest.mark.parametrize(("rank", "left"), [(2, b"A"), (3, b"A"), (0, b"B")])
def test_a_device_of_two_members_speaks_for_the_first_of_the_strongest(
    rank: int, left: bytes
) -> None:
    """The other one is demoted, or not at all."""
    builder = village(2, 1)
    start = builder.write(b"a1", AddDevice(b"B", b""), [GENESIS], op_id=b"twin")
    before = [*builder.known]
    if rank:
        before.append(builder.write(FOUNDER, Remove(b"B", rank), before))
    written = builder.write(b"a1", Nothing(), [*before, start])
    state = judged(builder)
    assert state.standings[written] == (left, 2 if rank else 1)
