"""One life of the network: swarm, gossip and the small protocols every libp2p node answers.

Everything that has state in the library lives and dies with a generation; `libp2p.Libp2pNetwork`
starts a new one when it died. Importing this module imports the library, so only `libp2p_load`
does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import trio
from libp2p.identity.identify.pb.identify_pb2 import Identify

from p2pvalue.network import libp2p_gossip, multistream, yamux
from p2pvalue.network.interface import (
    JOIN_PROTOCOL,
    LINK_PROTOCOL,
    RECOVER_PROTOCOL,
    SYNC_PROTOCOL,
    LinkClosed,
    Verdict,
)
from p2pvalue.network.libp2p_channel import Identity
from p2pvalue.network.libp2p_connection import Connection
from p2pvalue.network.libp2p_gossip import Gossip
from p2pvalue.network.libp2p_swarm import Swarm
from p2pvalue.network.links import StreamLink

if TYPE_CHECKING:
    from collections.abc import Iterable

    from p2pvalue.network.addresses import Address
    from p2pvalue.network.limits import Limits, Timeouts

IDENTIFY_PROTOCOL = "/ipfs/id/1.0.0"
PING_PROTOCOL = "/ipfs/ping/1.0.0"
_PING_BYTES = 32


class Upcalls(Protocol):
    """What a generation tells the network above it; none of these may raise."""

    def connected(self, peer_id: str) -> None: ...

    def disconnected(self, peer_id: str) -> None: ...

    def link_opened(self, link: StreamLink) -> None: ...

    def judge(self, topic: str, message: bytes, peer_id: str) -> Verdict: ...


class Generation:
    """A running swarm with gossip; thrown away as a whole when anything in it fails."""

    def __init__(
        self,
        key_seed: bytes,
        listen: list[Address],
        *,
        limits: Limits,
        timeouts: Timeouts,
        upcalls: Upcalls,
    ) -> None:
        self._listen = listen
        self._timeouts = timeouts
        self._upcalls = upcalls
        identity = Identity(key_seed)
        self._public_key = identity.key_pair.public_key.serialize()
        self.gossip = Gossip(identity, limits=limits, timeouts=timeouts, judge=upcalls.judge)
        self.swarm = Swarm(
            identity,
            limits=limits,
            timeouts=timeouts,
            connected=lambda connection: upcalls.connected(connection.peer_id),
            disconnected=self._disconnected,
        )
        self.swarm.handlers.update(
            {
                SYNC_PROTOCOL: self._serve_link(SYNC_PROTOCOL),
                JOIN_PROTOCOL: self._serve_link(JOIN_PROTOCOL),
                LINK_PROTOCOL: self._serve_link(LINK_PROTOCOL),
                RECOVER_PROTOCOL: self._serve_link(RECOVER_PROTOCOL),
                libp2p_gossip.PROTOCOL: self.gossip.serve,
                IDENTIFY_PROTOCOL: self._serve_identify,
                PING_PROTOCOL: self._serve_ping,
            }
        )

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Listen and serve until cancelled or dead; every peer is reported gone at the end."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self.gossip.run)
            await nursery.start(self.swarm.run, self._listen)
            task_status.started()

    async def open_link(self, peer_id: str, protocol: str) -> StreamLink:
        """Return a link to a connected peer; raises LinkClosed."""
        connection = self.swarm.connections.get(peer_id)
        if connection is None:
            raise LinkClosed("not connected to this peer")
        try:
            with trio.fail_after(self._timeouts.open_link_s):
                stream = await connection.open_stream(protocol)
        except (yamux.StreamEnded, multistream.NegotiationFailed, trio.TooSlowError) as failed:
            raise LinkClosed(str(failed) or "the peer did not answer") from None
        return StreamLink(stream, peer_id=peer_id, protocol=protocol)

    def disconnect(self, peer_id: str) -> None:
        connection = self.swarm.connections.get(peer_id)
        if connection is not None:
            self.swarm.forget(connection)
            connection.end("disconnected by us")

    def admit_to_gossip(self, peer_id: str, topics: Iterable[str]) -> None:
        connection = self.swarm.connections.get(peer_id)
        if connection is not None:
            connection.is_admitted = True
            self.gossip.admit(connection, topics)

    def bar_from_gossip(self, peer_id: str, topics: Iterable[str]) -> None:
        connection = self.swarm.connections.get(peer_id)
        if connection is not None:
            self.gossip.bar(connection, topics)

    def _disconnected(self, connection: Connection) -> None:
        self.gossip.peer_gone(connection)
        self._upcalls.disconnected(connection.peer_id)

    def _serve_link(self, protocol: str) -> _LinkServer:
        return _LinkServer(protocol, self._upcalls)

    async def _serve_identify(self, connection: Connection, stream: yamux.Stream) -> None:
        """Say what we speak, and no address: those are for members."""
        answer = Identify(
            protocol_version="p2pvalue/1",
            agent_version="p2pvalue",
            public_key=self._public_key,
            protocols=sorted(self.swarm.handlers),
        ).SerializeToString()
        await stream.write(multistream.encode_varint(len(answer)) + answer)
        stream.finish()

    async def _serve_ping(self, connection: Connection, stream: yamux.Stream) -> None:
        while True:
            await stream.write(await stream.read_exactly(_PING_BYTES))


class _LinkServer:
    """Turns a stream that a peer opened into a link for the node."""

    def __init__(self, protocol: str, upcalls: Upcalls) -> None:
        self._protocol = protocol
        self._upcalls = upcalls

    async def __call__(self, connection: Connection, stream: yamux.Stream) -> None:
        link = StreamLink(stream, peer_id=connection.peer_id, protocol=self._protocol)
        self._upcalls.link_opened(link)
