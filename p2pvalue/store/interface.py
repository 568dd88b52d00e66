"""What the node asks of a store, and what a store promises.

A store keeps the operations of every community on this node, and the views folded from them, so
that nothing is replayed at start. It judges nothing: the core decides what is kept and says so in
`Batch`. Two implementations keep this contract and pass one suite: `memory.MemoryStore` (for
simulations and tests) and `sqlite.SqliteStore` (for the node).

*Applied in order.* The fields of a batch are applied in the order in which `Batch` lists them.

*Numbers stay inside.* Log and frontier numbers belong to one community on one node; no digest that
leaves the store depends on them.

*Hidden.* Kinds that keep what counts no more leave it in its list, marked. Only `entries_since`
hands it out, to who asks; all other answers are as if it were not there.

*Arrivals.* Every entry gets a number when it is committed, greater than all before it; a reader
that remembers the greatest it has seen can ask for the rest, however early the rest sorts. Numbers
may skip. The entries of one log in one list have numbers in the order of the log: an entry shown
again gets a new number, and so do those of its log that follow it. One that is hidden or shown
where it stands keeps its number. Whoever reads by arrival is told of such changes and begins anew;
the list's snapshot goes with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import msgspec

from p2pvalue_protocol.errors import P2PValueError
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.past import Batch, OperationRow, Past, StateRow

if TYPE_CHECKING:
    from p2pvalue.store.chunks import ChunkStore

Durability = Literal["power-cut", "kill"]
"""What an acknowledged commit survives: `power-cut` flushes the disk each time, `kill` does not."""


class StoreFailed(P2PValueError):
    """The store could not do what was asked; nothing of it was applied."""


class Entry(NamedTuple):
    """One item of an ordered list, with its operation's core and its payload as it was stored.

    The payload may be sealed, and is None when only its hash is known.
    """

    container: bytes
    kind: int
    order: Order
    member: bytes
    core: bytes
    payload: bytes | None
    arrival: int
    log: int  # the core's number for the branch that it is in
    is_hidden: bool  # it counts no more; only for who asks for such


class Base(NamedTuple):
    """Where one branch of a log begins: behind operation `seq` of another; or, None, at nothing."""

    log: int | None
    seq: int


class Snapshot(NamedTuple):
    """What a reader made of a list's entries up to arrival `covers`; a cache and nothing more."""

    covers: int
    data: bytes


class Figures(msgspec.Struct, frozen=True):
    """Counts and sizes for `status` and `doctor`."""

    communities: int
    logs: int
    operations: int
    waiting: int  # operations held but not folded
    entries: int
    states: int
    disk_bytes: int  # 0 in memory
    schema_version: int
    durability: str


class Fault(NamedTuple):
    """One thing found wrong: where, and what."""

    community: bytes
    place: str
    finding: str


class VerifyReport(msgspec.Struct, frozen=True):
    """What `verify` read and what it found wrong; sound if `faults` is empty."""

    operations: int
    unsigned: int  # at the ends of logs, not yet vouched for by a signature
    faults: tuple[Fault, ...]


Progress = Callable[[int, int], None]
"""Called with (operations done, operations in all); may raise to stop."""


