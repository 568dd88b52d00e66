"""Who was not invited gets in nowhere and learns nothing, however often she knocks."""

from __future__ import annotations

import os
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

import pytest
import trio

from p2pvalue.network import JOIN_PROTOCOL, SYNC_PROTOCOL, LinkClosed
from p2pvalue.network.yamux import StreamEnded
from p2pvalue_protocol import frames as f
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.hello import Transcript
from p2pvalue_protocol.invitation import InviteLink, invite_key, parse_link
from p2pvalue_protocol.join_frames import (
    Declined,
    Introduction,
    InviteShown,
    JoinFrame,
    NonceAnswered,
    NonceOffered,
    Refusal,
    Welcome,
    decode_join_frame,
    request_message,
)
from p2pvalue_protocol.keys import SigningKey
from tests.network.attacks.attackers import MESHSUB, raw_peer
from tests.seeds import drawn_seed
from tests.system.hostile import (
    Insider,
    Spoken,
    Stranger,
    Watch,
    asked,
    at_once,
    honest,
    joined,
    stranger,
    until,
)

Attack = Callable[[Stranger, Watch, random.Random], Awaitable[None]]
IDENTIFY, PING = "/ipfs/id/1.0.0", "/ipfs/ping/1.0.0"


async def say(spoken: Spoken, frame: JoinFrame) -> None:
    await spoken.say_raw(encode(frame))


async def knock(peer: Stranger, link: InviteLink, secret: bytes) -> Spoken:
    """Ask to be let in with the key of some secret, as far as the answer."""
    spoken = await peer.open_join()
    nonce = os.urandom(32)
    await say(spoken, NonceOffered(nonce))
    answered = decode_join_frame(await spoken.hear_raw())
    assert isinstance(answered, NonceAnswered)
    transcript = Transcript((nonce, answered.nonce), (peer.network.peer_id, peer.victim_id))
    device, invite = SigningKey(os.urandom(32)), invite_key(secret)
    message = request_message(link.community, transcript, device.public)
    proof = (device.public, device.sign(message))
    await say(spoken, InviteShown(invite.public, invite.sign(message), *proof))
    return spoken


async def an_invented_invite(peer: Stranger, watch: Watch, rng: random.Random) -> None:
    link = parse_link(await asked(watch.victim.invite))
    spoken = await knock(peer, link, rng.randbytes(16))
    await spoken.until_closed()
    assert len(spoken.heard) == 1, "nothing but a nonce may be told"


async def a_used_up_invite(peer: Stranger, watch: Watch, rng: random.Random) -> None:
    text = await asked(watch.victim.invite, 1)
    async with honest(watch.new_folder(), "Uma") as node:
        await joined(node, text)
    link = parse_link(text)
    spoken = await knock(peer, link, link.secret)
    assert decode_join_frame(await spoken.hear_raw()) == Declined(Refusal.USED_UP)
    assert link.community not in b"".join(spoken.heard)


async def garbage_instead_of_a_first_operation(
    peer: Stranger, watch: Watch, rng: random.Random
) -> None:
    link = parse_link(await asked(watch.victim.invite, 2))
    for batch in (rng.randbytes(500), b""):
        spoken = await knock(peer, link, link.secret)
        assert isinstance(decode_join_frame(await spoken.hear_raw()), Welcome)
        await say(spoken, Introduction(batch, rng.randbytes(64)))
        await spoken.until_closed()
        await spoken.link.close()


async def garbage_on_the_join_link(peer: Stranger, watch: Watch, rng: random.Random) -> None:
    for size in (0, 1, 40, 60_000):
        spoken = await peer.open_join()
        await spoken.say_raw(rng.randbytes(size))
        await spoken.until_closed()
        await spoken.link.close()


async def a_flood_of_joins(peer: Stranger, watch: Watch, rng: random.Random) -> None:
    link = parse_link(await asked(watch.victim.invite))
    for _ in range(200):
        with suppress(LinkClosed):
            spoken = await knock(peer, link, rng.randbytes(16))
            await spoken.until_closed()
            await spoken.link.close()


async def joins_that_stop_half_way(peer: Stranger, watch: Watch, rng: random.Random) -> None:
    link = parse_link(await asked(watch.victim.invite))
    half_way = [await knock(peer, link, link.secret) for _ in range(12)]
    for spoken in half_way:
        assert isinstance(decode_join_frame(await spoken.hear_raw()), Welcome)
    for spoken in half_way:
        await spoken.until_closed()


