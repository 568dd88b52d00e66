"""Gossip of one network generation: the library's GossipSub (meshsub/1.1), with a guarded door.

What comes from the library: who is in which mesh, grafting and pruning, back-off, IHAVE and IWANT,
per-peer queues. What is ours, and why:

* reading: one malformed frame ends the library's process; here it costs its sender;
* judging: the library knows yes and no, remembers every no for minutes and runs one task per
  message;
* message ids: a hash of topic and data, and messages without author, number or signature
  (StrictNoSign of the pubsub specification). Operations are signed already, and a forged copy,
  differing in any byte, has another id and so cannot stand in the way of the real one. The message
  cache uses the same ids;
* who hears: only admitted peers get a stream, and streams of others are reset. A peer is admitted
  to topics: of any other it is sent no subscription, message or control message, and none is taken.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, cast

import trio
from libp2p.pubsub.gossipsub import PROTOCOL_ID_V11
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.pubsub import Pubsub
from libp2p.pubsub.rpc_queue import RpcQueue
from libp2p.tools.anyio_service import background_trio_service

from p2pvalue.network import multistream, yamux
from p2pvalue.network.interface import GOSSIP_BYTES_MAX, Verdict
from p2pvalue.network.libp2p_router import (
    IDS_MAX,
    SEEN_S,
    HostView,
    RecentMessages,
    Router,
    SeenIds,
    message_id,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from libp2p.abc import IHost, INetStream
    from libp2p.peer.id import ID

    from p2pvalue.network.libp2p_channel import Identity
    from p2pvalue.network.libp2p_connection import Connection
    from p2pvalue.network.limits import Limits, Timeouts

log = logging.getLogger(__name__)

PROTOCOL = str(PROTOCOL_ID_V11)
_IGNORED_S = 5.0
_TOPIC_CHARS_MAX = 128
_CONTROLS_MAX = 256
_SUBSCRIPTIONS_MAX = 128
_RETRY_MIN_S, _RETRY_MAX_S = 0.25, 10.0


class Gossip:
    """Speaks meshsub/1.1 with admitted peers, and with nobody else."""

    def __init__(
        self,
        identity: Identity,
        *,
        limits: Limits,
        timeouts: Timeouts,
        judge: Callable[[str, bytes, str], Verdict],
    ) -> None:
        self._limits = limits
        self._timeouts = timeouts
        self._judge_message = judge
        self._router = Router(
            [PROTOCOL_ID_V11],
            degree=6,
            degree_low=4,
            degree_high=8,
            heartbeat_interval=1,
            prune_back_off=10,
            spam_protection_enabled=False,
            eclipse_protection_enabled=False,
            adaptive_gossip_enabled=False,
        )
        self._router.scorer = None
        self._router.mcache = RecentMessages(3, 5)
        host = cast("IHost", HostView(identity))
        self._pubsub = Pubsub(
            host, self._router, strict_signing=False, msg_id_constructor=message_id
        )
        self._pubsub.seen_messages.stop()
        self._seen = SeenIds()
        self._pubsub.seen_messages = cast("Any", self._seen)
        self._own_id = identity.id
        self._admitted: dict[str, trio.Event] = {}
        self._topics_of: dict[str, set[str]] = {}
        self._barred: dict[str, set[str]] = {}
        self._inbound: dict[str, yamux.Stream] = {}
        self._outbound: dict[ID, tuple[Connection, yamux.Stream, RpcQueue]] = {}
        self._wanted: set[str] = set()
        self._wanted_changed = trio.Event()
        self._offences: dict[str, int] = {}
        self.accepted_count = self.ignored_count = self.rejected_count = 0

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep meshes and subscriptions until cancelled."""
        async with background_trio_service(self._pubsub), background_trio_service(self._router):
            await self._pubsub.wait_until_ready()
            task_status.started()
            while True:
                changed, self._wanted_changed = self._wanted_changed, trio.Event()
                subscribed = set(self._pubsub.topic_ids)
                for topic in sorted(self._wanted - subscribed):
                    await self._pubsub.subscribe(topic)
                for topic in sorted(subscribed - self._wanted):
                    await self._pubsub.unsubscribe(topic)
                if self._wanted == set(self._pubsub.topic_ids):
                    await self._wanted_changed_or(changed)

    async def _wanted_changed_or(self, changed: trio.Event) -> None:
        if not changed.is_set():
            await self._wanted_changed.wait()

    def want(self, topics: set[str]) -> None:
        """Subscribe to exactly these topics, soon."""
        self._wanted = set(topics)
        self._wanted_changed.set()

    def publish(self, topic: str, data: bytes) -> None:
        """Send one message of ours to the mesh of its topic."""
        message = rpc_pb2.Message(data=data, topicIDs=[topic])
        self._seen.add(message_id(message))
        self._pass_on(self._own_id, message)

    def _pass_on(self, forwarder: ID, message: rpc_pb2.Message) -> None:
        """Send a message to the mesh, at once to who has room: a turn through a queue takes longer.

        It is written down once for all. The others' queues are the library's.
        """
        rpc = rpc_pb2.RPC(publish=[message])
        frame = _framed(rpc)
        for peer in self._router.hearers(forwarder, message):
            outbound = self._outbound.get(peer)
            if outbound is None:
                continue
            connection, stream, queue = outbound
            if not self._topics_of.get(connection.peer_id, set()).issuperset(message.topicIDs):
                continue
            if len(queue) or not stream.write_now(frame):
                self._router.send_rpc(peer, rpc)

    # Peers.

    def admit(self, connection: Connection, topics: Iterable[str]) -> None:
        """Open our gossip stream to this peer, for these topics, and read the one it opens."""
        known = self._topics_of.setdefault(connection.peer_id, set())
        news = set(topics) - known
        known |= news
        self._barred.get(connection.peer_id, set()).difference_update(news)
        admission = self._admitted.setdefault(connection.peer_id, trio.Event())
        if not admission.is_set():
            admission.set()
            connection.nursery.start_soon(self._speak, connection)
        elif news:  # if the stream is not open yet, its greeting will tell them
            rpc = rpc_pb2.RPC()
            for topic in sorted(news & set(self._pubsub.topic_ids)):
                rpc.subscriptions.add(subscribe=True, topicid=topic)
            self._router.send_rpc(connection.peer, rpc)

    def bar(self, connection: Connection, topics: Iterable[str]) -> None:
        """Neither tell this peer of these topics any more nor hear of them from it.

        It is not told that it left their meshes, either: of a topic it may not know it hears
        nothing, and whatever it sends there is ignored.
        """
        barred = self._topics_of.get(connection.peer_id, set()).intersection(topics)
        if not barred:
            return
        self._topics_of[connection.peer_id] -= barred
        self._barred.setdefault(connection.peer_id, set()).update(barred)
        for topic in sorted(barred):
            self._router.mesh.get(topic, set()).discard(connection.peer)
            self._pubsub.peer_topics.get(topic, set()).discard(connection.peer)

    def peer_gone(self, connection: Connection) -> None:
        """Forget a peer whose connection ended."""
        self._admitted.pop(connection.peer_id, None)
        self._topics_of.pop(connection.peer_id, None)
        self._barred.pop(connection.peer_id, None)
        self._inbound.pop(connection.peer_id, None)
        self._offences.pop(connection.peer_id, None)
        self._retire(connection.peer)
        self._pubsub._forget_all_subscriptions(connection.peer)

    def meshes(self) -> dict[str, int]:
        """Return how many peers are in the mesh of each topic."""
        return {topic: len(peers) for topic, peers in self._router.mesh.items()}

    async def _speak(self, connection: Connection) -> None:
        """Keep one outbound stream open as long as the connection lives."""
        retry_s = _RETRY_MIN_S
        while connection.is_registered:
            try:
                with trio.fail_after(self._timeouts.negotiate_s):
                    stream = await connection.open_stream(PROTOCOL)
                started_s = trio.current_time()
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_until_ended, stream, nursery.cancel_scope)
                    await self._send_queued(connection, stream)
                if trio.current_time() - started_s > _RETRY_MAX_S:
                    retry_s = _RETRY_MIN_S
            except Exception as failed:  # noqa: BLE001  (the library's code runs in here)
                log.debug("gossip stream to %s failed: %r", connection.peer_id, failed)
            finally:
                if connection.is_registered:
                    self._retire(connection.peer)
            await trio.sleep(retry_s)
            retry_s = min(retry_s * 2, _RETRY_MAX_S)

    async def _send_queued(self, connection: Connection, stream: yamux.Stream) -> None:
        peer = connection.peer
        queue = RpcQueue(max_message_size=self._limits.gossip_rpc_bytes_max - 1024)
        await self._send(connection, stream, self._pubsub.get_hello_packet())
        self._router.add_peer(peer, PROTOCOL_ID_V11)
        self._pubsub.peers[peer] = cast("INetStream", stream)
        self._pubsub.peer_queues[peer] = queue
        self._outbound[peer] = (connection, stream, queue)
        for topic in [t for t, peers in self._pubsub.peer_topics.items() if peer in peers]:
            await self._router.on_peer_subscribed(peer, topic)
            await self._pubsub._replay_recent_messages(peer, topic)
        while (rpc := await queue.pop()) is not None:
            await self._send(connection, stream, rpc)

    async def _send(self, connection: Connection, stream: yamux.Stream, rpc: rpc_pb2.RPC) -> None:
        """Send what this peer may know; the library's record of our addresses is left out too."""
        part = _about(rpc, self._topics_of.get(connection.peer_id, set()))
        if part.ByteSize():
            await stream.write(_framed(part))

    def _retire(self, peer: ID) -> None:
        self._outbound.pop(peer, None)
        if self._pubsub.peers.pop(peer, None) is not None:
            self._router.remove_peer(peer)
        queue = self._pubsub.peer_queues.pop(peer, None)
        if queue is not None:
            queue.close()

    # Listening.

    async def serve(self, connection: Connection, stream: yamux.Stream) -> None:
        """Read the gossip stream that a peer opened, once the peer is admitted."""
        peer_id = connection.peer_id
        admission = self._admitted.setdefault(peer_id, trio.Event())
        with trio.move_on_after(self._timeouts.admission_s):
            await admission.wait()
        if not admission.is_set():
            stream.reset("this peer is not admitted to gossip")
            return
        former, self._inbound[peer_id] = self._inbound.get(peer_id), stream
        if former is not None:
            former.reset("the peer opened another gossip stream")
        try:
            while True:
                await self._take(connection, await self._read_rpc(stream))
        except (_Malformed, yamux.StreamEnded) as ended:
            stream.reset(str(ended))
            if isinstance(ended, _Malformed):
                self._count_offence(connection, str(ended))

    async def _read_rpc(self, stream: yamux.Stream) -> rpc_pb2.RPC:
        size = 0
        for shift in (0, 7, 14, 21):
            byte = (await stream.read_exactly(1))[0]
            size |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
        if size > self._limits.gossip_rpc_bytes_max:
            raise _Malformed("a gossip frame is too long")
        data = await stream.read_exactly(size)
        try:
            return rpc_pb2.RPC.FromString(data)
        except Exception:  # noqa: BLE001  (protobuf raises several kinds)
            raise _Malformed("a gossip frame is malformed") from None

    async def _take(self, connection: Connection, rpc: rpc_pb2.RPC) -> None:
        if len(rpc.subscriptions) > _SUBSCRIPTIONS_MAX:
            raise _Malformed("too many subscriptions in one frame")
        for subscription in rpc.subscriptions:
            topic = subscription.topicid
            is_barred = topic in self._barred.get(connection.peer_id, ())
            if 0 < len(topic) <= _TOPIC_CHARS_MAX and not is_barred:
                self._pubsub.handle_subscription(connection.peer, subscription)
        for message in rpc.publish:
            if self._judge(connection, message) is Verdict.ACCEPT:
                self._pass_on(connection.peer, message)
        if rpc.HasField("control"):
            await self._take_control(connection, rpc.control)

    async def _take_control(self, connection: Connection, asked: rpc_pb2.ControlMessage) -> None:
        """Hand the router what concerns topics of ours; the rest would only fill its tables."""
        count = len(asked.ihave) + len(asked.iwant) + len(asked.graft) + len(asked.prune)
        if count > _CONTROLS_MAX:
            raise _Malformed("too many control messages in one frame")
        ours = self._topics_of.get(connection.peer_id, set()).intersection(self._pubsub.topic_ids)
        rpc = rpc_pb2.RPC()
        rpc.control.graft.extend(g for g in asked.graft if g.topicID in ours)
        for prune in asked.prune:
            if prune.topicID in ours:
                back_off_s = min(max(int(prune.backoff), 1), 600)
                rpc.control.prune.add(topicID=prune.topicID, backoff=back_off_s)
        for ihave in asked.ihave:
            if ihave.topicID in ours:
                rpc.control.ihave.add(topicID=ihave.topicID, messageIDs=ihave.messageIDs[:IDS_MAX])
        for iwant in asked.iwant:
            rpc.control.iwant.add(messageIDs=iwant.messageIDs[:IDS_MAX])
        try:
            await self._router.handle_rpc(rpc, connection.peer)
        except Exception:  # the library has a defect; other frames are still to be read
            log.exception("the gossip router failed on a frame of %s", connection.peer_id)

    def _judge(self, connection: Connection, message: rpc_pb2.Message) -> Verdict:
        if not self._is_well_formed(message):
            self._count_offence(connection, "a gossip message breaks the rules")
            return Verdict.REJECT
        topic, key = message.topicIDs[0], message_id(message)
        is_known = topic in self._topics_of.get(connection.peer_id, ())
        if not is_known or topic not in self._pubsub.topic_ids or self._seen.has(key):
            return Verdict.IGNORE
        try:
            verdict = self._judge_message(topic, message.data, connection.peer_id)
        except Exception:  # who judges has a defect: what cannot be judged goes nowhere
            log.exception("the handler failed on a gossip message of %s", connection.peer_id)
            verdict = Verdict.IGNORE
        self._seen.add(key, _IGNORED_S if verdict is Verdict.IGNORE else SEEN_S)
        if verdict is Verdict.REJECT:
            self._count_offence(connection, "a gossip message was rejected")
        elif verdict is Verdict.IGNORE:
            self.ignored_count += 1
        else:
            self.accepted_count += 1
        return verdict

    def _is_well_formed(self, message: rpc_pb2.Message) -> bool:
        signed = message.from_id or message.seqno or message.signature or message.key
        return (
            not signed and len(message.topicIDs) == 1 and 0 < len(message.data) <= GOSSIP_BYTES_MAX
        )

    def _count_offence(self, connection: Connection, why: str) -> None:
        self.rejected_count += 1
        offences = self._offences.get(connection.peer_id, 0) + 1
        self._offences[connection.peer_id] = offences
        log.info("%s: %s (%d)", connection.peer_id, why, offences)
        if offences >= self._limits.gossip_offences_max:
            connection.end("broke the rules of gossip")


