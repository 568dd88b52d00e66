"""Who is at the documents that are open here: heard from others' devices, and told to them.

A document's live topic is heard only while somebody here listens to it. Nothing of this is stored;
what is lost is said again by who said it, and what is not said again for a while is over: who shows
it forgets it then, as editors do.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, NamedTuple

import trio

from p2pvalue.network.interface import Verdict
from p2pvalue_protocol import limits
from p2pvalue_protocol.presence import (
    Presence,
    PresenceEar,
    PresenceVoice,
    check_room,
    live_topic_name,
    sign_presence,
)
from p2pvalue_protocol.topics import Topic

if TYPE_CHECKING:
    from p2pvalue.node.node import Node

log = logging.getLogger(__name__)

_UNREAD_MAX: Final = 64  # who reads too slowly misses some
_VERDICTS: Final = {"accept": Verdict.ACCEPT, "ignore": Verdict.IGNORE, "reject": Verdict.REJECT}

_DocumentKey = tuple[bytes, bytes]  # community, document


class PresenceNote(NamedTuple):
    """What an editor on another device says of itself."""

    member: bytes  # root key
    device: bytes
    client: int
    state: bytes | None  # None: it is gone


class Presences:
    """The live topics of this node, of all its communities."""

    def __init__(self, node: Node, random_bytes: Callable[[int], bytes]) -> None:
        self._node = node
        self._random_bytes = random_bytes
        self._listeners: dict[_DocumentKey, list[trio.MemorySendChannel[PresenceNote]]] = {}
        self._topics: dict[str, tuple[Topic, bytes]] = {}  # with the document
        self._ear = PresenceEar()
        self._voices: dict[tuple[bytes, bytes], PresenceVoice] = {}  # by community and device
        self._told = trio.Event()

    # --- for editors

    @contextmanager
    def listen(
        self, community: bytes, document: bytes
    ) -> Iterator[trio.MemoryReceiveChannel[PresenceNote]]:
        """Open a stream of what editors on other devices say at a document, from now on.

        Who reads too slowly misses some. Raises LocalProtocolError for a 33rd document.
        """
        key = (community, document)
        if key not in self._listeners:
            check_room(len(self._listeners))
        send, receive = trio.open_memory_channel[PresenceNote](_UNREAD_MAX)
        self._listeners.setdefault(key, []).append(send)
        self._node.move_to_topics(community)
        try:
            with receive:
                yield receive
        finally:
            self._listeners[key].remove(send)
            if not self._listeners[key]:
                del self._listeners[key]
                self._node.move_to_topics(community)

    async def tell(
        self, community: bytes, document: bytes, client: int, state: bytes | None
    ) -> None:
        """Tell others' devices what an editor here says of itself; None: it is gone.

        Returns at once; of what is said too quickly the newest goes out. Nobody hears it unless
        somebody here listens to the document too. Raises LocalProtocolError for a state over 800
        bytes, or no client id.
        """
        device = self._node.device(community)
        voice = self._voices.setdefault((community, device), PresenceVoice())
        voice.tell(document, client, state or b"")
        self._told.set()
        await trio.lowlevel.checkpoint()

    # --- for the node

    def retune(self, community: bytes) -> None:
        """Take the topics of a community as its newest secret names them."""
        for name in self.topics_of(community):
            del self._topics[name]
        if community not in self._node.machine.communities():
            return
        replica = self._node.machine.replica(community)
        secret, is_sealed = replica.told_topic_secret, replica.epochs.is_sealed
        if secret is None:
            return
        for owner, document in self._listeners:
            if owner == community:
                name = live_topic_name(secret, document)
                self._topics[name] = (Topic(name, community, secret, is_sealed), document)

    def topics(self) -> set[str]:
        """Return all live topics that are heard."""
        return set(self._topics)

    def topics_of(self, community: bytes) -> list[str]:
        """Return the live topics of one community, ascending."""
        return sorted(n for n, (topic, _) in self._topics.items() if topic.community == community)

    def received(self, name: str, message: bytes, peer_id: str) -> Verdict:
        """Judge a message on one of `topics`, and pass it on to who listens."""
        topic, document = self._topics[name]
        membership = self._node.membership(topic.community)
        heard = self._ear.hear(
            topic, document, message, is_live=membership.is_live, now_ms=self._node.clock_ms()
        )
        if heard.reason is not None:
            log.warning("refused presence from %s: %s", peer_id, heard.reason)
        said = heard.presence
        if said is not None and said.device != self._node.device(topic.community):
            member = membership.member_of(said.device) or b""
            note = PresenceNote(member, said.device, said.client, said.state or None)
            for listener in self._listeners.get((topic.community, document), ()):
                with suppress(trio.WouldBlock, trio.BrokenResourceError):
                    listener.send_nowait(note)
        return _VERDICTS[heard.verdict]

    async def run(self) -> None:
        """Say what there is to say, in its pace, until cancelled."""
        while True:
            self._told = trio.Event()
            due = [self._say(*owner, voice) for owner, voice in self._voices.items()]
            wait_ms = min((due_ms for due_ms in due if due_ms is not None), default=None)
            if wait_ms is None:
                await self._told.wait()
            else:
                await trio.sleep(wait_ms / 1_000)

    def _say(self, community: bytes, device: bytes, voice: PresenceVoice) -> int | None:
        """Say what is due of one device; return in how many ms there is more, None if never."""
        said = voice.next(device, self._node.clock_ms())
        if said is not None:
            self._publish(community, said)
        return limits.PRESENCE_EVERY_MS if voice.due_ms is not None else None

    def _publish(self, community: bytes, said: Presence) -> None:
        if community not in self._node.machine.communities():
            return  # forgotten meanwhile
        replica = self._node.machine.replica(community)
        secret, signer = replica.told_topic_secret, replica.signer
        name = "" if secret is None else live_topic_name(secret, said.document)
        if name not in self._topics or signer is None or signer.public != said.device:
            return  # nobody may hear it now
        message = sign_presence(signer, community, said)
        self._node.publish(name, self._topics[name][0].seal(message, self._random_bytes))