async def invented_tags(peer: Stranger, watch: Watch, rng: random.Random) -> None:
    spoken = await peer.open()
    await spoken.say(f.NonceOffered(rng.randbytes(32)))
    await spoken.hear(f.NonceAnswered)
    await spoken.say(f.TagsShown([rng.randbytes(16) for _ in range(64)]))
    await spoken.until_closed()
    assert len(spoken.heard) == 1, "nothing but a nonce may be told"


async def frames_of_the_wrong_protocol(peer: Stranger, watch: Watch, rng: random.Random) -> None:
    spoken = await peer.open_join()
    await spoken.say(f.Heads(b"", 0, []))
    await spoken.until_closed()


ATTACKS: tuple[Attack, ...] = (
    an_invented_invite,
    a_used_up_invite,
    garbage_instead_of_a_first_operation,
    garbage_on_the_join_link,
    a_flood_of_joins,
    joins_that_stop_half_way,
    invented_tags,
    frames_of_the_wrong_protocol,
)


@pytest.fixture(scope="module")
def outcomes(watch: Watch) -> dict[str, BaseException | None]:
    """How each attack ended, all of them at the same time."""
    seed = drawn_seed(__name__)
    address = watch.victim.address

    async def attacked(attack: Attack) -> None:
        async with stranger(address) as peer:
            await attack(peer, watch, random.Random(f"{seed} {attack.__name__}"))

    return trio.run(at_once, watch, {a.__name__: partial(attacked, a) for a in ATTACKS})


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_the_daemon_serves_others_during_and_after(
    attack: Attack, outcomes: dict[str, BaseException | None]
) -> None:
    assert outcomes[attack.__name__] is None


async def test_an_outsider_learns_no_name_no_key_no_text_and_no_community(
    watch: Watch, mallory: Insider, rng: random.Random
) -> None:
    victim = watch.victim
    view = await asked(victim.ask, "GET", "/community")
    members = await asked(victim.ask, "GET", "/members")
    heard = bytearray()
    async with raw_peer(await asked(lambda: victim.address)) as outsider, trio.open_nursery() as n:
        openings = {
            SYNC_PROTOCOL: framed(f.encode_frame(f.NonceOffered(rng.randbytes(32))))
            + framed(f.encode_frame(f.TagsShown([rng.randbytes(16)]))),
            JOIN_PROTOCOL: framed(encode(NonceOffered(rng.randbytes(32))))
            + framed(
                encode(InviteShown(rng.randbytes(32), rng.randbytes(64), *random_device(rng)))
            ),
            MESHSUB: b"",
            IDENTIFY: b"",
            PING: rng.randbytes(32),
        }

        async def listen(protocol: str, opening: bytes) -> None:
            stream = await outsider.open(protocol)
            with suppress(StreamEnded):
                await stream.write(opening)
                while data := await stream.read():
                    heard.extend(data)

        for protocol, opening in openings.items():
            n.start_soon(listen, protocol, opening)
        await until(lambda: len(heard) > 150)
        async with honest(watch.new_folder(), "Willa") as node:  # others talk meanwhile
            await joined(node, await asked(victim.invite))
            await node.community().post("a word among members")
        with trio.move_on_after(6):  # longer than any stream of a stranger may wait
            await trio.sleep_forever()
        assert outsider.opened == [], "the daemon speaks to her on its own accord"
        n.cancel_scope.cancel()
    secret_things = [bytes.fromhex(view["community"]), mallory.secret]
    for member in members:
        secret_things += [bytes.fromhex(key) for key in (member["member"], *member["devices"])]
    texts = ["Garden", "secrets", "Ana", "stone", "a word among members"]
    for thing in (*secret_things, *(text.encode() for text in texts)):
        for form in (thing, thing.hex().encode()):
            assert form not in heard


def framed(frame: bytes) -> bytes:
    return len(frame).to_bytes(4, "big") + frame


def random_device(rng: random.Random) -> tuple[bytes, bytes]:
    return SigningKey(rng.randbytes(32)).public, rng.randbytes(64)


async def test_a_newcomer_gets_in_though_strangers_hold_all_places(
    watch: Watch, rng: random.Random
) -> None:
    address = await asked(lambda: watch.victim.address)
    async with trio.open_nursery() as nursery:
        for _ in range(30):
            await nursery.start(hold_a_place, address)
        await watch.check_serves()
        nursery.cancel_scope.cancel()


async def hold_a_place(address: str, *, task_status: trio.TaskStatus[None]) -> None:
    """Stay connected under a new key, with a stream that is never idle for long."""
    async with raw_peer(address) as peer:
        stream = await peer.open(PING)
        with suppress(StreamEnded):
            await stream.write(bytes(32))
            await stream.read()
        task_status.started()
        await trio.sleep_forever()
