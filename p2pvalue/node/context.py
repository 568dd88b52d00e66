"""What the rooms of a community need from the node that runs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from p2pvalue.node.needs.need_boards import NeedBoards
from p2pvalue.store import Store
from p2pvalue.types import JoinView, Rank
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.membership import Membership
from p2pvalue_protocol.replica import Replica

State = Literal["joining", "active", "removed", "left"]


class Participation(NamedTuple):
    """How this node takes part in a community at the moment."""

    state: State
    waiting_for: str  # in words; empty when active
    peers: tuple[str, ...]  # connected, ascending
    operations: int  # held
    unshared: int  # of ours, that no peer has confirmed to hold
    joining: JoinView | None = None


class Context(Protocol):
    """The node as its communities see it; all calls on the node's trio thread."""

    @property
    def store(self) -> Store: ...
    @property
    def boards(self) -> NeedBoards:
        """Where needs stand."""
        ...

    def membership(self, community: bytes) -> Membership:
        """Return who may do what, by everything held."""
        ...

    def copy_of(self, community: bytes) -> Replica:
        """Return our copy of a community, to be looked at only."""
        ...

    def device(self, community: bytes) -> bytes:
        """Return our device's public key; empty where this node only reads."""
        ...

    def root(self, community: bytes) -> bytes:
        """Return our member's root key; empty where this node only reads."""
        ...

    def clock_ms(self) -> int:
        """Return the wall clock in milliseconds since 1970."""
        ...

    def sign(self) -> None:
        """Sign what we wrote and is not signed yet: what leaves the node is."""
        ...

    def participation(self, community: bytes) -> Participation: ...

    async def write(self, community: bytes, drafts: Sequence[Draft]) -> Sequence[Order]:
        """Write operations of ours in this order: durable, folded and visible on return.

        Returns where they stand in the folding order, so that nobody has to read them again.

        Drafts of callers waiting at the same time share one disk flush. Raises NotAdmitted or
        LocalProtocolError, whose message says what to do next; then none was written.
        """
        ...

    def await_updates(self, community: bytes, document: bytes, op_ids: Sequence[bytes]) -> None:
        """Ask peers by id for these updates of a document, on which others wait, and no others."""
        ...

    async def invite(self, community: bytes, rank: Rank, uses: int) -> str:
        """Write an INVITE and return the link that carries its secret."""
        ...
