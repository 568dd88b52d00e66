"""A network of two halves: peers of this process in memory, all others over libp2p."""

from __future__ import annotations

from collections.abc import Iterable

import trio

from p2pvalue.network import Libp2pNetwork, Link, MemoryHub, MemoryNetwork, NetworkHandler
from p2pvalue.network.addresses import parse_address


class QuietNetwork(MemoryNetwork):
    """In memory, and nobody outside is told where: nothing could be reached there."""

    def addresses(self) -> list[str]:
        return []


class HallNetwork:
    """Both networks under one peer id; hints are left out, as by a node that has no gossip."""

    def __init__(self, hub: MemoryHub, key_seed: bytes, listen: str) -> None:
        self._hub = hub
        self._near = QuietNetwork(hub, key_seed)
        self._far = Libp2pNetwork(key_seed, [listen])

    @property
    def peer_id(self) -> str:
        return self._far.peer_id

    async def run(self, handler: NetworkHandler, *, task_status: trio.TaskStatus[None]) -> None:
        async with trio.open_nursery() as nursery:
            await nursery.start(self._near.run, handler)
            await nursery.start(self._far.run, handler)
            task_status.started()

    def addresses(self) -> list[str]:
        return self._far.addresses()

    def peers(self) -> list[str]:
        return sorted({*self._near.peers(), *self._far.peers()})

    async def connect(self, addresses: list[str], *, timeout_s: float = 10.0) -> str:
        peer_id = parse_address(addresses[0]).peer_id or ""
        is_near = self._hub.reachable(self.peer_id, peer_id) is not None
        network = self._near if is_near else self._far
        return await network.connect(addresses, timeout_s=timeout_s)

    async def open_link(self, peer_id: str, protocol: str) -> Link:
        network = self._near if peer_id in self._near.peers() else self._far
        return await network.open_link(peer_id, protocol)

    async def disconnect(self, peer_id: str) -> None:
        await self._near.disconnect(peer_id)
        await self._far.disconnect(peer_id)

    def admit_to_gossip(self, peer_id: str, topics: Iterable[str]) -> None:
        """Nothing: hints are not told here."""

    def bar_from_gossip(self, peer_id: str, topics: Iterable[str]) -> None:
        """Nothing: hints are not told here."""

    def subscribe(self, topic: str) -> None:
        """Nothing: hints are not heard here."""

    def unsubscribe(self, topic: str) -> None:
        """Nothing: hints are not heard here."""

    def publish(self, topic: str, message: bytes) -> bool:
        return False

    def status(self) -> dict[str, int | str | list[str]]:
        return self._far.status()
