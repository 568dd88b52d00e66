"""Running nodes on one network in memory, and waiting for what they see."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import trio

from p2pvalue.config import Config
from p2pvalue.keystore import Keystore
from p2pvalue.network import MemoryHub, MemoryNetwork, Network
from p2pvalue.node import open_node
from p2pvalue.node.running import RunningNode
from tests.patience import WAIT_S


class Household:
    """Folders and nodes of a few people whose machines reach each other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.hub = MemoryHub()

    @asynccontextmanager
    async def node(
        self,
        name: str,
        *,
        entropy: bytes | None = None,
        is_linked: bool = False,
        is_alone: bool = False,
    ) -> AsyncIterator[RunningNode]:
        """Open the node that lives in the folder `name`, with new keys if it is the first time.

        `is_alone` puts it on a network where nobody else is.
        """
        folder = self._folder / name
        if not folder.exists():
            secret = None if is_linked else entropy or words(name)
            Keystore.create(folder, name, entropy=secret)
        config = Config(data_dir=folder, durability="kill", lan_discovery=False, gossip=False)
        keystore = Keystore.open(folder)
        hub = MemoryHub() if is_alone else self.hub
        network = MemoryNetwork(hub, keystore.transport_seed)
        async with open_node(folder, config, network=network, keystore=keystore) as node:
            await node.is_network_up.wait()
            yield node


@asynccontextmanager
async def gossiping(
    network_of: Callable[[bytes], Network], folder: Path
) -> AsyncIterator[RunningNode]:
    """A new node that hears and tells hints, over a network made of its seed."""
    Keystore.create(folder, folder.name, entropy=words(folder.name))
    keystore = Keystore.open(folder)
    config = Config(data_dir=folder, durability="kill", lan_discovery=False)
    network = network_of(keystore.transport_seed)
    async with open_node(folder, config, network=network, keystore=keystore) as node:
        await node.is_network_up.wait()
        yield node


def words(name: str) -> bytes:
    """What a person's words stand for."""
    return sha256(f"{name}'s words".encode()).digest()


async def until(node: RunningNode, look: Callable[[], bool]) -> None:
    """Return when `look` is true; it is asked again after each change that the node tells of."""
    with trio.fail_after(WAIT_S):
        async with node.events() as events:
            while not look():
                await anext(events)


async def until_equal(*nodes: RunningNode) -> None:
    """Return when everybody sees the same in the one community of them all."""

    def digests() -> set[str]:
        return {node.community().digest() for node in nodes}

    with trio.fail_after(WAIT_S):
        while len(digests()) > 1:
            async with nodes[-1].events() as events:
                if len(digests()) > 1:
                    await anext(events)
