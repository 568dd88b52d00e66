"""Kind 38, pledge: what a member promises to one line of a need (spec: kinds/pledge)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.kind import Placed, StateKind
from p2pvalue_protocol.payload_form import PayloadForm, Subject, text_problem

NUMBER: Final = 38
LINE_MAX: Final = 15  # index of the last line that a need can have
QUANTITY_MAX: Final = 10**12
REASON_BYTES_MAX: Final = 1_000

Line = Annotated[int, msgspec.Meta(ge=0, le=LINE_MAX)]
Quantity = Annotated[int, msgspec.Meta(ge=1, le=QUANTITY_MAX)]


class Pledge(msgspec.Struct, frozen=True, omit_defaults=True):
    """Makes a pledge (need, line, quantity) or withdraws it (withdrawn, perhaps a reason)."""

    need: Subject | None = None
    line: Line | None = None
    quantity: Quantity | None = None  # in the smallest unit of the line
    withdrawn: bool = False
    reason: str | None = None


class PledgeState(msgspec.Struct, frozen=True, omit_defaults=True):
    """A pledge as it stands; `author` is the root key of who promised. A withdrawal is final."""

    author: bytes
    need: bytes
    line: int
    quantity: int
    withdrawn: bool = False
    reason: str = ""


def _problem(pledge: Pledge) -> str | None:
    if pledge.withdrawn:
        if (pledge.need, pledge.line, pledge.quantity) != (None, None, None):
            return "a withdrawal only gives a reason: leave need, line and quantity out"
        return text_problem("reason", pledge.reason or "", REASON_BYTES_MAX)
    if pledge.need is None or pledge.line is None or pledge.quantity is None:
        return "a pledge names its need, a line and a quantity: give all three"
    if pledge.reason is not None:
        return "only a withdrawal has a reason: leave it out"
    return None


_form = PayloadForm(Pledge, _problem)


def encode_pledge(need: bytes, line: int, quantity: int) -> bytes:
    """Return the payload that pledges to a line of a need; raises LocalProtocolError."""
    return _form.encode(Pledge(need, line, quantity))


def encode_pledge_withdrawal(reason: str | None = None) -> bytes:
    """Return the payload that withdraws one's own pledge; raises LocalProtocolError."""
    return _form.encode(Pledge(withdrawn=True, reason=reason))


def _fold(operations: Sequence[Placed]) -> PledgeState | None:
    state: PledgeState | None = None
    for placed in operations:
        pledge: Pledge = placed.payload
        if placed.creates:
            if pledge.need is not None and pledge.line is not None and pledge.quantity is not None:
                state = PledgeState(placed.member, pledge.need, pledge.line, pledge.quantity)
        elif state is not None and pledge.withdrawn and placed.member == state.author:
            state = _withdrawn(state, pledge)
    return state


def _withdrawn(state: PledgeState, pledge: Pledge) -> PledgeState:
    if state.withdrawn:
        return state
    return msgspec.structs.replace(state, withdrawn=True, reason=pledge.reason or "")


def _group(state: msgspec.Struct) -> bytes:
    assert isinstance(state, PledgeState)
    return state.need


PLEDGE = StateKind(
    number=NUMBER,
    name="pledge",
    decode=_form.decode,
    subject=lambda subject, op_id, member: subject or subject_of(op_id),
    fold=_fold,
    group=_group,
)
