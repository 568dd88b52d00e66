"""What two devices prove and hand over on the link between them, and how much at most."""

from __future__ import annotations

import pytest

from p2pvalue_protocol import inputs as i
from p2pvalue_protocol import limits
from p2pvalue_protocol import link_frames as f
from p2pvalue_protocol.addresses import decode_record, make_record
from p2pvalue_protocol.effects import CloseSession, Linked, SendFrame
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.hello import Transcript
from tests.protocol.authoring import key_named, prekey_named
from tests.protocol.desk import NOW_MS, Computer, join
from tests.protocol.device_link import ANA, SECRET, SESSION, link


def called(secret: bytes) -> tuple[Computer, bytes]:
    """A laptop with a garden that called somebody who then showed a secret."""
    laptop = Computer("laptop", "ana")
    garden = laptop.found("garden")
    laptop.handle(i.LinkStarted(SESSION, "peer-of-phone", SECRET, ANA))
    first = laptop.outbox.popleft()
    assert isinstance(first, SendFrame)
    offered = f.decode_link_frame(first.frame)
    assert isinstance(offered, f.NonceOffered)
    transcript = Transcript((offered.nonce, bytes(32)), (laptop.peer_id, "peer-of-phone"))
    proof = f.secret_proof(secret, transcript, f.NEWER)
    for frame in (f.NonceAnswered(bytes(32)), f.SecretShown(proof)):
        laptop.handle(i.FrameReceived(SESSION, encode(frame)))
    return laptop, garden


def said(computer: Computer) -> list[f.LinkFrame]:
    return [f.decode_link_frame(e.frame) for e in computer.outbox if isinstance(e, SendFrame)]


@pytest.mark.parametrize("is_known", [False, True])
def test_the_newer_device_shows_that_it_made_the_code(is_known: bool) -> None:
    laptop, _ = called(SECRET if is_known else bytes(16))
    assert any(isinstance(frame, f.PersonShown) for frame in said(laptop)) == is_known


def test_who_calls_and_knows_no_secret_tells_the_person_nothing_by_going() -> None:
    phone = Computer("phone", "nobody")
    phone.handle(i.LinkAsked(SESSION, "peer-of-a-stranger", SECRET))
    phone.handle(i.FrameReceived(SESSION, encode(f.NonceOffered(bytes(32)))))
    effects = phone.handle(i.PeerLeft(SESSION))
    assert not any(isinstance(effect, Linked) for effect in effects)


KEY, PREKEY = key_named("phone device").public, prekey_named("phone")


@pytest.mark.parametrize(
    ("key", "prekey", "communities", "is_taken"),
    [
        (KEY, PREKEY, ("garden",), True),
        (KEY, PREKEY, ("garden", "other"), False),
        (KEY, PREKEY, ("other",), False),
        (KEY, PREKEY, ("garden", "garden"), False),
        (bytes(32), PREKEY, ("garden",), False),
        (KEY, bytes(32), ("garden",), False),
    ],
    ids=["taken", "one unknown", "unknown", "twice", "no key", "no prekey"],
)
def test_devices_are_made_for_the_communities_that_were_shown_with_good_keys(
    key: bytes, prekey: bytes, communities: tuple[str, ...], is_taken: bool
) -> None:
    laptop, garden = called(SECRET)
    named = sorted({"garden": garden, "other": bytes([255]) * 32}[name] for name in communities)
    made = f.DevicesMade("phone", tuple(f.NewDevice(name, key, prekey) for name in named))
    laptop.handle(i.FrameReceived(SESSION, encode(made)))
    assert any(isinstance(frame, f.Certified) for frame in said(laptop)) == is_taken
    ends = [e.reason for e in laptop.outbox if isinstance(e, CloseSession)]
    assert ends == ([] if is_taken else [Reason.FRAME_INVALID])


def test_one_link_hands_over_as_many_communities_as_its_frame_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "LINKED_COMMUNITIES_MAX", 2)
    laptop, phone = Computer("laptop", "ana"), Computer("phone", "nobody")
    communities = sorted(laptop.found(name) for name in ("garden", "kitchen", "square"))
    link(laptop, phone)
    assert [community for community, _ in phone.linked().devices] == communities[:2]


def with_addresses(laptop: Computer, garden: bytes, *names: str) -> list[Computer]:
    """Members who joined, and whose addresses the laptop knows as well as its own."""
    laptop.invite(garden)
    others = []
    for number, name in enumerate(names, 10):
        other = Computer(name, name)
        join(other, laptop, garden, number)
        others.append(other)
    replica = laptop.machine.replica(garden)
    for computer in (laptop, *others):
        signer = computer.machine.replica(garden).signer
        assert signer is not None
        replica.begin()
        record = make_record(signer, garden, computer.peer_id, ["/ip4/1.2.3.4/tcp/1"], NOW_MS)
        assert replica.learn_address(record, NOW_MS)
        laptop.store.commit([replica.finish()])
    return others


def test_a_node_knows_where_others_are_and_does_not_call_itself() -> None:
    laptop = Computer("notebook", "ana")
    garden = laptop.found("garden")
    others = with_addresses(laptop, garden, *"bcdefg")
    devices = [other.device(garden) for other in others]
    assert min(devices) < laptop.device(garden) < max(devices)
    assert [known.device for known in laptop.machine.known_addresses()] == sorted(devices)
    assert {known.peer_id for known in laptop.machine.known_addresses()} == {
        other.peer_id for other in others
    }


def test_a_new_device_is_handed_the_address_of_the_older_one_and_of_few_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "RECORDS_HANDED_MAX", 2)
    laptop, phone = Computer("laptop", "ana"), Computer("phone", "nobody")
    garden = laptop.found("garden")
    with_addresses(laptop, garden, "ben", "cyd")
    sent = map(f.decode_link_frame, link(laptop, phone).sent[0])
    [certified] = [frame for frame in sent if isinstance(frame, f.Certified)]
    assert len(certified.records) == 2
    first = decode_record(certified.records[0], garden)
    assert first is not None
    assert first.device == laptop.device(garden)
