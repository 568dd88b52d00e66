"""A host exactly as the library ships it, in its own process: `stock_peer.py ADDRESS TOPIC`.

It connects, echoes over a stock stream, notes which topics it was told, asks to be admitted and
notes them again. Prints one JSON object.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import multiaddr  # type: ignore[import-untyped]  # the library ships no types
import trio
from libp2p import new_host
from libp2p.custom_types import TProtocol
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.pubsub.gossipsub import PROTOCOL_ID_V11, GossipSub
from libp2p.pubsub.pubsub import Pubsub
from libp2p.tools.anyio_service import background_trio_service

logging.disable(logging.CRITICAL)


async def exchange(host: Any, peer: Any, protocol: str, frame: bytes) -> bytes:
    stream = await host.new_stream(peer, [TProtocol(protocol)])
    await stream.write(len(frame).to_bytes(4, "big") + frame)
    size = int.from_bytes(await read_exactly(stream, 4), "big")
    answer = await read_exactly(stream, size)
    await stream.close()
    return answer


async def read_exactly(stream: Any, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += await stream.read(size - len(data))
    return data


async def main(address: str, topic: str) -> None:
    host = new_host(listen_addrs=[multiaddr.Multiaddr("/ip4/127.0.0.1/tcp/0")])
    router = GossipSub([PROTOCOL_ID_V11], 6, 4, 8, heartbeat_interval=1)
    pubsub = Pubsub(host, router)
    info = info_from_p2p_addr(multiaddr.Multiaddr(address))
    result: dict[str, object] = {}
    async with host.run(listen_addrs=[]):
        async with background_trio_service(pubsub), background_trio_service(router):
            await pubsub.wait_until_ready()
            await pubsub.subscribe(topic)
            await host.connect(info)
            await pubsub.wait_for_peer(info.peer_id, timeout=180)
            echoed = [
                await exchange(host, info.peer_id, "/p2pvalue/sync/1", b"%d" % n) for n in range(20)
            ]
            result["echoes"] = [e.decode() for e in echoed]
            result["told_before"] = sorted(t for t, p in pubsub.peer_topics.items() if p)
            command = json.dumps({"do": "admit"}).encode()
            await exchange(host, info.peer_id, "/p2pvalue/join/1", command)
            await pubsub.wait_for_subscription(info.peer_id, topic, timeout=180)
            result["told_after"] = sorted(t for t, p in pubsub.peer_topics.items() if p)
            print(json.dumps(result), flush=True)
        await host.close()


if __name__ == "__main__":
    trio.run(main, sys.argv[1], sys.argv[2])
