"""The real network: py-libp2p 0.8.1 over TCP, Noise, Yamux and meshsub/1.1, behind the contract.

This class holds what outlives a generation (the wanted topics, waiting messages, the handler) and
starts a new generation when one dies. It imports nothing of the library: that happens in a thread
when `run` begins, so a daemon answers reads before the library is there.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

import trio

from p2pvalue.network import libp2p_load
from p2pvalue.network.addresses import Address, AddressError, parse_address, peer_id_of_seed
from p2pvalue.network.interface import (
    GOSSIP_BYTES_MAX,
    Link,
    LinkClosed,
    NetworkHandler,
    Verdict,
)
from p2pvalue.network.limits import Limits, Timeouts, TokenBucket
from p2pvalue_protocol.errors import LocalProtocolError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from p2pvalue.network.libp2p_generation import Generation

log = logging.getLogger(__name__)

_HEALTHY_AFTER_S = 60.0
_ERROR_CHARS_MAX = 200


class _Outbox:
    """Messages of one topic that wait for their turn."""

    def __init__(self, limits: Limits) -> None:
        self.waiting: deque[bytes] = deque()
        self.bucket = TokenBucket(
            limits.gossip_per_topic_per_s, limits.gossip_burst, trio.current_time()
        )


class Libp2pNetwork:
    """`Network` over libp2p; `key_seed` is the 32 bytes that fix our peer id.

    `listen` holds multiaddresses such as /ip4/0.0.0.0/tcp/4001; port 0 takes a free one, and an
    empty list only dials. Raises AddressError for one that cannot be listened on.
    """

    def __init__(
        self,
        key_seed: bytes,
        listen: Sequence[str],
        *,
        limits: Limits | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        if len(key_seed) != 32:
            raise LocalProtocolError(f"a key seed has 32 bytes, not {len(key_seed)}")
        self._key_seed = key_seed
        self._listen = [_listening(text) for text in listen]
        self._limits = limits if limits is not None else Limits()
        self._timeouts = timeouts if timeouts is not None else Timeouts()
        self._peer_id = peer_id_of_seed(key_seed)
        self._topics: set[str] = set()
        self._outboxes: dict[str, _Outbox] = {}
        self._outbox_filled = trio.Event()
        self._generation: Generation | None = None
        self._handler: NetworkHandler | None = None
        self._link_tasks: trio.Nursery | None = None
        self._generation_number = 0
        self._dropped_count = 0
        self._last_error = ""

    @property
    def peer_id(self) -> str:
        return self._peer_id

    async def run(
        self,
        handler: NetworkHandler,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve until cancelled; a port that is taken is tried again, and shown in `status`.

        Raises libp2p_load.LibraryUnusable when the installed libp2p is not the one we know.
        """
        self._handler = handler
        module = await trio.to_thread.run_sync(libp2p_load.load_libp2p)
        wait_s = self._timeouts.restart_min_s
        is_started = False
        async with trio.open_nursery() as self._link_tasks:
            while True:
                started_at_s = trio.current_time()
                try:
                    async with trio.open_nursery() as nursery:
                        generation = module.Generation(
                            self._key_seed,
                            self._listen,
                            limits=self._limits,
                            timeouts=self._timeouts,
                            upcalls=_Upcalls(self),
                        )
                        await nursery.start(generation.run)
                        self._generation_number += 1
                        self._generation = generation
                        self._listen = generation.swarm.bound  # a free port once found is kept
                        generation.gossip.want(self._topics)
                        nursery.start_soon(self._publish_paced, generation)
                        if not is_started:
                            is_started = True
                            task_status.started()
                except Exception as died:
                    self._last_error = _innermost(died)
                    log.exception("the network died and starts anew: %s", self._last_error)
                finally:
                    self._generation = None
                if trio.current_time() - started_at_s > _HEALTHY_AFTER_S:
                    wait_s = self._timeouts.restart_min_s
                await trio.sleep(wait_s)
                wait_s = min(wait_s * 2, self._timeouts.restart_max_s)

    def addresses(self) -> list[str]:
        return self._generation.swarm.addresses() if self._generation is not None else []

    def peers(self) -> list[str]:
        return sorted(self._generation.swarm.connections) if self._generation is not None else []

    async def connect(self, addresses: list[str], *, timeout_s: float = 10.0) -> str:
        parsed = [parse_address(text) for text in addresses]
        peer_ids = {address.peer_id for address in parsed}
        peer_id = parsed[0].peer_id if parsed else None
        if peer_id is None or len(peer_ids) != 1:
            raise AddressError("the addresses to dial must all end in /p2p/ and one peer id")
        if peer_id == self._peer_id:
            raise ConnectionError("this is our own address")
        if self._generation is None:
            raise ConnectionError("the network is starting; try again in a moment")
        await self._generation.swarm.connect(parsed, timeout_s)
        return peer_id

    async def open_link(self, peer_id: str, protocol: str) -> Link:
        if self._generation is None:
            raise LinkClosed("the network is starting")
        return await self._generation.open_link(peer_id, protocol)

    async def disconnect(self, peer_id: str) -> None:
        if self._generation is not None:
            self._generation.disconnect(peer_id)

    def admit_to_gossip(self, peer_id: str, topics: Iterable[str]) -> None:
        if self._generation is not None:
            self._generation.admit_to_gossip(peer_id, topics)

    def bar_from_gossip(self, peer_id: str, topics: Iterable[str]) -> None:
        if self._generation is not None:
            self._generation.bar_from_gossip(peer_id, topics)

    def subscribe(self, topic: str) -> None:
        self._topics.add(topic)
        self._want_topics()

    def unsubscribe(self, topic: str) -> None:
        self._topics.discard(topic)
        self._outboxes.pop(topic, None)
        self._want_topics()

    def publish(self, topic: str, message: bytes) -> bool:
        if not 0 < len(message) <= GOSSIP_BYTES_MAX:
            raise LocalProtocolError(
                f"a gossip message has 1 to {GOSSIP_BYTES_MAX} bytes, not {len(message)}"
            )
        if topic not in self._topics:
            raise LocalProtocolError("subscribe to a topic before publishing to it")
        outbox = self._outboxes.get(topic)
        if outbox is None:
            outbox = self._outboxes[topic] = _Outbox(self._limits)
        if len(outbox.waiting) >= self._limits.gossip_queue_max:
            self._dropped_count += 1
            return False
        outbox.waiting.append(message)
        if len(outbox.waiting) > 1 or not self._is_published_now(topic, outbox):
            self._outbox_filled.set()
        return True

    def _is_published_now(self, topic: str, outbox: _Outbox) -> bool:
        """Hand the only message that waits to gossip, if the pace allows it; return whether."""
        generation = self._generation
        if generation is None or not outbox.bucket.take(trio.current_time()):
            return False
        try:
            generation.gossip.publish(topic, outbox.waiting[0])
        except Exception:
            log.exception("gossip failed on a message of ours")
            return False  # whoever paces will fail on it too, and the network starts anew
        outbox.waiting.popleft()
        return True

    def status(self) -> dict[str, int | str | list[str]]:
        generation = self._generation
        figures: dict[str, int | str | list[str]] = {
            "state": "listening" if generation is not None else "starting",
            "generation": self._generation_number,
            "last_error": self._last_error,
            "addresses": self.addresses(),
            "peers": self.peers(),
            "topics": len(self._topics),
            "messages_waiting": sum(len(o.waiting) for o in self._outboxes.values()),
            "hints_dropped": self._dropped_count,
        }
        if generation is not None:
            figures["refused_connections"] = generation.swarm.refused_count
            figures["gossip_accepted"] = generation.gossip.accepted_count
            figures["gossip_ignored"] = generation.gossip.ignored_count
            figures["gossip_rejected"] = generation.gossip.rejected_count
            figures["mesh_peers"] = sum(generation.gossip.meshes().values())
        return figures

    def _want_topics(self) -> None:
        if self._generation is not None:
            self._generation.gossip.want(self._topics)

    async def _publish_paced(self, generation: Generation) -> None:
        """Hand waiting messages to gossip, each topic at its own pace."""
        while True:
            self._outbox_filled = trio.Event()
            next_s = self._publish_due(generation)
            with trio.move_on_after(next_s):
                await self._outbox_filled.wait()

    def _publish_due(self, generation: Generation) -> float:
        next_s = float("inf")
        for topic, outbox in list(self._outboxes.items()):
            while outbox.waiting and outbox.bucket.take(trio.current_time()):
                generation.gossip.publish(topic, outbox.waiting.popleft())
            if outbox.waiting:
                next_s = min(next_s, outbox.bucket.wait_s(trio.current_time()))
        return next_s


