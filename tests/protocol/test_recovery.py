"""How a person comes back with her words alone, and what a stranger gets out of trying."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import inputs as i
from p2pvalue_protocol import limits
from p2pvalue_protocol import link_frames as f
from p2pvalue_protocol.admission import genesis_run
from p2pvalue_protocol.effects import CloseSession, SendFrame
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.hello import Transcript
from p2pvalue_protocol.ids import AUTH, Reference
from p2pvalue_protocol.log import decode_batch, encode_batch
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


def test_a_root_brings_back_a_key_that_can_sign_and_no_other() -> None:
    ana = Computer("ana", "ana")
    garden = ana.found("garden")
    bare = Computer("bare", "ana")
    ana.handle(i.RecoveryAsked(SESSION, bare.peer_id))
    ana.handle(i.FrameReceived(SESSION, encode(f.NonceOffered(bytes(32)))))
    answered = f.decode_link_frame(frame_of(ana.outbox.popleft()))
    assert isinstance(answered, f.NonceAnswered)
    transcript = Transcript((bytes(32), answered.nonce), (bare.peer_id, ana.peer_id))
    founding = ana.membership(garden).genesis
    assert founding is not None
    root = bare.root(founding.nonce)
    signature = root.sign(f.root_message(garden, transcript, bytes(32)))
    known = f.CommunityShown(f.community_proof(garden, transcript))
    for frame in (known, f.RootShown(root.public, bytes(32), signature)):
        ana.handle(i.FrameReceived(SESSION, encode(frame)))
    told, end = ana.outbox
    assert isinstance(f.decode_link_frame(frame_of(told)), f.NonceTold)
    assert end == CloseSession(SESSION, Reason.FRAME_INVALID)


def test_a_member_that_was_put_out_brings_nobody_back() -> None:
    ana, ben = Computer("ana", "ana"), Computer("ben", "ben")
    garden = ana.found("garden")
    ana.invite(garden)
    join(ben, ana, garden, 1)
    sync(ben, ana, garden, 2)
    root = ana.membership(garden).member_of(ben.device(garden))
    assert root is not None
    ana.write(garden, auth.REVOKE, auth.revoke_payload(root))
    sync(ben, ana, garden, 3)
    anew = Computer("ana's new machine", "ana")
    recover(anew, ben, garden)
    assert anew.joined().message.startswith("the member you reached may not let people in")


def test_who_lost_the_answer_is_answered_as_the_first_time() -> None:
    ana = Computer("ana", "ana")
    garden = ana.found("garden")
    recover(Computer("anew", "ana"), ana, garden)
    heads = ana.machine.replica(garden).heads()
    anew = Computer("anew", "ana")  # with the same keys, and nothing stored
    recover(anew, ana, garden, session=8)
    assert anew.joined().state == "admitted"
    assert ana.machine.replica(garden).heads() == heads
    sync(anew, ana, garden, 9)
    assert anew.digest(garden) == ana.digest(garden)


def test_a_first_operation_that_names_what_the_member_does_not_hold_is_not_taken() -> None:
    ana = Computer("ana", "ana")
    garden = ana.found("garden")
    heads = ana.machine.replica(garden).heads()
    anew = Computer("anew", "ana")
    unheard = Reference(key_named("sam").public, AUTH, 0, bytes(32))

    def naming(frame: bytes) -> bytes:
        read = f.decode_link_frame(frame)
        if isinstance(read, f.Begun):
            [run] = decode_batch(read.first)
            log = Chain(anew.keys(garden).signer, garden, AUTH)
            log.add(run.items[0].payload, kind=auth.DEV_ADD, parents=[unheard])
            return encode(msgspec.structs.replace(read, first=encode_batch([log.run()])))
        return frame

    recover(anew, ana, garden, alter=naming)
    assert anew.joined().message.startswith("the member you reached may not let people in")
    assert ana.machine.replica(garden).heads() == heads


def test_a_genesis_that_nobody_signed_is_not_taken() -> None:
    ana, bare = Computer("ana", "ana"), Computer("bare", "ana")
    garden = ana.found("garden")
    founding, genesis = ana.membership(garden).genesis, genesis_run(ana.machine.replica(garden))
    assert founding is not None
    assert genesis is not None
    items = [msgspec.structs.replace(item, signature=bytes(64)) for item in genesis.items]
    forged = encode_batch([msgspec.structs.replace(genesis, items=items)])
    bare.handle(i.RecoveryStarted(SESSION, ana.peer_id, bare.keys(garden), bare.entropy))
    for frame in (
        f.NonceAnswered(bytes(32)),
        f.NonceTold(founding.nonce),
        f.Readmitted(forged),
    ):
        bare.handle(i.FrameReceived(SESSION, encode(frame)))
    assert bare.joined().state == "failed"
    assert str(Reason.SIGNATURE_INVALID) in bare.joined().message
    assert bare.machine.replica(garden).heads() == []


def test_who_cannot_write_at_this_time_is_told_why() -> None:
    ana, anew = Computer("ana", "ana"), Computer("anew", "ana")
    garden = ana.found("garden")
    Cable(anew, ana, SESSION).carry(
        i.RecoveryStarted(SESSION, ana.peer_id, anew.keys(garden), anew.entropy),
        i.RecoveryAsked(SESSION, anew.peer_id),
        limits.TIME_MS_MAX,
    )
    assert anew.joined().state == "failed"
    assert anew.joined().message.startswith("the clock is at the end of time")


def frame_of(effect: SendFrame | CloseSession) -> bytes:
    assert isinstance(effect, SendFrame)
    return effect.frame


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
