"""Every known way to end, wedge or fill a stock node, tried on a process that must keep serving."""

from __future__ import annotations

import random
import signal
from contextlib import suppress

import pytest
import trio

from p2pvalue.network import (
    JOIN_PROTOCOL,
    SYNC_PROTOCOL,
    Libp2pNetwork,
    Timeouts,
    parse_address,
    peer_id_of_seed,
)
from p2pvalue.network.yamux import StreamEnded
from tests.network.attacks import attackers
from tests.network.attacks.attackers import Attack, RawPeer, raw_peer
from tests.network.attacks.conftest import TOPIC, Server, Visit, serving
from tests.network.recorder import Recorder
from tests.patience import WAIT_S
from tests.ports import KeptPort

MEMORY_GROWTH_KIB_MAX = 24 * 1024


async def check_survival(server: Server, visit: Visit, attack: Attack) -> None:
    """An honest peer is served during the attack and after it, and nothing is left over."""
    async with visit() as before:
        calm = await before.ask("status")
    async with trio.open_nursery() as nursery:
        with trio.fail_after(WAIT_S):
            await nursery.start(attack, server.address)
        async with visit() as during:
            await during.is_served()
            assert (await during.ask("status"))["memory_kib"] - calm["memory_kib"] < (
                MEMORY_GROWTH_KIB_MAX
            )
        nursery.cancel_scope.cancel()
    async with visit() as after:
        await after.is_served()
        status = await after.ask_until(lambda s: s["tasks"] <= calm["tasks"] + 4)
        assert status["generation"] == calm["generation"], "the generation died"


@pytest.mark.parametrize("attack", attackers.WITHOUT_RANDOMNESS, ids=lambda a: a.__name__)
async def test_others_are_served(attack: Attack, server: Server, visit: Visit) -> None:
    await check_survival(server, visit, attack)


@pytest.mark.parametrize("attack", attackers.WITH_RANDOMNESS, ids=lambda a: a.__name__)
async def test_others_are_served_under_random_bytes(
    attack: Attack, server: Server, visit: Visit, rng: random.Random
) -> None:
    async def attack_with_seed(address: str, *, task_status: trio.TaskStatus[None]) -> None:
        await attack(address, rng, task_status=task_status)

    await check_survival(server, visit, attack_with_seed)


async def admitted(peer: RawPeer) -> None:
    """Have the server speak gossip with a raw peer."""
    for command in (b'{"do": "subscribe", "topic": "a-topic"}', b'{"do": "admit"}'):
        link = await peer.open(JOIN_PROTOCOL)
        await link.write(len(command).to_bytes(4, "big") + command)
        await link.read_exactly(8)
        link.finish()


async def test_admitted_peers_cannot_end_gossip(
    server: Server, visit: Visit, rng: random.Random
) -> None:
    async def attack(address: str, *, task_status: trio.TaskStatus[None]) -> None:
        await attackers.gossip_killers(address, rng, admitted=admitted, task_status=task_status)

    await check_survival(server, visit, attack)
    async with visit() as honest:
        await honest.speaks_gossip()


async def test_a_peer_that_never_reads_loses_its_link_and_others_keep_theirs(
    server: Server, visit: Visit
) -> None:
    async with raw_peer(server.address) as peer, visit() as honest:
        stream = await peer.open(SYNC_PROTOCOL)
        frame = (60_000).to_bytes(4, "big") + bytes(60_000)
        with trio.fail_after(WAIT_S):
            while stream.ended is None:
                with trio.move_on_after(0.05), suppress(StreamEnded):
                    await stream.write(frame)
                await honest.is_served()
        assert peer.session.ended is None, "the connection went with the link"


async def test_a_handshake_that_stalls_is_ended(server: Server) -> None:
    target = parse_address(server.address)
    stream = await trio.open_tcp_stream(target.host, target.port)
    async with stream:
        with trio.fail_after(WAIT_S):
            while await stream.receive_some():
                pass


async def test_a_dead_generation_is_replaced_and_serves(visit: Visit) -> None:
    with serving() as server:
        async with visit(server.address) as honest:
            await honest.ask("subscribe", topic=TOPIC)
            await honest.tell("crash")
            await honest.recorder.until_gone(honest.server_id)
            with trio.fail_after(WAIT_S):
                while True:
                    try:
                        await honest.network.connect([server.address])
                        break
                    except ConnectionError:
                        await trio.lowlevel.checkpoint()
            status = await honest.ask("status")
            assert status["generation"] == 2
            assert "asked to die" in status["last_error"]
            assert status["topics"] == 1
            await honest.speaks_gossip()


async def test_a_stopped_peer_is_noticed(visit: Visit) -> None:
    with (
        serving() as other,
        serving(timeouts={"ping_interval_s": 0.2, "ping_answer_s": 5.0}) as one,
    ):
        async with visit(one.address) as honest:
            await honest.ask("connect", addresses=[other.address])
            other_id = other.address.rpartition("/")[2]
            other.process.send_signal(signal.SIGSTOP)
            await honest.ask_until(lambda status: other_id not in status["peers"])


async def test_a_peer_that_was_not_there_is_reached_as_soon_as_it_is(visit: Visit) -> None:
    seed = b"\x66" * 32
    async with visit() as honest:
        with KeptPort() as port:
            listen = f"/ip4/127.0.0.1/tcp/{port.number}"
            address = f"{listen}/p2p/{peer_id_of_seed(seed)}"
            for _ in range(3):
                with pytest.raises(ConnectionError):
                    await honest.network.connect([address])
            with serving(seed=seed.hex(), listen=[listen]) as back:
                assert back.address == address
                await honest.network.connect([address])


async def test_a_port_that_is_taken_is_tried_again(server: Server) -> None:
    taken = server.address.partition("/p2p/")[0]
    network = Libp2pNetwork(bytes(32), [taken], timeouts=Timeouts(restart_min_s=0.01))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(network.run, Recorder())
        with trio.fail_after(WAIT_S):
            while not network.status()["last_error"]:
                await trio.lowlevel.checkpoint()
        assert network.status()["state"] == "starting"
        assert "in use" in str(network.status()["last_error"])
        nursery.cancel_scope.cancel()
