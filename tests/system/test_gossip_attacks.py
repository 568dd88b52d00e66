"""What a member says through gossip that is wrong costs her, and delays nobody else."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import msgspec
import pytest
import trio

from p2pvalue.network import SYNC_PROTOCOL
from p2pvalue.network.links import StreamLink
from p2pvalue.node.node import wall_clock_ms
from p2pvalue_protocol.envelope import SALT_BYTES, seal_envelope
from p2pvalue_protocol.gossip import topic_name
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds.chat import NUMBER as CHAT
from p2pvalue_protocol.kinds.chat import encode_chat_message
from p2pvalue_protocol.log import Run, encode_batch
from tests.network.attacks.attackers import RawPeer, gossip_killers
from tests.patience import WAIT_S
from tests.system.hostile import (
    Insider,
    Spoken,
    Stranger,
    Watch,
    asked,
    handshake,
    stranger,
    until,
)

LOG_LINES_MAX = 200


@asynccontextmanager
async def admitted(watch: Watch, insider: Insider) -> AsyncIterator[Stranger]:
    """A peer that the daemon speaks gossip with, and that never syncs what it holds."""
    topic = topic_name(insider.secret)
    async with stranger(await asked(lambda: watch.victim.address)) as peer:
        peer.network.subscribe(topic)
        await peer.greet(insider)
        peer.network.admit_to_gossip(peer.victim_id, [topic])
        await until(lambda: peer.network.status()["mesh_peers"])
        yield peer


async def figure(watch: Watch, name: str) -> int:
    status = await asked(watch.victim.status)
    return int(status["network_detail"][name])


def sealed(insider: Insider, message: bytes) -> bytes:
    """A message as who knows the topic's secret sends it."""
    topic = topic_name(insider.secret)
    return seal_envelope(insider.secret, topic, message, os.urandom(SALT_BYTES))


def real_operation(insider: Insider, text: str) -> tuple[Reference, list[Run]]:
    draft = Draft(CHAT, b"", encode_chat_message(text))
    return insider.write(draft, now_ms=wall_clock_ms())


async def test_garbage_on_the_topic_ends_the_connection_and_nothing_else(
    watch: Watch, mallory: Insider, rng: random.Random
) -> None:
    before = await figure(watch, "gossip_rejected")
    async with admitted(watch, mallory) as peer:
        for _ in range(16):
            peer.network.publish(topic_name(mallory.secret), rng.randbytes(200))
        await until(lambda: peer.victim_id not in peer.network.peers())
    assert await figure(watch, "gossip_rejected") - before >= 8
    await watch.check_serves()


@pytest.mark.parametrize("spoiled", ["signature", "payload"])
async def test_a_forged_copy_does_not_delay_the_real_operation(
    spoiled: str, watch: Watch, mallory: Insider, rng: random.Random
) -> None:
    topic = topic_name(mallory.secret)
    text = f"the real one, {spoiled}"
    _, runs = real_operation(mallory, text)
    changed = {"signature": rng.randbytes(64), "payload": encode_chat_message("the forged one")}
    before = await figure(watch, "gossip_rejected")
    async with admitted(watch, mallory) as forger, admitted(watch, mallory) as carrier:
        for item in (runs[-1].items[-1],):
            forged = msgspec.structs.replace(item, **{spoiled: changed[spoiled]})
            items = [*runs[-1].items[:-1], forged]
            batch = encode_batch([*runs[:-1], msgspec.structs.replace(runs[-1], items=items)])
            forger.network.publish(topic, sealed(mallory, batch))
        with trio.fail_after(WAIT_S):
            while await figure(watch, "gossip_rejected") == before:
                await trio.lowlevel.checkpoint()
        carrier.network.publish(topic, sealed(mallory, encode_batch(runs)))
        with trio.fail_after(WAIT_S):
            await asked(watch.victim.until_reads, text)
    assert "the forged one" not in await asked(watch.victim.texts)


async def test_a_flood_on_the_topic_leaves_others_served(watch: Watch, mallory: Insider) -> None:
    topic = topic_name(mallory.secret)
    async with admitted(watch, mallory) as peer, trio.open_nursery() as nursery:

        async def flood() -> None:
            while True:
                for number in range(50):
                    _, runs = real_operation(mallory, f"buy {number}")
                    peer.network.publish(topic, sealed(mallory, encode_batch(runs)))
                await until(lambda: not peer.network.status()["messages_waiting"])

        nursery.start_soon(flood)
        await watch.check_serves()
        nursery.cancel_scope.cancel()


async def test_frames_that_end_a_stock_node_do_nothing_when_a_member_sends_them(
    watch: Watch, mallory: Insider, rng: random.Random
) -> None:
    address = await asked(lambda: watch.victim.address)
    victim_id = await asked(lambda: watch.victim.peer_id)

    async def greet(peer: RawPeer) -> None:
        stream = await peer.open(SYNC_PROTOCOL)
        spoken = Spoken(StreamLink(stream, peer_id=victim_id, protocol=SYNC_PROTOCOL))
        await handshake(spoken, mallory, (peer.peer_id, victim_id))

    lines = watch.victim.log.count("\n")
    async with trio.open_nursery() as nursery:
        with trio.fail_after(WAIT_S):
            await nursery.start(partial(gossip_killers, address, rng, admitted=greet))
        await watch.check_serves()
        nursery.cancel_scope.cancel()
    await watch.check_serves()
    assert watch.victim.log.count("\n") - lines < LOG_LINES_MAX
