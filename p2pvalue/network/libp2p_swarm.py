"""The connections of one network generation: listening, dialling, limits and signs of life.

It stands where the library has its Swarm and BasicHost, whose defects (connections counted for
ever, refusals remembered for a minute, a quarter second of waiting in every dial, a task kept per
closed connection, stalled handshakes that lock out the rest) have no switch. Whatever a peer does
ends at most its own connection.
"""

from __future__ import annotations

import ipaddress
import logging
from collections import deque
from typing import TYPE_CHECKING

import trio

from p2pvalue.network import multistream, yamux
from p2pvalue.network.addresses import Address, concrete_addresses
from p2pvalue.network.libp2p_channel import ChannelBroken, Identity, SecureChannel, secure
from p2pvalue.network.limits import Limits, Timeouts, TokenBucket

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    StreamHandler = Callable[["Connection", yamux.Stream], Awaitable[None]]

log = logging.getLogger(__name__)

_FLUSH_S = 1.0
_SIMULTANEOUS_S = 5.0
_KEPT_BEFORE_EVICTION_S = 5.0
_MEMBER_KEPT_S = 10.0  # by then it knows others to go to, and we know where to call it
_BUCKETS_MAX = 4096


class Connection:
    """One authenticated connection to one peer."""

    def __init__(
        self, channel: SecureChannel, *, dialed: bool, nursery: trio.Nursery, limits: Limits,
        timeouts: Timeouts, serve: Callable[[Connection, yamux.Stream], None],
    ) -> None:  # fmt: skip
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


