"""The node: one machine, and the shell that performs what the machine wants.

All runs in one trio task tree and one thread. `handle` is synchronous: an input is handled,
committed and shown before anything else happens, so no lock is needed.
"""

from __future__ import annotations

import logging
import math
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import assert_never

import trio

from p2pvalue.keystore import Keystore
from p2pvalue.network.interface import SYNC_PROTOCOL, Link, LinkClosed, Network, Verdict
from p2pvalue.node import trying
from p2pvalue.node.editors.presence import Presences
from p2pvalue.node.events import EventHub, events_of
from p2pvalue.node.members.put_out import saying_who_put_us_out
from p2pvalue.node.peers.dialing import Dialer
from p2pvalue.node.peers.links import Links
from p2pvalue.node.peers.whereabouts import Whereabouts
from p2pvalue.node.writers import Writers
from p2pvalue.store import Store, StoreFailed
from p2pvalue_protocol import effects as e
from p2pvalue_protocol.errors import P2PValueError
from p2pvalue_protocol.inputs import (
    Answer,
    Draft,
    GossipReceived,
    Input,
    PeerJoined,
    RequestAnswered,
    Sign,
    UpdatesAwaited,
    Wakeup,
)
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.machine import Machine
from p2pvalue_protocol.membership import Membership

log = logging.getLogger(__name__)

DATABASE_NAME = "p2pvalue.db"
BUILT_AFTER_MS = 1_790_000_000_000
"""2026-09-21: a clock that says less has lost its time, and then nothing is held back."""

_VERDICTS = {"accept": Verdict.ACCEPT, "ignore": Verdict.IGNORE, "reject": Verdict.REJECT}