class Store(Protocol):
    """Everything a node keeps on disk. Used from one thread; reads see every commit."""

    @property
    def chunks(self) -> ChunkStore:
        """The chunks of blobs."""
        ...

    def communities(self) -> list[bytes]:
        """Return the ids of all communities, ascending; one appears with its first batch."""
        ...

    def past(self, community: bytes) -> Past:
        """Return what the core reads of one community; empty answers for one not stored."""
        ...

    def commit(self, batches: Sequence[Batch]) -> None:
        """Apply all batches in one transaction, durable on return; raises StoreFailed.

        After StoreFailed none of them is applied. Several batches share one disk flush, which is
        what an operation committed alone mostly costs.
        """
        ...

    def entries(
        self,
        community: bytes,
        container: bytes,
        kind: int,
        *,
        before: Order | None = None,
        after: Order | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> list[Entry]:
        """Return up to `limit` entries of one list strictly between two places, in folding order.

        Costs what is returned, wherever in the list it lies.
        """
        ...

    def entries_since(
        self,
        community: bytes,
        container: bytes,
        kind: int,
        arrival: int,
        *,
        limit: int = 1_000,
        hidden: bool = False,
    ) -> list[Entry]:
        """Return up to `limit` entries that came after `arrival`, as they came; 0 asks for all.

        With `hidden`, those too that are kept in the list but count no more.
        Costs what is returned. A list of more than a few entries is indexed by arrival the first
        time, which writes once; lists that nobody reads so do not pay for it.
        """
        ...

    def entry_count(self, community: bytes, container: bytes, kind: int) -> int:
        """Return how many entries a list has; reads the index of the list once."""
        ...

    def containers(self, community: bytes, kind: int) -> list[bytes]:
        """Return the containers that hold entries of a kind, ascending."""
        ...

    def base(self, community: bytes, log: int) -> Base:
        """Return where a log begins; raises StoreFailed for one that is not stored. One seek."""
        ...

    def state(self, community: bytes, subject: bytes) -> StateRow | None:
        """Return the folded state of one subject."""
        ...

    def states(
        self,
        community: bytes,
        kind: int,
        *,
        group: bytes | None = None,
        before: Order | None = None,
        after: Order | None = None,
        limit: int = 100,
        newest_first: bool = False,
    ) -> list[StateRow]:
        """Return up to `limit` states of a kind (and group) by their last operation."""
        ...

    def put_snapshot(self, community: bytes, subject: bytes, covers: int, data: bytes) -> None:
        """Keep what was made of a list up to arrival `covers`, in place of what was kept before."""
        ...

    def snapshot(self, community: bytes, subject: bytes) -> Snapshot | None:
        """Return what was last kept, or None; a reader must be able to do without."""
        ...

    def meta(self, key: str) -> bytes | None:
        """Return one of the node's own values."""
        ...

    def put_meta(self, key: str, value: bytes) -> None:
        """Keep one of the node's own values, durable on return."""
        ...

    def operations_in_order(self, community: bytes) -> Iterator[OperationRow]:
        """Yield every operation held, by log number and seq; 256 are in memory at a time."""
        ...

    def clear_views(self, community: bytes) -> None:
        """Forget all that is made from operations; every operation waits to be folded again.

        Views, snapshots, frontiers and heads go. A replica opened afterwards folds everything anew,
        and goes on with it if the process dies on the way.
        """
        ...

    def forget(self, community: bytes) -> None:
        """Remove all of one community, our own values that end in `:` and its id in hex, too.

        Writes a disk's file anew without it: as slow as copying it. Whoever reads its past must
        have stopped before.
        """
        ...

    def state_digest(self, community: bytes, *, hidden: bool = False) -> bytes:
        """Return 32 bytes equal on two nodes iff their states and entries are; reads all.

        With `hidden`, of the hidden entries too: equal if both hold the same operations.
        """
        ...

    def figures(self) -> Figures:
        """Return counts and sizes; one seek per log, one pass over the index of entries."""
        ...

    def verify(self, *, deep: bool, progress: Progress | None = None) -> VerifyReport:
        """Return what is wrong with what is stored.

        Deep: every hash, backlink, payload hash and signature is computed again, and where all are
        sound the views are made anew beside the store and compared. About 0.1 ms per operation and
        0.1 ms per signature kept; `progress` counts the operations of each pass.
        """
        ...

    def backup(self, path: Path, key: bytes | None = None) -> Iterator[int]:
        """Write a consistent copy to a new file in steps; yields the pages left, at the end 0.

        The copy is encrypted with `key`, or with the store's own if none is given, and has no
        prekeys. Commits between steps are part of it. An unfinished copy is removed.
        """
        ...

    def close(self) -> None:
        """End the use of the store; safe to call twice."""
        ...
