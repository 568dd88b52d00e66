"""Kind 51, interest: what a member wants with a need or a project (spec: kinds/interest)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from p2pvalue_protocol.ids import tagged_hash
from p2pvalue_protocol.kind import Placed, StateKind
from p2pvalue_protocol.payload_form import PayloadForm, Subject

NUMBER: Final = 51

Role = Literal["want", "member", "follower", "none"]


class Interest(msgspec.Struct, frozen=True):
    """What its author is to a need or a project: the newest replaces those before it."""

    about: Subject
    role: Role


class InterestState(msgspec.Struct, frozen=True):
    """A member's interest; `author` is her root key, `time` (ms) when she said so last."""

    author: bytes
    about: bytes
    role: Role
    time: int


_form = PayloadForm(Interest, lambda interest: None)


def encode_interest(about: bytes, role: Role) -> bytes:
    """Return the payload that says or takes back an interest; raises LocalProtocolError."""
    return _form.encode(Interest(about, role))


def read_interest(payload: bytes) -> Interest:
    """Return what a payload says that was found valid before it was shown."""
    return _form.read(payload)


def interest_subject(about: bytes, member: bytes) -> bytes:
    """Return the subject of what a member wants with something; she says it about herself only."""
    return tagged_hash("interest", about + member)[:16]


def _fold(operations: Sequence[Placed]) -> InterestState | None:
    if not operations:
        return None
    last = operations[-1]
    interest: Interest = last.payload
    if interest.role == "none":
        return None
    return InterestState(last.member, interest.about, interest.role, last.order.time)


def _group(state: msgspec.Struct) -> bytes:
    assert isinstance(state, InterestState)
    return state.about


INTEREST = StateKind(
    number=NUMBER,
    name="interest",
    decode=_form.decode,
    subject=lambda payload, subject, op_id, member: interest_subject(payload.about, member),
    fold=_fold,
    group=_group,
)
