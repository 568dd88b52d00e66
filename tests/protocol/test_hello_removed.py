"""Who was put out learns why, and nothing later; her word about authority still counts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import frames as f
from p2pvalue_protocol import limits
from p2pvalue_protocol.access import heads_of_past, proof_of
from p2pvalue_protocol.effects import Effect
from p2pvalue_protocol.ids import CONTENT
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.join_frames import Admitted, Proof
from p2pvalue_protocol.log import Run
from p2pvalue_protocol.operation import decode_core
from p2pvalue_protocol.removal import leave_draft, removal_draft, return_draft
from tests.protocol.authoring import SECRET
from tests.protocol.join_link import JoinLink, invite, newcomer
from tests.protocol.meeting import CHAT, NOW_MS, Community, Link, Node, assert_equal_nodes

LATER_SECRET = bytes(range(16))


def admitted(
    community: Community, by: Node, name: str, secret: bytes = SECRET, rank: int = auth.MEMBER
) -> Node:
    """A member whom another let in, and who has fetched everything."""
    node = newcomer(community, name)
    invite(by, secret=secret, rank=rank)
    assert JoinLink(node, by, secret).run().joined[-1].state == "admitted"
    Link(node, by).settle()
    return node


def device_of(node: Node) -> bytes:
    assert node.replica.device is not None
    return node.replica.device


def root_of(member: Node, other: Node) -> bytes:
    standing = member.replica.membership.standing(device_of(other))
    assert standing is not None
    return standing.member


def put_out(by: Node, whom: Node) -> bytes:
    """Remove a member; return her root."""
    root = root_of(by, whom)
    by.write(removal_draft(by.replica, root))
    assert not by.replica.membership.is_live(device_of(whom))
    return root


def removed() -> tuple[Community, Node, Node]:
    """A founder, and somebody whom she removed and who has not heard of it."""
    community = Community("ada", "ben")
    ada = community.node("ada")
    mal = admitted(community, ada, "mal")
    ada.say("while mal was in")
    Link(mal, ada).settle()
    put_out(ada, mal)
    return community, ada, mal


@pytest.mark.parametrize("caller", ["mal", "ada"])
def test_who_was_put_out_learns_the_removal_and_nothing_that_came_after(caller: str) -> None:
    community, ada, mal = removed()
    late = admitted(community, ada, "late", LATER_SECRET)
    ada.say("after mal was put out")
    before = set(mal.heads())
    link = Link(mal, ada) if caller == "mal" else Link(ada, mal)
    link.settle()
    assert not mal.replica.membership.is_live(device_of(mal))
    news = set(mal.heads()) - before
    assert {(head.device, head.log_class) for head in news} == {(device_of(ada), 0)}
    told = b"".join(link.sent[1 if caller == "mal" else 0])
    assert device_of(late) not in told
    batches = [run for run in link.operations_sent() if run.device == device_of(ada)]
    kinds = [item.kind for run in batches for item in run.items]
    assert kinds == [auth.REVOKE]
    assert link.ready == [] or {ready.peer_id for ready in link.ready} == {ada.peer_id}


@pytest.mark.parametrize("is_out", [True, False])
def test_members_are_compared_with_again_and_who_was_put_out_is_not(is_out: bool) -> None:
    community, ada, mal = removed()
    other = mal if is_out else community.node("ben")
    link = Link(ada, other)
    link.settle()
    told = len(link.sent[0])
    if not is_out:
        other.say("what nobody is told of")
    link.wait(3 * limits.HEADS_EVERY_MS_MAX)
    frames = [f.decode_frame(frame) for frame in link.sent[0][told:]]
    compared = [frame for frame in frames if isinstance(frame, f.Buckets | f.Sums)]
    asked = [frame for frame in frames if isinstance(frame, f.Buckets)]
    assert frames
    assert not asked if is_out else compared


def test_a_session_is_narrowed_in_the_middle_when_the_removal_arrives() -> None:
    community = Community("ada", "ben")
    ada = community.node("ada")
    mal = admitted(community, ada, "mal")
    link = Link(mal, ada)
    link.settle()
    told = len(link.sent[1])
    put_out(ada, mal)
    link.act(1, link.sessions[1].review)
    link.settle()
    assert [parted.peer_id for parted in link.parted] == [mal.peer_id]
    assert not mal.replica.membership.is_live(device_of(mal))
    ada.say("after mal was put out")
    ada.listen_at("/ip4/192.0.2.7/tcp/4001")
    ada.write_auth_seen()
    link.wait(120_000)
    frames = [f.decode_frame(frame) for frame in link.sent[1][told:]]
    told_heads = [e for frame in frames if isinstance(frame, f.Heads) for e in frame.heads]
    assert {entry.log_class for entry in told_heads} == {0}
    assert not any(isinstance(frame, f.Addresses | f.Keys) for frame in frames)
    [hers] = [h for h in mal.heads() if (h.device, h.log_class) == (device_of(ada), 0)]
    [whole] = [h for h in ada.heads() if (h.device, h.log_class) == (device_of(ada), 0)]
    assert hers.seq < whole.seq


def test_what_somebody_wants_who_was_put_out_meanwhile_is_not_served() -> None:
    community, ada, mal = removed()
    link = Link(mal, ada)
    link.settle()
    head = next(h for h in ada.heads() if h.log_class == CONTENT)
    want = f.Want(head.device, CONTENT, 0, head.seq, head.op_id)
    link.wires[0].append(f.encode_frame(f.Wants([want])))
    link.wires[0].append(f.encode_frame(f.KeysWanted([community.keys[0][0]])))
    sent = len(link.sent[1])
    link.deliver(0)
    link.deliver(0)
    link.settle()
    answers = [f.decode_frame(frame) for frame in link.sent[1][sent:]]
    assert [a.finished for a in answers if isinstance(a, f.Ops)] == [1]
    assert [a.secrets for a in answers if isinstance(a, f.Keys)] == [[]]
    assert all(run.log_class != CONTENT for run in link.operations_sent())


def test_a_device_that_somebody_put_out_never_knew_is_not_named_to_her() -> None:
    community, ada, mal = removed()
    late = admitted(community, ada, "late", LATER_SECRET)
    link = Link(mal, late)
    link.settle()
    assert device_of(late) not in b"".join(link.sent[1])
    assert not mal.replica.membership.is_live(device_of(mal))


def test_who_was_put_out_may_bring_the_founder_s_word_that_takes_her_in_again() -> None:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), community.node("ben")
    mal = admitted(community, ada, "mal")
    root = put_out(ada, mal)
    Link(ben, ada).settle()
    ben.write(return_draft(ben.replica, root, auth.MEMBER))
    Link(mal, ben).settle()
    assert mal.replica.membership.is_live(device_of(mal))
    assert not ada.replica.membership.is_live(device_of(mal))
    link = Link(mal, ada)
    link.wait(1_000)
    assert ada.replica.membership.is_live(device_of(mal))
    assert {ready.peer_id for ready in link.ready} == {ada.peer_id, mal.peer_id}
    assert_equal_nodes(ada, mal)


def test_a_founder_who_is_alone_is_shown_by_what_she_founded() -> None:
    ada = Community("ada").node("ada")
    [genesis] = [r for r in ada.replica.auth_references.values() if r.device == device_of(ada)][:1]
    assert genesis.op_id in proof_of(ada.replica, device_of(ada))


def test_who_calls_an_unknown_device_shows_it_only_her_own_admission() -> None:
    """Somebody who was put out may answer at her old address with a key that nobody knows."""
    community, ada, mal = removed()
    late = admitted(community, ada, "late", LATER_SECRET)
    ada.write_auth_seen()
    Link(late, ada).settle()
    masked = community.node("masked")
    masked.take([run for run in mal.runs() if run.log_class == 0])
    link = Link(late, masked)
    link.settle()
    proof = heads_of_past(late.replica, proof_of(late.replica, device_of(late)))
    told = [
        entry
        for frame in map(f.decode_frame, link.sent[0])
        if isinstance(frame, f.Heads)
        for entry in frame.heads
    ]
    assert {f.reference_of(entry) for entry in told} == set(proof)
    assert not set(proof) & {head for head in late.heads() if head.device == device_of(ada)}
    assert all(run.log_class == 0 for run in link.operations_sent())


def test_where_somebody_is_who_was_put_out_is_told_no_further() -> None:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), community.node("ben")
    mal = admitted(community, ada, "mal")
    mal.listen_at("/ip4/192.0.2.9/tcp/4001")
    Link(mal, ada).settle()
    assert device_of(mal) in dict(ada.replica.address_records())
    root = put_out(ada, mal)
    assert device_of(mal) not in dict(ada.replica.address_records())
    link = Link(ben, ada)
    link.settle()
    assert b"192.0.2.9" not in b"".join(link.sent[1])
    mal.listen_at("/ip4/192.0.2.10/tcp/4001", now_ms=NOW_MS + 1)
    assert not ada.replica.learn_address(mal.replica.addresses()[0], NOW_MS)
    ada.write(return_draft(ada.replica, root, auth.MEMBER))
    assert device_of(mal) in dict(ada.replica.address_records())


def test_an_invite_does_not_bring_back_who_was_put_out() -> None:
    _, ada, mal = removed()
    invite(ada, secret=LATER_SECRET)
    link = JoinLink(mal, ada, LATER_SECRET).run()
    assert link.joined[-1].state == "failed"
    assert "no invite brings you back" in link.joined[-1].message


def test_who_left_comes_back_by_an_invite() -> None:
    community = Community("ada", "ben")
    ada = community.node("ada")
    mal = admitted(community, ada, "mal")
    mal.write(leave_draft(mal.replica))
    Link(mal, ada).settle()
    assert not ada.replica.membership.is_live(device_of(mal))
    invite(ada, secret=LATER_SECRET)
    assert JoinLink(mal, ada, LATER_SECRET).run().joined[-1].state == "admitted"
    Link(mal, ada).settle()
    assert mal.replica.membership.is_live(device_of(mal))
    assert_equal_nodes(ada, mal)


def test_who_was_put_out_is_handed_no_secret_by_a_join_repeated() -> None:
    _, ada, mal = removed()
    link = JoinLink(mal, ada).run()
    assert link.joined[-1].state == "failed"
    assert not any(tag in frame[1:2] for frame in link.sent[1] for tag in (b"\x08", b"\x09"))
    assert (Proof.__struct_config__.tag, Admitted.__struct_config__.tag) == (8, 9)


def test_whose_admission_fell_learns_of_the_removal_behind_it() -> None:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), community.node("ben")
    bo = admitted(community, ada, "bo")
    put_out(ada, bo)
    cy = admitted(community, bo, "cy", LATER_SECRET, auth.GUEST)  # by who has not heard of it
    Link(cy, ben).settle()
    assert ben.replica.membership.is_live(device_of(cy))
    Link(ben, ada).settle()
    assert not ben.replica.membership.is_live(device_of(cy))
    assert cy.replica.membership.is_live(device_of(cy))
    Link(cy, ben).settle()
    assert not cy.replica.membership.is_live(device_of(bo))
    assert not cy.replica.membership.is_live(device_of(cy))


def test_with_all_keys_and_all_later_traffic_nothing_written_later_can_be_read() -> None:
    community, ada, mal = removed()
    ben = community.node("ben")
    Link(ben, ada).settle()
    for author in (ada, ben):
        author.say("after mal was put out", times=2)
        Link(ben, ada).settle()
    later = [head for head in ada.heads() if head not in mal.heads()]
    mal.do(lambda: _take_all(mal, ada.runs()))  # what a relay recorded, say
    opened: dict[bool, int] = {True: 0, False: 0}
    for head in later:
        for branch in ada.replica.branches.of(head.device, head.log_class):
            for row in ada.replica.branches.rows(branch, 0, 1_000):
                if decode_core(row.core).kind == CHAT:
                    assert ada.replica.open(row.core, row.payload) is not None
                    opened[mal.replica.open(row.core, row.payload) is not None] += 1
    assert opened == {True: 1, False: 4}  # the one from before is hers to read


def _take_all(node: Node, runs: Sequence[Run]) -> list[Effect]:
    """Offer runs again and again until nothing more is taken."""
    while node.replica.receive(runs, NOW_MS).stored:
        pass
    return []


def test_a_demoted_member_stays_one() -> None:
    community = Community("ada", "ben")
    ada = community.node("ada")
    mal = admitted(community, ada, "mal")
    ada.write(Draft(auth.REVOKE, b"", auth.revoke_payload(root_of(ada, mal), auth.GUEST)))
    ada.say("for guests too")
    link = Link(mal, ada)
    link.settle()
    assert {ready.peer_id for ready in link.ready} == {ada.peer_id, mal.peer_id}
    assert_equal_nodes(ada, mal)