class Node:
    """The running core of a node; `community` and friends stand in `facade`."""

    def __init__(
        self,
        keystore: Keystore,
        store: Store,
        network: Network | None,
        *,
        clock_ms: Callable[[], int],
        announce: tuple[str, ...] = (),
        is_gossiping: bool = True,
    ) -> None:
        self._is_gossiping = is_gossiping and network is not None
        self.keystore = keystore
        self.store = store
        self.network = network
        self.hub = EventHub()
        self.links = Links(self.handle)
        self.dialer = Dialer(network, self._attend, random.random) if network is not None else None
        self.reading_failure = ""  # what the disk last failed to give back, for `doctor`
        self.clock_ms = clock_ms
        self.random_bytes = os.urandom
        self.is_network_up = trio.Event()
        self._whereabouts = Whereabouts(network, announce, self.handle)
        self._topics: set[str] = set()
        self.presences = Presences(self, os.urandom)
        self._verdict = Verdict.IGNORE
        self._writers = Writers(self.handle)
        self._timer_due_ms: float = math.inf
        self._timer_changed = trio.Event()
        self._link_tasks: trio.Nursery | None = None
        self.on_joined: Callable[[e.Joined], None] = lambda joined: None
        self.on_join_requested: Callable[[e.JoinRequested], Answer] = lambda requested: "busy"
        self.on_changed: Callable[[e.Changed], None] = lambda changed: None
        self.on_topics_changed: Callable[[], None] = lambda: None
        self.on_digests: Callable[[e.DigestsHeard], None] = lambda heard: None
        self.on_linking: Callable[[e.DevicesWanted | e.Linked], None] = lambda told: None
        self.on_chunk_asked: Callable[[e.ChunkAsked], None] = lambda asked: None
        self.on_chunk_brought: Callable[[e.ChunkBrought], None] = lambda brought: None
        self.on_chunk_nowhere: Callable[[e.ChunkNowhere], None] = lambda nowhere: None
        self.on_ready: Callable[[e.Ready], None] = lambda ready: None
        self.machine = Machine(
            open_past=store.past,
            random_bytes=self.random_bytes,
            peer_id=network.peer_id if network is not None else "",
            is_gossiping=self._is_gossiping,
            trusted_after_ms=BUILT_AFTER_MS,
        )
        for community in keystore.communities():
            keys = keystore.keys(community)
            assert keys is not None
            self.machine.add_replica(community, keys.device, keys.prekey_private)
        for community in store.communities():
            if keystore.keys(community) is None:  # restored from a backup: to read, not to write
                self.machine.add_replica(community, None)

    def sign(self) -> None:
        """Sign what we wrote and is not signed yet: what leaves the node is."""
        self.handle(Sign())

    # --- the one path of every input

    def handle(self, given: Input, now_ms: int | None = None) -> list[e.Effect]:
        """Let the machine handle an input, perform the effects and return them.

        Raises LocalProtocolError or NotFound for a caller's mistake and StoreFailed, all with
        nothing changed.
        After a defect, of ours or of the disk, nothing in memory is trusted: all is read anew.
        """
        with self._reading_anew_after_a_defect(given):
            try:
                effects = self.machine.handle(given, self.clock_ms() if now_ms is None else now_ms)
            except StoreFailed as failure:
                self.reading_failure = str(failure)
                self._read_anew()
                raise
            self.perform(effects)
        return effects

    @contextmanager
    def _reading_anew_after_a_defect(self, given: Input) -> Iterator[None]:
        try:
            yield
        except P2PValueError:
            raise  # somebody's mistake, or the disk's: nothing is half done
        except Exception:  # raised again, once what is in memory is trusted
            log.exception("a defect, please report it: handling %s", type(given).__name__)
            self._read_anew()
            raise

    def _read_anew(self) -> None:
        for community in self.machine.communities():
            self.perform(self.machine.reload(community))

    def perform(self, effects: Sequence[e.Effect]) -> None:
        """Perform effects in their order: durable, then visible, then sent.

        If the disk takes nothing, nothing was changed: the community is read anew from what is
        stored and StoreFailed is raised.
        """
        batches = [effect.batch for effect in effects if isinstance(effect, e.Store)]
        if batches:
            try:
                self.store.commit(batches)
            except StoreFailed:
                for batch in batches:
                    self.perform(self.machine.reload(batch.community))
                raise
        for effect in effects:
            self._perform(effect)
        due = self.machine.next_wakeup_ms()
        if due is not None and due < self._timer_due_ms:
            self._timer_changed.set()

    def _perform(self, effect: e.Effect) -> None:
        match effect:
            case e.Store() | e.Wrote():
                pass  # committed above; the writer reads the other
            case e.Changed():
                self.on_changed(effect)
                if self.hub.has_readers:
                    for event in events_of(effect):
                        self.hub.publish(event)
            case e.SendFrame(session, frame):
                self.links.send(session, frame)
            case e.Publish(topic, message):
                self.publish(topic, message)
            case e.CloseSession(session, reason):
                if reason is not None:
                    log.warning("ended a session: %s", reason)
                self.links.close(session)
            case e.Ready(_, peer_id, community, device):
                log.info("in touch with %s about %s", peer_id, community.hex()[:8])
                if self.dialer is not None:
                    self.dialer.in_touch(peer_id, device)
                if self.network is not None:
                    self.network.admit_to_gossip(peer_id, self._topics_of(community))
                self.on_ready(effect)
            case e.Parted(_, peer_id, community):
                log.info("%s is no member of %s any more", peer_id, community.hex()[:8])
                if self.network is not None:
                    self.network.bar_from_gossip(peer_id, self._topics_of(community))
            case e.TopicsChanged(community):
                self.move_to_topics(community)
                self.on_topics_changed()
            case e.Judge(verdict):
                self._verdict = _VERDICTS[verdict]
            case e.Rejected(peer_id, reason):
                log.warning("refused something from %s: %s", peer_id, reason)
            case e.Joined():
                self.on_joined(effect)
            case e.JoinRequested():
                assert self._link_tasks is not None
                self._link_tasks.start_soon(self._answer_request, effect)
            case e.DigestsHeard():
                self.on_digests(effect)
            case e.DevicesWanted() | e.Linked():
                self.on_linking(effect)
            case e.ChunkAsked():
                self.on_chunk_asked(effect)
            case e.ChunkBrought():
                self.on_chunk_brought(effect)
            case e.ChunkNowhere():
                self.on_chunk_nowhere(effect)
            case e.AddressLearned(community, device, _, addresses):
                if self.dialer is not None:
                    self.dialer.know(list(addresses), {community}, device)
            case _:
                assert_never(effect)

    async def _answer_request(self, requested: e.JoinRequested) -> None:
        with suppress(StoreFailed):  # told by what failed first
            answer = self.on_join_requested(requested)
            self.handle(RequestAnswered(requested.session, answer))

    # --- writing

    async def write(self, community: bytes, drafts: Sequence[Draft]) -> Sequence[Order]:
        """Write drafts of ours in this order; durable and visible on return (see `Context`)."""
        with saying_who_put_us_out(self, community):
            return await self._writers.write(community, drafts)

    def await_updates(self, community: bytes, document: bytes, op_ids: Sequence[bytes]) -> None:
        """Ask peers by id for these updates of a document, on which others wait, and no others."""
        self.handle(UpdatesAwaited(community, document, tuple(op_ids)))

    # --- the network's side (NetworkHandler)

    async def serve_link(self, link: Link) -> None:
        """Serve a link that a peer opened."""
        await self.links.serve(link)
        if self.dialer is not None and link.protocol == SYNC_PROTOCOL:
            self.dialer.session_ended(link.peer_id)

    def peer_connected(self, peer_id: str) -> None:
        """Open what sessions we miss with a peer that called us."""
        if self.dialer is not None:
            self.dialer.came(peer_id)

    def peer_disconnected(self, peer_id: str) -> None:
        """Call it again soon."""
        if self.dialer is not None:
            self.dialer.left(peer_id)

    def gossip_received(self, topic: str, message: bytes, peer_id: str) -> Verdict:
        """Take a hint and judge it."""
        if topic in self.presences.topics():
            return self.presences.received(topic, message, peer_id)
        self._verdict = Verdict.IGNORE
        try:
            self.handle(GossipReceived(topic, message, peer_id))
        except StoreFailed as error:
            log.error("%s", error)
            return Verdict.IGNORE
        return self._verdict

    async def _attend(self, peer_id: str) -> None:
        """Open a sync link for each community that we share with a connected peer and none has."""
        assert self.dialer is not None
        assert self.network is not None
        assert self._link_tasks is not None
        for community in sorted(self.dialer.shared_with(peer_id)):
            if community not in self.machine.communities() or self.machine.has_session(
                peer_id, community
            ):
                continue
            if not self.machine.replica(community).topic_secrets or self.is_silent(community):
                continue  # still joining, or left for good
            try:
                link = await self.network.open_link(peer_id, SYNC_PROTOCOL)
            except LinkClosed as error:
                raise ConnectionError(str(error) or "the peer closed the link") from None
            self._link_tasks.start_soon(self._sync, link, community)

    def is_silent(self, community: bytes) -> bool:
        """Return whether nothing about a community is exchanged with anybody any more."""
        return False

    async def _sync(self, link: Link, community: bytes) -> None:
        session = self.links.number()
        await self.links.carry(link, session, PeerJoined(session, link.peer_id, True, community))
        assert self.dialer is not None
        self.dialer.session_ended(link.peer_id)

    # --- running

    def listen_to_topics(self) -> None:
        """Subscribe to the topics of our communities and no others."""
        if self.network is None or not self._is_gossiping:
            return
        wanted = self.presences.topics().union(self.machine.topics())
        for topic in sorted(wanted - self._topics):
            self.network.subscribe(topic)
        for topic in sorted(self._topics - wanted):
            self.network.unsubscribe(topic)
        self._topics = wanted

    def move_to_topics(self, community: bytes) -> None:
        """Hear a community's topics as of now, with the peers in touch with us about it."""
        self.presences.retune(community)
        self.listen_to_topics()
        if self.network is not None:
            for peer_id in self.machine.peers_of(community):
                self.network.admit_to_gossip(peer_id, self._topics_of(community))

    def _topics_of(self, community: bytes) -> list[str]:
        return self.machine.topics_of(community) + self.presences.topics_of(community)

    def publish(self, topic: str, message: bytes) -> None:
        """Send a hint to whoever listens to a topic of ours; without a network to nobody."""
        if self.network is not None and topic in self._topics:
            self.network.publish(topic, message)

    def addresses(self) -> list[str]:
        """Return where others can reach us, with our peer id; at most eight."""
        return self._whereabouts.addresses()

    def tell_addresses(self) -> None:
        """Sign soon where we are now, for every community, as often as the disk does not take it.

        Nothing that is done already may fail because of it, so this neither raises nor waits.
        """
        self._whereabouts.tell()

    def know_stored_addresses(self) -> None:
        """Remember where members' devices said that they are."""
        if self.dialer is None:
            return
        for learned in self.machine.known_addresses():
            self.dialer.know(list(learned.addresses), {learned.community}, learned.device)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve peers until cancelled; ready for callers at once, before the network is up."""
        with suppress(StoreFailed):  # it is told and tried again below
            self.handle(Wakeup())  # sign what a crash left unsigned
        async with trio.open_nursery() as nursery:
            self._link_tasks = nursery
            nursery.start_soon(self._wake_in_time)
            task_status.started()
            if self.network is None or self.dialer is None:
                return
            self.listen_to_topics()
            self.know_stored_addresses()
            await nursery.start(self.network.run, self)
            self.is_network_up.set()
            nursery.start_soon(self.presences.run)
            nursery.start_soon(self.dialer.run)
            nursery.start_soon(self._whereabouts.run)

    async def _wake_in_time(self) -> None:
        wake = partial(self.handle, Wakeup())
        await trying.until_due_taken(wake)
        while True:
            self._timer_changed = trio.Event()
            due = self.machine.next_wakeup_ms()
            self._timer_due_ms = math.inf if due is None else due
            wait_s = max(0.0, (self._timer_due_ms - self.clock_ms()) / 1_000)
            with trio.move_on_after(wait_s):
                await self._timer_changed.wait()
                continue
            await trying.until_due_taken(wake)

    # --- for the facade

    def membership(self, community: bytes) -> Membership:
        """Return who may do what in a community."""
        return self.machine.replica(community).membership

    def device(self, community: bytes) -> bytes:
        """Return our device in a community; empty for a reader."""
        return self.machine.replica(community).device or b""

    def root(self, community: bytes) -> bytes:
        """Return our member in a community; empty while its GENESIS is not known."""
        return self.keystore.root(community)


def wall_clock_ms() -> int:
    """Return the wall clock in milliseconds since 1970."""
    return time.time_ns() // 1_000_000