class Swarm:
    """All connections of a generation, and who may have one."""

    def __init__(
        self, identity: Identity, *, limits: Limits, timeouts: Timeouts,
        connected: Callable[[Connection], None], disconnected: Callable[[Connection], None],
    ) -> None:  # fmt: skip
        self.identity = identity
        self.peer_id = identity.id.to_base58()
        self.handlers: dict[str, StreamHandler] = {}
        self.connections: dict[str, Connection] = {}
        self.bound: list[Address] = []
        self.refused_count = 0
        self._limits = limits
        self._timeouts = timeouts
        self._connected = connected
        self._disconnected = disconnected
        self._pending: deque[tuple[str, trio.CancelScope]] = deque()
        self._buckets: dict[str, TokenBucket] = {}
        self._dialing: dict[str, trio.Event] = {}
        self._nursery: trio.Nursery | None = None

    async def run(
        self,
        listen: list[Address],
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Listen and serve until cancelled; raises OSError if an address cannot be bound."""
        listeners: list[trio.SocketListener] = []
        try:
            for address in listen:
                opened = await trio.open_tcp_listeners(address.port, host=address.host)
                listeners += opened
                port = opened[0].socket.getsockname()[1]
                self.bound.append(Address(address.kind, address.host, port))
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                task_status.started()
                if listeners:
                    await trio.serve_listeners(self._accept, listeners, handler_nursery=nursery)
                await trio.sleep_forever()
        finally:
            for connection in list(self.connections.values()):
                self.forget(connection)
            for listener in listeners:
                listener.socket.close()

    def addresses(self) -> list[str]:
        """Return where others reach us, with our peer id."""
        return [f"{address}/p2p/{self.peer_id}" for address in concrete_addresses(self.bound)]

    # Coming in.

    async def _accept(self, stream: trio.SocketStream) -> None:
        try:
            remote_host = str(stream.socket.getpeername()[0])
            if not self._may_come_in(remote_host):
                self.refused_count += 1
                return
            scope = self._admit_handshake(remote_host)
            entry = (remote_host, scope)
            try:
                with scope:
                    channel = await secure(
                        stream, self.identity, dialed=False, expected_peer_id=None
                    )
            finally:
                if entry in self._pending:
                    self._pending.remove(entry)
            if not scope.cancelled_caught:
                await self._serve(channel, dialed=False)
        except Exception as wrong:  # noqa: BLE001  (a stranger's bytes; anything may be raised)
            log.debug("a handshake failed: %r", wrong)
        finally:
            await trio.aclose_forcefully(stream)

    def _may_come_in(self, remote_host: str) -> bool:
        inbound = [c for c in self.connections.values() if not c.dialed]
        full = len(self.connections) >= self._limits.peers_max
        if (full or len(inbound) >= self._limits.inbound_max) and not self._make_room(inbound):
            return False
        if ipaddress.ip_address(remote_host.partition("%")[0]).is_loopback:
            return True
        now_s = trio.current_time()
        if len(self._buckets) >= _BUCKETS_MAX:
            self._buckets = {h: b for h, b in self._buckets.items() if not b.is_full(now_s)}
        if len(self._buckets) >= _BUCKETS_MAX and remote_host not in self._buckets:
            return False
        bucket = self._buckets.setdefault(
            remote_host,
            TokenBucket(self._limits.handshakes_per_s, self._limits.handshakes_burst, now_s),
        )
        return bucket.take(now_s)

    def _make_room(self, inbound: list[Connection]) -> bool:
        """End a connection of a stranger, or one that nobody uses; False if there is none.

        A member's only where members hold the places that they leave to others.
        """
        now_s = trio.current_time()
        old = [c for c in inbound if c.opened_at_s < now_s - _KEPT_BEFORE_EVICTION_S]
        spare = [c for c in old if c.session.is_idle or not c.is_admitted]
        members = [c for c in inbound if c.is_admitted]
        if not spare and len(members) > self._limits.inbound_max - self._limits.newcomers_min:
            spare = [c for c in members if c.opened_at_s < now_s - _MEMBER_KEPT_S]
        if not spare:
            return False
        oldest = min(spare, key=lambda c: (c.is_admitted, not c.session.is_idle, c.opened_at_s))
        self.forget(oldest)
        oldest.end("made room for another peer")
        return True

    def _admit_handshake(self, remote_host: str) -> trio.CancelScope:
        of_address = [entry for entry in self._pending if entry[0] == remote_host]
        if len(of_address) >= self._limits.handshakes_pending_per_address_max:
            self._drop_handshake(of_address[0])
        elif len(self._pending) >= self._limits.handshakes_pending_max:
            self._drop_handshake(self._pending[0])
        scope = trio.CancelScope(deadline=trio.current_time() + self._timeouts.upgrade_s)
        self._pending.append((remote_host, scope))
        return scope

    def _drop_handshake(self, entry: tuple[str, trio.CancelScope]) -> None:
        self._pending.remove(entry)
        entry[1].cancel()

    # Going out.

    async def connect(self, addresses: list[Address], timeout_s: float) -> None:
        """Return when the one peer named by all addresses is connected; raises ConnectionError."""
        peer_id = addresses[0].peer_id
        assert peer_id is not None
        while peer_id not in self.connections and peer_id in self._dialing:
            await self._dialing[peer_id].wait()
        if peer_id in self.connections:
            return
        done = self._dialing[peer_id] = trio.Event()
        try:
            await self._dial_in_order(addresses, timeout_s)
        finally:
            del self._dialing[peer_id]
            done.set()

    async def _dial_in_order(self, addresses: list[Address], timeout_s: float) -> None:
        if len(self.connections) >= self._limits.peers_max:
            raise ConnectionError(f"already connected to {self._limits.peers_max} peers")
        ends_at_s = trio.current_time() + timeout_s
        tried: list[str] = []
        for index, address in enumerate(addresses):
            share_s = (ends_at_s - trio.current_time()) / (len(addresses) - index)
            with trio.move_on_after(max(0.0, share_s)):
                try:
                    await self._dial(address)
                    return
                except Exception as failed:  # noqa: BLE001  (a stranger's bytes, or no route)
                    tried.append(f"{address}: {_root_cause(failed)}")
                    continue
            tried.append(f"{address}: no answer in time")
        raise ConnectionError("could not connect: " + "; ".join(tried))

    async def _dial(self, address: Address) -> None:
        assert self._nursery is not None
        stream = await trio.open_tcp_stream(address.host, address.port)
        try:
            channel = await secure(
                stream, self.identity, dialed=True, expected_peer_id=address.peer_id
            )
            await self._nursery.start(self._serve_dialed, channel)
        except BaseException:  # a cancellation, too
            await trio.aclose_forcefully(stream)
            raise

    async def _serve_dialed(
        self, channel: SecureChannel, *, task_status: trio.TaskStatus[None]
    ) -> None:
        try:
            await self._serve(channel, dialed=True, task_status=task_status)
        except Exception as wrong:  # noqa: BLE001  (one connection must not end the generation)
            log.warning("a connection ended badly: %r", wrong)
        finally:
            await trio.aclose_forcefully(channel.stream)

    # Staying.

    async def _serve(
        self, channel: SecureChannel, *, dialed: bool,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:  # fmt: skip
        async with trio.open_nursery() as nursery:
            connection = Connection(
                channel,
                dialed=dialed,
                nursery=nursery,
                limits=self._limits,
                timeouts=self._timeouts,
                serve=self._serve_stream_soon,
            )
            try:
                nursery.start_soon(connection.write)
                if self._register(connection):
                    task_status.started()
                    nursery.start_soon(
                        connection.keep_alive,
                        self._timeouts.ping_interval_s,
                        self._timeouts.ping_answer_s,
                    )
                    await connection.read()
                else:
                    connection.end("another connection to this peer stays")
                    task_status.started()
                self.forget(connection)
            finally:
                # Links outlive a generation that dies: whoever reads from one must hear of it.
                connection.session.end("the connection is over")
                self.forget(connection)

    def _register(self, connection: Connection) -> bool:
        peer_id = connection.peer_id
        if peer_id == self.peer_id:
            return False
        other = self.connections.get(peer_id)
        if other is not None:
            if not self._replaces(connection, other):
                return False
            self.forget(other)
            other.end("replaced by a newer connection")
        elif len(self.connections) >= self._limits.peers_max:
            return False
        self.connections[peer_id] = connection
        connection.is_registered = True
        self._connected(connection)
        return True

    def _replaces(self, new: Connection, old: Connection) -> bool:
        """Both sides must choose the same one of two connections dialled at the same time."""
        simultaneous = trio.current_time() - old.opened_at_s < _SIMULTANEOUS_S
        if new.dialed == old.dialed or not simultaneous:
            return True
        ours_stays = self.peer_id < new.peer_id
        return new.dialed == ours_stays

    def forget(self, connection: Connection) -> None:
        """Take a connection out of the table and say that its peer is gone; safe to repeat."""
        if connection.is_registered:
            connection.is_registered = False
            del self.connections[connection.peer_id]
            self._disconnected(connection)

    def _serve_stream_soon(self, connection: Connection, stream: yamux.Stream) -> None:
        connection.nursery.start_soon(self._serve_stream, connection, stream)

    async def _serve_stream(self, connection: Connection, stream: yamux.Stream) -> None:
        try:
            with trio.move_on_after(self._timeouts.negotiate_s) as waiting:
                protocol = await multistream.answer(stream, self.handlers)
            if waiting.cancelled_caught:
                stream.reset("no protocol was agreed on in time")
                return
            await self.handlers[protocol](connection, stream)
        except Exception as wrong:  # noqa: BLE001  (a peer's bytes end at most its stream)
            log.debug("a stream of %s failed: %r", connection.peer_id, wrong)
            stream.reset("failed")


def _root_cause(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    while isinstance(error.__cause__, BaseExceptionGroup) and error.__cause__.exceptions:
        error = error.__cause__.exceptions[0]
    return str(error) or type(error).__name__
