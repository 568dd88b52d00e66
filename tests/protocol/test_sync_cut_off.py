"""What counts of a log that nobody lists reaches a newcomer by name, over a link."""

from __future__ import annotations

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import limits, removal
from p2pvalue_protocol.effects import Effect
from p2pvalue_protocol.frames import Wants, decode_frame
from p2pvalue_protocol.ids import CONTENT, Reference
from p2pvalue_protocol.inputs import Draft
from tests.protocol.authoring import key_named
from tests.protocol.meeting import NOW_MS, Community, Link, Node, assert_equal_nodes
from tests.protocol.replicas import Chain

VOTERS = ("ada", "ben", "eve")  # three of four founders are a quorum
MAL = key_named("mal device").public
MAL_ROOT = key_named("mal root").public


def expelled(times: int) -> tuple[Community, Node]:
    """A node that knows that mal was voted out, and kept what she had said."""
    community = Community(*VOTERS, "mal", read=auth.READ_PUBLIC)
    nodes = [community.node(name) for name in VOTERS]
    mal = community.node("mal")
    mal.say("kept", times=times)
    for node in nodes:
        Link(node, mal).settle()
        node.write(removal.vote_draft(node.replica, MAL_ROOT))
        Link(nodes[0], node).settle()
    ada = nodes[0]
    assert ada.replica.membership.is_gone(MAL)
    return community, ada


def test_a_newcomer_gets_what_was_kept_of_a_log_that_nobody_lists() -> None:
    community, ada = expelled(times=600)
    reader = community.node("reader", has_device=False)
    Link(reader, ada).settle()
    assert_equal_nodes(reader, ada)
    assert reader.texts() == 600
    assert not any(head.device == MAL for head in reader.heads())


def test_what_was_asked_for_by_name_is_not_sent_again() -> None:
    community, ada = expelled(times=3)
    reader = community.node("reader", has_device=False)
    Link(reader, ada).settle()
    again = Link(reader, ada)
    again.wait(2 * limits.HEADS_EVERY_MS_MAX)
    assert again.operations_sent() == []


def test_what_nobody_has_is_asked_for_now_and_then_and_holds_up_nothing() -> None:
    community, ada = expelled(times=3)
    eve = community.node("eve")
    Link(eve, ada).settle()
    lost = removal.keeps_for(ada.replica, device=MAL).references
    assert {keep.log_class for keep in lost} >= {CONTENT}
    for keep in lost:
        other = Reference(keep.device, keep.log_class, keep.seq + 50, bytes(32))
        draft = auth.vote_payload(MAL_ROOT, (other,))
        eve.write(Draft(auth.VOTE, b"", draft))
    eve.say("goes on")
    link = Link(ada, eve)
    link.wait(2 * limits.HEADS_EVERY_MS_MAX)
    assert not link.closed
    assert_equal_nodes(ada, eve)
    assert ada.texts() == 4
    assert len(ada.replica.missing()) == len(lost)


def test_a_stranger_is_asked_for_nothing_that_it_did_not_claim() -> None:
    community = Community("ada", "ben", "mal")
    ada, ben, sam = (community.node(name) for name in ("ada", "ben", "sam"))
    lost = Reference(MAL, CONTENT, 7, bytes(32))
    log = Chain(key_named("mal device"), community.community)
    log.say("waits", parents=[community.genesis.reference, lost])

    def hear() -> list[Effect]:
        assert ada.replica.receive([log.run()], NOW_MS).stored == 1
        return []

    ada.do(hear)
    assert ada.replica.missing() == [lost]
    for peer, is_asked in ((sam, False), (ben, True)):
        link = Link(ada, peer)
        link.wait(limits.HEADS_EVERY_MS_MAX)
        frames = [decode_frame(frame) for frame in link.sent[0]]
        asked = [
            want.head_id for frame in frames if isinstance(frame, Wants) for want in frame.wants
        ]
        assert (lost.op_id in asked) == is_asked
