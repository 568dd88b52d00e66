"""Whom to call, where, and when again.

A node knows peers from invitations, from address records that members' devices sign, from the local
network and from what its person typed in. A peer that answers within the last minutes is called
every 1.5 s while it is away, so that it is back within two seconds of being back; one that stays
away is called ever more seldom, since it will call us when it returns. So is one that we keep
losing at once: two copies of a data folder, run as one peer, would else take each other's place
many times a second.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from itertools import zip_longest

import msgspec
import trio

from p2pvalue.network.interface import Network
from p2pvalue_protocol.errors import P2PValueError

log = logging.getLogger(__name__)

EAGER_S = 1.5
EAGER_FOR_S = 300.0
SELDOM_S_MAX = 60.0
STEADY_S = 30.0  # a connection that lasted this long was not taken away by a copy of ours or theirs
DIALS_AT_ONCE_MAX = 4
PEERS_MAX = 512
ADDRESSES_TOLD_MAX = 8
TELLERS_MAX = 8
DEVICES_MAX = 256  # of one peer; a node has one in each of its communities
OURSELVES = b""


class KnownPeer(msgspec.Struct):
    """One peer: where it may be, what we share with it, and how calling it goes.

    `told` holds who said where it is: a device that signed a record, or ourselves (a link, the
    local network, the person). What one says never displaces what another said, and once a device
    has shown to be at this peer, other devices are not listened to.
    """

    peer_id: str
    told: dict[bytes, list[str]] = {}
    devices: set[bytes] = set()  # that have shown to be at this peer
    communities: set[bytes] = set()
    misses_since_s: float | None = None
    next_dial_s: float = 0.0
    wait_s: float = EAGER_S
    session_wait_s: float = EAGER_S
    last_error: str = ""
    is_busy: bool = False
    came_s: float = 0.0
    short_lives: int = 0  # connections in a row that did not last
    not_before_s: float = 0.0

    def due_s(self, is_connected: bool) -> float:
        """Return when to call it, or if it is connected, when to see whether all is well."""
        return self.next_dial_s if is_connected else max(self.next_dial_s, self.not_before_s)

    def lost(self, now_s: float) -> None:
        """Note that the connection is gone; the first short one is nothing to wait for."""
        is_steady = now_s - self.came_s >= STEADY_S
        self.short_lives = 0 if is_steady else self.short_lives + 1
        if self.short_lives > 1:
            wait_s = EAGER_S * 2.0 ** min(self.short_lives - 2, 10)
            self.not_before_s = now_s + min(wait_s, SELDOM_S_MAX)

    @property
    def addresses(self) -> list[str]:
        """Where to call, the most trusted first; of everybody who told something the newest."""
        tellers = sorted(self.told, key=lambda t: (t not in self.devices, t != OURSELVES, t))
        rounds = zip_longest(*(self.told[teller] for teller in tellers))
        return list(dict.fromkeys(a for each in rounds for a in each if a is not None))

    def hear(self, teller: bytes, addresses: list[str]) -> bool:
        """Take what somebody says; return whether there is a new address in it."""
        is_heard = teller in (OURSELVES, *self.devices, *self.told) or (
            not self.devices and len(self.told) < TELLERS_MAX
        )
        if not is_heard:
            return False
        before = set(self.addresses)
        kept = self.told.get(teller, []) if teller == OURSELVES else []  # a record says all
        self.told[teller] = list(dict.fromkeys(addresses + kept))[:ADDRESSES_TOLD_MAX]
        return not before.issuperset(self.told[teller])


def peer_id_of(address: str) -> str | None:
    """Return the peer id at the end of a multiaddr, or None."""
    _, found, peer_id = address.rpartition("/p2p/")
    return peer_id if found and peer_id and "/" not in peer_id else None


class Dialer:
    """Keeps us connected with every known peer, and a session open for all that we share.

    `attend(peer_id)` is called for a connected peer; it opens what sessions are missing.
    """

    def __init__(
        self,
        network: Network,
        attend: Callable[[str], Awaitable[None]],
        random: Callable[[], float],
    ) -> None:
        self._network = network
        self._attend = attend
        self._random = random
        self._peers: dict[str, KnownPeer] = {}
        self._peer_of: dict[bytes, str] = {}  # by the device that tells where it is
        self._changed = trio.Event()

    def know(
        self, addresses: list[str], communities: set[bytes], device: bytes = OURSELVES
    ) -> str | None:
        """Remember where a peer is and what we share; return its id, None if no address names one.

        `device` is who signed that; what it said of another peer before is forgotten.
        """
        peer_id = next((p for p in map(peer_id_of, addresses) if p is not None), None)
        if peer_id is None or peer_id == self._network.peer_id:
            return None
        if device != OURSELVES:
            self._forget_former(device, peer_id)
        peer = self._peers.get(peer_id)
        if peer is None:
            if len(self._peers) >= PEERS_MAX:
                return None
            peer = self._peers[peer_id] = KnownPeer(peer_id)
        is_new = peer.hear(device, [a for a in addresses if peer_id_of(a) == peer_id])
        if is_new or communities - peer.communities:
            peer.next_dial_s = 0.0
            peer.wait_s = EAGER_S
            peer.misses_since_s = None
            peer.not_before_s = 0.0
        peer.communities |= communities
        self._changed.set()
        return peer_id

    def _forget_former(self, device: bytes, peer_id: str) -> None:
        former = self._peers.get(self._peer_of.get(device, ""))
        self._peer_of[device] = peer_id
        if former is None or former.peer_id == peer_id:
            return
        former.told.pop(device, None)
        if not former.told:
            del self._peers[former.peer_id]

    def in_touch(self, peer_id: str, device: bytes | None) -> None:
        """Note that a session is ready; the device shown there speaks for where the peer is."""
        peer = self._peers.get(peer_id)
        if peer is None:
            return
        peer.session_wait_s = EAGER_S
        if device is not None and len(peer.devices) < DEVICES_MAX:
            peer.devices.add(device)
            trusted = {OURSELVES, *peer.devices}
            peer.told = {t: told for t, told in peer.told.items() if t in trusted}

    def session_ended(self, peer_id: str) -> None:
        """See to it soon that there is another; the less it helps, the later."""
        peer = self._peers.get(peer_id)
        if peer is not None:
            due_s = trio.current_time() + peer.session_wait_s
            peer.session_wait_s = min(peer.session_wait_s * 2, SELDOM_S_MAX)
            peer.next_dial_s = min(peer.next_dial_s, due_s)
            self._changed.set()

    def peers(self) -> list[KnownPeer]:
        """Return the known peers, ascending by id."""
        return [self._peers[peer_id] for peer_id in sorted(self._peers)]

    def shared_with(self, peer_id: str) -> set[bytes]:
        """Return the communities that we believe to share with a peer."""
        peer = self._peers.get(peer_id)
        return set(peer.communities) if peer is not None else set()

    def forget(self, community: bytes) -> None:
        """Share a community with nobody any more."""
        for peer in self._peers.values():
            peer.communities.discard(community)

    def came(self, peer_id: str) -> None:
        """Note that a peer is connected, and see to our sessions with it."""
        if peer_id in self._peers:
            self._peers[peer_id].came_s = trio.current_time()
        self.look_again(peer_id)

    def left(self, peer_id: str) -> None:
        """Note that a connection is gone; call again at once, or later if that keeps happening."""
        if peer_id in self._peers:
            self._peers[peer_id].lost(trio.current_time())
        self.look_again(peer_id)

    def look_again(self, peer_id: str | None = None) -> None:
        """See at once to a peer that left or was heard of; without a name, to all we can reach."""
        for peer in self._peers.values():
            if peer.peer_id == peer_id:
                peer.misses_since_s = None
                peer.wait_s = EAGER_S
            if peer.peer_id == peer_id or (peer_id is None and peer.misses_since_s is None):
                peer.next_dial_s = 0.0
        self._changed.set()

    async def run(self) -> None:
        """Call whoever is due, for ever; sleeps until somebody is or something changes."""
        limiter = trio.CapacityLimiter(DIALS_AT_ONCE_MAX)
        async with trio.open_nursery() as nursery:
            while True:
                self._changed = trio.Event()
                now = trio.current_time()
                next_s = now + SELDOM_S_MAX
                connected = set(self._network.peers())
                for peer in self.peers():
                    if peer.is_busy:
                        continue
                    due_s = peer.due_s(peer.peer_id in connected)
                    if due_s <= now:
                        peer.is_busy = True
                        nursery.start_soon(self._call, peer, limiter)
                    else:
                        next_s = min(next_s, due_s)
                with trio.move_on_at(next_s):
                    await self._changed.wait()

    async def _call(self, peer: KnownPeer, limiter: trio.CapacityLimiter) -> None:
        try:
            async with limiter:
                if peer.peer_id not in self._network.peers():
                    await self._network.connect(peer.addresses)
            peer.misses_since_s = None
            peer.wait_s = EAGER_S
            peer.last_error = ""
            peer.next_dial_s = trio.current_time() + SELDOM_S_MAX
            await self._attend(peer.peer_id)
        except (ConnectionError, P2PValueError) as error:  # others may sign any address
            self._missed(peer, str(error))
        finally:
            peer.is_busy = False
            self._changed.set()

    def _missed(self, peer: KnownPeer, error: str) -> None:
        now = trio.current_time()
        if peer.misses_since_s is None:
            peer.misses_since_s = now
            log.info("cannot reach %s: %s", peer.peer_id, error)
        peer.last_error = error
        if now - peer.misses_since_s > EAGER_FOR_S:
            peer.wait_s = min(peer.wait_s * 2, SELDOM_S_MAX)
        peer.next_dial_s = now + peer.wait_s * (0.75 + 0.5 * self._random())
