"""What somebody who is out is shown follows from who she is, and from what is held now."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from p2pvalue_protocol import frames as f
from p2pvalue_protocol.access import Access, Scope
from p2pvalue_protocol.fork_watch import ForkWatch
from p2pvalue_protocol.ids import AUTH, CONTENT, Reference
from p2pvalue_protocol.log import encode_batch
from tests.protocol.authoring import key_named
from tests.protocol.meeting import Community, Link
from tests.protocol.replicas import NOW_MS, Chain, Copy, by_hand, joined
from tests.protocol.sealed import removed, sealed_community

BENS = key_named("ben device").public
CEMS = key_named("cem device").public


class Village(NamedTuple):
    """A community for members only: its founder, and two whom she let in."""

    ana: Copy
    ben: Copy
    cem: Copy


@pytest.fixture
def village() -> Village:
    ana = sealed_community()
    return Village(ana, joined(ana, "ben"), joined(ana, "cem"))


def two_histories(ana: Copy, name: str) -> tuple[Chain, Chain]:
    """Two logs of one device, both held, and told by a FORK."""
    log = by_hand(ana, name)
    other = log.branch(1)
    log.say("one")
    other.say("two")
    ana.take(log.run())
    ana.take(other.run(1))
    ana.replica.begin()
    ForkWatch(lambda: 0.0).tell(ana.replica, NOW_MS)
    ana.commit()
    return log, other


def shown_to(copy: Copy, device: bytes) -> set[Reference]:
    scope = Access(copy.replica).gives(device, we_called=False)
    assert scope.heads is not None
    return set(scope.heads)


def test_what_one_was_shown_is_not_shown_to_another(village: Village) -> None:
    ana = village.ana
    removed(ana, "ben")
    removed(ana, "cem")
    access = Access(ana.replica)

    def given(device: bytes | None) -> Scope:
        return access.gives(device, we_called=True)

    assert given(BENS).heads != given(CEMS).heads
    for device in (None, BENS, CEMS, None):
        assert given(device) == Access(ana.replica).gives(device, we_called=True)


def test_who_is_out_is_shown_the_proof_of_her_own_fork_and_of_no_other(village: Village) -> None:
    ana = village.ana
    removed(ana, "ben")
    first, second = two_histories(ana, "cem")
    both = {first.operations[1].op_id, second.operations[1].op_id}
    assert both.isdisjoint(shown.op_id for shown in shown_to(ana, BENS))
    assert {shown.log_class for shown in shown_to(ana, BENS)} == {AUTH}
    assert both.issubset(shown.op_id for shown in shown_to(ana, CEMS))


def test_a_proof_that_comes_after_the_fork_was_told_is_shown(village: Village) -> None:
    ana, _, cem = village
    first, second = two_histories(cem, "ben")  # told by who could not put ben out
    ana.take(*(run for run in cem.runs() if run.log_class == AUTH))
    ana.take(first.run())
    removed(ana, "ben")
    access = Access(ana.replica)
    before = access.gives(BENS, we_called=False)
    assert before.classes == (AUTH,)
    graph = len(ana.replica.graph)
    ana.take(second.run(1))
    assert len(ana.replica.graph) == graph
    shown = access.gives(BENS, we_called=False)
    assert CONTENT in shown.classes
    both = {first.operations[1].op_id, second.operations[1].op_id}
    assert both.issubset(one.op_id for one in shown.heads or ())


def test_a_stranger_who_asks_for_a_log_is_served_nothing_of_it() -> None:
    community = Community("ada")
    ada, sam = community.node("ada"), community.node("sam")
    ada.say("for members")
    ada.do(ada._seal)
    link = Link(sam, ada)
    link.settle()
    for head in ada.heads():
        want = f.Want(head.device, head.log_class, 0, head.seq, head.op_id)
        link.wires[0].append(f.encode_frame(f.Wants([want])))
        link.deliver(0)
        assert f.decode_frame(link.sent[1][-1]) == f.Ops(1, encode_batch([]))
        link.wires[1].clear()
        link.wires[0].append(f.encode_frame(f.Ack()))
        link.deliver(0)
    assert link.closed == []
