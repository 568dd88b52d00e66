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
from p2pvalue.network.libp2p_channel import Identity, SecureChannel, secure
from p2pvalue.network.libp2p_connection import Connection
from p2pvalue.network.limits import Limits, Timeouts, TokenBucket

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    StreamHandler = Callable[["Connection", yamux.Stream], Awaitable[None]]

log = logging.getLogger(__name__)

_SIMULTANEOUS_S = 5.0
_KEPT_BEFORE_EVICTION_S = 5.0
_MEMBER_KEPT_S = 10.0  # by then it knows others to go to, and we know where to call it
_BUCKETS_MAX = 4096


class Swarm:
    """All connections of a generation, and who may have one."""

    def __init__(
        self,
        identity: Identity,
        *,
        limits: Limits,
        timeouts: Timeouts,
        connected: Callable[[Connection], None],
        disconnected: Callable[[Connection], None],
    ) -> None:
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
        self,
        channel: SecureChannel,
        *,
        dialed: bool,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
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
