"""Attacks on a listening node, one per known weakness of the library; each needs only an address.

An attack is an async function: it calls `task_status.started()` when it is at full force and then
keeps it up until it is cancelled, so that a test can look whether others are served meanwhile.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import trio

from p2pvalue.network import JOIN_PROTOCOL, SYNC_PROTOCOL, parse_address
from p2pvalue.network.libp2p_load import load_libp2p
from p2pvalue.network.multistream import encode_varint, propose
from p2pvalue.network.yamux import Session, SessionEnded, Stream, StreamEnded
from tests.patience import WAIT_S

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator

Attack = Callable[..., Awaitable[None]]

DATA, WINDOW, PING, GO_AWAY = range(4)
SYN, ACK, FIN, RST = 1, 2, 4, 8
MESHSUB = "/meshsub/1.1.0"
_GREETING = b"\x13/multistream/1.0.0\n"
_STALLED = 300
_GARBAGE = 60
_SYNS = 3000
_PINGS = 150_000
_FRAME = 60_000


class RawPeer:
    """An authenticated peer that can send any yamux frame it likes."""

    def __init__(self, session: Session, channel: Any, opened: list[Stream], peer_id: str) -> None:
        self.peer_id = peer_id
        self.session = session
        self.channel = channel
        self.opened = opened

    async def open(self, protocol: str) -> Stream:
        stream = self.session.open()
        await propose(stream, protocol)
        return stream

    def frame(self, kind: int, flags: int, number: int, length: int, body: bytes = b"") -> None:
        self.session.queue(kind, flags, number, length, body)


@asynccontextmanager
async def raw_peer(address: str, *, reads: bool = True) -> AsyncIterator[RawPeer]:
    """Connect under a new key; with `reads` false nothing the node sends is ever taken."""
    load_libp2p()
    from p2pvalue.network.libp2p_channel import ChannelBroken, Identity, secure

    target = parse_address(address)
    stream = await trio.open_tcp_stream(target.host, target.port)
    identity = Identity(_new_seed())
    channel = await secure(stream, identity, dialed=True, expected_peer_id=target.peer_id)
    opened: list[Stream] = []
    session = Session(
        dialed=True,
        on_stream=opened.append,
        streams_inbound_max=64,
        unread_bytes_max=1 << 30,
        unsent_bytes_max=1 << 30,
        stall_s=5.0,
    )

    async def read() -> None:
        try:
            while True:
                session.feed(await channel.receive())
        except (ChannelBroken, SessionEnded) as ended:
            session.end(str(ended))

    async def write() -> None:
        try:
            while True:
                await channel.send(await session.output())
        except (ChannelBroken, SessionEnded) as ended:
            session.end(str(ended))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        if reads:
            nursery.start_soon(read)
        try:
            yield RawPeer(session, channel, opened, identity.id.to_base58())
        finally:
            nursery.cancel_scope.cancel()
            stream.socket.close()  # not awaited: a Cancelled would hide why the test failed


def _new_seed() -> bytes:
    import secrets

    return secrets.token_bytes(32)


async def _tcp(address: str) -> trio.SocketStream:
    target = parse_address(address)
    return await trio.open_tcp_stream(target.host, target.port)


async def _hold(streams: list[trio.SocketStream]) -> None:
    try:
        await trio.sleep_forever()
    finally:
        for stream in streams:
            stream.socket.close()


async def stalled_handshakes(
    address: str, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Hundreds of connections that never say a word."""
    streams = [await _tcp(address) for _ in range(_STALLED)]
    task_status.started()
    await _hold(streams)