class _Upcalls:
    """Passes what a generation reports to the handler, and contains what the handler raises."""

    def __init__(self, network: Libp2pNetwork) -> None:
        handler, tasks = network._handler, network._link_tasks
        assert handler is not None
        assert tasks is not None
        self._handler = handler
        self._tasks = tasks

    def connected(self, peer_id: str) -> None:
        try:
            self._handler.peer_connected(peer_id)
        except Exception:
            log.exception("the handler failed when %s connected", peer_id)

    def disconnected(self, peer_id: str) -> None:
        try:
            self._handler.peer_disconnected(peer_id)
        except Exception:
            log.exception("the handler failed when %s went away", peer_id)

    def link_opened(self, link: Link) -> None:
        self._tasks.start_soon(self._serve, link)

    def judge(self, topic: str, message: bytes, peer_id: str) -> Verdict:
        return self._handler.gossip_received(topic, message, peer_id)

    async def _serve(self, link: Link) -> None:
        try:
            await self._handler.serve_link(link)
        except LinkClosed:
            pass
        except Exception:
            log.exception("the handler failed on a link of %s", link.peer_id)
        finally:
            await link.close()


def _listening(text: str) -> Address:
    address = parse_address(text)
    if address.kind not in ("ip4", "ip6") or address.peer_id is not None:
        raise AddressError(f"{text!r} cannot be listened on; write /ip4/0.0.0.0/tcp/4001")
    return address


def _innermost(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"[:_ERROR_CHARS_MAX]
