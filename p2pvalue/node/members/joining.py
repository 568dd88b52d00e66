"""Joining a community by its link: what the shell does around the core's join sessions.

A join goes on for as long as it takes, over restarts: the device key is kept before the first dial,
and the same device asks again until somebody who is a member is reachable. It is over when our copy
holds the operation that admits us.
"""

from __future__ import annotations

import logging
import random
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
import trio

from p2pvalue.keystore import WordsNeeded
from p2pvalue.network.interface import JOIN_PROTOCOL, RECOVER_PROTOCOL, LinkClosed
from p2pvalue.node.members.waiting import JoinWait, waiting_words
from p2pvalue.node.peers.dialing import peer_id_of
from p2pvalue.store import StoreFailed
from p2pvalue.types import JoinView
from p2pvalue_protocol import limits
from p2pvalue_protocol.effects import Joined
from p2pvalue_protocol.errors import LocalProtocolError, P2PValueError
from p2pvalue_protocol.inputs import DeviceKeys, JoinStarted, RecoveryStarted
from p2pvalue_protocol.invitation import parse_link

if TYPE_CHECKING:
    from p2pvalue.node.node import Node

log = logging.getLogger(__name__)

LOOK_S = 5.0  # how often a waiting join looks whether our own addresses changed


class Joining:
    """The joins that are under way on one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._waits: dict[bytes, JoinWait] = {}
        self._changed: dict[bytes, trio.Event] = {}
        self._asked: dict[int, str] = {}  # peer id by session
        self._lent: dict[bytes, bytes] = {}  # entropy that this machine does not keep
        self._nursery: trio.Nursery | None = None

    def view(self, community: bytes) -> JoinView | None:
        """Return how a join goes; None if none is under way."""
        wait = self._waits.get(community)
        return None if wait is None else wait.view(time.monotonic())

    def waiting_for(self, community: bytes, name: str) -> str:
        """Return in words what a join waits for; empty if none is under way."""
        if self._node.keystore.keys(community) is None:
            return (
                "you to come back: this copy is from a backup, and `p2pvalue community recover` "
                "goes on in it with your words and a link that any member gets"
            )
        view = self.view(community)
        return "" if view is None else waiting_words(view, name)

    def is_any_under_way(self) -> bool:
        """Return whether somebody is to be found who lets us in."""
        return bool(self._changed)

    def look_again(self, peer_id: str | None = None) -> None:
        """Ask again at once where a peer is named in the link, or everywhere: something changed."""
        for community, changed in self._changed.items():
            wait = self._waits.get(community)  # none once it is over or was cancelled
            if wait is not None and (peer_id is None or peer_id in self._addresses(community)):
                wait.hurries()
                changed.set()

    def met(self, addresses: list[str]) -> None:
        """Take note of a node on the local network: a link names nodes, whose addresses change."""
        peer_id = next((p for p in map(peer_id_of, addresses) if p is not None), None)
        if peer_id is None or self._node.dialer is None:
            return
        for community in self._changed:
            if peer_id in self._addresses(community):
                self._node.dialer.know(addresses, {community})
        self.look_again(peer_id)

    async def run(self) -> None:
        """Go on with the joins that the keystore remembers, and with those started later."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            known = {learned.community for learned in self._node.machine.known_addresses()}
            for community in self._node.keystore.communities():
                keys = self._node.keystore.keys(community)
                if keys is not None and keys.link:
                    self.start(community)
                elif community not in known:
                    self._find_again(community)
            await trio.sleep_forever()

    def _find_again(self, community: bytes) -> None:
        """Look for who let us in, where a crash came before anybody had said where she is."""
        kept = self._node.store.meta(_doors_key(community))
        if kept is not None and self._node.dialer is not None:
            for addresses in msgspec.json.decode(kept, type=list[list[str]]):
                self._node.dialer.know(addresses, {community})

    def keep_message(self, community: bytes, message: str) -> None:
        """Keep what to say to who decides, where a person does; raises LocalProtocolError."""
        if len(message) > limits.PLEA_CHARACTERS_MAX:
            raise LocalProtocolError(
                f"a message to who decides has up to {limits.PLEA_CHARACTERS_MAX} characters: "
                "shorten it"
            )
        if message:
            self._node.store.put_meta(_plea_key(community), message.encode())

    def start(self, community: bytes, lent: bytes | None = None) -> None:
        """Ask to be admitted until we are; without a network it waits for the next start.

        `lent` is what the person's words stand for, on a machine that does not keep it.
        """
        if lent is not None:
            self._lent[community] = lent
        wait = self._waits[community] = JoinWait()
        if self._node.network is None:
            wait.stage = "off"
        elif community in self._changed:
            self._changed[community].set()
        elif self._nursery is not None:
            self._changed[community] = trio.Event()
            self._nursery.start_soon(self._join, community)

    async def _join(self, community: bytes) -> None:
        await self._node.is_network_up.wait()
        while link := self._link(community):
            await self._ask_everybody(community)
            self._changed[community] = trio.Event()
            if self._link(community) != link:  # admitted, or there is a better link
                continue
            wait_s = self._waits[community].waits(time.monotonic(), random.random)
            with trio.move_on_after(wait_s):
                await self._until_changed(community)
        del self._changed[community]
        self._lent.pop(community, None)
        self._waits.pop(community, None)

    async def _until_changed(self, community: bytes) -> None:
        """Return when something makes it worth to ask again: a peer, a link, another network."""
        before = self._node.addresses()
        while True:
            with trio.move_on_after(LOOK_S):
                await self._changed[community].wait()
                return
            if self._node.addresses() != before:
                self._waits[community].hurries()
                return

    def _link(self, community: bytes) -> str:
        """Return the link by which a join goes on; empty when it is over."""
        keys = self._node.keystore.keys(community)
        return "" if keys is None else keys.link

    def _addresses(self, community: bytes) -> dict[str, list[str]]:
        """Return where to ask, by peer: whom the link names, and whom we met since."""
        link = self._link(community)
        found: dict[str, list[str]] = {}
        for address in parse_link(link).addresses if link else ():
            peer_id = peer_id_of(address)
            if peer_id is not None:
                found.setdefault(peer_id, []).append(address)
        for peer in self._node.dialer.peers() if self._node.dialer is not None else ():
            if community in peer.communities:
                known = found.setdefault(peer.peer_id, [])
                known += [address for address in peer.addresses if address not in known]
        return found

    async def _ask_everybody(self, community: bytes) -> None:
        peers = self._addresses(community)
        wait = self._waits[community]  # kept here: it may be over or cancelled during each call
        wait.calls(sum(map(len, peers.values())), time.monotonic())
        for peer_id, known in peers.items():
            try:
                await self._ask(community, peer_id, known)
            except WordsNeeded as error:
                wait.needs_words(str(error))
                return
            except (ConnectionError, LinkClosed, P2PValueError) as error:
                wait.missed(str(error))
            if not self._link(community) or wait.stage == "admitted":
                return

    async def _ask(self, community: bytes, peer_id: str, addresses: list[str]) -> None:
        node = self._node
        keys = node.keystore.keys(community)
        assert keys is not None
        assert node.network is not None
        entropy = self._lent.get(community, node.keystore.entropy)
        if entropy is None:
            raise WordsNeeded(
                "your 24 words, which this machine does not keep: join again by the same link"
            )
        link = parse_link(keys.link)
        await node.network.connect(addresses)
        if node.dialer is not None:
            node.dialer.know(addresses, {community})
        protocol = RECOVER_PROTOCOL if keys.is_recovering else JOIN_PROTOCOL
        stream = await node.network.open_link(peer_id, protocol)
        session = node.links.number()
        self._asked[session] = peer_id
        started: JoinStarted | RecoveryStarted
        if keys.is_recovering:
            device = DeviceKeys(community, keys.device, keys.prekey_private)
            started = RecoveryStarted(session, peer_id, device, entropy)
        else:
            started = JoinStarted(
                session,
                peer_id,
                community,
                link.secret,
                keys.device,
                keys.prekey,
                entropy,
                name=node.keystore.name,
                message=(node.store.meta(_plea_key(community)) or b"").decode(),
            )
        try:
            await node.links.carry(stream, session, started)
        finally:
            del self._asked[session]

    def on_joined(self, joined: Joined) -> None:
        """Keep what the core learned; called while its effects are performed."""
        keystore = self._node.keystore
        keys = keystore.keys(joined.community)
        if keys is None:
            return
        wait = self._waits.setdefault(joined.community, JoinWait())
        peer_id = self._asked.get(joined.session, "")
        match joined.state:
            case "welcomed":
                root = keystore.root_for(joined.nonce, self._lent.get(joined.community)).public
                keys = msgspec.structs.replace(keys, nonce=joined.nonce, root=root)
                wait.answered(peer_id, "welcomed")
            case "pending":
                wait.answered(peer_id, "asked")
            case "admitted":
                wait.answered(peer_id, "admitted")
                if self._node.dialer is not None:
                    self._node.dialer.look_again()
            case "failed":
                wait.answered(peer_id, "refused", joined.message, is_final=joined.is_final)
                log.warning("joining %s: %s", joined.community.hex()[:8], joined.message)
        keystore.put(joined.community, keys)

    def cancel(self, community: bytes) -> None:
        """Stop asking, since the keys to do so are gone."""
        self._waits.pop(community, None)
        if community in self._changed:
            self._changed[community].set()

    def expect_history(self, community: bytes) -> None:
        """Say that what brings this device in is on its way; until `settle`."""
        self._waits.setdefault(community, JoinWait()).stage = "admitted"

    def settle(self, community: bytes) -> None:
        """Take note that our device is a member's."""
        if community not in self._changed:
            self._waits.pop(community, None)

    def finish(self, community: bytes) -> bool:
        """End a join, since our copy holds our admission; return whether one was under way.

        Raises ConfigError with the join still under way: call again.
        """
        keystore = self._node.keystore
        keys = keystore.keys(community)
        if keys is None or not keys.link:
            return False
        doors = list(self._addresses(community).values())
        with suppress(StoreFailed):  # a help after a crash and nothing more
            self._node.store.put_meta(_doors_key(community), msgspec.json.encode(doors))
        self._node.tell_addresses()
        keystore.put(community, msgspec.structs.replace(keys, link="", is_recovering=False))
        self._waits.pop(community, None)
        if community in self._changed:
            self._changed[community].set()
        return True


def _doors_key(community: bytes) -> str:
    return f"doors:{community.hex()}"


def _plea_key(community: bytes) -> str:
    return f"plea:{community.hex()}"
