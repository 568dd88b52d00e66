"""How a person comes back with her words alone, and what a stranger gets out of trying."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import inputs as i
from p2pvalue_protocol import link_frames as f
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.ids import AUTH
from p2pvalue_protocol.log import encode_batch
from tests.protocol.authoring import key_named
from tests.protocol.desk import Cable, Computer, join, sync
from tests.protocol.hostility import mutations
from tests.protocol.replicas import Chain

SESSION = 7


def recover(
    bare: Computer,
    member: Computer,
    community: bytes,
    *,
    session: int = SESSION,
    alter: Callable[[bytes], bytes | None] = bytes,
) -> Cable:
    """Let `bare` come back into a community by way of `member`."""
    return Cable(bare, member, session, alter=alter).carry(
        i.RecoveryStarted(session, member.peer_id, bare.keys(community), bare.entropy),
        i.RecoveryAsked(session, bare.peer_id),
    )


def test_words_bring_a_person_back_by_way_of_any_member() -> None:
    ana, ben = Computer("ana", "ana"), Computer("ben", "ben")
    garden = ana.found("garden")
    ana.say(garden, "by the machine that will be lost")
    ana.invite(garden)
    join(ben, ana, garden, 1)
    sync(ben, ana, garden, 2)
    anew = Computer("ana's new machine", "ana")
    recover(anew, ben, garden)
    assert anew.joined().state == "admitted"
    sync(anew, ben, garden, 8)
    anew.say(garden, "back again")
    sync(anew, ben, garden, 9)
    sync(ana, ben, garden, 10)
    assert anew.digest(garden) == ben.digest(garden) == ana.digest(garden)
    root = ben.membership(garden).member_of(ana.device(garden))
    assert ben.membership(garden).member_of(anew.device(garden)) == root


def test_other_words_bring_nobody_in() -> None:
    ana = Computer("ana", "ana")
    garden = ana.found("garden")
    heads = ana.machine.replica(garden).heads()
    stranger = Computer("stranger", "sam")
    cable = recover(stranger, ana, garden)
    assert stranger.joined().state == "failed"
    assert stranger.joined().message.startswith("your words are those of nobody")
    assert stranger.machine.communities() == []
    assert ana.machine.replica(garden).heads() == heads
    secrets = ana.machine.replica(garden).topic_secrets
    assert not any(secret in frame for secret in secrets for frame in cable.sent[1])


def test_who_does_not_know_the_community_learns_nothing() -> None:
    ana = Computer("ana", "ana")
    ana.found("garden")
    stranger = Computer("stranger", "ana")
    cable = recover(stranger, ana, bytes(32))
    assert stranger.joined().message.startswith("nobody there knows this community")
    assert [len(frame) < 40 for frame in cable.sent[1]] == [True]  # the nonce alone


def test_a_root_is_proven_on_this_link_alone() -> None:
    ana = Computer("ana", "ana")
    garden = ana.found("garden")
    heads = ana.machine.replica(garden).heads()
    seen = recover(Computer("first", "ana"), ana, garden).sent[0]
    shown = next(frame for frame in seen if isinstance(f.decode_link_frame(frame), f.RootShown))
    again = ana.machine.replica(garden).heads()

    def replayed(frame: bytes) -> bytes:
        return shown if isinstance(f.decode_link_frame(frame), f.RootShown) else frame

    thief = Computer("thief", "sam")
    recover(thief, ana, garden, session=8, alter=replayed)
    assert thief.joined().state == "failed"
    assert ana.machine.replica(garden).heads() == again != heads


def test_a_certificate_by_another_root_is_not_taken() -> None:
    ana = Computer("ana", "ana")
    garden = ana.found("garden")
    heads = ana.machine.replica(garden).heads()
    anew = Computer("anew", "ana")
    other = auth.dev_add_payload(key_named("sam root").public, anew.keys(garden).prekey, bytes(64))

    def spoilt(frame: bytes) -> bytes:
        read = f.decode_link_frame(frame)
        if isinstance(read, f.Begun):
            keys = anew.keys(garden)
            log = Chain(keys.signer, garden, AUTH)
            log.add(other, kind=auth.DEV_ADD)
            return encode(msgspec.structs.replace(read, first=encode_batch([log.run()])))
        return frame

    recover(anew, ana, garden, alter=spoilt)
    assert anew.joined().state == "failed"
    assert ana.machine.replica(garden).heads() == heads


def test_a_member_that_asks_for_the_root_of_another_community_is_found_out() -> None:
    ana = Computer("ana", "ana")
    garden = ana.found("garden")
    bare = Computer("bare", "ana")
    session = SESSION
    bare.handle(i.RecoveryStarted(session, ana.peer_id, bare.keys(garden), bare.entropy))
    for lie in (f.NonceAnswered(bytes(32)), f.NonceTold(bytes(32))):
        bare.handle(i.FrameReceived(session, encode(lie)))
    genesis = recover(Computer("other", "ana"), ana, garden, session=8).sent[1]
    welcome = next(g for g in genesis if isinstance(f.decode_link_frame(g), f.Readmitted))
    bare.handle(i.FrameReceived(session, welcome))
    assert bare.joined().state == "failed"
    assert "unexpected" in bare.joined().message
    assert bare.machine.communities() == []


@pytest.mark.parametrize("side", [0, 1])
@given(data=st.data())
def test_no_frame_raises(side: int, data: st.DataObject) -> None:
    def pair() -> tuple[Computer, Computer, bytes]:
        member = Computer("ana", "ana")
        return Computer("bare", "ana"), member, member.found("garden")

    bare, member, garden = pair()
    good = recover(bare, member, garden)
    bare, member, garden = pair()
    receiver = (member, bare)[side]
    receiver.handle(
        i.RecoveryStarted(SESSION, member.peer_id, bare.keys(garden), bare.entropy)
        if side
        else i.RecoveryAsked(SESSION, bare.peer_id)
    )
    frames = good.sent[side]
    for frame in frames[: data.draw(st.integers(0, len(frames)))]:
        receiver.handle(i.FrameReceived(SESSION, frame))
    at = data.draw(st.integers(0, len(frames) - 1))
    hostile = data.draw(st.one_of(st.binary(max_size=300), mutations(frames[at])))
    receiver.handle(i.FrameReceived(SESSION, hostile))
    assert member.machine.communities() == [garden]
