"""How the core reads what was stored: one small read-only interface, and the rows that it writes.

The core never holds all operations; ten million must fit a small computer's disk, not its memory.
It keeps the heads of the logs and asks for the rest here. `store` implements this with SQLite for
the node and with dictionaries for simulations. Rows are tuples because hundreds of thousands of
them pass through.

A *log number* is the store's own small name for one branch of one log of one device in one
community; operations are keyed by (log number, seq), which inserts seven times faster than random
ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import msgspec

from p2pvalue_protocol.ids import Reference


class LogRow(NamedTuple):
    """One branch of one log; `branch` is empty for the one held first, else its first op id."""

    log: int
    community: bytes
    device: bytes
    log_class: int
    branch: bytes
    first_seq: int  # 0, or the seq at which the branch leaves another
    base_id: bytes  # backlink of the operation at first_seq


class OperationRow(NamedTuple):
    """One stored operation; `frontier` is 0 while it waits, else its auth frontier's number."""

    log: int
    seq: int
    op_id: bytes
    core: bytes
    signature: bytes  # empty where a later operation of the log vouches for it
    payload: bytes | None  # None when only the hash is known
    frontier: int


class HeadRow(NamedTuple):
    """Where a log stands: its last stored, last folded and last signed operation."""

    log: LogRow
    head: OperationRow
    folded_seq: int  # first_seq - 1 when none is folded yet
    signed_seq: int  # first_seq - 1 when none carries a signature


class EntryRow(NamedTuple):
    """One item of an ordered list (a message in a channel, an update of a document)."""

    container: bytes  # 16 bytes: the channel, the document
    time: int
    device: bytes
    seq: int
    op_id: bytes
    kind: int
    member: bytes  # root key of the author at that operation
    log: int
    is_hidden: bool = False  # in its list for those only who ask for what counts no more


class SubjectOperationRow(NamedTuple):
    """Where one operation of a folded subject is, in folding order."""

    subject: bytes
    time: int
    device: bytes
    seq: int
    op_id: bytes
    kind: int
    member: bytes
    rank: int
    log: int


class StateRow(NamedTuple):
    """The folded state of one subject. `group` ties it to another (a pledge to its need)."""

    subject: bytes
    kind: int
    group: bytes  # 16 bytes
    time: int  # of the operation that sorts last in the fold
    device: bytes
    seq: int
    op_id: bytes
    state: bytes  # canonical encoding


class Batch(msgspec.Struct):
    """Everything one input changes in one community; the store commits it whole or not at all."""

    community: bytes
    logs: list[LogRow] = msgspec.field(default_factory=list)
    operations: list[OperationRow] = msgspec.field(default_factory=list)
    signatures: list[tuple[bytes, int, int]] = msgspec.field(default_factory=list)  # sig, log, seq
    payloads: list[tuple[bytes, int, int]] = msgspec.field(
        default_factory=list
    )  # payload, log, seq
    folded: list[tuple[int, int, int]] = msgspec.field(default_factory=list)  # frontier, log, seq
    frontiers: list[tuple[int, tuple[bytes, ...]]] = msgspec.field(default_factory=list)
    entries: list[EntryRow] = msgspec.field(default_factory=list)
    # Listed only after what follows them in their logs.
    entries_again: list[EntryRow] = msgspec.field(default_factory=list)
    # Listed already: hidden or shown from now on, as the row says.
    entries_turned: list[EntryRow] = msgspec.field(default_factory=list)
    entries_gone: list[EntryRow] = msgspec.field(default_factory=list)
    subject_operations: list[SubjectOperationRow] = msgspec.field(default_factory=list)
    subject_operations_gone: list[SubjectOperationRow] = msgspec.field(default_factory=list)
    states: list[StateRow] = msgspec.field(default_factory=list)
    states_gone: list[bytes] = msgspec.field(default_factory=list)  # subjects
    tips: list[int] | None = None  # logs whose folded head nothing folded names, when they changed
    # Logs that are being judged again and the seq to go on from, when they changed.
    reconsidered: list[tuple[int, int]] | None = None
    addresses: list[tuple[bytes, bytes]] = msgspec.field(default_factory=list)  # device, record
    epochs: list[tuple[bytes, bytes]] = msgspec.field(default_factory=list)  # epoch, record
    # Content that waits for an epoch's secret: (epoch, log, its first seq, how many).
    sealed: list[tuple[bytes, int, int, int]] = msgspec.field(default_factory=list)
    sealed_gone: list[bytes] = msgspec.field(default_factory=list)  # epochs
    epoch_secrets: list[tuple[bytes, bytes]] = msgspec.field(default_factory=list)  # epoch, secret
    prekeys: list[tuple[bytes, bytes]] | None = None  # (public, private), all, when they changed
    proven: list[bytes] = msgspec.field(default_factory=list)  # op ids: signatures in payloads

    def is_empty(self) -> bool:
        """Return whether there is nothing to commit."""
        return not any(
            (
                self.logs,
                self.operations,
                self.signatures,
                self.payloads,
                self.folded,
                self.frontiers,
                self.entries,
                self.entries_again,
                self.entries_turned,
                self.entries_gone,
                self.subject_operations,
                self.subject_operations_gone,
                self.states,
                self.states_gone,
                self.addresses,
                self.tips is not None,
                self.reconsidered is not None,
                self.epochs,
                self.sealed,
                self.sealed_gone,
                self.epoch_secrets,
                self.prekeys is not None,
                self.proven,
            )
        )


