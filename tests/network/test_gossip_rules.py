"""What a peer may do in gossip, frame by frame: it is admitted to topics, and to no more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest
import trio

from p2pvalue.network import Limits, Timeouts, Verdict
from p2pvalue.network.libp2p_load import load_libp2p
from p2pvalue.network.multistream import encode_varint

if TYPE_CHECKING:
    from p2pvalue.network.libp2p_connection import Connection
    from p2pvalue.network.libp2p_gossip import Gossip
    from p2pvalue.network.yamux import Stream

OURS, OTHER = "a-topic", "another-topic"


class Peer:
    """A connection on which nothing is ever sent."""

    is_registered = False

    def __init__(self, seed: int, nursery: trio.Nursery) -> None:
        from p2pvalue.network.libp2p_channel import Identity

        self.peer = Identity(bytes([seed]) * 32).id
        self.peer_id = self.peer.to_base58()
        self.nursery = nursery
        self.ended = ""

    def end(self, why: str) -> None:
        self.ended = why


class Door:
    """A node's gossip on two topics, and one peer that is admitted to the first."""

    def __init__(self, gossip: Gossip, peer: Peer) -> None:
        from libp2p.pubsub.pb import rpc_pb2

        self.gossip = gossip
        self.peer = peer
        self.rpc: Any = rpc_pb2.RPC

    @property
    def connection(self) -> Connection:
        return cast("Connection", self.peer)

    async def take(self, rpc: Any) -> None:
        await self.gossip._take(self.connection, rpc)

    async def subscribe(self, topic: str) -> None:
        rpc = self.rpc()
        rpc.subscriptions.add(subscribe=True, topicid=topic)
        await self.take(rpc)

    async def graft(self, topic: str) -> None:
        rpc = self.rpc()
        rpc.control.graft.add(topicID=topic)
        await self.take(rpc)

    def is_subscriber(self, topic: str) -> bool:
        return self.peer.peer in self.gossip._pubsub.peer_topics.get(topic, set())

    def is_in_mesh(self, topic: str) -> bool:
        return self.peer.peer in self.gossip._router.mesh.get(topic, set())


@asynccontextmanager
async def door(judged: list[str] | None = None, *, fails: bool = False) -> AsyncIterator[Door]:
    load_libp2p()
    from p2pvalue.network.libp2p_channel import Identity
    from p2pvalue.network.libp2p_gossip import Gossip

    def judge(topic: str, data: bytes, peer_id: str) -> Verdict:
        if judged is not None:
            judged.append(topic)
        if fails:
            raise ValueError("a defect made on purpose")
        return Verdict.ACCEPT

    gossip = Gossip(Identity(b"n" * 32), limits=Limits(), timeouts=Timeouts(), judge=judge)
    async with trio.open_nursery() as nursery:
        await nursery.start(gossip.run)
        gossip.want({OURS, OTHER})
        while set(gossip._pubsub.topic_ids) != {OURS, OTHER}:
            await trio.lowlevel.checkpoint()
        found = Door(gossip, Peer(1, nursery))
        gossip.admit(found.connection, [OURS])
        yield found
        nursery.cancel_scope.cancel()


async def test_who_is_barred_from_a_topic_is_in_it_no_more_and_does_not_come_back_by_asking() -> (
    None
):
    async with door() as found:
        await found.subscribe(OURS)
        found.gossip._router.mesh[OURS].add(found.peer.peer)
        assert found.is_subscriber(OURS)
        found.gossip.bar(found.connection, [OURS])
        assert not found.is_subscriber(OURS)
        assert not found.is_in_mesh(OURS)
        await found.subscribe(OURS)
        assert not found.is_subscriber(OURS)
        found.gossip.admit(found.connection, [OURS])
        await found.subscribe(OURS)
        assert found.is_subscriber(OURS)


async def test_only_what_a_peer_says_on_topics_it_is_admitted_to_is_judged() -> None:
    judged: list[str] = []
    async with door(judged) as found:
        rpc = found.rpc()
        for topic in (OTHER, OURS, "nobody's"):
            rpc.publish.add(data=b"said on " + topic.encode(), topicIDs=[topic])
        await found.take(rpc)
    assert judged == [OURS]


async def test_what_cannot_be_judged_is_not_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async with door(fails=True) as found:
        passed: list[Any] = []
        monkeypatch.setattr(found.gossip, "_pass_on", lambda *told: passed.append(told))
        rpc = found.rpc()
        rpc.publish.add(data=b"said", topicIDs=[OURS])
        await found.take(rpc)
        assert passed == []
        assert found.gossip.ignored_count == 1


async def test_a_peer_is_told_of_and_in_the_mesh_of_topics_it_is_admitted_to_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with door() as found:
        handed: list[Any] = []

        async def handle(rpc: Any, _: Any) -> None:
            handed.append(rpc)

        monkeypatch.setattr(found.gossip._router, "handle_rpc", handle)
        for topic in (OURS, OTHER):
            await found.graft(topic)
        assert [[g.topicID for g in rpc.control.graft] for rpc in handed] == [[OURS], []]
        sent: list[bytes] = []

        class Line:
            async def write(self, data: bytes) -> None:
                sent.append(data)

        hello = found.gossip._pubsub.get_hello_packet()
        assert {told.topicid for told in hello.subscriptions} == {OURS, OTHER}
        await found.gossip._send(found.connection, cast("Stream", Line()), hello)
        [frame] = sent
        assert OURS.encode() in frame
        assert OTHER.encode() not in frame


async def test_control_messages_are_few_and_short(monkeypatch: pytest.MonkeyPatch) -> None:
    from p2pvalue.network import libp2p_gossip as room
    from p2pvalue.network.libp2p_router import IDS_MAX

    async with door() as found:
        handed: list[Any] = []

        async def handle(rpc: Any, _: Any) -> None:
            handed.append(rpc)

        monkeypatch.setattr(found.gossip._router, "handle_rpc", handle)
        ids = [str(number) for number in range(IDS_MAX + 1)]
        rpc = found.rpc()
        rpc.control.iwant.add(messageIDs=[name.encode() for name in ids])
        rpc.control.ihave.add(topicID=OURS, messageIDs=[name.encode() for name in ids])
        await found.take(rpc)
        [kept] = handed
        assert len(kept.control.iwant[0].messageIDs) == IDS_MAX
        assert len(kept.control.ihave[0].messageIDs) == IDS_MAX
        many = found.rpc()
        for _ in range(room._CONTROLS_MAX + 1):
            many.control.graft.add(topicID=OURS)
        with pytest.raises(room._Malformed):
            await found.take(many)


async def test_a_frame_that_is_too_long_is_refused_by_its_length() -> None:
    from p2pvalue.network import libp2p_gossip as room

    class Line:
        def __init__(self, size: int) -> None:
            self.left = encode_varint(size) + bytes(size)
            self.read = 0

        async def read_exactly(self, size: int) -> bytes:
            data, self.left = self.left[:size], self.left[size:]
            self.read += size
            return data

    async with door() as found:
        most = Limits().gossip_rpc_bytes_max
        line = Line(most + 1)
        with pytest.raises(room._Malformed, match="too long"):
            await found.gossip._read_rpc(cast("Stream", line))
        assert line.read == len(encode_varint(most + 1))
