"""Everything the core may ask of the shell, in the order in which it must be performed.

Durable before visible, visible before published: `Store` effects come first in every list, then
`Changed`, then what leaves the node. The shell performs them with one `match` that names every
case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.inputs import PersonHere, ShownDocument
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.past import Batch


class Change(msgspec.Struct, array_like=True, frozen=True):
    """One operation that came into view or left it, or is hidden and others may rest on it.

    `again` says that it did so after it was first judged: because somebody was removed or brought
    back, or a key arrived. Who keeps something made of operations one by one begins anew then.
    """

    kind: int
    subject: bytes  # the object, or the container of an entry; empty for an auth operation
    order: Order
    member: bytes
    payload: bytes  # empty when hidden
    again: Literal["", "shown", "hidden"] = ""


@dataclass(frozen=True, slots=True)
class Store:
    """Commit this batch durably, or stop the node."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class Changed:
    """Tell readers what came into view."""

    community: bytes
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Wrote:
    """Where the drafts of a `Write` now stand, in their order: in their log and among all."""

    community: bytes
    references: tuple[Reference, ...]
    orders: tuple[Order, ...]


@dataclass(frozen=True, slots=True)
class Publish:
    """Send a hint to whoever listens to the topic."""

    topic: str
    message: bytes


@dataclass(frozen=True, slots=True)
class SendFrame:
    """Send a frame on a session's link."""

    session: int
    frame: bytes


@dataclass(frozen=True, slots=True)
class CloseSession:
    """End a session's link; `reason` is None when nobody is to blame."""

    session: int
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class Ready:
    """HELLO succeeded: the peer speaks for `device` (None: a reader of a public community)."""

    session: int
    peer_id: str
    community: bytes
    device: bytes | None


@dataclass(frozen=True, slots=True)
class Parted:
    """The peer of a session that was ready is no member any more: it hears nothing further."""

    session: int
    peer_id: str
    community: bytes


@dataclass(frozen=True, slots=True)
class TopicsChanged:
    """A community is heard on other topics from now on; its ready peers may know them."""

    community: bytes


@dataclass(frozen=True, slots=True)
class Judge:
    """What to tell the gossip network about the message just received."""

    verdict: Literal["accept", "ignore", "reject"]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A peer's input was refused and changed nothing."""

    peer_id: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Joined:
    """A join got this far: `welcomed` (nonce known), `pending` (a person decides), `admitted`."""

    session: int
    community: bytes
    state: Literal["welcomed", "pending", "admitted", "failed"]
    nonce: bytes
    message: str
    is_final: bool = False  # failed, and asking again by this link will not help


@dataclass(frozen=True, slots=True)
class JoinRequested:
    """Somebody asks to be let in: keep it for a person to decide, and say so by `RequestAnswered`.

    Name and message were written by a stranger. Who approves grants the root a rank.
    """

    session: int
    community: bytes
    root: bytes
    device: bytes
    name: str
    message: str


@dataclass(frozen=True, slots=True)
class DevicesWanted:
    """Make and keep keys for these communities of a person, then say so by `DevicesMade`.

    Her older device showed on this link that it knows our code.
    """

    session: int
    person: PersonHere
    communities: tuple[tuple[bytes, bytes, bytes], ...]  # (id, nonce, her root), ascending


@dataclass(frozen=True, slots=True)
class Linked:
    """A link between two devices of a person is over; by community, the other device."""

    session: int
    state: Literal["linked", "failed"]
    devices: tuple[tuple[bytes, bytes], ...]  # (community, device), of those that have both now
    label: str  # what the other device is called
    message: str  # why it failed


@dataclass(frozen=True, slots=True)
class DigestsHeard:
    """What a member's device says that its documents show."""

    community: bytes
    device: bytes
    shown: tuple[ShownDocument, ...]


@dataclass(frozen=True, slots=True)
class AddressLearned:
    """A member's device can be reached at these addresses."""

    community: bytes
    device: bytes
    peer_id: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChunkAsked:
    """A peer may have this chunk and wants it: read it and say so by `ChunkRead`.

    Once the link has taken what was sent before: that bounds what waits in memory.
    """

    session: int
    community: bytes
    chunk: bytes  # its hash


@dataclass(frozen=True, slots=True)
class ChunkBrought:
    """A peer brought a chunk that is wanted; the sealed bytes have this hash."""

    community: bytes
    chunk: bytes
    sealed: bytes
    peer_id: str


@dataclass(frozen=True, slots=True)
class ChunkNowhere:
    """Every peer in touch that may be asked for a chunk said that it has it not.

    They are asked again after their next comparisons, if it is still wanted then.
    """

    community: bytes
    chunk: bytes


Effect = (
    Store
    | Changed
    | Wrote
    | Publish
    | SendFrame
    | CloseSession
    | Ready
    | Parted
    | TopicsChanged
    | Judge
    | Rejected
    | Joined
    | JoinRequested
    | DevicesWanted
    | Linked
    | DigestsHeard
    | AddressLearned
    | ChunkAsked
    | ChunkBrought
    | ChunkNowhere
)
