"""The library's GossipSub (meshsub/1.1), changed where it would end the process or tell too much.

Everything here replaces a method or a part of the library for a stated reason; the rest of
GossipSub (meshes, grafting and pruning, back-off, IHAVE and IWANT, queues) is used as it is.
"""

from __future__ import annotations

import hashlib
import logging
from collections import OrderedDict
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import trio
from libp2p.peer.id import ID
from libp2p.peer.peerstore import PeerStore
from libp2p.pubsub.gossipsub import GossipSub
from libp2p.pubsub.mcache import CacheEntry, MessageCache
from libp2p.pubsub.pb import rpc_pb2

if TYPE_CHECKING:
    from p2pvalue.network.libp2p_channel import Identity

log = logging.getLogger(__name__)

SEEN_S = 120.0
IDS_MAX = 1024
_SEEN_MAX = 65_536
_REPLAYED_MAX = 16


def message_id(message: rpc_pb2.Message) -> bytes:
    """Return the id of a gossip message, 20 bytes: the same for the same topic and data only."""
    topic = message.topicIDs[0].encode() if message.topicIDs else b""
    return hashlib.sha256(len(topic).to_bytes(4, "big") + topic + message.data).digest()[:20]


class SeenIds:
    """Message ids of the last two minutes, bounded; takes the place of the library's cache."""

    def __init__(self) -> None:
        self._until_s: OrderedDict[bytes, float] = OrderedDict()

    def has(self, key: bytes) -> bool:
        until_s = self._until_s.get(key)
        return until_s is not None and until_s > trio.current_time()

    def add(self, key: bytes, keep_s: float = SEEN_S) -> None:
        now_s = trio.current_time()
        self._until_s[key] = now_s + keep_s
        self._until_s.move_to_end(key)
        while len(self._until_s) > _SEEN_MAX or next(iter(self._until_s.values())) < now_s:
            self._until_s.popitem(last=False)


class RecentMessages(MessageCache):
    """The library's cache of recent messages, under our ids."""

    def put(self, msg: rpc_pb2.Message) -> None:
        key = message_id(msg)
        if key not in self.msgs:
            self.msgs[key] = msg
            self.history[0].append(CacheEntry(key, msg.topicIDs))


class HostView:
    """As much of a host as the library's Pubsub looks at."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._peerstore = PeerStore()

    def get_id(self) -> ID:
        return self._identity.id

    def get_addrs(self) -> list[Any]:
        return []

    def get_private_key(self) -> Any:
        return self._identity.key_pair.private_key

    def get_peerstore(self) -> PeerStore:
        return self._peerstore

    def get_network(self) -> Any:
        return SimpleNamespace(register_notifee=lambda notifee: None)

    def set_stream_handler(self, protocol: str, handler: object) -> None:
        """Streams reach us through the swarm's own table."""


class Router(GossipSub):
    """GossipSub without its task-ending exceptions, its dialling and its second protocol family."""

    async def heartbeat(self) -> None:
        """Keep the meshes once a second; whatever goes wrong in one beat, there is a next."""
        while True:
            await trio.sleep(self.heartbeat_interval)
            try:
                grafts, prunes = self.mesh_heartbeat()
                self.fanout_heartbeat()
                await self._emit_control_msgs(grafts, prunes, self.gossip_heartbeat())
            except Exception:
                log.exception("a gossip heartbeat failed")
            self.mcache.shift()

    async def _emit_control_msgs(
        self,
        peers_to_graft: dict[ID, list[str]],
        peers_to_prune: dict[ID, list[str]],
        peers_to_gossip: dict[ID, dict[str, list[bytes]]],
    ) -> None:
        """Send each peer its own lists (the library adds those of the peers before it)."""
        for peer in {**peers_to_graft, **peers_to_prune, **peers_to_gossip}:
            control = rpc_pb2.ControlMessage()
            for topic in peers_to_graft.get(peer, ()):
                control.graft.add(topicID=topic)
            for topic in peers_to_prune.get(peer, ()):
                control.prune.add(topicID=topic, backoff=self.prune_back_off)
                self._add_back_off(peer, topic, False)
            for topic, keys in peers_to_gossip.get(peer, {}).items():
                control.ihave.add(topicID=topic, messageIDs=keys[-IDS_MAX:])
            await self.emit_control_message(control, peer)

    def hearers(self, forwarder: ID, message: rpc_pb2.Message) -> list[ID]:
        """Return to whom to pass on a message that was accepted, which is remembered."""
        self.mcache.put(message)
        return list(self._get_peers_to_send(message.topicIDs, forwarder, origin=forwarder))

    async def send_recent_messages(self, peer_id: ID, topic: str) -> None:
        """Give a late subscriber the newest few; what is older comes by sync."""
        for key in self.mcache.window(topic)[-_REPLAYED_MAX:]:
            message = self.mcache.get(key)
            if message is not None:
                self.send_rpc(peer_id, rpc_pb2.RPC(publish=[message]))

    async def _do_px(self, px_peers: list[rpc_pb2.PeerInfo]) -> None:
        """Dial nobody on a stranger's word."""
