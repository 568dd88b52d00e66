"""The garden's people who are not on the page: nodes with keys of their own, in one process.

A person's node runs while she does something: it comes, catches up by what the hall's node has,
acts, and leaves once the hall has it. The hall's node is always there, in touch with the daemons.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from p2pvalue.config import Config
from p2pvalue.keystore import Keystore
from p2pvalue.network import MemoryHub, Network
from p2pvalue.node import RunningNode, open_node
from p2pvalue_protocol.invitation import InviteLink, format_link, parse_link
from tests.garden.clock import Clock
from tests.garden.hall import HallNetwork, QuietNetwork
from tests.node.household import words
from tests.patience import WAIT_S
from tests.system.hostile import until

HALL = "Hedda"
"""Whose old laptop in the tool shed is always on; she is one of the forty."""


class Cast:
    """The people and the hall; `folder` holds what each of them has."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._hub = MemoryHub()
        self.hall: RunningNode | None = None

    @asynccontextmanager
    async def at_home(self, listen: str) -> AsyncIterator[RunningNode]:
        """Keep the hall's node running; it listens for the daemons."""
        keystore = self._keystore(HALL)
        network = HallNetwork(self._hub, keystore.transport_seed, listen)
        async with self._opened(HALL, keystore, network) as self.hall:
            yield self.hall

    async def join(self, names: Sequence[str], link: str) -> None:
        """Let people in by a link: the hall's own node by what it says, then others by the hall."""
        assert self.hall is not None
        if HALL in names:
            await _joined(self.hall, link)
        found = parse_link(link)
        near = format_link(InviteLink(found.community, found.secret, (self._door(),)))
        async with trio.open_nursery() as nursery:
            for name in names:
                if name != HALL:
                    nursery.start_soon(self._join, name, near)

    async def _join(self, name: str, link: str) -> None:
        async with self._opened_alone(name) as node:
            await _joined(node, link)
            await self.caught_up(node)

    @asynccontextmanager
    async def gathered(self, names: Collection[str]) -> AsyncIterator[dict[str, RunningNode]]:
        """Let people be in touch with the hall, and know what it knows, until the block ends."""
        assert self.hall is not None
        nodes: dict[str, RunningNode] = {}
        go = trio.Event()
        async with trio.open_nursery() as nursery:
            for name in sorted(names):
                nursery.start_soon(self._come, name, nodes, go)
            await until(lambda: len(nodes) == len(names))
            yield nodes
            go.set()

    async def _come(self, name: str, nodes: dict[str, RunningNode], go: trio.Event) -> None:
        assert self.hall is not None
        if name == HALL:
            nodes[name] = self.hall
            return
        async with self._opened_alone(name) as node:
            await node.add_peer(self._door())
            await self.caught_up(node)
            nodes[name] = node
            await go.wait()

    @asynccontextmanager
    async def away(self, name: str) -> AsyncIterator[RunningNode]:
        """Let somebody be where no network is."""
        async with self._opened_alone(name, is_away=True) as node:
            yield node

    def _door(self) -> str:
        assert self.hall is not None
        assert self.hall.network is not None
        return f"/ip4/127.0.0.1/tcp/1/p2p/{self.hall.network.peer_id}"

    async def caught_up(self, node: RunningNode) -> None:
        """Return when a node and the hall see the same."""
        hall = self.hall
        assert hall is not None
        await until(lambda: node.community().digest() == hall.community().digest())

    @asynccontextmanager
    async def _opened_alone(
        self, name: str, *, is_away: bool = False
    ) -> AsyncIterator[RunningNode]:
        keystore = self._keystore(name)
        network = QuietNetwork(MemoryHub() if is_away else self._hub, keystore.transport_seed)
        async with self._opened(name, keystore, network) as node:
            yield node

    def _keystore(self, name: str) -> Keystore:
        folder = self._folder / name
        if not folder.exists():
            Keystore.create(folder, name, entropy=words(name))
        return Keystore.open(folder)

    @asynccontextmanager
    async def _opened(
        self, name: str, keystore: Keystore, network: Network
    ) -> AsyncIterator[RunningNode]:
        folder = self._folder / name
        config = Config(data_dir=folder, durability="kill", lan_discovery=False, gossip=False)
        async with open_node(
            folder, config, network=network, keystore=keystore, clock_ms=self._clock.now_ms
        ) as node:
            await node.is_network_up.wait()
            yield node


async def _joined(node: RunningNode, link: str) -> None:
    """Return when a node is a member, and others know what she is called."""
    with trio.fail_after(WAIT_S):
        community = await node.join(link)
        await until(lambda: community.view().state == "active" and community.has_my_name())
