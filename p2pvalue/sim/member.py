"""Who is at one place of the simulated network: a machine, with what outlives it."""

from __future__ import annotations

from random import Random
from typing import Protocol

from p2pvalue.sim.disk import Disk, MemoryDisk
from p2pvalue.sim.network import peer_name
from p2pvalue.store import Store
from p2pvalue_protocol.effects import Effect
from p2pvalue_protocol.inputs import Input
from p2pvalue_protocol.keys import SigningKey, exchange_key_of
from p2pvalue_protocol.machine import Machine


class Actor(Protocol):
    """What the world runs at one place of its network; honest, or not."""

    number: int
    is_honest: bool
    is_up: bool
    is_known: bool  # whether the community has let this machine in as far as GENESIS
    is_member: bool
    has_invite: bool  # to be let in by; else a person there decides
    is_recovering: bool  # its device is given up: it comes back with its person's words
    links_from: int | None  # the machine of the same person which brings this one in
    lives: int
    skew_ms: int
    wakes_at_ms: int | None
    neighbours: list[int]
    rng: Random
    device: SigningKey
    entropy: bytes
    prekey_private: bytes
    prekey: bytes
    disk: Disk

    @property
    def store(self) -> Store:
        """What its machine keeps, on the disk."""
        ...

    @property
    def machine(self) -> Machine:
        """The production machine that it runs."""
        ...

    def handle(self, given: Input, now_ms: int) -> list[Effect]:
        """Return what is to be done; what an honest machine says, a hostile one may bend."""
        ...

    def act(self, now_ms: int) -> list[Effect]:
        """Return what it does of itself; called every two seconds or so while the world is busy."""
        ...

    def next_wakeup_ms(self) -> int | None:
        """Return when it wants to be woken, by its own clock."""
        ...

    def has_session(self, peer_id: str, community: bytes) -> bool:
        """Return whether it is in touch with a peer, or about to be."""
        ...

    def peers_of(self, community: bytes) -> list[str]:
        """Return the peers that it is in touch with, ascending."""
        ...

    def restart(self, communities: list[bytes]) -> None:
        """Begin a life with nothing but the disk and the keys."""
        ...

    def take_new_device(self) -> None:
        """Give the device up; `restart` goes on as a new one."""
        ...


class Node:
    """An honest machine; its disk and its keys outlive it."""

    is_honest = True

    def __init__(self, number: int, seed: int, skew_ms: int, disk: Disk | None = None) -> None:
        self.number = number
        self.rng = Random(seed)
        self.skew_ms = skew_ms
        self.entropy = self.rng.randbytes(32)
        self._draw_device()
        self.disk = disk if disk is not None else MemoryDisk()
        self.is_up = True
        self.is_known = False
        self.is_member = False
        self.has_invite = True
        self.is_recovering = False
        self.is_reader = False
        self.links_from: int | None = None
        self.neighbours: list[int] = []
        self.lives = 0
        self.restart([])

    def _draw_device(self) -> None:
        self.device = SigningKey(self.rng.randbytes(32))
        self.prekey_private = self.rng.randbytes(32)
        self.prekey = exchange_key_of(self.prekey_private)

    def restart(self, communities: list[bytes]) -> None:
        """Begin a life with nothing but the disk and the keys."""
        self.lives += 1
        self.wakes_at_ms: int | None = None
        self.store: Store = self.disk.open()
        self.machine = Machine(
            open_past=self.store.past,
            random_bytes=self.rng.randbytes,
            peer_id=peer_name(self.number),
        )
        for community in communities:
            if self.is_reader:
                self.machine.add_replica(community, None)
            else:
                self.machine.add_replica(community, self.device, self.prekey_private)

    def take_new_device(self) -> None:
        """Give the device up for a new one of the same person, which must be let in again."""
        self._draw_device()
        self.is_member = False
        self.is_recovering = True

    def handle(self, given: Input, now_ms: int) -> list[Effect]:
        """Return what the production machine wants done."""
        return self.machine.handle(given, now_ms)

    def act(self, now_ms: int) -> list[Effect]:
        """Return nothing: an honest machine does what its person and its peers ask."""
        return []

    def has_session(self, peer_id: str, community: bytes) -> bool:
        """Return whether the production machine has, or opens, a session with a peer."""
        return self.machine.has_session(peer_id, community)

    def peers_of(self, community: bytes) -> list[str]:
        """Return the peers of the production machine's ready sessions."""
        return self.machine.peers_of(community)

    def next_wakeup_ms(self) -> int | None:
        """Return when the production machine wants to be woken."""
        return self.machine.next_wakeup_ms()


def is_reader(actor: Actor) -> bool:
    """Return whether a machine only reads, and is to be nobody's member."""
    return isinstance(actor, Node) and actor.is_reader
