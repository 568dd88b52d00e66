"""Joining a community by its link: what the shell does around the core's join sessions.

A join goes on for as long as it takes, over restarts: the device key is kept before the first dial,
and the same device asks again until somebody who is a member is reachable. It is over when our copy
holds the operation that admits us.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec
import trio

from p2pvalue.network.interface import JOIN_PROTOCOL, LinkClosed
from p2pvalue_protocol.effects import Joined
from p2pvalue_protocol.errors import P2PValueError
from p2pvalue_protocol.inputs import JoinStarted
from p2pvalue_protocol.invitation import parse_link

if TYPE_CHECKING:
    from p2pvalue.node.node import Node

log = logging.getLogger(__name__)

RETRY_S_FIRST = 1.0
RETRY_S_MAX = 30.0


class Joining:
    """The joins that are under way on one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._waits: dict[bytes, str] = {}
        self._running: set[bytes] = set()
        self._nursery: trio.Nursery | None = None

    def waiting_for(self, community: bytes) -> str:
        """Return in words what a join waits for; empty if none is under way."""
        if self._node.keystore.keys(community) is None:
            return "an invite: this copy is from a backup, join with a new link to write here"
        return self._waits.get(community, "")

    async def run(self) -> None:
        """Go on with the joins that the keystore remembers, and with those started later."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            for community in self._node.keystore.communities():
                keys = self._node.keystore.keys(community)
                if keys is not None and keys.link:
                    self.start(community)
            await trio.sleep_forever()

    def start(self, community: bytes) -> None:
        """Ask to be admitted until we are; without a network it waits for the next start."""
        if self._node.network is None:
            self._waits[community] = "the network, which is switched off in config.toml"
            return
        is_up = self._node.is_network_up.is_set()
        self._waits.setdefault(community, "an answer" if is_up else "the network to start")
        if self._nursery is not None and community not in self._running:
            self._running.add(community)
            self._nursery.start_soon(self._join, community)

    async def _join(self, community: bytes) -> None:
        retry_s = RETRY_S_FIRST
        while self._is_joining(community):
            try:
                await self._ask(community)
            except (ConnectionError, LinkClosed, P2PValueError) as error:
                self._waits[community] = f"a member to be reachable ({error})"
            if not self._is_joining(community):
                break
            with trio.move_on_after(retry_s):
                await trio.sleep_forever()
            retry_s = min(retry_s * 2, RETRY_S_MAX)
        self._running.discard(community)
        self._waits.pop(community, None)

    def _is_joining(self, community: bytes) -> bool:
        keys = self._node.keystore.keys(community)
        return keys is not None and bool(keys.link)

    async def _ask(self, community: bytes) -> None:
        node = self._node
        keys = node.keystore.keys(community)
        assert keys is not None
        assert node.network is not None
        link = parse_link(keys.link)
        self._waits[community] = f"an answer from {', '.join(link.addresses)}"
        peer_id = await node.network.connect(list(link.addresses))
        if node.dialer is not None:
            node.dialer.know(list(link.addresses), {community})
        stream = await node.network.open_link(peer_id, JOIN_PROTOCOL)
        session = node.links.number()
        started = JoinStarted(
            session, peer_id, community, link.secret, keys.device, node.keystore.entropy
        )
        await node.links.carry(stream, session, started)

    def on_joined(self, joined: Joined) -> None:
        """Keep what the core learned; called while its effects are performed."""
        keystore = self._node.keystore
        keys = keystore.keys(joined.community)
        if keys is None:
            return
        match joined.state:
            case "welcomed":
                secrets = (joined.topic_secret,)
                keystore.put(
                    joined.community,
                    msgspec.structs.replace(keys, nonce=joined.nonce, topic_secrets=secrets),
                )
                self._waits[joined.community] = "a member to admit this device"
                self._node.listen_to_topics()
            case "admitted":
                self._waits[joined.community] = "the history to arrive"
                if self._node.dialer is not None:
                    self._node.dialer.look_again()
            case "failed":
                self._waits[joined.community] = joined.message
                log.warning("joining %s: %s", joined.community.hex()[:8], joined.message)

    def finish(self, community: bytes) -> bool:
        """End a join, since our copy holds our admission; return whether one was under way."""
        keystore = self._node.keystore
        keys = keystore.keys(community)
        if keys is None or not keys.link:
            return False
        keystore.put(community, msgspec.structs.replace(keys, link=""))
        self._waits.pop(community, None)
        self._node.tell_addresses()
        return True
