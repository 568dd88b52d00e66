"""A link between devices on which a side loses its standing, or says what it should not."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import inputs as i
from p2pvalue_protocol import limits
from p2pvalue_protocol import link_frames as f
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.ids import AUTH, Reference
from p2pvalue_protocol.log import decode_batch, encode_batch
from p2pvalue_protocol.removal import device_removal_draft
from tests.protocol.authoring import key_named
from tests.protocol.desk import NOW_MS, Cable, Computer, sync
from tests.protocol.device_link import ANA, SECRET, SESSION, hears, link
from tests.protocol.replicas import Chain

CANNOT_ADMIT = "the older device may not write there any more"


def pair() -> tuple[Computer, Computer, bytes]:
    laptop = Computer("laptop", "ana")
    return laptop, Computer("phone", "nobody"), laptop.found("garden")


def when(frame_type: type[msgspec.Struct], change: Callable[[f.LinkFrame], f.LinkFrame]) -> Alter:
    """Say something else in frames of one type."""

    def alter(data: bytes) -> bytes:
        frame = f.decode_link_frame(data)
        return encode(change(frame)) if isinstance(frame, frame_type) else data

    return alter


Alter = Callable[[bytes], bytes]


# --- the older device is put out while it brings in the newer one


def put_out_when(frame_type: type[f.LinkFrame]) -> tuple[Computer, Computer]:
    """Let the desk put the laptop out as soon as the laptop says such a frame on its link."""
    desk, laptop = Computer("desk", "ana"), Computer("laptop", "nobody")
    garden = desk.found("garden")
    link(desk, laptop)
    sync(laptop, desk, garden, 8)
    phone = Computer("phone", "nobody")

    def removing(data: bytes) -> bytes:
        if isinstance(f.decode_link_frame(data), frame_type):
            replica = desk.machine.replica(garden)
            root = desk.membership(garden).member_of(desk.device(garden))
            assert root is not None
            draft = device_removal_draft(replica, root, laptop.device(garden))
            desk.handle(i.Write(garden, (draft,)))
            sync(laptop, desk, garden, 10)
        return data

    link(laptop, phone, session=9, alter=removing)
    return laptop, phone


def test_a_device_that_is_put_out_meanwhile_tells_of_no_community() -> None:
    laptop, phone = put_out_when(f.NonceOffered)
    assert laptop.linked().message.startswith("there is no community")
    assert phone.linked().message.startswith("there is no community")
    assert phone.machine.communities() == []


def test_a_device_that_is_put_out_meanwhile_certifies_nothing() -> None:
    laptop, phone = put_out_when(f.PersonShown)
    for computer in (laptop, phone):
        assert computer.linked().state == "failed"
        assert computer.linked().message == CANNOT_ADMIT
    assert phone.machine.communities() == []


# --- the link breaks, and another device of hers goes on


def test_a_device_that_had_begun_by_one_of_hers_is_taken_by_another() -> None:
    laptop, phone, garden = pair()
    tablet = Computer("tablet", "nobody")
    link(laptop, tablet)
    sync(tablet, laptop, garden, 8)

    def leaving(data: bytes) -> bytes:
        if isinstance(f.decode_link_frame(data), f.Certified):
            laptop.handle(i.PeerLeft(9))
        return data

    link(laptop, phone, session=9, alter=leaving)
    device = phone.device(garden)
    assert not laptop.membership(garden).is_live(device)
    link(tablet, phone, session=10)
    assert phone.linked().state == "linked"
    assert phone.device(garden) == device, "its log has begun, with what the laptop certified"
    sync(phone, laptop, garden, 11)
    assert laptop.membership(garden).is_live(device)


# --- what the newer device says


def test_a_first_operation_of_another_community_is_not_taken() -> None:
    laptop, phone, garden = pair()
    heads = laptop.machine.replica(garden).heads()
    frames = link(laptop, phone).sent[1]
    other = when(f.Begun, lambda begun: msgspec.structs.replace(begun, community=bytes(32)))
    laptop = hears([other(frame) for frame in frames])
    assert str(Reason.FRAME_INVALID) in laptop.linked().message
    assert laptop.machine.replica(garden).heads() == heads


def test_a_first_operation_that_names_what_is_not_held_is_not_taken() -> None:
    laptop, phone, garden = pair()
    heads = laptop.machine.replica(garden).heads()
    frames = link(laptop, phone).sent[1]
    signer = phone.keys(garden).signer
    unheard = Reference(key_named("sam").public, AUTH, 0, bytes(32))

    def naming(begun: f.LinkFrame) -> f.Begun:
        assert isinstance(begun, f.Begun)
        [run] = decode_batch(begun.first)
        log = Chain(signer, garden, AUTH)
        log.add(run.items[0].payload, kind=auth.DEV_ADD, parents=[unheard])
        return f.Begun(garden, encode_batch([log.run()]))

    laptop = hears([when(f.Begun, naming)(frame) for frame in frames])
    assert laptop.linked().message == CANNOT_ADMIT
    assert laptop.machine.replica(garden).heads() == heads


# --- what the older device says


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (f.LinkRefusal.CANNOT_ADMIT, CANNOT_ADMIT),
        (77, "the other device answered something unexpected; update both and retry"),
    ],
)
def test_a_newer_device_tells_why_the_older_one_declines(refusal: int, words: str) -> None:
    laptop, phone, _ = pair()
    link(laptop, phone, alter=when(f.Certified, lambda _: f.Declined(refusal)))
    assert phone.linked().state == "failed"
    assert phone.linked().message == words
    assert phone.machine.communities() == []


def test_communities_are_told_ascending_and_each_once() -> None:
    laptop, phone, _ = pair()

    def twice(shown: f.LinkFrame) -> f.PersonShown:
        assert isinstance(shown, f.PersonShown)
        return msgspec.structs.replace(shown, memberships=shown.memberships * 2)

    link(laptop, phone, alter=when(f.PersonShown, twice))
    assert str(Reason.FRAME_INVALID) in phone.linked().message
    assert len(phone.told) == 1  # no keys were asked for


def certifying(**fields: object) -> tuple[Computer, bytes]:
    """A phone whose older device certified it with other words."""
    laptop, phone, garden = pair()
    changed = when(f.Certified, lambda frame: msgspec.structs.replace(frame, **fields))
    link(laptop, phone, alter=changed)
    return phone, garden


@pytest.mark.parametrize("field", ["community", "certificate", "certifier", "genesis"])
def test_a_newer_device_begins_no_log_by_what_was_not_told_or_does_not_hold(field: str) -> None:
    others: dict[str, object] = {
        "community": bytes(32),
        "certificate": bytes(64),
        "certifier": key_named("sam").public,
        "genesis": encode_batch([]),
    }
    phone, _ = certifying(**{field: others[field]})
    assert phone.linked().state == "failed"
    assert str(Reason.FRAME_INVALID) in phone.linked().message
    assert phone.machine.communities() == []


def test_a_newer_device_takes_no_genesis_with_another_nonce_than_it_was_told() -> None:
    laptop, phone, _ = pair()

    def otherwise(shown: f.LinkFrame) -> f.PersonShown:
        assert isinstance(shown, f.PersonShown)
        told = [msgspec.structs.replace(told, nonce=bytes(32)) for told in shown.memberships]
        return msgspec.structs.replace(shown, memberships=tuple(told))

    link(laptop, phone, alter=when(f.PersonShown, otherwise))
    assert str(Reason.FRAME_INVALID) in phone.linked().message
    assert phone.machine.communities() == []


def test_a_newer_device_takes_no_genesis_that_its_founder_did_not_sign() -> None:
    laptop, phone, garden = pair()

    def forged(frame: f.LinkFrame) -> f.Certified:
        assert isinstance(frame, f.Certified)
        [run] = decode_batch(frame.genesis)
        items = [msgspec.structs.replace(item, signature=bytes(64)) for item in run.items]
        genesis = encode_batch([msgspec.structs.replace(run, items=items)])
        return msgspec.structs.replace(frame, genesis=genesis)

    link(laptop, phone, alter=when(f.Certified, forged))
    assert str(Reason.SIGNATURE_INVALID) in phone.linked().message
    assert phone.machine.replica(garden).heads() == []


def test_a_newer_device_whose_clock_is_at_the_end_of_time_is_told_so() -> None:
    laptop, phone, _ = pair()
    Cable(laptop, phone, SESSION).carry(
        i.LinkStarted(SESSION, phone.peer_id, SECRET, ANA),
        i.LinkAsked(SESSION, laptop.peer_id, SECRET),
        limits.TIME_MS_MAX,
    )
    assert phone.linked().state == "failed"
    assert phone.linked().message.startswith("the clock is at the end of time")


@pytest.mark.parametrize("community", [bytes(32), b"\xff" * 32])
def test_a_newer_device_takes_secrets_of_the_community_that_it_began_in_alone(
    community: bytes,
) -> None:
    laptop, phone, garden = pair()
    other = when(f.Taken, lambda taken: msgspec.structs.replace(taken, community=community))
    link(laptop, phone, alter=other)
    assert str(Reason.FRAME_INVALID) in phone.linked().message
    assert phone.machine.replica(garden).topic_secrets == []


def test_what_is_said_after_the_end_of_a_link_is_passed_over() -> None:
    laptop, phone, garden = pair()
    laptop = hears(link(laptop, phone).sent[1])
    assert laptop.linked().state == "linked"
    assert laptop.handle(i.FrameReceived(SESSION, encode(f.Begun(garden, b"")))) == []
    assert laptop.linked().state == "linked"
    laptop.handle(i.Wakeup(), NOW_MS - 3_600_000)  # nor does it wait for anything
    laptop.handle(i.Wakeup(), NOW_MS + 3_600_000)
    assert laptop.linked().state == "linked"
