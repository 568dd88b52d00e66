"""How an older device brings in a newer one, and what somebody else gets out of trying."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import inputs as i
from p2pvalue_protocol import link_frames as f
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.ids import AUTH
from p2pvalue_protocol.log import decode_batch, encode_batch
from p2pvalue_protocol.removal import device_removal_draft, removal_draft
from tests.protocol.authoring import key_named, prekey_named
from tests.protocol.desk import NOW_MS, Cable, Computer, join, sync
from tests.protocol.device_link import ANA, SECRET, SESSION, hears, link
from tests.protocol.hostility import mutations
from tests.protocol.replicas import Chain


def test_a_new_device_speaks_for_its_person_in_all_her_communities() -> None:
    laptop, phone = Computer("laptop", "ana"), Computer("phone", "nobody")
    communities = sorted(laptop.found(name) for name in ("garden", "kitchen"))
    for community in communities:
        laptop.say(community, "before")
    link(laptop, phone)
    assert phone.linked().state == laptop.linked().state == "linked"
    assert phone.linked().devices == tuple((c, laptop.device(c)) for c in communities)
    assert laptop.linked().devices == tuple((c, phone.device(c)) for c in communities)
    assert (phone.linked().label, laptop.linked().label) == ("laptop", "phone")
    for number, community in enumerate(communities, SESSION + 1):
        sync(phone, laptop, community, number)
        phone.say(community, "from the phone")
        sync(phone, laptop, community, number + 10)
        assert phone.digest(community) == laptop.digest(community)
        root = laptop.membership(community).member_of(laptop.device(community))
        assert phone.membership(community).member_of(phone.device(community)) == root
        (member,) = laptop.membership(community).members()
        assert len(member.devices) == 2


def test_what_the_words_stand_for_is_not_sent() -> None:
    laptop, phone = Computer("laptop", "ana"), Computer("phone", "nobody")
    laptop.found("garden")
    sent = b"".join(frame for side in link(laptop, phone).sent for frame in side)
    assert laptop.entropy not in sent
    assert SECRET not in sent


def test_another_member_takes_the_new_device_from_whom_it_meets() -> None:
    laptop, phone, ben = (Computer(name, name) for name in ("laptop", "phone", "ben"))
    garden = laptop.found("garden")
    laptop.invite(garden)
    join(ben, laptop, garden, 1)
    sync(ben, laptop, garden, 2)
    link(laptop, phone)
    sync(phone, laptop, garden, 8)
    phone.say(garden, "hello")
    sync(phone, ben, garden, 9)
    assert phone.device(garden) in ben.membership(garden).devices()
    assert ben.digest(garden) == phone.digest(garden)


def test_a_device_that_was_brought_in_brings_in_another() -> None:
    laptop, phone, tablet = (Computer(name, name) for name in ("laptop", "phone", "tablet"))
    garden = laptop.found("garden")
    link(laptop, phone)
    sync(phone, laptop, garden, 8)
    link(phone, tablet, session=9)
    sync(tablet, phone, garden, 10)
    sync(tablet, laptop, garden, 11)
    tablet.say(garden, "third")
    sync(tablet, laptop, garden, 12)
    assert laptop.digest(garden) == tablet.digest(garden)
    assert len(laptop.membership(garden).devices()) == 3


def test_who_does_not_know_the_secret_learns_nothing_and_is_not_told_of() -> None:
    laptop, phone = Computer("laptop", "ana"), Computer("phone", "nobody")
    garden = laptop.found("garden")
    cable = link(laptop, phone, secret=bytes(16))
    assert laptop.linked().state == "failed"
    assert laptop.linked().message.startswith("the other device does not take this code")
    assert phone.told == []
    assert [len(frame) < 40 for frame in cable.sent[1]] == [True]  # the nonce alone
    assert garden not in b"".join(cable.sent[0])


def test_a_peer_that_took_the_new_ones_place_is_told_nothing() -> None:
    laptop, phone = Computer("laptop", "ana"), Computer("phone", "nobody")
    garden = laptop.found("garden")
    cable = Cable(laptop, phone, SESSION).carry(
        i.LinkStarted(SESSION, phone.peer_id, SECRET, ANA),
        i.LinkAsked(SESSION, "a peer on another way", SECRET),
    )
    assert laptop.linked().state == "failed"
    assert garden not in b"".join(cable.sent[0])


def test_a_link_that_broke_off_can_be_made_again() -> None:
    laptop, phone = Computer("laptop", "ana"), Computer("phone", "nobody")
    communities = sorted(laptop.found(name) for name in ("garden", "kitchen"))
    count = 0

    def breaking(frame: bytes) -> bytes | None:
        nonlocal count
        count += isinstance(f.decode_link_frame(frame), f.Taken)
        return None if count else frame

    link(laptop, phone, alter=breaking)
    laptop.handle(i.PeerLeft(SESSION))
    phone.handle(i.PeerLeft(SESSION))
    assert phone.linked().state == "failed"
    heads = laptop.machine.replica(communities[0]).heads()
    link(laptop, phone, session=8)
    assert [community for community, _ in phone.linked().devices] == communities
    assert laptop.machine.replica(communities[0]).heads() == heads


def test_a_device_given_up_is_replaced_where_it_is() -> None:
    laptop, phone = Computer("laptop", "ana"), Computer("phone", "nobody")
    garden = laptop.found("garden")
    link(laptop, phone)
    sync(phone, laptop, garden, 8)
    phone.say(garden, "by the first device")
    former = phone.device(garden)
    phone.start_anew()
    link(laptop, phone, session=9)
    assert phone.device(garden) != former
    sync(phone, laptop, garden, 10)
    phone.say(garden, "by the second")
    sync(phone, laptop, garden, 11)
    assert laptop.digest(garden) == phone.digest(garden)
    assert {former, phone.device(garden)} <= set(laptop.membership(garden).devices())


def test_what_a_device_given_up_wrote_and_nobody_has_does_not_keep_another_out() -> None:
    laptop, phone = Computer("laptop", "ana"), Computer("phone", "nobody")
    garden = laptop.found("garden")
    link(laptop, phone)
    sync(phone, laptop, garden, 8)
    phone.invite(garden)  # an auth operation that the laptop does not hold
    phone.start_anew()
    link(laptop, phone, session=9)
    assert phone.linked().state == "linked"
    sync(phone, laptop, garden, 10)
    assert phone.digest(garden) == laptop.digest(garden)


def test_what_is_sealed_to_the_new_device_opens_where_the_old_one_was() -> None:
    laptop, phone = Computer("laptop", "ana"), Computer("phone", "nobody")
    garden = laptop.found("garden")
    link(laptop, phone)
    sync(phone, laptop, garden, 8)
    former = phone.device(garden)
    phone.start_anew()
    link(laptop, phone, session=9)
    replica = laptop.machine.replica(garden)
    root = laptop.membership(garden).member_of(laptop.device(garden))
    assert root is not None
    removal = device_removal_draft(replica, root, former)
    laptop.handle(i.Write(garden, (removal,)))
    laptop.say(garden, "under new keys")
    sync(phone, laptop, garden, 10)
    phone.say(garden, "read")
    sync(phone, laptop, garden, 11)
    assert phone.digest(garden) == laptop.digest(garden)
    assert phone.machine.replica(garden).sealed_count == 0


def test_a_device_of_another_person_says_why_it_does_not_follow() -> None:
    laptop, phone = Computer("laptop", "ana"), Computer("phone", "nobody")
    laptop.found("garden")
    phone.refusal = f.LinkRefusal.OTHER_PERSON
    link(laptop, phone)
    for computer in (laptop, phone):
        assert computer.linked().state == "failed"
        assert "somebody else's" in computer.linked().message


def test_a_new_device_is_told_where_the_others_listen_and_who_brings_it_in_first() -> None:
    laptop, phone = Computer("laptop", "ana"), Computer("phone", "nobody")
    garden = laptop.found("garden")
    laptop.invite(garden)
    peers = [Computer(name, name) for name in ("ben", "cia", "dan")]
    for number, peer in enumerate(peers, 1):
        join(peer, laptop, garden, number)
        peer.handle(i.AddressesChanged((f"/ip4/192.0.2.{number}/tcp/4001",)))
        sync(peer, laptop, garden, 10 + number)
    laptop.handle(i.AddressesChanged(("/ip4/192.0.2.9/tcp/4001",)))
    cable = link(laptop, phone)
    [certified] = [
        frame for frame in map(f.decode_link_frame, cable.sent[0]) if isinstance(frame, f.Certified)
    ]
    known = {record: device for device, record in laptop.machine.replica(garden).address_records()}
    told = [known[record] for record in certified.records]
    assert told[0] == laptop.device(garden)
    assert sorted(told[1:]) == sorted(peer.device(garden) for peer in peers)


def test_who_was_put_out_of_one_community_brings_a_device_into_the_others() -> None:
    ada, ben, phone = Computer("ada", "ada"), Computer("ben", "ben"), Computer("phone", "nobody")
    garden, kitchen = ada.found("garden"), ben.found("kitchen")
    ada.invite(garden)
    join(ben, ada, garden, 1)
    root = ada.membership(garden).member_of(ben.device(garden))
    assert root is not None
    ada.handle(i.Write(garden, (removal_draft(ada.machine.replica(garden), root),)))
    sync(ben, ada, garden, 2)
    link(ben, phone)
    assert [community for community, _ in phone.linked().devices] == [kitchen]


def test_a_person_without_communities_is_told_so() -> None:
    laptop, phone = Computer("laptop", "ana"), Computer("phone", "nobody")
    link(laptop, phone)
    assert laptop.linked().message.startswith("there is no community")


def test_the_older_device_certifies_no_key_but_the_one_it_was_told() -> None:
    laptop, phone = Computer("laptop", "ana"), Computer("phone", "nobody")
    garden = laptop.found("garden")
    heads = laptop.machine.replica(garden).heads()

    def forged(frame: bytes) -> bytes | None:
        read = f.decode_link_frame(frame)
        if isinstance(read, f.Certified):
            return encode(msgspec.structs.replace(read, certificate=bytes(64)))
        return frame

    cable = link(laptop, phone, alter=forged)
    assert phone.linked().state == "failed"
    assert laptop.machine.replica(garden).heads() == heads
    said = [type(f.decode_link_frame(frame)) for frame in cable.sent[1]]
    assert f.Begun not in said


@pytest.mark.parametrize("side", [min, max])
@pytest.mark.parametrize("field", ["root", "prekey", "certificate", "certifier"])
def test_a_first_operation_that_says_something_else_than_was_certified_is_not_taken(
    field: str, side: Callable[[Iterable[bytes]], bytes]
) -> None:
    laptop, phone = Computer("laptop", "ana"), Computer("phone", "nobody")
    garden = laptop.found("garden")
    heads = laptop.machine.replica(garden).heads()
    keys = phone.keys(garden)
    cable = link(laptop, Computer("phone", "nobody"))
    (begun,) = [
        frame for frame in map(f.decode_link_frame, cable.sent[1]) if isinstance(frame, f.Begun)
    ]
    (run,) = decode_batch(begun.first)
    added = auth.read_payload(auth.DevAddPayload, run.items[0].payload)
    assert added is not None
    names = "sam", "tom", "uma", "vic", "wes", "xia"
    other = {
        "root": side(key_named(name).public for name in names),
        "prekey": side(prekey_named(name) for name in names),
        "certificate": bytes(64),
        "certifier": side(key_named(name).public for name in names),
    }
    changed = msgspec.structs.replace(added, **{field: other[field]})
    log = Chain(keys.signer, garden, AUTH)
    log.add(encode(changed), kind=auth.DEV_ADD)
    spoilt = encode(f.Begun(garden, encode_batch([log.run()])))
    frames = [
        spoilt if isinstance(f.decode_link_frame(sent), f.Begun) else sent for sent in cable.sent[1]
    ]
    assert hears(cable.sent[1]).linked().state == "linked"
    laptop = hears(frames)
    assert laptop.linked().state == "failed"
    assert laptop.machine.replica(garden).heads() == heads


@pytest.mark.parametrize("side", [0, 1])
@given(data=st.data())
def test_no_frame_raises(side: int, data: st.DataObject) -> None:
    good = link(*_pair())
    good_communities = _pair()[0].machine.communities()
    laptop, phone = _pair()
    (laptop, phone)[1 - side].handle(
        i.LinkAsked(SESSION, laptop.peer_id, SECRET)
        if side == 0
        else i.LinkStarted(SESSION, phone.peer_id, SECRET, ANA)
    )
    receiver = (laptop, phone)[1 - side]
    frames = good.sent[side]
    for frame in frames[: data.draw(st.integers(0, len(frames)))]:
        receiver.handle(i.FrameReceived(SESSION, frame))
    at = data.draw(st.integers(0, len(frames) - 1))
    hostile = data.draw(st.one_of(st.binary(max_size=300), mutations(frames[at])))
    receiver.handle(i.FrameReceived(SESSION, hostile))
    assert laptop.machine.communities() == good_communities


def _pair() -> tuple[Computer, Computer]:
    laptop = Computer("laptop", "ana")
    laptop.found("garden")
    return laptop, Computer("phone", "nobody")


def test_a_silent_side_is_left_after_ten_seconds() -> None:
    laptop, phone = _pair()
    laptop.handle(i.LinkStarted(SESSION, phone.peer_id, SECRET, ANA))
    phone.handle(i.LinkAsked(SESSION, laptop.peer_id, SECRET))
    for computer in (laptop, phone):
        computer.outbox.clear()
        computer.handle(i.Wakeup(), NOW_MS + 9_999)
        assert not computer.outbox
        computer.handle(i.Wakeup(), NOW_MS + 10_000)
        assert computer.outbox
    assert laptop.linked().state == "failed"
    assert laptop.linked().message.startswith("the other device does not take this code")
    assert phone.told == []
