"""A network inside one process: the contract without sockets, for tests and for embedders.

Networks that share a `MemoryHub` can reach each other. The hub is also the weather: it cuts peers
apart, joins them again and loses gossip, at once and without a clock.
"""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict, deque
from typing import TYPE_CHECKING

import trio
from trio.lowlevel import ParkingLot

from p2pvalue.network.addresses import AddressError, parse_address, peer_id_of_seed
from p2pvalue.network.interface import (
    GOSSIP_BYTES_MAX,
    Link,
    LinkClosed,
    NetworkHandler,
    Verdict,
)
from p2pvalue.network.limits import Limits, Timeouts
from p2pvalue.network.links import check_frame
from p2pvalue_protocol.errors import LocalProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

log = logging.getLogger(__name__)

_UNREAD_BYTES_MAX = 256 * 1024
_SEEN_MAX = 4096


class MemoryHub:
    """Knows the networks of one process, and which of them can reach each other."""

    def __init__(self) -> None:
        self._networks: dict[str, MemoryNetwork] = {}
        self._cuts: set[frozenset[str]] = set()
        self.gossip_is_lost: Callable[[str, str, str], bool] = lambda sender, receiver, topic: False
        """Asked before each gossip delivery: sender, receiver, topic."""

    def cut(self, peer_id: str, other_id: str) -> None:
        """End the connection of two peers and let no new one come about."""
        self._cuts.add(frozenset((peer_id, other_id)))
        network = self._networks.get(peer_id)
        if network is not None:
            network.lose(other_id)

    def partition(self, *groups: Iterable[str]) -> None:
        """Cut every peer of each group off from every peer of the other groups."""
        sides = [list(group) for group in groups]
        for index, side in enumerate(sides):
            for other_side in sides[index + 1 :]:
                for peer_id in side:
                    for other_id in other_side:
                        self.cut(peer_id, other_id)

    def heal(self) -> None:
        """Undo every cut; connections do not come back by themselves."""
        self._cuts.clear()

    def join(self, network: MemoryNetwork) -> int:
        """Make a network reachable; returns its port."""
        self._networks[network.peer_id] = network
        return len(self._networks)

    def leave(self, network: MemoryNetwork) -> None:
        self._networks.pop(network.peer_id, None)

    def reachable(self, peer_id: str, other_id: str) -> MemoryNetwork | None:
        """Return the network of `other_id` if it runs and no cut lies between."""
        if frozenset((peer_id, other_id)) in self._cuts:
            return None
        return self._networks.get(other_id)


class MemoryLink:
    """One end of a link; what one end sends, the other receives."""

    def __init__(self, peer_id: str, protocol: str, *, initiated: bool, stall_s: float) -> None:
        self._peer_id = peer_id
        self._protocol = protocol
        self._initiated = initiated
        self._stall_s = stall_s
        self._inbox: deque[bytes] = deque()
        self._inbox_bytes = 0
        self._changed = ParkingLot()
        self._closed = False
        self.other: MemoryLink = self

    @property
    def peer_id(self) -> str:
        return self._peer_id

    @property
    def protocol(self) -> str:
        return self._protocol

    @property
    def initiated(self) -> bool:
        return self._initiated

    async def send(self, frame: bytes) -> None:
        check_frame(frame)
        await trio.lowlevel.checkpoint()
        other = self.other
        with trio.move_on_after(self._stall_s) as waiting:
            while other._inbox_bytes + len(frame) > _UNREAD_BYTES_MAX and not self._closed:
                await other._changed.park()
        if waiting.cancelled_caught:
            self.end()
        if self._closed or other._closed:
            raise LinkClosed("the link is closed")
        other._inbox.append(frame)
        other._inbox_bytes += len(frame)
        other._changed.unpark_all()

    async def receive(self) -> bytes:
        await trio.lowlevel.checkpoint()
        while not self._inbox:
            if self._closed:
                raise LinkClosed("the link is closed")
            await self._changed.park()
        frame = self._inbox.popleft()
        self._inbox_bytes -= len(frame)
        self._changed.unpark_all()
        return frame

    async def close(self) -> None:
        self._inbox.clear()
        self.end()

    def end(self) -> None:
        """Close both ends; the other may still read what was sent."""
        for link in (self, self.other):
            link._closed = True
            link._changed.unpark_all()


