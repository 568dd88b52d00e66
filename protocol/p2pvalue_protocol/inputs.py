"""All that can happen to the core: callers' wishes (imperative), facts of the world (past tense).

`Machine.handle(input, now_ms)` takes exactly one of these. Batches are first class: all drafts that
callers have waiting are one `Write`, all operations of a frame are one `FrameReceived`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from p2pvalue_protocol.keys import SigningKey, exchange_key_of


class Draft(NamedTuple):
    """An operation somebody wants to write; the core adds place, parents, time and signature."""

    kind: int
    subject: bytes  # empty if the operation creates its object
    payload: bytes
    audience: tuple[bytes, ...] = ()  # roots, ascending, that may read it; empty: all members
    payload_of: Callable[[bytes], bytes] | None = None  # see `about`

    def about(self, subject: bytes) -> Draft:
        """Return what to write about an object that the draft before it makes in the same write.

        Its payload may hold the subject, which is known once that draft is an operation; so it is
        given as a pure function, `payload_of`. Any other draft is returned as it is.
        """
        if self.payload_of is None:
            return self
        return Draft(self.kind, subject, self.payload_of(subject), self.audience)


@dataclass(frozen=True, slots=True)
class Found:
    """Make a community with this device as its founder's first device."""

    signer: SigningKey
    genesis_payload: bytes
    prekey_private: bytes  # belongs to the prekey that the payload names for this device
    drafts: tuple[Draft, ...] = ()  # the founder's first words, kept with it or not at all


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
    name: str = ""  # said to the person who decides, where there is no invite
    message: str = ""


Answer = Literal["pending", "declined", "busy"]
"""What becomes of a newcomer's request; `busy` says that too many wait already."""


@dataclass(frozen=True, slots=True)
class RequestAnswered:
    """What became of a `JoinRequested`."""

    session: int
    answer: Answer


class DeviceKeys(NamedTuple):
    """The keys of a device of ours for one community, made outside of the core."""

    community: bytes
    signer: SigningKey
    prekey_private: bytes  # X25519: the community's secrets will be sealed to its public key

    @property
    def prekey(self) -> bytes:
        """The public key that the device's first operation names."""
        return exchange_key_of(self.prekey_private)


class PersonHere(NamedTuple):
    """What a person's devices tell each other about her; nothing of it opens a community."""

    name: str
    label: str  # what the device that tells is called
    words_check: bytes  # 32, to know her words again by; or empty
    backup_key: bytes  # 32, or empty


@dataclass(frozen=True, slots=True)
class LinkAsked:
    """A peer opened a link between devices to us, and a code that we made still holds."""

    session: int
    peer_id: str
    secret: bytes


@dataclass(frozen=True, slots=True)
class LinkStarted:
    """We opened a link to the device that a code names, which is to become another of ours."""

    session: int
    peer_id: str
    secret: bytes
    person: PersonHere


@dataclass(frozen=True, slots=True)
class DevicesMade:
    """The keys that `DevicesWanted` asked for, kept; `refusal` says why there are none."""

    session: int
    label: str
    devices: tuple[DeviceKeys, ...]
    refusal: int  # 0, or the number of a LinkRefusal


@dataclass(frozen=True, slots=True)
class RecoveryAsked:
    """A peer that says to be a member's new device opened a link to us."""

    session: int
    peer_id: str


@dataclass(frozen=True, slots=True)
class RecoveryStarted:
    """We opened a link to a member, to come back with a person's words."""

    session: int
    peer_id: str
    keys: DeviceKeys
    root_entropy: bytes


@dataclass(frozen=True, slots=True)
class FrameReceived:
    """A frame arrived on a session's link."""

    session: int
    frame: bytes


@dataclass(frozen=True, slots=True)
class Fetch:
    """Want these chunks of blobs of a community, in this order, and no others any more."""

    community: bytes
    chunks: tuple[bytes, ...]  # hashes, each once


@dataclass(frozen=True, slots=True)
class ChunkRead:
    """The answer to a `ChunkAsked`: the sealed chunk, empty if it is not here."""

    session: int
    sealed: bytes


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
class UpdatesAwaited:
    """Which updates of a document something shown rests on and are not held: these and no others.

    Peers are asked for them by id.
    """

    community: bytes
    document: bytes
    op_ids: tuple[bytes, ...]


class ShownDocument(NamedTuple):
    """What a document shows, in short: `digest` follows from the set of updates `version`."""

    document: bytes
    version: bytes  # 16: the sum of the ids of its visible updates
    digest: bytes  # 32


@dataclass(frozen=True, slots=True)
class DocumentsShown:
    """What some documents of a community show now; members in touch are told."""

    community: bytes
    shown: tuple[ShownDocument, ...]


@dataclass(frozen=True, slots=True)
class Sign:
    """Sign what is not yet: a copy of all that is stored is to be made for another device.

    What stands unsigned in it would reach nobody, and what names that would wait for ever.
    """


@dataclass(frozen=True, slots=True)
class Wakeup:
    """The time that `next_wakeup_ms` named has come, or there is nothing else to do."""


Input = (
    Found
    | Write
    | PeerJoined
    | JoinAsked
    | JoinStarted
    | RequestAnswered
    | LinkAsked
    | LinkStarted
    | DevicesMade
    | RecoveryAsked
    | RecoveryStarted
    | FrameReceived
    | PeerLeft
    | Fetch
    | ChunkRead
    | GossipReceived
    | AddressesChanged
    | UpdatesAwaited
    | DocumentsShown
    | Sign
    | Wakeup
)