class Past(Protocol):
    """What was stored of one community. Reads see every batch committed before."""

    def heads(self) -> list[HeadRow]:
        """Return where every log stands, ascending by log number; one index seek per log."""
        ...

    def frontiers(self) -> list[tuple[int, tuple[bytes, ...]]]:
        """Return the numbered auth frontiers, ascending."""
        ...

    def tips(self) -> list[int]:
        """Return the logs last committed whose newest folded operation no folded one names."""
        ...

    def operations(self, log: int, first_seq: int, count: int) -> list[OperationRow]:
        """Return up to `count` operations of one branch from `first_seq` on, ascending."""
        ...

    def auth_operations(self) -> Iterator[OperationRow]:
        """Yield every folded auth operation, by log number and seq."""
        ...

    def state(self, subject: bytes) -> StateRow | None:
        """Return the folded state of one subject."""
        ...

    def subject_operations(
        self, subject: bytes
    ) -> list[tuple[SubjectOperationRow, bytes, bytes | None]]:
        """Return the operations of one subject with their cores and payloads, in folding order."""
        ...

    def has_entry(self, row: EntryRow) -> bool:
        """Return whether an operation is listed, hidden or shown as the row says; one seek."""
        ...

    def hidden_places(self, container: bytes, kind: int) -> list[Reference]:
        """Return where the hidden entries of a list are, ascending; costs as many as there are."""
        ...

    def has_subject_operation(self, row: SubjectOperationRow) -> bool:
        """Return whether an operation is among those of its subject; one seek."""
        ...

    def reconsidered(self) -> list[tuple[int, int]]:
        """Return the logs that are being judged again, with the seq to go on from, as committed."""
        ...

    def addresses(self) -> list[tuple[bytes, bytes]]:
        """Return the newest signed address record of each device, ascending by device."""
        ...

    def epochs(self) -> list[bytes]:
        """Return the records of the valid epochs, ascending by epoch."""
        ...

    def sealed(self) -> list[tuple[bytes, int, int, int]]:
        """Return what content waits for a secret: (epoch, log, first seq, count), ascending."""
        ...

    def epoch_secrets(self) -> list[tuple[bytes, bytes]]:
        """Return each epoch with its secret as it was learnt, ascending; kept beside the views."""
        ...

    def proven(self) -> list[bytes]:
        """Return the auth operations, ascending, whose payload holds signatures that were valid."""
        ...

    def prekeys(self) -> list[tuple[bytes, bytes]]:
        """Return our own (public, private) prekeys, the newest last; kept beside the views."""
        ...
