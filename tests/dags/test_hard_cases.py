"""Histories that chance hardly finds, written by hand: both readings of the rules say the same."""

from __future__ import annotations

from random import Random

import pytest

from p2pvalue_protocol.acts import OUT, Give, Remove, RemoveDevice, Vote
from p2pvalue_protocol.limits import CERTIFICATE_DEPTH_MAX
from tests.dags.builder import GENESIS, Builder
from tests.dags.compare import problems
from tests.dags.families import FOUNDER, village
from tests.dags.model import State
from tests.dags.running import running_state_of


def judged(builder: Builder) -> State:
    """The state of a history, on which both readings agree at every moment."""
    dag = builder.dag()
    assert problems(dag, Random(0), is_thorough=True) == []
    return running_state_of(dag)


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
