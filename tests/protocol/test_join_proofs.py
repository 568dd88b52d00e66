"""What somebody who knocks at a join link must prove, and what a member gives and to whom."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import join_frames as f
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.ids import AUTH
from p2pvalue_protocol.inputs import Answer, Draft
from tests.protocol.authoring import key_named
from tests.protocol.join_link import JoinLink, invite, newcomer
from tests.protocol.meeting import NOW_MS, Community, Link, Node

Alter = Callable[[bytes], bytes]


def altering(frame_type: type[msgspec.Struct], field: str) -> Alter:
    """Flip a bit of one field in frames of one type."""

    def alter(data: bytes) -> bytes:
        frame = f.decode_join_frame(data)
        if not isinstance(frame, frame_type):
            return data
        value = bytearray(getattr(frame, field))
        value[0] ^= 1
        return encode(msgspec.structs.replace(frame, **{field: bytes(value)}))

    return alter


def assert_silent(link: JoinLink, reason: Reason | None = None) -> None:
    """Check that a member said nothing but its nonce and let nobody in."""
    [said] = link.sent[1]
    assert isinstance(f.decode_join_frame(said), f.NonceAnswered)
    assert link.closed[0] == (1, reason)
    device = link.nodes[0].replica.device
    assert device is not None
    assert not link.nodes[1].replica.membership.was_ever_admitted(device)


@pytest.mark.parametrize("field", ["invite_key", "invite_signature", "device", "device_signature"])
def test_an_invite_is_shown_with_its_key_and_the_devices(field: str) -> None:
    community = Community("ada")
    ada = community.node("ada")
    invite(ada)
    link = JoinLink(newcomer(community), ada, alter=altering(f.InviteShown, field))
    assert_silent(link.run())


@pytest.mark.parametrize("field", ["proof", "device", "device_signature"])
def test_a_community_is_shown_with_a_proof_and_the_devices_key(field: str) -> None:
    community = Community("ada", join=auth.JOIN_REQUEST)
    ada = community.node("ada")
    link = JoinLink(newcomer(community), ada, b"", alter=altering(f.CommunityShown, field))
    assert_silent(link.run())


@pytest.mark.parametrize(
    "frame",
    [f.Introduction(b"", b""), f.Plea(b"", "nia", ""), f.Pending(), f.NonceOffered(bytes(32))],
    ids=lambda frame: type(frame).__name__,
)
def test_a_frame_out_of_turn_ends_the_link(frame: msgspec.Struct) -> None:
    community = Community("ada")
    link = JoinLink(newcomer(community), community.node("ada"))
    link.act(1, lambda: link.server.open(NOW_MS))
    first = encode(f.NonceOffered(bytes(32)))
    for data in (first, encode(frame)):
        link.act(1, lambda d=data: link.server.receive(d, NOW_MS))  # type: ignore[misc]  # bound now
    assert_silent(link, Reason.FRAME_INVALID)


def test_who_was_put_out_is_told_so_whatever_device_she_comes_with() -> None:
    community = Community("ada")
    ada, nia = community.node("ada"), newcomer(community)
    invite(ada, uses=0)
    assert JoinLink(nia, ada).run().joined[-1].state == "admitted"
    root = ada.replica.membership.member_of(nia.replica.device or b"")
    assert root is not None
    ada.write(Draft(auth.REVOKE, b"", auth.revoke_payload(root)))
    heads = ada.heads()
    again = Node(community.community, "nia", key_named("nia's other device"))
    link = JoinLink(again, ada).run()
    assert link.joined[-1].message.startswith("you were removed from this community")
    assert ada.heads() == heads


def test_where_all_may_join_a_member_lets_in_guests_and_stronger_ones_members() -> None:
    community = Community("ada", read=auth.READ_PUBLIC, join=auth.JOIN_OPEN)
    ada, nia, omar = community.node("ada"), newcomer(community), newcomer(community, "omar")
    for door, comer, rank in ((ada, nia, auth.MEMBER), (nia, omar, auth.GUEST)):
        assert JoinLink(comer, door, b"").run().joined[-1].state == "admitted"
        standing = door.replica.membership.standing(comer.replica.device or b"")
        assert standing is not None
        assert standing.rank == rank
        Link(comer, door).settle()


@pytest.mark.parametrize(
    ("answer", "is_final"), [("declined", True), ("busy", False)], ids=["declined", "busy"]
)
def test_who_is_not_let_in_knows_whether_to_ask_again(answer: Answer, is_final: bool) -> None:
    community = Community("ada", join=auth.JOIN_REQUEST)
    link = JoinLink(newcomer(community), community.node("ada"), b"", answer=answer).run()
    assert link.joined[-1].state == "failed"
    assert link.joined[-1].is_final is is_final


def test_no_secret_is_handed_over_by_who_was_put_out_meanwhile() -> None:
    community = Community("ada")
    ada, nia, omar = community.node("ada"), newcomer(community), newcomer(community, "omar")
    invite(ada, uses=0)
    JoinLink(nia, ada).run()
    Link(nia, ada).settle()
    root = ada.replica.membership.member_of(nia.replica.device or b"")
    assert root is not None
    ada.write(Draft(auth.REVOKE, b"", auth.revoke_payload(root)))

    def late(data: bytes) -> bytes:
        if isinstance(f.decode_join_frame(data), f.Introduction):
            nia.take([run for run in ada.runs() if run.log_class == AUTH])
        return data

    link = JoinLink(omar, nia, alter=late).run()
    assert link.joined[-1].state == "failed"
    answers = [f.decode_join_frame(frame) for frame in link.sent[1]]
    assert isinstance(answers[-1], f.Declined)
    assert not any(isinstance(answer, f.Admitted | f.Proof) for answer in answers)
