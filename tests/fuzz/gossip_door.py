"""A target for gossip frames: protobuf of a peer that is admitted to one topic.

The library that the frames go to ended its process on some of them; here each is read, judged and
passed on by the guarded door, in a network that has nobody else in it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import cache
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import trio
from trio.testing import MockClock

from p2pvalue.network.interface import GOSSIP_BYTES_MAX, Verdict
from p2pvalue.network.libp2p_load import load_libp2p
from p2pvalue.network.limits import Limits, Timeouts
from p2pvalue.network.multistream import encode_varint
from p2pvalue.network.yamux import Stream, StreamEnded
from tests.fuzz.streams import Script
from tests.fuzz.target import Budget, Target
from tests.network.attacks.attackers import killer_frames

TOPIC = "a-topic"
_DOOR_LOG = "p2pvalue.network.libp2p_gossip"
_INPUTS_PER_DOOR = 200  # then another: what a peer may fill is for other tests
_VERDICTS = (Verdict.ACCEPT, Verdict.IGNORE, Verdict.REJECT)


class _Failures(logging.Handler):
    """Keeps what the door had to write down because something in it failed."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(f"{record.getMessage()}: {record.exc_info and record.exc_info[1]!r}")


class _Door:
    """The guarded door, with one admitted peer that listens to one topic."""

    def __init__(self) -> None:
        load_libp2p()
        from libp2p.pubsub.gossipsub import PROTOCOL_ID_V11
        from libp2p.pubsub.rpc_queue import RpcQueue

        from p2pvalue.network import libp2p_channel, libp2p_gossip

        own, other = (libp2p_channel.Identity(bytes([n]) * 32) for n in (1, 2))
        self.inputs_left = _INPUTS_PER_DOOR
        self.malformed = libp2p_gossip._Malformed
        self.failures = _Failures()
        self.gossip = libp2p_gossip.Gossip(
            own, limits=Limits(), timeouts=Timeouts(), judge=self._judge
        )
        self.peer_id = other.id.to_base58()
        self.connection = cast(
            "Any", SimpleNamespace(peer=other.id, peer_id=self.peer_id, end=lambda why: None)
        )
        self.gossip._topics_of[self.peer_id] = {TOPIC}
        self.gossip._router.add_peer(other.id, PROTOCOL_ID_V11)
        logging.getLogger("libp2p").setLevel(logging.ERROR)  # as the daemon does
        pubsub = self.gossip._pubsub
        pubsub._manager = cast("Any", SimpleNamespace(is_running=False))
        pubsub.peers[other.id] = cast("Any", None)
        pubsub.peer_queues[other.id] = RpcQueue(max_message_size=Limits().gossip_rpc_bytes_max)

    def _judge(self, topic: str, data: bytes, peer_id: str) -> Verdict:
        assert (topic, peer_id) == (TOPIC, self.peer_id)
        assert 0 < len(data) <= GOSSIP_BYTES_MAX
        return _VERDICTS[len(data) % 3]

    async def take(self, data: bytes) -> int:
        """Take frames until one is malformed or there are no more; return how many were taken."""
        await self.gossip._pubsub.subscribe(TOPIC)
        stream = cast("Stream", Script(data))
        taken = 0
        try:
            while True:
                rpc = await self.gossip._read_rpc(stream)
                await self.gossip._take(self.connection, rpc)
                taken += 1
        except (StreamEnded, self.malformed):
            return taken


_doors: list[_Door] = []


def _gossip_frames(data: bytes) -> bool:
    if not _doors or not _doors[0].inputs_left:
        _doors[:] = [_Door()]
    door = _doors[0]
    door.inputs_left -= 1
    log = logging.getLogger(_DOOR_LOG)
    log.addHandler(door.failures)
    try:
        taken = trio.run(door.take, data, clock=MockClock())
    finally:
        log.removeHandler(door.failures)
    told, door.failures.told = door.failures.told, []
    assert not told, told
    return bool(taken)


@cache
def _seeds() -> Iterable[bytes]:
    load_libp2p()
    from libp2p.pubsub.pb import rpc_pb2

    honest = rpc_pb2.RPC()
    honest.subscriptions.add(subscribe=True, topicid=TOPIC)
    honest.publish.add(data=b"data", topicIDs=[TOPIC])
    honest.control.graft.add(topicID=TOPIC)
    honest.control.prune.add(topicID=TOPIC, backoff=10)
    honest.control.ihave.add(topicID=TOPIC, messageIDs=[b"00" * 20])
    honest.control.iwant.add(messageIDs=[b"00" * 20])
    frames = [honest.SerializeToString(), *killer_frames(Random(1))]
    return [encode_varint(len(frame)) + frame for frame in frames]


GOSSIP_DOOR = (
    Target(
        name="gossip-frame",
        run=_gossip_frames,
        seeds=_seeds,
        covers=(f"{_DOOR_LOG}._read_rpc",),
        bytes_max=16_384,
        budget=Budget(units=60, memory_bytes=4 << 20),
        mutations_in_tests=100,
    ),
)