class _Malformed(Exception):
    """What came over a gossip stream is no gossip."""


def _framed(rpc: rpc_pb2.RPC) -> bytes:
    data: bytes = rpc.SerializeToString()
    return multistream.encode_varint(len(data)) + data


def _about(rpc: rpc_pb2.RPC, topics: set[str]) -> rpc_pb2.RPC:
    """Return the part of a frame that concerns `topics`; several queues may share the frame."""
    part = rpc_pb2.RPC()
    part.subscriptions.extend(s for s in rpc.subscriptions if s.topicid in topics)
    part.publish.extend(m for m in rpc.publish if topics.issuperset(m.topicIDs))
    if rpc.HasField("control"):
        asked, answer = rpc.control, part.control
        answer.iwant.extend(asked.iwant)  # ids that the peer itself has offered
        answer.ihave.extend(c for c in asked.ihave if c.topicID in topics)
        answer.graft.extend(c for c in asked.graft if c.topicID in topics)
        answer.prune.extend(c for c in asked.prune if c.topicID in topics)
    return part


async def _until_ended(stream: yamux.Stream, scope: trio.CancelScope) -> None:
    """Notice that the peer closed a stream on which it sends nothing."""
    try:
        while await stream.read():
            pass
    except yamux.StreamEnded:
        pass
    scope.cancel()
