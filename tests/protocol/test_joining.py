"""How a newcomer becomes a member, and what a stranger gets out of trying."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.ids import AUTH, Reference
from p2pvalue_protocol.join_frames import Introduction, decode_join_frame
from p2pvalue_protocol.log import decode_batch, encode_batch
from tests.protocol.authoring import key_named
from tests.protocol.hostility import mutations
from tests.protocol.join_link import JoinLink, invite, newcomer
from tests.protocol.meeting import NOW_MS, Community, Link, Node, assert_equal_nodes
from tests.protocol.replicas import Chain

OTHER_SECRET = bytes(16)


def test_who_holds_an_invite_becomes_a_member_and_then_syncs_the_rest() -> None:
    community = Community("ada")
    ada, nia = community.node("ada"), newcomer(community)
    ada.say("before", times=3)
    invite(ada)
    link = JoinLink(nia, ada).run()
    assert [joined.state for joined in link.joined] == ["welcomed", "admitted"]
    assert link.joined[0].topic_secret == community.topic_secret
    assert nia.replica.topic_secrets == [community.topic_secret]
    Link(nia, ada).settle()
    nia.say("after")
    Link(nia, ada).settle()
    assert_equal_nodes(ada, nia)
    assert ada.texts() == 4


def test_an_invite_for_one_admits_one() -> None:
    community = Community("ada")
    ada, nia, max_ = community.node("ada"), newcomer(community), newcomer(community, "max")
    invite(ada, uses=1)
    JoinLink(nia, ada).run()
    link = JoinLink(max_, ada).run()
    assert [joined.state for joined in link.joined] == ["failed"]
    assert link.joined[0].message == "this invite was already used; ask for a new one"
    assert max_.replica.topic_secrets == []


def test_an_invite_for_two_admits_two_at_the_same_time_and_no_third() -> None:
    community = Community("ada")
    ada = community.node("ada")
    invite(ada, uses=2)
    links = [JoinLink(newcomer(community, name), ada).run() for name in ("nia", "max", "zoe")]
    assert [link.joined[-1].state for link in links] == ["admitted", "admitted", "failed"]


def test_a_join_whose_answer_was_lost_can_be_done_again() -> None:
    community = Community("ada")
    ada, nia = community.node("ada"), newcomer(community)
    invite(ada, uses=1)
    JoinLink(nia, ada).run()
    heads = ada.heads()
    again = JoinLink(nia, ada).run()
    assert again.joined[-1].state == "admitted"
    assert ada.heads() == heads


def test_an_unknown_invite_is_met_with_silence() -> None:
    community = Community("ada")
    ada, nia = community.node("ada"), newcomer(community)
    invite(ada)
    link = JoinLink(nia, ada, OTHER_SECRET).run()
    assert link.closed == [(1, None)]
    assert len(link.sent[1]) == 1  # the nonce
    assert link.joined[-1].state == "failed"
    assert "nobody there knows this invite" in link.joined[-1].message


def test_what_a_stranger_sees_names_nobody() -> None:
    community = Community("ada")
    ada, nia = community.node("ada"), newcomer(community)
    ada.say("secret words")
    invite(ada)
    link = JoinLink(nia, ada, OTHER_SECRET).run()
    seen = b"".join(link.sent[1])
    assert len(seen) < 40
    for secret in (ada.replica.community, key_named("ada device").public, community.topic_secret):
        assert secret not in seen


@pytest.mark.parametrize("spoilt", ["signature", "certificate", "parents"])
def test_an_introduction_that_admits_nobody_leaves_nothing_behind(spoilt: str) -> None:
    community = Community("ada")
    ada, nia = community.node("ada"), newcomer(community)
    invite(ada)
    heads = ada.heads()
    link = JoinLink(nia, ada, alter=lambda frame: _spoilt(frame, spoilt, nia)).run()
    assert link.joined[-1].state == "failed"
    assert ada.heads() == heads
    assert JoinLink(nia, ada).run().joined[-1].state == "admitted"


def _spoilt(frame: bytes, what: str, node: Node) -> bytes:
    """The newcomer's introduction with one thing wrong, itself signed by her; all else as it is."""
    read = decode_join_frame(frame)
    if not isinstance(read, Introduction):
        return frame
    if what == "signature":
        return encode(msgspec.structs.replace(read, admit_signature=bytes(64)))
    assert node.replica.signer is not None
    (run,) = decode_batch(read.first)
    payload = run.items[0].payload
    log = Chain(node.replica.signer, node.replica.community, AUTH)
    missing = Reference(b"d" * 32, AUTH, 0, b"m" * 32)
    log.add(
        payload[:-1] + b"x" if what == "certificate" else payload,
        kind=auth.DEV_ADD,
        parents=[missing] if what == "parents" else [],
    )
    return encode(msgspec.structs.replace(read, first=encode_batch([log.run()])))


