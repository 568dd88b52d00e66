"""A member may waste her own words; she cannot take anybody else's, nor end a daemon."""

from __future__ import annotations

import random
from pathlib import Path

import trio

from p2pvalue.network.addresses import peer_id_of_seed
from p2pvalue.node.node import wall_clock_ms
from p2pvalue_protocol import frames as f
from p2pvalue_protocol import limits
from p2pvalue_protocol.addresses import make_record
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds.chat import NUMBER as CHAT
from p2pvalue_protocol.kinds.chat import encode_chat_message
from tests.system.hostile import Insider, Watch, asked, brought, insider, offer, stranger, until
from tests.system.person import people

FLOOD = 2_000
UNDIALABLE = (
    "/ip4/999.1.1.1/tcp/1/p2p/{peer}",
    "/dns4/xn--\x7e.\x2e/tcp/1/p2p/{peer}",
    "/dns4/..../tcp/1/p2p/{peer}",
    "/dns4/" + "a" * 90 + "/tcp/1/p2p/{peer}",
    "/ip4/127.0.0.1/udp/1/quic/p2p/{peer}",
    "nonsense",
    "/p2p/{peer}",
    "/ip6/::1/tcp/99999999999/p2p/{peer}",
)


def messages(*texts: str) -> list[Draft]:
    return [Draft(CHAT, b"", encode_chat_message(text)) for text in texts]


async def test_a_flood_of_messages_is_stored_and_leaves_others_served(
    watch: Watch, mallory: Insider
) -> None:
    texts = [f"buy {number}" for number in range(FLOOD)]
    head, runs = mallory.write(*messages(*texts), now_ms=wall_clock_ms())
    async with stranger(await asked(lambda: watch.victim.address)) as peer:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(brought, peer, mallory, head, runs)
            await watch.check_serves()
    await asked(watch.victim.until, lambda: texts[-1] in watch.victim.texts(), "the last message")


async def test_a_message_from_the_future_is_held_back_and_not_lost(
    watch: Watch, tmp_path: Path
) -> None:
    victim = watch.victim
    address = await asked(lambda: victim.address)
    for early_by_ms in (4_000, 40_000, 120_000):  # a slow machine may not see it in time
        text = f"from tomorrow, {early_by_ms} ms too early"
        clocky = await insider(tmp_path / f"clocky {early_by_ms}", victim)
        early_ms = wall_clock_ms() + limits.AHEAD_MS_MAX + early_by_ms
        head, runs = clocky.write(*messages(text), now_ms=early_ms)
        async with stranger(address) as peer:
            spoken = await peer.greet(clocky)
            await offer(spoken, head, runs)
            await spoken.hear(f.Ack)
            seen = await asked(victim.texts)
            if wall_clock_ms() + limits.AHEAD_MS_MAX < early_ms:
                assert text not in seen
                await watch.check_serves()
                break
    else:
        raise AssertionError("this machine is too slow to say anything before its time")
    await until(lambda: wall_clock_ms() + limits.AHEAD_MS_MAX >= early_ms)
    async with stranger(address) as peer:
        await offer(await peer.greet(clocky), head, runs)
        await asked(victim.until_reads, text)


async def test_addresses_that_nobody_can_dial_do_no_harm(watch: Watch, mallory: Insider) -> None:
    victim = watch.victim
    async with stranger(await asked(lambda: victim.address)) as peer:
        spoken = await peer.greet(mallory)
        for number, pattern in enumerate(UNDIALABLE):
            address = pattern.format(peer=peer.network.peer_id)
            record = make_record(
                mallory.signer,
                mallory.community,
                peer.network.peer_id,
                [address],
                wall_clock_ms() + number,
            )
            await spoken.say(f.Addresses([record]))

        def is_known() -> bool:
            return any(
                UNDIALABLE[-1].format(peer=peer.network.peer_id) in known["addresses"]
                for known in victim.ask("GET", "/peers")
            )

        await asked(victim.until, is_known, "the last address")
    await watch.check_serves()


async def test_nobody_is_made_unreachable_by_lies_about_her_addresses(
    watch: Watch, mallory: Insider, tmp_path: Path
) -> None:
    victim = watch.victim
    with people(tmp_path, "Ben") as (ben,):
        await asked(ben.join, await asked(victim.invite))
        await asked(ben.until_member)
        ben_id = await asked(lambda: ben.peer_id)
        true_address = f"/ip4/127.0.0.1/tcp/{ben.cable.port}/p2p/{ben_id}"

        def is_known(address: str) -> bool:
            return any(address in known["addresses"] for known in victim.ask("GET", "/peers"))

        await asked(victim.until, lambda: is_known(true_address), "Ben's address")
        async with stranger(await asked(lambda: victim.address)) as peer:
            spoken = await peer.greet(mallory)
            for number in range(4):
                lies = [f"/ip4/127.0.0.1/tcp/{9 + 8 * number + n}/p2p/{ben_id}" for n in range(8)]
                now_ms = wall_clock_ms() + 1_000 + number
                record = make_record(mallory.signer, mallory.community, ben_id, lies, now_ms)
                await spoken.say(f.Addresses([record]))
            await asked(victim.until, lambda: is_known(lies[0]), "the lies")
        assert await asked(is_known, true_address)


async def test_a_device_that_names_ever_new_peers_keeps_one_place(
    watch: Watch, mallory: Insider, rng: random.Random
) -> None:
    victim = watch.victim
    before = len(await asked(victim.ask, "GET", "/peers"))
    async with stranger(await asked(lambda: victim.address)) as peer:
        spoken = await peer.greet(mallory)
        for number in range(64):
            invented = peer_id_of_seed(rng.randbytes(32))
            address = f"/ip4/127.0.0.1/tcp/{9 + number}/p2p/{invented}"
            now_ms = wall_clock_ms() + 60_000 + number
            record = make_record(mallory.signer, mallory.community, invented, [address], now_ms)
            await spoken.say(f.Addresses([record]))

        def is_known() -> bool:
            return any(address in known["addresses"] for known in victim.ask("GET", "/peers"))

        await asked(victim.until, is_known, "the last address")
        # The stranger itself is connected, and one more is the last that was named.
        assert len(await asked(victim.ask, "GET", "/peers")) <= before + 2
    await watch.check_serves()
