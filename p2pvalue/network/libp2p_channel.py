"""From a TCP connection to an encrypted, authenticated channel, by libp2p Noise.

The handshake is the library's. The messages after it are framed here, because the library takes one
system call and one task switch per message and loses its place when a write is cancelled.
"""

from __future__ import annotations

from typing import Any

import trio
from libp2p.abc import IRawConnection
from libp2p.connection_types import ConnectionType
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.x25519 import create_new_key_pair as create_noise_key_pair
from libp2p.io.exceptions import IOException
from libp2p.peer.id import ID
from libp2p.security.noise.io import NoiseTransportReadWriter
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE_PROTOCOL
from libp2p.security.noise.transport import Transport as NoiseTransport
from libp2p.security.secure_session import SecureSession

from p2pvalue.network import multistream, yamux

_SOCKET_READ_BYTES = 128 * 1024
_TAG_BYTES = 16


class ChannelBroken(Exception):
    """The connection ended, or what came over it cannot be from the peer."""


class Identity:
    """Our libp2p key, and a Noise key that lives as long as one generation."""

    def __init__(self, key_seed: bytes) -> None:
        self.key_pair = create_new_key_pair(key_seed)
        self.id = ID.from_pubkey(self.key_pair.public_key)
        self._noise_key = create_noise_key_pair().private_key

    def noise(self) -> NoiseTransport:
        return NoiseTransport(self.key_pair, noise_privkey=self._noise_key)


class _Socket(IRawConnection):
    """A TCP stream in the form in which the library's handshake and our negotiation take it."""

    def __init__(self, stream: trio.SocketStream, *, dialed: bool) -> None:
        self.stream = stream
        self.is_initiator = dialed
        self.buffer = bytearray()
        self.heard_bytes = 0

    async def fill(self) -> None:
        """Read more into the buffer; raises ChannelBroken at the end."""
        try:
            data = await self.stream.receive_some(_SOCKET_READ_BYTES)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as broken:
            raise ChannelBroken("the connection broke") from broken
        if not data:
            raise ChannelBroken("the peer closed the connection")
        self.buffer += data
        self.heard_bytes += len(data)

    async def read_exactly(self, size: int) -> bytes:
        while len(self.buffer) < size:
            await self.fill()
        return self.take(size)

    def take(self, size: int) -> bytes:
        data = bytes(self.buffer[:size])
        del self.buffer[:size]
        return data

    async def write(self, data: bytes) -> None:
        try:
            await self.stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as broken:
            raise ChannelBroken("the connection broke") from broken

    # What the library asks for besides.

    async def read(self, n: int | None = None) -> bytes:
        try:
            return await self.read_exactly(1 if n is None else n)
        except ChannelBroken as broken:
            raise IOException(str(broken)) from broken

    async def close(self) -> None:
        await trio.aclose_forcefully(self.stream)

    def get_remote_address(self) -> tuple[str, int] | None:
        return None

    def get_transport_addresses(self) -> list[Any]:
        return []

    def get_connection_type(self) -> ConnectionType:
        return ConnectionType.DIRECT


class SecureChannel:
    """Messages of at most 65,519 bytes to and from one authenticated peer.

    One task may send while another receives. A send must not be cancelled unless the channel is
    then closed: half a message would leave the rest unreadable.
    """

    def __init__(self, socket: _Socket, cipher: NoiseTransportReadWriter, peer: ID) -> None:
        self._socket = socket
        self._cipher = cipher
        self._left_over = bytearray()
        self.stream = socket.stream
        self.peer = peer

    @property
    def heard_bytes(self) -> int:
        """How many bytes came so far, those of an unfinished message included."""
        return self._socket.heard_bytes

    async def receive(self) -> bytes:
        """Return the next decrypted bytes; raises ChannelBroken."""
        if self._left_over:
            data = bytes(self._left_over)
            self._left_over.clear()
            return data
        buffer = self._socket.buffer
        while len(buffer) < 2 or len(buffer) < 2 + int.from_bytes(buffer[:2], "big"):
            await self._socket.fill()
        size = int.from_bytes(self._socket.take(2), "big")
        message = self._socket.take(size)
        if size < _TAG_BYTES:
            raise ChannelBroken("not a Noise message")
        try:
            return self._cipher.decrypt(message)
        except Exception as forged:
            raise ChannelBroken("a message does not decrypt") from forged

    async def send(self, message: bytes) -> None:
        """Encrypt and write one message; raises ChannelBroken."""
        sealed = self._cipher.encrypt(message)
        await self._socket.write(len(sealed).to_bytes(2, "big") + sealed)

    async def read_exactly(self, size: int) -> bytes:
        """Return exactly `size` bytes, for negotiation; what is left over comes from `receive`."""
        held = bytearray()
        while len(held) < size:
            held += await self.receive()
        self._left_over += held[size:]
        return bytes(held[:size])

    async def write(self, data: bytes) -> None:
        await self.send(data)


async def secure(
    stream: trio.SocketStream, identity: Identity, *, dialed: bool, expected_peer_id: str | None
) -> SecureChannel:
    """Return the channel after both sides proved their keys and agreed on yamux.

    Raises anything the library raises on a hostile handshake; the caller sets the time limit and
    closes the stream on any failure.
    """
    socket = _Socket(stream, dialed=dialed)
    noise = identity.noise()
    if dialed:
        await multistream.propose(socket, NOISE_PROTOCOL)
        expected = ID.from_base58(expected_peer_id) if expected_peer_id is not None else None
        session = await noise.get_pattern().handshake_outbound(socket, expected)
    else:
        await multistream.answer(socket, (NOISE_PROTOCOL,))
        session = await noise.get_pattern().handshake_inbound(socket)
    if not isinstance(session, SecureSession):
        raise ChannelBroken("the library returned an unknown kind of session")
    cipher = session.conn
    if not isinstance(cipher, NoiseTransportReadWriter):
        raise ChannelBroken("the library returned an unknown kind of cipher")
    channel = SecureChannel(socket, cipher, session.get_remote_peer())
    if dialed:
        await multistream.propose(channel, yamux.PROTOCOL)
    else:
        await multistream.answer(channel, (yamux.PROTOCOL,))
    return channel
