"""What the node asks of a network, and what a network tells the node.

The network moves bytes between peers and knows nothing of communities, operations or membership.
Two implementations keep this contract and pass one suite: `memory.MemoryNetwork` (for tests and
programs that embed p2pvalue) and `libp2p.Libp2pNetwork` (the real one).

A *peer* is another node as the network sees it, named by its libp2p peer id in base58. A *link* is
one framed stream to one peer for one protocol; links are opened once and kept, because opening one
costs milliseconds. Gossip is a hint: it may be lost, repeated or late, and nothing depends on it.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    import trio

SYNC_PROTOCOL = "/p2pvalue/sync/1"
JOIN_PROTOCOL = "/p2pvalue/join/1"
LINK_PROTOCOL = "/p2pvalue/link/1"
RECOVER_PROTOCOL = "/p2pvalue/recover/1"

FRAME_BYTES_MAX = 72 * 1024
"""Longest frame on a link; a longer one closes the link (spec: sync, frames)."""

GOSSIP_BYTES_MAX = 60_000
"""Longest gossip message; beyond that libp2p's own framing starts to hurt (spec: gossip)."""


class Verdict(Enum):
    """What the node says of a gossip message; only ACCEPT lets the network pass it on."""

    ACCEPT = "accept"
    IGNORE = "ignore"  # not an offence: duplicate, unknown author, from the future, over quota
    REJECT = "reject"  # an offence of the peer that sent it: malformed, forged, over the limits


class LinkClosed(Exception):
    """The other side, the network or we ended the link; whatever was unsent is lost."""


class Link(Protocol):
    """One framed stream to one peer. One task may send while another receives."""

    @property
    def peer_id(self) -> str: ...

    @property
    def protocol(self) -> str: ...

    @property
    def initiated(self) -> bool:
        """True if our side opened the link."""
        ...

    async def send(self, frame: bytes) -> None:
        """Return when the frame was handed to the transport; raises LinkClosed.

        Cancelling the caller leaves the connection usable: a frame is written whole or not at all.
        A peer that does not read for 5 s loses the link.
        """
        ...

    async def receive(self) -> bytes:
        """Return the next frame; raises LinkClosed at the end, on a broken or oversized frame."""
        ...

    async def close(self) -> None:
        """End the link; safe to call twice and from a cancelled scope."""
        ...


class NetworkHandler(Protocol):
    """The node's side. Whatever a handler raises is contained, logged and ends at most one link."""

    async def serve_link(self, link: Link) -> None:
        """Serve a link that a peer opened; the link is closed when this returns."""
        ...

    def peer_connected(self, peer_id: str) -> None: ...

    def peer_disconnected(self, peer_id: str) -> None: ...

    def gossip_received(self, topic: str, message: bytes, peer_id: str) -> Verdict:
        """Judge one gossip message at once; called in the event loop, must not block."""
        ...


class Network(Protocol):
    """A supervised network: if what is below dies it starts anew while the node keeps serving."""

    @property
    def peer_id(self) -> str: ...

    async def run(
        self,
        handler: NetworkHandler,
        *,
        task_status: trio.TaskStatus[None],
    ) -> None:
        """Serve until cancelled; `task_status.started()` means the first generation listens."""
        ...

    def addresses(self) -> list[str]:
        """Return concrete multiaddrs with `/p2p/<peer id>` at which we listen (never 0.0.0.0)."""
        ...

    def peers(self) -> list[str]:
        """Return the ids of the peers with a live connection, sorted."""
        ...

    async def connect(self, addresses: list[str], *, timeout_s: float = 10.0) -> str:
        """Connect to the one peer that all these addresses name; return its peer id.

        Tries the addresses in order; an existing connection is reused. Raises ConnectionError with
        what was tried. A failed dial is forgotten at once (no negative cache): the caller decides
        on backoff.
        """
        ...

    async def open_link(self, peer_id: str, protocol: str) -> Link:
        """Open a link to a connected peer; raises LinkClosed when that fails within 10 s."""
        ...

    async def disconnect(self, peer_id: str) -> None: ...

    def admit_to_gossip(self, peer_id: str, topics: Iterable[str]) -> None:
        """Speak gossip with this peer about these topics, besides those of earlier calls.

        Call when a HELLO succeeded, with the topics of its community: of others, be it that of a
        public community with the same node, the peer learns neither a name nor a message.
        """
        ...

    def bar_from_gossip(self, peer_id: str, topics: Iterable[str]) -> None:
        """Speak no gossip about these topics with this peer any more: it was put out."""
        ...

    def subscribe(self, topic: str) -> None: ...

    def unsubscribe(self, topic: str) -> None: ...

    def publish(self, topic: str, message: bytes) -> bool:
        """Queue a message, paced to what the library carries; False, a lost hint, if it is full."""
        ...

    def status(self) -> dict[str, int | str | list[str]]:
        """Return figures for `status` and `doctor`: generation, peers, queues, dropped hints."""
        ...