async def stalled_inside_noise(
    address: str, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Connections that stop in the middle of the handshake."""
    streams = []
    for _ in range(_GARBAGE):
        stream = await _tcp(address)
        streams.append(stream)
        await stream.send_all(_GREETING + b"\x07/noise\n" + b"\x00\x20" + bytes(16))
    task_status.started()
    await _hold(streams)


async def garbage_connections(
    address: str,
    rng: random.Random,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Random bytes at every depth of the handshake."""
    starts = (b"", _GREETING, _GREETING + b"\x07/noise\n", b"\xff" * 12, _GREETING + b"\xff" * 9)
    streams = []
    for number in range(_GARBAGE):
        stream = await _tcp(address)
        streams.append(stream)
        try:
            await stream.send_all(starts[number % len(starts)] + rng.randbytes(512))
        except trio.BrokenResourceError:
            continue
    task_status.started()
    await _hold(streams)


async def yamux_garbage(
    address: str,
    rng: random.Random,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """An authenticated peer that sends noise instead of frames."""
    for _ in range(10):
        async with raw_peer(address) as peer:
            await peer.channel.send(rng.randbytes(4096))
            await until_ended(peer)
    task_status.started()
    await trio.sleep_forever()


async def flood_of_openings(
    address: str, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Thousands of streams opened at once on one connection."""
    async with raw_peer(address) as peer:
        for number in range(_SYNS):
            peer.frame(WINDOW, SYN, 1 + 2 * number, 0)
        await until_ended(peer)
        task_status.started()
        await trio.sleep_forever()


async def streams_that_say_nothing(
    address: str, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """As many streams as are allowed, on several connections, all silent."""
    async with trio.open_nursery() as nursery:
        for _ in range(8):
            await nursery.start(_silent_streams, address)
        task_status.started()


async def _silent_streams(address: str, *, task_status: trio.TaskStatus[None]) -> None:
    async with raw_peer(address) as peer:
        for number in range(200):
            peer.frame(WINDOW, SYN, 1 + 2 * number, 0)
        task_status.started()
        await trio.sleep_forever()


async def more_than_the_window(
    address: str, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Megabytes on a link whose window is 256 KiB, while its echoes have nowhere to go."""
    async with raw_peer(address) as peer:
        stream = await peer.open(SYNC_PROTOCOL)
        body = struct.pack("!I", _FRAME - 4) + bytes(_FRAME - 4)
        for _ in range(64):
            peer.frame(DATA, 0, stream.number, _FRAME, body)
        await until_ended(peer, stream)
    task_status.started()
    await trio.sleep_forever()


async def unread_on_many_streams(
    address: str, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Full windows on every stream, none of which the node reads yet."""
    async with raw_peer(address) as peer:
        for number in range(16):
            peer.frame(WINDOW, SYN, 1 + 2 * number, 0)
            for _ in range(4):
                peer.frame(DATA, 0, 1 + 2 * number, _FRAME, b"\xff" * _FRAME)
        task_status.started()
        await trio.sleep_forever()


async def pings_without_reading(
    address: str, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Make the node answer without end and read no answer."""
    async with raw_peer(address, reads=False) as peer:
        for number in range(_PINGS):
            peer.frame(PING, SYN, 0, number)
            if number % 5000 == 0:
                await trio.lowlevel.checkpoint()
        task_status.started()
        await trio.sleep_forever()


async def link_that_is_not_read(
    address: str, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Ask for echoes and grant no credit for them."""
    async with raw_peer(address) as peer:
        stream = await peer.open(SYNC_PROTOCOL)
        frame = struct.pack("!I", 60_000) + bytes(60_000)
        try:
            for _ in range(12):
                await stream.write(frame)
        except StreamEnded:
            pass
        task_status.started()
        await trio.sleep_forever()


async def broken_frames(
    address: str,
    rng: random.Random,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Links with oversized, cut and random frames, and a handler that is made to fail."""
    async with raw_peer(address) as peer:
        for raw in (b"\xff\xff\xff\xff", b"\x00\x00\x01\x00cut", b"\x00\x00\x00\x05raise"):
            stream = await peer.open(SYNC_PROTOCOL)
            await stream.write(raw)
            stream.finish()
        stream = await peer.open(JOIN_PROTOCOL)
        body = rng.randbytes(100)
        await stream.write(struct.pack("!I", len(body)) + body)
        task_status.started()
        await trio.sleep_forever()


async def endless_negotiation(
    address: str, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Propose unknown protocols for ever, and lines without end."""
    async with raw_peer(address) as peer:
        for raw in (b"\x05nono\n" * 4000, b"\xff\xff\xff\xff\x7f", b"\x80\x04" + b"x" * 512):
            stream = peer.session.open()
            await stream.write(_GREETING + raw)
        task_status.started()
        await trio.sleep_forever()


async def many_short_connections(
    address: str, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """More connections over a lifetime than the library's counter allows at once."""
    for _ in range(10):
        async with trio.open_nursery() as nursery:
            for _ in range(26):
                nursery.start_soon(_come_and_go, address)
    task_status.started()
    await trio.sleep_forever()


async def _come_and_go(address: str) -> None:
    stream = await _tcp(address)
    await stream.send_all(_GREETING)
    stream.socket.close()


async def gossip_killers(
    address: str,
    rng: random.Random,
    *,
    admitted: Callable[[RawPeer], Awaitable[None]] | None = None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """The frames that end a stock node: malformed protobuf, keys that are none, endless lists."""

    async def send(raw: bytes) -> None:
        async with raw_peer(address) as peer:
            if admitted is not None:
                await admitted(peer)
            stream = await peer.open(MESHSUB)
            with suppress(StreamEnded):
                await stream.write(encode_varint(len(raw)) + raw)
                await stream.write(b"\xff" * 64)
                while await stream.read():
                    pass

    async with trio.open_nursery() as nursery:
        for raw in killer_frames(rng):
            nursery.start_soon(send, raw)
    task_status.started()
    await trio.sleep_forever()


def killer_frames(rng: random.Random) -> list[bytes]:
    """Pubsub frames, each of which once ended or wedged a node."""
    load_libp2p()
    from libp2p.pubsub.pb import rpc_pb2

    bad_key = rpc_pb2.RPC()
    bad_key.publish.add(
        data=b"x", topicIDs=["a-topic"], from_id=b"\x00\x24garbage", seqno=b"1",
        signature=b"s", key=b"\xff\xff\xff",
    )  # fmt: skip
    no_topic = rpc_pb2.RPC()
    no_topic.publish.add(data=b"x")
    many_topics = rpc_pb2.RPC()
    many_topics.publish.add(data=b"x", topicIDs=["a-topic"] * 2000)
    controls = rpc_pb2.RPC()
    for number in range(3000):
        controls.control.graft.add(topicID=f"t{number}")
    ids = rpc_pb2.RPC()
    ids.control.ihave.add(topicID="a-topic", messageIDs=[b"\xff\xfe" * 5] * 5000)
    ids.control.iwant.add(messageIDs=[b"0"] * 5000)
    subscriptions = rpc_pb2.RPC()
    for number in range(5000):
        subscriptions.subscriptions.add(subscribe=True, topicid=f"topic{number}")
    prune = rpc_pb2.RPC()
    prune.control.prune.add(topicID="a-topic", backoff=2**63 - 1)
    record = rpc_pb2.RPC(senderRecord=b"\xff" * 100)
    built = [bad_key, no_topic, many_topics, controls, ids, subscriptions, prune, record]
    raw = [b"\xff" * 100, rng.randbytes(300), b"", b"\x12\xff\xff\xff\xff\x0f", b"\x08\xff"]
    return [*raw, *(rpc.SerializeToString() for rpc in built)]


async def until_ended(peer: RawPeer, stream: Stream | None = None) -> None:
    """Return when the node has ended the connection, or the stream if one is given."""
    with trio.fail_after(WAIT_S):
        while peer.session.ended is None and (stream is None or stream.ended is None):
            pong = peer.session.ping()
            with trio.move_on_after(0.05):
                await pong.wait()


WITHOUT_RANDOMNESS: tuple[Attack, ...] = (
    stalled_handshakes,
    stalled_inside_noise,
    flood_of_openings,
    streams_that_say_nothing,
    more_than_the_window,
    unread_on_many_streams,
    pings_without_reading,
    link_that_is_not_read,
    endless_negotiation,
    many_short_connections,
)
WITH_RANDOMNESS: tuple[Attack, ...] = (
    garbage_connections,
    yamux_garbage,
    broken_frames,
    gossip_killers,
)
