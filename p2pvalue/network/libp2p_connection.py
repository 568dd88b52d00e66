"""One connection to one peer: what its session of streams reads and writes, and signs of life."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import trio

from p2pvalue.network import multistream, yamux
from p2pvalue.network.libp2p_channel import ChannelBroken

if TYPE_CHECKING:
    from collections.abc import Callable

    from p2pvalue.network.libp2p_channel import SecureChannel
    from p2pvalue.network.limits import Limits, Timeouts

log = logging.getLogger(__name__)

_FLUSH_S = 1.0


class Connection:
    """One authenticated connection to one peer."""

    def __init__(
        self,
        channel: SecureChannel,
        *,
        dialed: bool,
        nursery: trio.Nursery,
        limits: Limits,
        timeouts: Timeouts,
        serve: Callable[[Connection, yamux.Stream], None],
    ) -> None:
        self.peer = channel.peer
        self.peer_id = channel.peer.to_base58()
        self.dialed = dialed
        self.opened_at_s = trio.current_time()
        self.channel = channel
        self.nursery = nursery
        self.is_registered = False
        self.is_admitted = False  # the node knows this peer
        self.session = yamux.Session(
            dialed=dialed,
            on_stream=lambda stream: serve(self, stream),
            streams_inbound_max=limits.streams_inbound_max,
            unread_bytes_max=limits.unread_bytes_max,
            unsent_bytes_max=limits.unsent_bytes_max,
            stall_s=timeouts.stall_s,
        )

    def end(self, why: str) -> None:
        """End the connection; what is queued gets a second to leave."""
        if self.session.ended is None:
            log.debug("connection to %s ends: %s", self.peer_id, why)
        self.session.end(why)
        scope = self.nursery.cancel_scope
        scope.deadline = min(scope.deadline, trio.current_time() + _FLUSH_S)

    async def read(self) -> None:
        """Feed the session until the connection ends."""
        try:
            while True:
                self.session.feed(await self.channel.receive())
        except (ChannelBroken, yamux.SessionEnded) as ended:
            self.end(str(ended))

    async def write(self) -> None:
        """Send what the session queues; when it is over and all is sent, everything stops."""
        try:
            while True:
                await self.channel.send(await self.session.output())
        except (ChannelBroken, yamux.SessionEnded) as ended:
            self.end(str(ended))
            self.nursery.cancel_scope.cancel()

    async def keep_alive(self, interval_s: float, answer_s: float) -> None:
        """Ask for a sign of life now and then; a peer that is stopped or cut off loses us.

        Whatever comes is one: on a narrow line the answer waits behind what the peer sends.
        """
        is_answered = True
        while True:
            if is_answered:
                await trio.sleep(interval_s)
            heard_bytes = self.channel.heard_bytes
            with trio.move_on_after(answer_s) as waiting:
                await self.session.ping().wait()
            is_answered = not waiting.cancelled_caught
            if not is_answered and self.channel.heard_bytes == heard_bytes:
                self.end("no sign of life")
                return

    async def open_stream(self, protocol: str) -> yamux.Stream:
        """Return a stream that speaks `protocol`; raises StreamEnded or NegotiationFailed."""
        stream = self.session.open()
        try:
            await multistream.propose(stream, protocol)
        except BaseException:  # a cancellation, too
            stream.reset("no protocol was agreed on")
            raise
        return stream
