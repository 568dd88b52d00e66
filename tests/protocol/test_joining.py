"""How a newcomer becomes a member, and what a stranger gets out of trying."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import limits
from p2pvalue_protocol.admission import may_admit_today
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.ids import AUTH, Reference
from p2pvalue_protocol.inputs import Answer, Draft
from p2pvalue_protocol.join_frames import (
    Introduction,
    NonceAnswered,
    Pending,
    Plea,
    Proof,
    Welcome,
    decode_join_frame,
)
from p2pvalue_protocol.log import decode_batch, encode_batch
from p2pvalue_protocol.members import Standing
from p2pvalue_protocol.replica import Replica
from tests.protocol.authoring import key_named
from tests.protocol.hostility import mutations
from tests.protocol.join_link import JoinLink, invite, newcomer
from tests.protocol.meeting import NOW_MS, Community, Link, Node, assert_equal_nodes
from tests.protocol.replicas import Chain

OTHER_SECRET = bytes(16)
NO_SECRET = b""


def test_who_holds_an_invite_becomes_a_member_and_then_syncs_the_rest() -> None:
    community = Community("ada")
    ada, nia = community.node("ada"), newcomer(community)
    ada.say("before", times=3)
    invite(ada)
    link = JoinLink(nia, ada).run()
    assert [joined.state for joined in link.joined] == ["welcomed", "admitted"]
    assert nia.replica.topic_secrets == [community.topic_secret]
    assert nia.replica.topic_secrets == ada.replica.topic_secrets
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


@pytest.mark.parametrize("spoilt", ["signature", "certificate", "certifier", "form", "parents"])
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
    added = auth.read_payload(auth.DevAddPayload, payload)
    assert added is not None
    by_nobody = auth.dev_add_payload(added.root, added.prekey, bytes(64))
    by_device = auth.dev_add_payload(
        added.root, added.prekey, added.certificate, key_named("ada device").public
    )
    payloads = {"certificate": by_nobody, "certifier": by_device, "form": payload[:-1] + b"x"}
    log = Chain(node.replica.signer, node.replica.community, AUTH)
    missing = Reference(b"d" * 32, AUTH, 0, b"m" * 32)
    log.add(
        payloads.get(what, payload),
        kind=auth.DEV_ADD,
        parents=[missing] if what == "parents" else [],
    )
    return encode(msgspec.structs.replace(read, first=encode_batch([log.run()])))


def test_an_open_community_lets_everybody_in() -> None:
    community = Community("ada", read=auth.READ_PUBLIC, join=auth.JOIN_OPEN)
    ada, nia = community.node("ada"), newcomer(community)
    link = JoinLink(nia, ada, NO_SECRET).run()
    assert link.joined[-1].state == "admitted"
    assert nia.replica.topic_secrets == [community.topic_secret]
    assert nia.replica.device is not None
    assert ada.replica.membership.was_ever_admitted(nia.replica.device)


def test_a_public_community_that_is_not_open_says_so() -> None:
    community = Community("ada", read=auth.READ_PUBLIC)
    link = JoinLink(newcomer(community), community.node("ada"), NO_SECRET).run()
    assert link.joined[-1].message.startswith("this community is not open to everybody")


def test_a_closed_community_does_not_even_say_that_it_is_here() -> None:
    community = Community("ada", join=auth.JOIN_OPEN)
    link = JoinLink(newcomer(community), community.node("ada"), NO_SECRET).run()
    assert link.closed == [(1, None)]
    assert len(link.sent[1]) == 1


def asking(community: Community, name: str = "nia", **options: Any) -> JoinLink:
    """Somebody with a link without a secret asks the founder, who holds the community alone."""
    return JoinLink(newcomer(community, name), community.node("ada"), NO_SECRET, **options).run()


def test_who_asks_is_let_in_when_a_person_says_so() -> None:
    community = Community("ada", join=auth.JOIN_REQUEST)
    ada, nia = community.node("ada"), newcomer(community)
    heads = ada.heads()
    link = JoinLink(nia, ada, NO_SECRET).run()
    assert [joined.state for joined in link.joined] == ["welcomed", "pending"]
    [asked] = link.requested
    assert (asked.community, asked.device) == (community.community, nia.replica.device)
    assert (asked.name, asked.message) == ("nia", "let me in")
    assert ada.heads() == heads
    ada.write(Draft(auth.GRANT, b"", auth.grant_payload(asked.root, auth.GUEST)))
    again = JoinLink(nia, ada, NO_SECRET).run()
    assert [joined.state for joined in again.joined] == ["welcomed", "admitted"]
    assert again.requested == []
    assert nia.replica.device is not None
    standing = ada.replica.membership.standing(nia.replica.device)
    assert standing == Standing(asked.root, auth.GUEST)
    Link(nia, ada).settle()
    assert_equal_nodes(ada, nia)


def test_who_asks_asks_once_on_a_link() -> None:
    community = Community("ada", join=auth.JOIN_REQUEST)
    link = asking(community)
    plea = link.sent[0][-1]
    assert isinstance(decode_join_frame(plea), Plea)
    link.act(1, lambda: link.server.receive(plea, NOW_MS))
    assert link.closed[-1] == (1, Reason.FRAME_INVALID)
    assert len(link.requested) == 1


@pytest.mark.parametrize(
    ("answer", "words"), [("declined", "somebody there said no"), ("busy", "takes nobody more")]
)
def test_who_is_not_let_in_is_told_why(answer: Answer, words: str) -> None:
    community = Community("ada", join=auth.JOIN_REQUEST)
    link = asking(community, answer=answer)
    assert link.joined[-1].state == "failed"
    assert words in link.joined[-1].message


def test_who_asks_is_shown_no_secret_and_no_member_before_a_person_said_yes() -> None:
    community = Community("ada", join=auth.JOIN_REQUEST)
    ada = community.node("ada")
    ada.say("secret words")
    link = JoinLink(newcomer(community), ada, NO_SECRET).run()
    assert community.topic_secret not in b"".join(link.sent[1])
    frames = [type(decode_join_frame(frame)) for frame in link.sent[1]]
    assert frames == [NonceAnswered, Welcome, Pending]


def test_an_open_community_takes_twenty_a_day_through_one_node_and_more_the_next_day() -> None:
    community = Community("ada", read=auth.READ_PUBLIC, join=auth.JOIN_OPEN)
    ada = community.node("ada")
    names = [f"newcomer {number}" for number in range(limits.OPEN_ADMISSIONS_MAX + 1)]
    links = [JoinLink(newcomer(community, name), ada, NO_SECRET).run() for name in names]
    assert [link.joined[-1].state for link in links] == ["admitted"] * 20 + ["failed"]
    assert "takes nobody more today" in links[-1].joined[-1].message
    ada.replica = Replica(
        community.community, ada.store.past(community.community), signer=ada.replica.signer
    )
    assert not may_admit_today(ada.replica, NOW_MS)
    assert may_admit_today(ada.replica, NOW_MS + 25 * 3_600 * 1_000)


def test_a_newcomer_can_show_any_member_at_once_that_it_is_one() -> None:
    community = Community("ada", "ben")
    ada, ben, nia = community.node("ada"), community.node("ben"), newcomer(community)
    ben.write_auth_seen()
    ben.say("ben's own")
    invite(ada)
    JoinLink(nia, ada).run()
    # From here on ada is away; ben has never heard of nia, nor of the invite.
    assert nia.replica.device is not None
    link = Link(nia, ben)
    link.settle()
    assert ben.replica.membership.is_live(nia.replica.device)
    assert {ready.device for ready in link.ready} == {nia.replica.device, ben.replica.device}
    assert nia.texts() == ben.texts() == 1


def test_what_shows_an_admission_is_its_past_and_no_more() -> None:
    community = Community("ada", "ben")
    ada, nia = community.node("ada"), newcomer(community)
    invite(ada)
    link = JoinLink(nia, ada).run()
    ada.write_auth_seen()
    runs = [run for batch in proofs(link) for run in decode_batch(batch)]
    kinds = [item.kind for run in runs for item in run.items]
    assert sorted(kinds) == [auth.GENESIS, auth.INVITE, auth.ADMIT, auth.DEV_ADD]
    later = JoinLink(nia, ada).run()
    assert proofs(later) == proofs(link)


def proofs(link: JoinLink) -> list[bytes]:
    frames = [decode_join_frame(frame) for frame in link.sent[1]]
    return [frame.batch for frame in frames if isinstance(frame, Proof)]


def test_a_long_past_is_shown_in_several_frames_and_a_longer_one_left_to_sync() -> None:
    community = Community("ada")
    ada, nia = community.node("ada"), newcomer(community)
    for number in range(400):
        invite(ada, secret=number.to_bytes(16, "big"))
    invite(ada)
    link = JoinLink(nia, ada).run()
    assert len(proofs(link)) > 1
    assert max(map(len, link.sent[1])) <= limits.FRAME_BYTES_MAX
    assert nia.replica.device is not None
    assert nia.replica.membership.is_live(nia.replica.device)
    payload = auth.grant_payload(bytes(32), auth.GUEST, (ada.heads()[0],) * limits.KEEPS_MAX)
    for _ in range(limits.PROOF_FRAMES_MAX + 1):
        ada.write(Draft(auth.GRANT, b"", payload))
    invite(ada, secret=OTHER_SECRET)
    max_ = newcomer(community, "max")
    link = JoinLink(max_, ada, OTHER_SECRET).run()
    assert link.joined[-1].state == "admitted"
    assert proofs(link) == []
    Link(max_, ada).settle()
    assert_equal_nodes(ada, max_)


def test_proof_without_end_is_an_offence() -> None:
    community = Community("ada")
    ada, nia = community.node("ada"), newcomer(community)
    invite(ada)
    link = JoinLink(nia, ada)
    link.act(0, lambda: link.client.open(NOW_MS))
    good = JoinLink(newcomer(community), ada).run()
    for frame in good.sent[1][:2]:
        link.act(0, lambda f=frame: link.client.receive(f, NOW_MS))  # type: ignore[misc]  # bound now
    empty = encode(Proof(encode_batch([])))
    for _ in range(limits.PROOF_FRAMES_MAX + 1):
        assert not link.closed
        link.act(0, lambda: link.client.receive(empty, NOW_MS))
    assert link.closed == [(0, Reason.OVER_LIMIT)]


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
        assert end.wakeup(NOW_MS + 9_999) == []
        link.act(side, lambda e=end: e.wakeup(NOW_MS + 10_000))  # type: ignore[misc]  # bound now
    assert link.closed == [(0, None), (1, None)]
    assert [joined.state for joined in link.joined] == ["failed"]


def test_each_answer_has_ten_seconds_of_its_own() -> None:
    community = Community("ada")
    ada, nia = community.node("ada"), newcomer(community)
    invite(ada)
    link = JoinLink(nia, ada)
    opened_ms = NOW_MS + 7_777
    link.act(0, lambda: link.client.open(opened_ms))
    link.act(1, lambda: link.server.open(opened_ms))
    offered = link.wires[0].popleft()
    link.act(1, lambda: link.server.receive(offered, opened_ms + 4_000))
    assert (link.client.next_wakeup_ms(), link.server.next_wakeup_ms()) == (
        opened_ms + 10_000,
        opened_ms + 14_000,
    )


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
