"""Kind 44, contribution: something that a member did for the community (spec: kinds/contribution).

What was pledged and confirmed is a contribution too, and needs no operation of this kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, TypedDict, Unpack

import msgspec

from p2pvalue_protocol.kind import NO_SUBJECT, Placed, StateKind, object_subject
from p2pvalue_protocol.payload_form import (
    U53,
    PayloadForm,
    Subject,
    first_problem,
    given_fields,
    line_problem,
    name_problem,
)

NUMBER: Final = 44
TITLE_BYTES_MAX: Final = 300
MINUTES_MAX: Final = 10_000_000
QUANTITY_MAX: Final = 10**12
UNIT_BYTES_MAX: Final = 32
WITNESSES_MAX: Final = 64

Minutes = Annotated[int, msgspec.Meta(ge=0, le=MINUTES_MAX)]
Quantity = Annotated[int, msgspec.Meta(ge=1, le=QUANTITY_MAX)]


class Contribution(msgspec.Struct, frozen=True, omit_defaults=True):
    """Says what was done (title, day, and minutes or a quantity), or is said about that.

    `withdrawn` takes it back, by its author; `witness` says that another member saw it done.
    """

    title: str | None = None
    day: U53 | None = None  # ms
    minutes: Minutes | None = None
    quantity: Quantity | None = None
    unit: str | None = None
    class_name: str | None = msgspec.field(default=None, name="class")
    need: Subject | None = None
    source: str | None = None  # from which suggestion it was taken
    withdrawn: bool = False
    witness: bool = False


class ContributionState(msgspec.Struct, frozen=True, omit_defaults=True):
    """A contribution as it stands; `author` is the root key of who made it.

    `unit` is empty where minutes count, `need` and `source` where there is none. `witnesses` are
    root keys, ascending. A withdrawal is final.
    """

    author: bytes
    title: str
    day: int
    minutes: int = 0
    quantity: int = 0
    unit: str = ""
    class_name: str = msgspec.field(default="", name="class")
    need: bytes = b""
    source: str = ""
    withdrawn: bool = False
    witnesses: tuple[bytes, ...] = ()


_SAID: Final = Contribution.__struct_fields__[:-2]


def _problem(contribution: Contribution) -> str | None:
    if contribution.withdrawn or contribution.witness:
        if given_fields(contribution, _SAID) or contribution.withdrawn is contribution.witness:
            return "a withdrawal or a witness says nothing else: leave the other fields out"
        return None
    if contribution.title is None or contribution.day is None:
        return "a contribution has a title and a day: give both"
    if (contribution.quantity is None) is not (contribution.unit is None):
        return "a quantity has a unit: give both"
    if (contribution.minutes is None) is (contribution.quantity is None):
        return "a contribution has minutes or a quantity: give one of them"
    return first_problem(
        line_problem("title", contribution.title, TITLE_BYTES_MAX),
        None
        if contribution.unit is None
        else line_problem("unit", contribution.unit, UNIT_BYTES_MAX),
        *(
            None if name is None else name_problem(what, name)
            for what, name in (
                ("class", contribution.class_name),
                ("source", contribution.source),
            )
        ),
    )


_form = PayloadForm(Contribution, _problem)


class Given(TypedDict, total=False):
    """What else may be said of a contribution: the fields of `Contribution`."""

    minutes: int | None
    quantity: int | None
    unit: str | None
    class_name: str | None
    need: bytes | None
    source: str | None


def encode_contribution(title: str, day: int, **given: Unpack[Given]) -> bytes:
    """Return the payload that says what its author did on a day (ms); raises LocalProtocolError."""
    return _form.encode(Contribution(title, day, **given))


def encode_contribution_withdrawal() -> bytes:
    """Return the payload that takes back one's own contribution."""
    return _form.encode(Contribution(withdrawn=True))


def encode_witness() -> bytes:
    """Return the payload that says that one saw what another member did."""
    return _form.encode(Contribution(witness=True))


def _fold(operations: Sequence[Placed]) -> ContributionState | None:
    state: ContributionState | None = None
    for placed in operations:
        said: Contribution = placed.payload
        if placed.creates:
            if said.title is not None:
                state = ContributionState(placed.member, **given_fields(said, _SAID))
        elif state is not None and not state.withdrawn:
            state = _with(state, placed.member, said)
    return state


def _with(state: ContributionState, member: bytes, said: Contribution) -> ContributionState:
    if said.withdrawn and member == state.author:
        return msgspec.structs.replace(state, withdrawn=True)
    if said.witness and member != state.author and len(state.witnesses) < WITNESSES_MAX:
        witnesses = tuple(sorted({*state.witnesses, member}))
        return msgspec.structs.replace(state, witnesses=witnesses)
    return state


def _group(state: msgspec.Struct) -> bytes:
    assert isinstance(state, ContributionState)
    return state.need or NO_SUBJECT


CONTRIBUTION = StateKind(
    number=NUMBER,
    name="contribution",
    decode=_form.decode,
    subject=object_subject,
    fold=_fold,
    group=_group,
)
