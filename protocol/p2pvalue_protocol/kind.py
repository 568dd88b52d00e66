"""What a kind is: how its payload is read, and how its operations become something to see.

There are two shapes. An *entry* kind is one item of an ordered list: a message of a channel, an
update of a document. The list is its own state: the visible entries sorted by (time, device, seq,
op id). A *state* kind folds all visible operations of one subject, in that same order, into one
state: a need, a pledge, a profile. That order is a linear extension of the causal past, so a fold
never sees an effect before its cause. A kind is one module in `kinds/` and one line in `KINDS`;
kinds name each other by subject only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from p2pvalue_protocol.ids import subject_of

NO_SUBJECT = bytes(16)
"""Container of entries of no object (the community's own channel), and the empty group."""


class Order(NamedTuple):
    """The folding order of operations, the same on every node."""

    time: int
    device: bytes
    seq: int
    op_id: bytes


class Placed(NamedTuple):
    """One visible operation of a subject, as a fold sees it."""

    order: Order
    member: bytes  # root key that the author's device belonged to
    rank: int  # what that member was at this operation: 0 founder, 1 admin, 2 member, 3 guest
    payload: Any  # as the kind's `decode` returned it
    creates: bool  # True if this operation's own id made the subject


@dataclass(frozen=True, slots=True)
class EntryKind:
    """A kind whose operations are items of ordered lists.

    Where it keeps hidden ones, they stay in the list, marked, for readers that ask for them: what
    counts was written by people who saw what counts no more.
    """

    number: int
    name: str
    decode: Callable[[bytes], msgspec.Struct]  # raises PayloadInvalid
    container: Callable[[msgspec.Struct, bytes], bytes]  # (payload, core subject) -> 16 bytes
    keeps_hidden: bool = False


@dataclass(frozen=True, slots=True)
class StateKind:
    """A kind whose operations fold into one state per subject."""

    number: int
    name: str
    decode: Callable[[bytes], msgspec.Struct]  # raises PayloadInvalid
    # (payload, core subject, op id, member) -> 16 bytes
    subject: Callable[[Any, bytes, bytes, bytes], bytes]
    fold: Callable[[Sequence[Placed]], msgspec.Struct | None]  # None: nothing to see (yet)
    group: Callable[[msgspec.Struct], bytes]  # 16 bytes, NO_SUBJECT if none


Kind = EntryKind | StateKind


def object_subject(payload: Any, subject: bytes, op_id: bytes, member: bytes) -> bytes:
    """Return the object that an operation is about: the one it names, or the one it creates."""
    return subject or subject_of(op_id)


def no_group(state: msgspec.Struct) -> bytes:
    """Return the group of what belongs to nothing else."""
    return NO_SUBJECT
