"""One machine of a hostile node, with what it keeps: who lies to some needs a copy for each lie."""

from __future__ import annotations

from collections.abc import Callable

from p2pvalue.sim.disk import Disk
from p2pvalue.sim.shell import STORE_AGAIN_MS
from p2pvalue.store import StoreFailed
from p2pvalue_protocol.effects import Effect, Store
from p2pvalue_protocol.errors import P2PValueError
from p2pvalue_protocol.inputs import Input
from p2pvalue_protocol.keys import SigningKey
from p2pvalue_protocol.machine import Machine


class Face:
    """A production machine and its disk; commits what the machine wants stored at once."""

    def __init__(self, disk: Disk, random_bytes: Callable[[int], bytes], peer_id: str) -> None:
        self.disk = disk
        self._random_bytes = random_bytes
        self._peer_id = peer_id
        self._begin()

    def _begin(self) -> None:
        self.store = self.disk.open()
        self._rests_until_ms = 0
        self.machine = Machine(
            open_past=self.store.past, random_bytes=self._random_bytes, peer_id=self._peer_id
        )

    def restart(self, communities: list[bytes], device: SigningKey, prekey_private: bytes) -> None:
        """Begin a new life with nothing but the disk and the keys."""
        self._begin()
        for community in communities:
            self.machine.add_replica(community, device, prekey_private)

    def twin(self, device: SigningKey, prekey_private: bytes) -> Face:
        """Return another face that remembers the same, and goes its own way from here."""
        other = Face(self.disk.copy(), self._random_bytes, self._peer_id)
        other.restart(self.machine.communities(), device, prekey_private)
        return other

    def handle(self, given: Input, now_ms: int) -> list[Effect]:
        """Return what is to be done but for storing, which is done; nothing if it may not be.

        Where the disk takes nothing, the machine goes on from what is stored, in a second.
        """
        try:
            effects = self.machine.handle(given, now_ms)
        except P2PValueError:
            return []
        try:
            self.store.commit([effect.batch for effect in effects if isinstance(effect, Store)])
        except StoreFailed:
            self._rests_until_ms = now_ms + STORE_AGAIN_MS
            return [f for c in self.machine.communities() for f in self.machine.reload(c)]
        self._rests_until_ms = 0
        return [effect for effect in effects if not isinstance(effect, Store)]

    def next_wakeup_ms(self) -> int | None:
        """Return when the machine wants to be woken: not before its disk may have room again."""
        due_ms = self.machine.next_wakeup_ms()
        return None if due_ms is None else max(due_ms, self._rests_until_ms)
