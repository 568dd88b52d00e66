"""A real process that serves the network, for attackers: echoes frames and obeys a control link.

`python serve.py '{"timeouts": {…}, "limits": {…}}'` prints its addresses as one line of JSON. The
sync protocol echoes; the join protocol takes commands as JSON and answers each in one frame.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import trio

from p2pvalue.network import (
    JOIN_PROTOCOL,
    Libp2pNetwork,
    Limits,
    Link,
    Timeouts,
    Verdict,
)

TOPIC = "a-topic"


class Served:
    def __init__(self, network: Libp2pNetwork) -> None:
        self._network = network
        self._heard: list[list[str]] = []

    async def serve_link(self, link: Link) -> None:
        while True:
            frame = await link.receive()
            if link.protocol == JOIN_PROTOCOL:
                answer = await self._obey(json.loads(frame), link.peer_id)
                await link.send(json.dumps(answer).encode())
            elif frame == b"raise":
                raise RuntimeError("the handler was asked to fail")
            else:
                await link.send(frame)

    def peer_connected(self, peer_id: str) -> None:
        if peer_id.endswith("x" * 8):
            raise RuntimeError("never")

    def peer_disconnected(self, peer_id: str) -> None:
        raise RuntimeError("a handler that always fails")

    def gossip_received(self, topic: str, message: bytes, peer_id: str) -> Verdict:
        if message.startswith(b"raise"):
            raise RuntimeError("the judge was asked to fail")
        if message.startswith(b"reject"):
            return Verdict.REJECT
        self._heard.append([topic, message.decode(), peer_id])
        return Verdict.IGNORE if message.startswith(b"ignore") else Verdict.ACCEPT

    async def _obey(self, command: dict[str, Any], peer_id: str) -> Any:
        match command["do"]:
            case "admit":
                self._network.admit_to_gossip(peer_id, [TOPIC])
            case "subscribe":
                self._network.subscribe(command["topic"])
            case "publish":
                return self._network.publish(command["topic"], command["message"].encode())
            case "connect":
                return await self._network.connect(command["addresses"])
            case "heard":
                return self._heard
            case "crash":
                generation = self._network._generation
                assert generation is not None
                assert generation.swarm._nursery is not None
                generation.swarm._nursery.start_soon(_fail)
            case "status":
                return {**self._network.status(), **_figures()}
        return None


async def _fail() -> None:
    raise RuntimeError("the generation was asked to die")


def _figures() -> dict[str, int]:
    rollup = Path("/proc/self/smaps_rollup").read_text()
    pss = next(line for line in rollup.splitlines() if line.startswith("Pss:"))
    return {
        "tasks": trio.lowlevel.current_statistics().tasks_living,
        "memory_kib": int(pss.split()[1]),
    }


async def main() -> None:
    settings = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    network = Libp2pNetwork(
        bytes.fromhex(settings["seed"]) if "seed" in settings else os.urandom(32),
        settings.get("listen", ["/ip4/127.0.0.1/tcp/0"]),
        limits=Limits(**settings.get("limits", {})),
        timeouts=Timeouts(**settings.get("timeouts", {})),
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(network.run, Served(network))
        print(json.dumps(network.addresses()), flush=True)


if __name__ == "__main__":
    trio.run(main)
