"""A handler that notes what the network tells it and lets a test wait for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio
from trio.lowlevel import ParkingLot

from p2pvalue.network import Link, LinkClosed, Verdict
from tests.patience import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Callable


class Recorder:
    """Echoes on links, keeps events, and judges gossip as the test says."""

    def __init__(self) -> None:
        self.connected: list[str] = []
        self.events: list[tuple[str, str]] = []
        self.gossip: list[tuple[str, bytes, str]] = []
        self.links: list[Link] = []
        self.verdict: Callable[[bytes], Verdict] = lambda message: Verdict.ACCEPT
        self.echoes = True
        self._changed = ParkingLot()

    async def serve_link(self, link: Link) -> None:
        self.links.append(link)
        self.note()
        if not self.echoes:
            await trio.sleep_forever()
        while True:
            frame = await link.receive()
            if frame == b"raise":
                raise RuntimeError("the handler was asked to fail")
            await link.send(frame)

    def peer_connected(self, peer_id: str) -> None:
        self.connected.append(peer_id)
        self.events.append(("connected", peer_id))
        self.note()

    def peer_disconnected(self, peer_id: str) -> None:
        self.connected.remove(peer_id)
        self.events.append(("disconnected", peer_id))
        self.note()

    def gossip_received(self, topic: str, message: bytes, peer_id: str) -> Verdict:
        self.gossip.append((topic, message, peer_id))
        self.note()
        return self.verdict(message)

    def note(self) -> None:
        self._changed.unpark_all()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Return when `is_so` holds, looking after every event; fails after a long while."""
        with trio.fail_after(WAIT_S):
            while not is_so():
                await self._changed.park()

    async def until_gone(self, peer_id: str) -> None:
        await self.until(lambda: peer_id not in self.connected)


async def echo(link: Link, frame: bytes = b"are you there") -> bytes:
    """Return what comes back for a frame."""
    with trio.fail_after(WAIT_S):
        await link.send(frame)
        return await link.receive()


async def closed(link: Link) -> None:
    """Return when the link is closed; what still arrives before is skipped."""
    with trio.fail_after(WAIT_S):
        try:
            while True:
                await link.receive()
        except LinkClosed:
            return
