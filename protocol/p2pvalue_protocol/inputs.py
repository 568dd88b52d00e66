"""All that can happen to the core: callers' wishes (imperative), facts of the world (past tense).

`Machine.handle(input, now_ms)` takes exactly one of these. Batches are first class: all drafts that
callers have waiting are one `Write`, all operations of a frame are one `FrameReceived`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from p2pvalue_protocol.keys import SigningKey


class Draft(NamedTuple):
    """An operation somebody wants to write; the core adds place, parents, time and signature."""

    kind: int
    subject: bytes  # empty if the operation creates its object
    payload: bytes


@dataclass(frozen=True, slots=True)
class Found:
    """Make a community with this device as its founder's first device."""

    signer: SigningKey
    genesis_payload: bytes
    topic_secret: bytes  # ignored for public communities, whose secret follows from their id


@dataclass(frozen=True, slots=True)
class Write:
    """Write drafts of ours into one community; all of one class, kept in this order."""

    community: bytes
    drafts: tuple[Draft, ...]


@dataclass(frozen=True, slots=True)
class PeerJoined:
    """A sync link with a peer is open; `community` is what we want when we opened it."""

    session: int
    peer_id: str
    initiated: bool
    community: bytes | None


@dataclass(frozen=True, slots=True)
class JoinAsked:
    """A peer opened a join link to us."""

    session: int
    peer_id: str


@dataclass(frozen=True, slots=True)
class JoinStarted:
    """We opened a join link to a peer that an invitation names."""

    session: int
    peer_id: str
    community: bytes
    invite_secret: bytes  # empty for an open community
    signer: SigningKey  # the device that wants to be admitted
    prekey: bytes  # X25519 public key to which the community's secrets will be sealed
    root_entropy: bytes


@dataclass(frozen=True, slots=True)
class FrameReceived:
    """A frame arrived on a session's link."""

    session: int
    frame: bytes


@dataclass(frozen=True, slots=True)
class PeerLeft:
    """A session's link ended, for whatever reason."""

    session: int


@dataclass(frozen=True, slots=True)
class GossipReceived:
    """A gossip message arrived; the effects contain exactly one `Judge`."""

    topic: str
    message: bytes
    peer_id: str


@dataclass(frozen=True, slots=True)
class AddressesChanged:
    """We listen at these addresses from now on."""

    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wakeup:
    """The time that `next_wakeup_ms` named has come, or there is nothing else to do."""


Input = (
    Found
    | Write
    | PeerJoined
    | JoinAsked
    | JoinStarted
    | FrameReceived
    | PeerLeft
    | GossipReceived
    | AddressesChanged
    | Wakeup
)