def test_an_open_community_lets_everybody_in() -> None:
    community = Community("ada", read=auth.READ_PUBLIC, join=auth.JOIN_OPEN)
    ada, nia = community.node("ada"), newcomer(community)
    link = JoinLink(nia, ada, b"").run()
    assert link.joined[-1].state == "admitted"
    assert nia.replica.topic_secrets == [community.topic_secret]
    assert nia.replica.device is not None
    assert ada.replica.membership.was_ever_admitted(nia.replica.device)


def test_a_public_community_that_is_not_open_says_so() -> None:
    community = Community("ada", read=auth.READ_PUBLIC)
    link = JoinLink(newcomer(community), community.node("ada"), b"").run()
    assert link.joined[-1].message.startswith("this community is not open to everybody")


def test_a_closed_community_does_not_even_say_that_it_is_here() -> None:
    community = Community("ada", join=auth.JOIN_OPEN)
    link = JoinLink(newcomer(community), community.node("ada"), b"").run()
    assert link.closed == [(1, None)]
    assert len(link.sent[1]) == 1


def test_a_member_that_was_not_admitted_itself_admits_nobody() -> None:
    community = Community("ada")
    ada, stranger = community.node("ada"), community.node("sam")
    invite(ada)
    stranger.take(ada.runs())
    link = JoinLink(newcomer(community), stranger).run()
    assert link.joined[-1].message.startswith("the member you reached may not let people in")


def test_a_silent_side_is_left_after_ten_seconds() -> None:
    community = Community("ada")
    ada, nia = community.node("ada"), newcomer(community)
    link = JoinLink(nia, ada)
    link.act(0, lambda: link.client.open(NOW_MS))
    link.act(1, lambda: link.server.open(NOW_MS))
    for side, end in ((0, link.client), (1, link.server)):
        due_ms = end.next_wakeup_ms()
        assert due_ms == NOW_MS + 10_000
        link.act(side, lambda e=end: e.wakeup(NOW_MS + 9_999))  # type: ignore[misc]  # bound now
        link.act(side, lambda e=end: e.wakeup(NOW_MS + 10_000))  # type: ignore[misc]  # bound now
    assert link.closed == [(0, None), (1, None)]
    assert [joined.state for joined in link.joined] == ["failed"]


@pytest.mark.parametrize("side", [0, 1])
@given(data=st.data())
def test_no_frame_raises(side: int, data: st.DataObject) -> None:
    community = Community("ada")
    ada, nia = community.node("ada"), newcomer(community)
    invite(ada)
    good = JoinLink(newcomer(community), ada).run()
    link = JoinLink(nia, ada)
    end = (link.client, link.server)[side]
    link.act(side, lambda: end.open(NOW_MS))
    frames = good.sent[1 - side]
    for frame in frames[: data.draw(st.integers(0, len(frames)))]:
        link.act(side, lambda f=frame: end.receive(f, NOW_MS))  # type: ignore[misc]  # bound now
    at = data.draw(st.integers(0, len(frames) - 1))
    hostile = data.draw(st.one_of(st.binary(max_size=300), mutations(frames[at])))
    link.act(side, lambda: end.receive(hostile, NOW_MS))
    assert ada.replica.membership.policy() is not None