class MemoryNetwork:
    """`Network` on a hub; `key_seed` is the 32 bytes that fix the peer id."""

    def __init__(
        self,
        hub: MemoryHub,
        key_seed: bytes,
        *,
        limits: Limits | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._hub = hub
        self._peer_id = peer_id_of_seed(key_seed)
        self._limits = limits if limits is not None else Limits()
        self._timeouts = timeouts if timeouts is not None else Timeouts()
        self._port = 0
        self._topics: set[str] = set()
        self._links: dict[str, list[MemoryLink]] = {}
        self._admitted: dict[str, set[str]] = {}
        self._offences: dict[str, int] = {}
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._events: deque[tuple[str, bytes, str | None]] = deque()
        self._events_filled = trio.Event()
        self._handler: NetworkHandler | None = None
        self._tasks: trio.Nursery | None = None
        self._dropped_count = 0

    @property
    def peer_id(self) -> str:
        return self._peer_id

    async def run(
        self,
        handler: NetworkHandler,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve until cancelled."""
        self._handler = handler
        try:
            async with trio.open_nursery() as self._tasks:
                self._port = self._hub.join(self)
                task_status.started()
                await self._deliver_gossip()
        finally:
            self._hub.leave(self)
            for peer_id in self.peers():
                self.lose(peer_id)
            self._tasks = None

    def addresses(self) -> list[str]:
        return [f"/ip4/127.0.0.1/tcp/{self._port}/p2p/{self._peer_id}"] if self._tasks else []

    def peers(self) -> list[str]:
        return sorted(self._links)

    async def connect(self, addresses: list[str], *, timeout_s: float = 10.0) -> str:
        peer_ids = {parse_address(text).peer_id for text in addresses}
        peer_id = next(iter(peer_ids), None)
        if peer_id is None or len(peer_ids) != 1:
            raise AddressError("the addresses to dial must all end in /p2p/ and one peer id")
        await trio.lowlevel.checkpoint()
        if peer_id in self._links:
            return peer_id
        other = self._hub.reachable(self._peer_id, peer_id)
        if other is None or peer_id == self._peer_id or self._tasks is None:
            raise ConnectionError(f"could not connect: {addresses[0]}: no such peer in reach")
        if not (self._has_room() and other._has_room()):
            raise ConnectionError("already connected to as many peers as allowed")
        self._gain(peer_id)
        other._gain(self._peer_id)
        return peer_id

    async def open_link(self, peer_id: str, protocol: str) -> Link:
        await trio.lowlevel.checkpoint()
        other = self._hub.reachable(self._peer_id, peer_id)
        if peer_id not in self._links or other is None:
            raise LinkClosed("not connected to this peer")
        stall_s = self._timeouts.stall_s
        ours = MemoryLink(peer_id, protocol, initiated=True, stall_s=stall_s)
        theirs = MemoryLink(self._peer_id, protocol, initiated=False, stall_s=stall_s)
        ours.other, theirs.other = theirs, ours
        self._links[peer_id].append(ours)
        other._accept(theirs)
        return ours

    async def disconnect(self, peer_id: str) -> None:
        self.lose(peer_id)

    def admit_to_gossip(self, peer_id: str, topics: Iterable[str]) -> None:
        if peer_id in self._links:
            self._admitted.setdefault(peer_id, set()).update(topics)

    def bar_from_gossip(self, peer_id: str, topics: Iterable[str]) -> None:
        self._admitted.get(peer_id, set()).difference_update(topics)

    def subscribe(self, topic: str) -> None:
        self._topics.add(topic)

    def unsubscribe(self, topic: str) -> None:
        self._topics.discard(topic)

    def publish(self, topic: str, message: bytes) -> bool:
        if not 0 < len(message) <= GOSSIP_BYTES_MAX:
            raise LocalProtocolError(
                f"a gossip message has 1 to {GOSSIP_BYTES_MAX} bytes, not {len(message)}"
            )
        if topic not in self._topics:
            raise LocalProtocolError("subscribe to a topic before publishing to it")
        return self._queue_gossip(topic, message, None)

    def status(self) -> dict[str, int | str | list[str]]:
        return {
            "state": "listening" if self._tasks is not None else "starting",
            "generation": 1,
            "last_error": "",
            "addresses": self.addresses(),
            "peers": self.peers(),
            "topics": len(self._topics),
            "messages_waiting": len(self._events),
            "hints_dropped": self._dropped_count,
        }

    # Connections; each exists on both sides or on none.

    def lose(self, peer_id: str) -> None:
        """End the connection with a peer on both sides, if there is one."""
        if peer_id not in self._links:
            return
        for link in self._links.pop(peer_id):
            link.end()
        self._admitted.pop(peer_id, None)
        self._offences.pop(peer_id, None)
        other = self._hub._networks.get(peer_id)
        if other is not None:
            other.lose(self._peer_id)
        self._tell("peer_disconnected", peer_id)

    def _gain(self, peer_id: str) -> None:
        self._links[peer_id] = []
        self._tell("peer_connected", peer_id)

    def _has_room(self) -> bool:
        return len(self._links) < self._limits.peers_max

    def _tell(self, event: str, peer_id: str) -> None:
        try:
            getattr(self._handler, event)(peer_id)
        except Exception:
            log.exception("the handler failed: %s %s", event, peer_id)

    def _accept(self, link: MemoryLink) -> None:
        self._links[link.peer_id].append(link)
        assert self._tasks is not None
        self._tasks.start_soon(self._serve, link)

    async def _serve(self, link: MemoryLink) -> None:
        assert self._handler is not None
        try:
            await self._handler.serve_link(link)
        except LinkClosed:
            pass
        except Exception:
            log.exception("the handler failed on a link of %s", link.peer_id)
        finally:
            link.end()

    # Gossip: a flood among admitted peers.

    def _queue_gossip(self, topic: str, message: bytes, sender: str | None) -> bool:
        if len(self._events) >= self._limits.gossip_queue_max:
            self._dropped_count += 1
            return False
        self._events.append((topic, message, sender))
        self._events_filled.set()
        return True

    async def _deliver_gossip(self) -> None:
        while True:
            await self._events_filled.wait()
            self._events_filled = trio.Event()
            while self._events:
                topic, message, sender = self._events.popleft()
                if self._should_forward(topic, message, sender):
                    self._flood(topic, message, sender)

    def _should_forward(self, topic: str, message: bytes, sender: str | None) -> bool:
        key = hashlib.sha256(topic.encode() + b"\0" + message).digest()
        if sender is not None and (key in self._seen or topic not in self._topics):
            return False
        if sender is not None:
            assert self._handler is not None
            try:
                verdict = self._handler.gossip_received(topic, message, sender)
            except Exception:
                log.exception("the handler failed on a gossip message of %s", sender)
                verdict = Verdict.IGNORE
            if verdict is Verdict.REJECT:
                self._count_offence(sender)
            if verdict is not Verdict.ACCEPT:
                return False
        self._seen[key] = None
        if len(self._seen) > _SEEN_MAX:
            self._seen.popitem(last=False)
        return True

    def _flood(self, topic: str, message: bytes, sender: str | None) -> None:
        for peer_id, topics in sorted(self._admitted.items()):
            other = self._hub.reachable(self._peer_id, peer_id)
            if peer_id == sender or topic not in topics or other is None:
                continue
            if topic not in other._topics & other._admitted.get(self._peer_id, set()):
                continue
            if not self._hub.gossip_is_lost(self._peer_id, peer_id, topic):
                other._queue_gossip(topic, message, self._peer_id)

    def _count_offence(self, peer_id: str) -> None:
        self._offences[peer_id] = self._offences.get(peer_id, 0) + 1
        if self._offences[peer_id] >= self._limits.gossip_offences_max:
            self.lose(peer_id)
