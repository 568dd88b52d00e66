"""The handshake: members find each other, others learn nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import frames as f
from p2pvalue_protocol import limits
from p2pvalue_protocol.effects import CloseSession, Effect, SendFrame
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.hello import Hello, LinkEnd, Transcript, secrets_shown
from tests.protocol.authoring import key_named
from tests.protocol.meeting import NOW_MS, Community, Link, Node

OLD_SECRET = b"o" * 32


def outsider_of(community: Community) -> Node:
    """Somebody who knows GENESIS, and a secret of her own making."""
    eve = community.node("eve", knows_topic=False)
    eve.learn([(b"an epoch".ljust(32), b"o" * 32)])
    return eve


def hello(node: Node, peer: Node, *, initiates: bool) -> Hello:
    link = LinkEnd(1, peer.peer_id, node.peer_id, node.name.encode().ljust(32))
    return Hello([node.replica], link, node.replica.community if initiates else None)


def greet(first: Hello, second: Hello) -> tuple[list[bytes], list[bytes]]:
    """Let two sides talk to the end; return what each sent."""
    ends = (first, second)
    sent: tuple[list[bytes], list[bytes]] = ([], [])
    effects = first.open(NOW_MS)
    second.open(NOW_MS)
    side = 0
    while effects and isinstance(effects[0], SendFrame):
        frame = effects[0].frame
        sent[side].append(frame)
        side = 1 - side
        effects = ends[side].receive(frame, NOW_MS)
    return sent


def test_both_learn_the_community_and_each_others_device() -> None:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), community.node("ben")
    first, second = hello(ada, ben, initiates=True), hello(ben, ada, initiates=False)
    greet(first, second)
    assert first.established is not None
    assert second.established is not None
    assert first.established.device == ben.replica.device
    assert second.established.device == ada.replica.device
    assert second.replica is ben.replica
    assert first.established.transcript == second.established.transcript


def test_a_device_that_was_never_admitted_is_not_told_whom_it_reached() -> None:
    community = Community("ada")
    ada, sam = community.node("ada"), community.node("sam")
    first, second = hello(sam, ada, initiates=True), hello(ada, sam, initiates=False)
    sent = greet(first, second)
    assert first.established is not None
    assert first.established.device is None
    assert second.established is not None
    assert not second.established.has_told_device
    assert key_named("ada device").public not in b"".join(sent[1])


@pytest.mark.parametrize("late", [0, 1])
def test_who_missed_a_change_of_secrets_can_still_meet(late: int) -> None:
    community = Community("ada", "ben")
    nodes = [community.node("ada"), community.node("ben")]
    nodes[1 - late].learn([(b"a newer epoch".ljust(32), b"n" * 32)])
    assert len(nodes[1 - late].replica.topic_secrets) == 2
    first = hello(nodes[0], nodes[1], initiates=True)
    second = hello(nodes[1], nodes[0], initiates=False)
    greet(first, second)
    assert first.established is not None
    assert second.established is not None


def test_an_unknown_secret_is_met_with_silence() -> None:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), community.node("ben")
    ben = outsider_of(community)
    first, second = hello(ben, ada, initiates=True), hello(ada, ben, initiates=False)
    sent = greet(first, second)
    assert len(sent[1]) == 1  # the nonce
    assert first.established is None
    assert second.established is None


def test_who_is_called_is_told_no_device_before_it_shows_that_it_knows_a_secret() -> None:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), community.node("ben")
    first, second = hello(ada, ben, initiates=True), hello(ben, ada, initiates=False)
    first.open(NOW_MS)
    second.open(NOW_MS)
    [answer] = second.receive(f.encode_frame(f.NonceOffered(b"ada".ljust(32))), NOW_MS)
    assert isinstance(answer, SendFrame)
    [shown] = first.receive(answer.frame, NOW_MS)
    assert isinstance(shown, SendFrame)
    tags = f.decode_frame(shown.frame)
    assert isinstance(tags, f.TagsShown)
    for guess in (b"g" * 16, tags.tags[0]):
        unproven = hello(ada, ben, initiates=True)
        unproven.open(NOW_MS)
        unproven.receive(answer.frame, NOW_MS)
        ended = unproven.receive(f.encode_frame(f.TagAnswered(guess)), NOW_MS)
        assert ended == [CloseSession(1, Reason.HELLO_FAILED)]


@pytest.mark.parametrize("read", [auth.READ_MEMBERS, auth.READ_PUBLIC])
def test_only_a_public_community_is_read_without_a_device(read: int) -> None:
    community = Community("ada", read=read)
    ada, rob = community.node("ada"), community.node("rob", has_device=False)
    first, second = hello(rob, ada, initiates=True), hello(ada, rob, initiates=False)
    greet(first, second)
    assert (second.established is not None) is (read == auth.READ_PUBLIC)


def test_an_outsider_sees_no_community_no_device_and_no_name() -> None:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), community.node("ben")
    ada.say("a plain sentence")
    outsider = outsider_of(community)
    as_caller = Link(outsider, ada)
    as_caller.settle()
    as_callee = Link(ada, outsider)
    as_callee.settle()
    seen = b"".join(as_caller.sent[1] + as_callee.sent[0])
    assert len(seen) < 150
    for secret in (
        community.community,
        community.topic_secret,
        key_named("ada device").public,
        key_named("ada root").public,
        b"ada",
    ):
        assert secret not in seen
    assert ben.heads()


def test_a_proof_from_one_link_is_worth_nothing_on_another() -> None:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), community.node("ben")
    recorded = greet(hello(ada, ben, initiates=True), hello(ben, ada, initiates=False))[0]
    link = LinkEnd(2, ada.peer_id, ben.peer_id, b"another nonce".ljust(32))
    fresh = Hello([ben.replica], link, None)
    effects = [effect for frame in recorded for effect in fresh.receive(frame, NOW_MS)]
    assert fresh.established is None
    assert effects[-1] == CloseSession(2, Reason.FRAME_INVALID) or CloseSession(2, None) in effects


def test_a_proof_cannot_be_reflected() -> None:
    transcript = Transcript((bytes(32), bytes(32)), ("a", "a"))
    assert transcript.tag(OLD_SECRET, b"\x00") != transcript.tag(OLD_SECRET, b"\x01")
    community = bytes(32)
    assert transcript.identity_message(community, b"\x00") != transcript.identity_message(
        community, b"\x01"
    )


def test_a_wrong_signature_ends_the_handshake() -> None:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), community.node("ben")
    first, second = hello(ada, ben, initiates=True), hello(ben, ada, initiates=False)
    effects = first.open(NOW_MS)
    for end in (second, first, second, first):
        assert isinstance(effects[0], SendFrame)
        effects = end.receive(effects[0].frame, NOW_MS)
    named = f.InitiatorIdentity(key_named("ada device").public, bytes(64))
    effects = second.receive(f.encode_frame(named), NOW_MS)
    assert effects == [CloseSession(1, Reason.HELLO_FAILED)]


@pytest.mark.parametrize("tried_max", [limits.TOPIC_SECRETS_TRIED_MAX, 30])
def test_who_was_away_gets_in_however_many_epochs_a_member_made(
    tried_max: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TOPIC_SECRETS_TRIED_MAX", tried_max)
    community = Community("ada", "ben", "mal")
    ada, ben, mal = (community.node(name) for name in community.authors)

    def renewed() -> list[Effect]:
        mal.replica.renew(NOW_MS)
        return []

    while len(mal.replica.topic_secrets) <= limits.TOPIC_SECRETS_NEWEST + 1:
        mal.do(renewed)
    ada.take(mal.runs())
    assert len(ada.replica.topic_secrets) == len(mal.replica.topic_secrets)
    assert not set(ben.replica.topic_secrets) & set(secrets_shown(ada.replica))
    first, second = hello(ben, ada, initiates=True), hello(ada, ben, initiates=False)
    greet(first, second)
    assert first.established is not None
    assert second.established is not None


def test_each_reply_has_ten_seconds() -> None:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), community.node("ben")
    for end in (hello(ada, ben, initiates=True), hello(ben, ada, initiates=False)):
        end.open(NOW_MS)
        assert end.next_wakeup_ms() == NOW_MS + limits.REPLY_MS_MAX
        assert end.wakeup(NOW_MS + limits.REPLY_MS_MAX - 1) == []
        assert end.wakeup(NOW_MS + limits.REPLY_MS_MAX) == [CloseSession(1, None)]


@given(frame=st.binary(max_size=200), steps=st.integers(0, 2), initiates=st.booleans())
def test_no_frame_raises(frame: bytes, steps: int, initiates: bool) -> None:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), community.node("ben")
    recorded = greet(hello(ada, ben, initiates=True), hello(ben, ada, initiates=False))
    nodes = (ada, ben) if initiates else (ben, ada)
    end = hello(*nodes, initiates=initiates)
    end.open(NOW_MS)
    for valid in recorded[1 if initiates else 0][:steps]:
        end.receive(valid, NOW_MS)
    assert end.receive(frame, NOW_MS)[0] in (
        CloseSession(1, Reason.FRAME_INVALID),
        CloseSession(1, Reason.HELLO_FAILED),
        CloseSession(1, None),
    )


def test_a_newcomer_that_was_handed_no_secret_yet_shows_nothing() -> None:
    community = Community("ada")
    ada, sam = community.node("ada"), community.node("sam", knows_topic=False)
    first, second = hello(sam, ada, initiates=True), hello(ada, sam, initiates=False)
    assert [len(frames) for frames in greet(first, second)] == [1, 1]  # the nonces
    assert second.established is None
    assert first.receive(f.encode_frame(f.NonceAnswered(bytes(32))), NOW_MS) == [
        CloseSession(1, None)
    ]


def test_a_peer_that_has_not_shown_who_it_is_is_told_nothing_that_changes() -> None:
    community = Community("ada", "ben")
    link = Link(community.node("ada"), community.node("ben"))
    before = link.bytes_sent()
    for side in (0, 1):
        link.act(side, link.sessions[side].review)
        link.act(side, link.sessions[side].poke)
    assert link.bytes_sent() == before
