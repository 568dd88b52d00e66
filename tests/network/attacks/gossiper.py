"""A peer that speaks meshsub by hand, so that a test sees every frame and can send any."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import trio

from p2pvalue.network import JOIN_PROTOCOL
from p2pvalue.network.libp2p_load import load_libp2p
from p2pvalue.network.multistream import answer, encode_varint
from p2pvalue.network.yamux import Stream, StreamEnded
from tests.network.attacks.attackers import MESHSUB, RawPeer, raw_peer
from tests.patience import WAIT_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


class Gossiper:
    """Sends pubsub frames on one stream and collects what the node sends on its own."""

    def __init__(self, peer: RawPeer) -> None:
        load_libp2p()
        from libp2p.pubsub.pb import rpc_pb2

        self.rpc: Any = rpc_pb2.RPC
        self.peer = peer
        self.heard: list[Any] = []
        self.stream: Stream | None = None

    async def obey(self, command: bytes) -> None:
        """Have `serve.py` do something for this peer."""
        link = await self.peer.open(JOIN_PROTOCOL)
        await link.write(len(command).to_bytes(4, "big") + command)
        size = int.from_bytes(await link.read_exactly(4), "big")
        await link.read_exactly(size)
        link.finish()

    async def send(self, rpc: Any) -> None:
        """Send one frame, opening our stream first."""
        if self.stream is None:
            self.stream = await self.peer.open(MESHSUB)
        data = rpc.SerializeToString()
        await self.stream.write(encode_varint(len(data)) + data)

    async def until_heard(self, is_it: Callable[[Any], bool]) -> Any:
        """Return the first frame of the node that is as wanted."""
        with trio.fail_after(WAIT_S):
            while not (found := [rpc for rpc in self.heard if is_it(rpc)]):
                await trio.lowlevel.checkpoint()
        return found[0]

    async def listen(self) -> None:
        """Accept the node's gossip streams and collect their frames."""
        async with trio.open_nursery() as nursery:
            taken = 0
            while True:
                for stream in self.peer.opened[taken:]:
                    taken += 1
                    nursery.start_soon(self._listen_to, stream)
                await trio.lowlevel.checkpoint()

    async def _listen_to(self, stream: Stream) -> None:
        await answer(stream, (MESHSUB,))
        try:
            while True:
                size, shift = 0, 0
                while True:
                    byte = (await stream.read_exactly(1))[0]
                    size |= (byte & 0x7F) << shift
                    shift += 7
                    if byte < 0x80:
                        break
                self.heard.append(self.rpc.FromString(await stream.read_exactly(size)))
        except StreamEnded:
            return


@asynccontextmanager
async def gossiper(address: str) -> AsyncIterator[Gossiper]:
    """Connect a hand-made gossip peer."""
    async with raw_peer(address) as peer, trio.open_nursery() as nursery:
        speaking = Gossiper(peer)
        nursery.start_soon(speaking.listen)
        yield speaking
        nursery.cancel_scope.cancel()
