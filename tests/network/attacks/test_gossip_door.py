"""Who learns what through gossip, and what a hostile member can do to it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import trio

from p2pvalue.network.yamux import StreamEnded
from tests.network.attacks.attackers import MESHSUB, raw_peer
from tests.network.attacks.conftest import ROOT, TOPIC, Server, Visit
from tests.network.attacks.gossiper import Gossiper, gossiper
from tests.patience import WAIT_S

STOCK_PEER = ROOT / "tests" / "network" / "attacks" / "stock_peer.py"
SUBSCRIBE = b'{"do": "subscribe", "topic": "a-topic"}'


async def test_a_peer_that_was_not_admitted_receives_no_byte_of_gossip(
    server: Server, visit: Visit
) -> None:
    async with visit() as honest, raw_peer(server.address) as outsider:
        await honest.speaks_gossip()
        stream = await outsider.open(MESHSUB)
        with pytest.raises(StreamEnded), trio.fail_after(WAIT_S):
            assert await stream.read() == b""
        await honest.speaks_gossip()
        assert outsider.opened == []


async def test_a_stock_host_is_told_topics_only_once_admitted(server: Server, visit: Visit) -> None:
    async with visit() as honest:
        await honest.ask("subscribe", topic=TOPIC)
        stock = await trio.run_process(
            [sys.executable, str(STOCK_PEER), server.address, TOPIC],
            capture_stdout=True,
            stderr=subprocess.DEVNULL,
        )
    told = json.loads(stock.stdout)
    assert told["echoes"] == [str(n) for n in range(20)]
    assert told["told_before"] == []
    assert told["told_after"] == [TOPIC]


async def admitted(gossip: Gossiper) -> None:
    """Make a hand-made peer a full member of the mesh."""
    await gossip.obey(SUBSCRIBE)
    await gossip.obey(b'{"do": "admit"}')
    await gossip.until_heard(lambda rpc: any(s.topicid == TOPIC for s in rpc.subscriptions))


async def test_a_forged_copy_does_not_keep_the_real_message_away(
    server: Server, visit: Visit
) -> None:
    async with visit() as honest, gossiper(server.address) as forger:
        await honest.speaks_gossip()
        await admitted(forger)
        real = f"real operation of {honest.network.peer_id}".encode()
        forged = forger.rpc()
        server_id = honest.server_id.encode()
        forged.publish.add(data=real, topicIDs=[TOPIC], from_id=server_id, seqno=bytes(8))
        forged.publish.add(data=real, topicIDs=[TOPIC], signature=b"s", key=b"k")
        forged.publish.add(data=real, topicIDs=["another-topic"])
        forged.publish.add(data=b"reject " + real, topicIDs=[TOPIC])
        forged.publish.add(data=real[:-1], topicIDs=[TOPIC])
        await forger.send(forged)
        await honest.ask_until(
            lambda heard: any(h[1] == real.decode()[:-1] for h in heard), "heard"
        )
        honest.network.publish(TOPIC, real)
        heard = await honest.ask_until(
            lambda heard: any(h[1] == real.decode() for h in heard), "heard"
        )
        assert [h[2] for h in heard if h[1] == real.decode()] == [honest.network.peer_id]


async def test_what_was_heard_is_not_asked_for_again(server: Server, visit: Visit) -> None:
    from p2pvalue.network.libp2p_router import message_id

    async with visit() as honest, gossiper(server.address) as member:
        await admitted(member)
        offer = member.rpc()
        message = offer.publish.add(data=member.peer.channel.peer.to_bytes(), topicIDs=[TOPIC])
        message.data = b"offer of " + honest.network.peer_id.encode()
        await member.send(offer)
        await honest.ask_until(
            lambda heard: any(h[1] == message.data.decode() for h in heard), "heard"
        )
        ihave = member.rpc()
        ihave.control.ihave.add(
            topicID=TOPIC, messageIDs=[message_id(message), b"never heard of it!!!"]
        )
        await member.send(ihave)
        wanting = await member.until_heard(lambda rpc: len(rpc.control.iwant) > 0)
        assert list(wanting.control.iwant[0].messageIDs) == [b"never heard of it!!!"]
        iwant = member.rpc()
        iwant.control.iwant.add(messageIDs=[message_id(message)])
        await member.send(iwant)
        await member.until_heard(lambda rpc: any(m.data == message.data for m in rpc.publish))


async def test_offences_end_the_connection_and_ignored_messages_do_not(
    server: Server, visit: Visit
) -> None:
    async with visit() as honest, gossiper(server.address) as member:
        await admitted(member)
        odd = member.rpc()
        for number in range(20):
            odd.publish.add(data=b"ignore %d" % number, topicIDs=[TOPIC])
        await member.send(odd)
        await honest.ask_until(lambda heard: any(h[1] == "ignore 19" for h in heard), "heard")
        assert member.peer.session.ended is None
        bad = member.rpc()
        for number in range(20):
            bad.publish.add(data=b"reject %d" % number, topicIDs=[TOPIC])
        await member.send(bad)
        with trio.fail_after(WAIT_S):
            while member.peer.session.ended is None:
                await trio.lowlevel.checkpoint()
        await honest.is_served()


async def test_a_burst_beyond_the_librarys_queue_arrives_whole(
    server: Server, visit: Visit
) -> None:
    async with visit() as honest:
        await honest.speaks_gossip()
        name = honest.network.peer_id
        burst = [f"burst {n} of {name}" for n in range(60)]
        assert all(honest.network.publish(TOPIC, text.encode()) for text in burst)
        heard = await honest.ask_until(lambda heard: any(h[1] == burst[-1] for h in heard), "heard")
        assert [h[1] for h in heard if h[1] in burst] == burst
