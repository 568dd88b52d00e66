"""Kind 38, pledge: what a member promises to one line of a need, and what becomes of that promise.

All operations about the pledges to one need are items of one list, the need's (spec: kinds/pledge).
What they come to is judged over the whole list and the need, not here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal

import msgspec

from p2pvalue_protocol.kind import EntryKind
from p2pvalue_protocol.payload_form import (
    U53,
    PayloadForm,
    RootKey,
    Subject,
    first_problem,
    line_problem,
    text_problem,
)

NUMBER: Final = 38
LINE_MAX: Final = 15  # index of the last line that a need can have
QUANTITY_MAX: Final = 10**12
PLACE_BYTES_MAX: Final = 200  # of when, and of where
CONDITIONS_MAX: Final = 3
OTHERS_MAX: Final = 1_000_000
REASON_BYTES_MAX: Final = 1_000

Act = Literal["withdraw", "claim", "confirm", "dispute", "settle"]

Line = Annotated[int, msgspec.Meta(ge=0, le=LINE_MAX)]
Quantity = Annotated[int, msgspec.Meta(ge=0, le=QUANTITY_MAX)]
Others = Annotated[int, msgspec.Meta(ge=1, le=OTHERS_MAX)]


class Condition(msgspec.Struct, frozen=True, omit_defaults=True):
    """On what an offer binds; exactly one is given.

    others: so many other members pledge to this need too. member: the one with this root key does.
    after: the need closes at this time (ms) or later.
    """

    others: Others | None = None
    member: RootKey | None = None
    after: U53 | None = None


class Pledge(msgspec.Struct, frozen=True, omit_defaults=True):
    """An offer (terms, line and quantity) or an act on a pledge (pledge and act) of one need."""

    need: Subject
    terms: Subject | None = None  # of the need, as they were when this was offered
    line: Line | None = None
    quantity: Quantity | None = None  # in the smallest unit of the line
    when: str | None = None
    where: str | None = None
    conditions: Annotated[tuple[Condition, ...], msgspec.Meta(max_length=CONDITIONS_MAX)] = ()
    takes: Subject | None = None  # the released pledge that this one takes over
    pledge: Subject | None = None  # what an act is about
    act: Act | None = None
    reason: str | None = None
    to: RootKey | None = None  # to whom a pledge that is withdrawn is handed


def _problem(pledge: Pledge) -> str | None:
    return _offer_problem(pledge) if pledge.act is None else _act_problem(pledge)


def _offer_problem(offer: Pledge) -> str | None:
    if (offer.pledge, offer.reason, offer.to) != (None, None, None):
        return "an offer is about no other pledge: leave pledge, reason and to out"
    if offer.terms is None or offer.line is None or not offer.quantity:
        return "an offer has the need's terms, a line and a quantity of at least 1: give all three"
    return first_problem(
        None if offer.when is None else line_problem("when", offer.when, PLACE_BYTES_MAX),
        None if offer.where is None else line_problem("where", offer.where, PLACE_BYTES_MAX),
        *(_condition_problem(condition) for condition in offer.conditions),
    )


def _condition_problem(condition: Condition) -> str | None:
    given = (condition.others, condition.member, condition.after)
    if sum(value is not None for value in given) != 1:
        return "a condition is one of others, member and after: make a condition of each"
    return None


def _act_problem(act: Pledge) -> str | None:
    if (act.terms, act.line, act.when, act.where, act.conditions, act.takes) != (
        *(None,) * 4,
        (),
        None,
    ):
        return "an act offers nothing: leave terms, line, when, where, conditions and takes out"
    if act.pledge is None:
        return "an act is about a pledge: name it"
    if act.to is not None and act.act != "withdraw":
        return "only what is withdrawn is handed to somebody: leave to out"
    return first_problem(
        _quantity_problem(act), text_problem("reason", act.reason or "", REASON_BYTES_MAX)
    )


def _quantity_problem(act: Pledge) -> str | None:
    if act.act in ("withdraw", "dispute"):
        return None if act.quantity is None else f"a {act.act} has no quantity: leave it out"
    if act.quantity is None or (act.quantity == 0 and act.act == "confirm"):
        return f"to {act.act} is to say how much: give a quantity"
    return None


_form = PayloadForm(Pledge, _problem)


def encode_pledge(
    need: bytes,
    terms: bytes,
    line: int,
    quantity: int,
    *,
    when: str | None = None,
    where: str | None = None,
    conditions: Sequence[Condition] = (),
    takes: bytes | None = None,
) -> bytes:
    """Return the payload that offers to a line of a need; raises LocalProtocolError.

    `terms` names the terms of the need that its author saw (`kinds.need.terms_id`).
    """
    offer = Pledge(need, terms, line, quantity, when, where, tuple(conditions), takes)
    return _form.encode(offer)


def encode_pledge_act(
    need: bytes,
    pledge: bytes,
    act: Act,
    *,
    quantity: int | None = None,
    reason: str | None = None,
    to: bytes | None = None,
) -> bytes:
    """Return the payload of an act on a pledge to a need; raises LocalProtocolError."""
    written = Pledge(need, quantity=quantity, pledge=pledge, act=act, reason=reason, to=to)
    return _form.encode(written)


def read_pledge(payload: bytes) -> Pledge:
    """Return what a payload says that is in a need's list: it was found valid then."""
    return _form.read(payload)


def _container(payload: msgspec.Struct, subject: bytes) -> bytes:
    assert isinstance(payload, Pledge)
    return payload.need


PLEDGE = EntryKind(NUMBER, "pledge", _form.decode, _container, keeps_hidden=True)
