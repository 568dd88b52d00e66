"""What a stranger gets from daemons that bring in devices and take people back: nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from p2pvalue.network import LINK_PROTOCOL, RECOVER_PROTOCOL, LinkClosed
from p2pvalue_protocol import link_frames as f
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.hello import Transcript
from p2pvalue_protocol.keys import SigningKey
from tests.system.hostile import Spoken, Stranger, stranger
from tests.system.person import Person, people

GUESSES = 100


@pytest.fixture(scope="module")
def ana(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """Somebody with a community, whose daemon any of these attacks may meet."""
    with people(tmp_path_factory.mktemp("ana"), "Ana", durability="kill") as (person,):
        person.found("Garden of secrets")
        yield person
        assert person.stop() == 0, person.log


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Person]:
    """A new device that nobody has brought in yet."""
    person = Person("phone", tmp_path / "phone", entropy=None, durability="kill")
    try:
        person.start()
        person.until_up()
        yield person
    finally:
        person.close()


async def greeted(peer: Stranger, protocol: str, rng: random.Random) -> tuple[Spoken, Transcript]:
    """A link on which both nonces were said."""
    spoken = await peer.open(protocol)
    nonce = rng.randbytes(32)
    await spoken.say_raw(encode(f.NonceOffered(nonce)))
    answered = f.decode_link_frame(await spoken.hear_raw())
    assert isinstance(answered, f.NonceAnswered)
    return spoken, Transcript((nonce, answered.nonce), (peer.network.peer_id, peer.victim_id))


def test_a_device_that_shows_no_code_answers_nobody(phone: Person, rng: random.Random) -> None:
    async def attack() -> None:
        async with stranger(phone.address) as peer:
            spoken = await peer.open(LINK_PROTOCOL)
            await spoken.say_raw(encode(f.NonceOffered(rng.randbytes(32))))
            await spoken.until_closed()
            assert spoken.heard == []

    trio.run(attack)


def test_guessing_the_secret_of_a_code_neither_finds_nor_spoils_it(
    ana: Person, phone: Person, rng: random.Random
) -> None:
    shown = phone.ask("POST", "/devices/link")

    async def guess(peer: Stranger) -> None:
        spoken, transcript = await greeted(peer, LINK_PROTOCOL, rng)
        proof = f.secret_proof(rng.randbytes(16), transcript, f.OLDER)
        await spoken.say_raw(encode(f.SecretShown(proof)))
        await spoken.until_closed()
        assert len(spoken.heard) == 1

    async def attack() -> int:
        async with stranger(phone.address) as peer:
            for done in range(GUESSES):
                try:
                    await guess(peer)
                except LinkClosed:  # the network lets no peer open links without end
                    return done
        return GUESSES

    guesses = trio.run(attack)
    print(f"{guesses} guesses were heard")
    assert guesses > 0
    assert phone.ask("GET", "/devices/link")["state"] == "waiting"
    assert ana.ask("POST", "/devices/add", code=shown["code"])["state"] == "linked"


def test_who_stands_in_for_the_new_device_is_told_nothing(ana: Person, rng: random.Random) -> None:
    """A code names its peer: one that only heard of the secret is never called."""

    async def attack() -> list[bytes]:
        async with stranger(ana.address) as peer:
            spoken = await peer.open(LINK_PROTOCOL)
            try:
                await spoken.say_raw(encode(f.NonceAnswered(rng.randbytes(32))))
                await spoken.until_closed()
            except LinkClosed:
                pass
            return spoken.heard

    assert trio.run(attack) == []


def test_knowing_the_community_is_not_being_a_member(ana: Person, rng: random.Random) -> None:
    view = ana.ask("GET", "/community")
    community = bytes.fromhex(view["community"])
    root = SigningKey(rng.randbytes(32))
    device = SigningKey(rng.randbytes(32)).public

    async def attack() -> list[bytes]:
        async with stranger(ana.address) as peer:
            spoken, transcript = await greeted(peer, RECOVER_PROTOCOL, rng)
            await spoken.say_raw(encode(f.CommunityShown(f.community_proof(community, transcript))))
            assert isinstance(f.decode_link_frame(await spoken.hear_raw()), f.NonceTold)
            message = f.root_message(community, transcript, device)
            await spoken.say_raw(encode(f.RootShown(root.public, device, root.sign(message))))
            declined = f.decode_link_frame(await spoken.hear_raw())
            assert declined == f.Declined(f.LinkRefusal.NOT_A_MEMBER)
            unknown, transcript = await greeted(peer, RECOVER_PROTOCOL, rng)
            proof = f.community_proof(rng.randbytes(32), transcript)
            await unknown.say_raw(encode(f.CommunityShown(proof)))
            await unknown.until_closed()
            assert len(unknown.heard) == 1
            return spoken.heard

    heard = b"".join(trio.run(attack))
    members = ana.ask("GET", "/members")
    keys = [bytes.fromhex(k) for m in members for k in (m["member"], *m["devices"])]
    assert not any(thing in heard for thing in (*keys, community, b"Garden", b"Ana"))
    assert ana.ask("GET", "/community")["operations"] == view["operations"]


@pytest.mark.parametrize("protocol", [LINK_PROTOCOL, RECOVER_PROTOCOL])
def test_garbage_ends_a_link_and_nothing_else(
    ana: Person, phone: Person, protocol: str, rng: random.Random
) -> None:
    victim = phone if protocol == LINK_PROTOCOL else ana
    if victim is phone:
        phone.ask("POST", "/devices/link")
    frames = [b"", b"\x90", b"\x91\x63", rng.randbytes(70_000), encode(f.Ended()), b"\xc1" * 100]

    async def attack() -> None:
        async with stranger(victim.address) as peer:
            for frame in frames:
                spoken, _ = await greeted(peer, protocol, rng)
                try:
                    await spoken.say_raw(frame)
                    await spoken.until_closed()
                except LinkClosed:
                    pass

    trio.run(attack)
    assert victim.status()["network"] == "up"
