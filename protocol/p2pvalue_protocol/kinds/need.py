"""Kind 37, need: something the community wants done (spec: kinds/need)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Final, Literal

import msgspec

from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.kind import NO_SUBJECT, Placed, StateKind
from p2pvalue_protocol.payload_form import (
    U53,
    PayloadForm,
    first_problem,
    line_problem,
    name_problem,
    text_problem,
)

NUMBER: Final = 37
TITLE_BYTES_MAX: Final = 300
BODY_BYTES_MAX: Final = 16_384
UNIT_BYTES_MAX: Final = 32
LINES_MAX: Final = 16
QUANTITY_MAX: Final = 10**12
RANK_MAY_EDIT_MAX: Final = 1  # founders and admins may correct the needs of others

_CURRENCY = re.compile("[A-Z]{3}", re.ASCII)

Quantity = Annotated[int, msgspec.Meta(ge=0, le=QUANTITY_MAX)]


class NeedLine(msgspec.Struct, frozen=True):
    """One thing asked for, in whole numbers of its smallest unit.

    hours: unit "minute". money: unit a currency code, counted in hundredths of it. material,
    skill: a unit of the author's choice, counted in pieces of it.
    """

    kind: Literal["hours", "money", "material", "skill"]
    unit: str
    minimum: Quantity
    optimum: Quantity


class Need(msgspec.Struct, frozen=True, omit_defaults=True):
    """Creates a need (title and lines at least) or changes the fields given."""

    title: str | None = None
    body: str | None = None
    lines: tuple[NeedLine, ...] | None = None
    closes: U53 | None = None  # ms; 0: open without end
    class_name: str | None = msgspec.field(default=None, name="class")


class NeedState(msgspec.Struct, frozen=True, omit_defaults=True):
    """A need as it stands; `author` is the root key of who asked."""

    author: bytes
    title: str
    lines: tuple[NeedLine, ...]
    body: str = ""
    closes: int = 0
    class_name: str | None = msgspec.field(default=None, name="class")


def _line_problem(line: NeedLine) -> str | None:
    if line.optimum < max(1, line.minimum):
        return "the optimum of a line is at least 1 and at least its minimum: raise it"
    if line.kind == "hours" and line.unit != "minute":
        return 'a line of hours counts minutes: give the unit "minute"'
    if line.kind == "money" and _CURRENCY.fullmatch(line.unit) is None:
        return 'a line of money counts cents of a currency: give a unit such as "EUR"'
    return line_problem("unit", line.unit, UNIT_BYTES_MAX)


def _problem(need: Need) -> str | None:
    lines = need.lines
    if lines is not None and not 1 <= len(lines) <= LINES_MAX:
        return f"a need has 1 to {LINES_MAX} lines: split it or add one"
    return first_problem(
        None if need.title is None else line_problem("title", need.title, TITLE_BYTES_MAX),
        None if need.body is None else text_problem("body", need.body, BODY_BYTES_MAX),
        None if need.class_name is None else name_problem("class", need.class_name),
        *(_line_problem(line) for line in lines or ()),
    )


_form = PayloadForm(Need, _problem)


def encode_need(
    title: str,
    lines: Sequence[NeedLine],
    *,
    body: str | None = None,
    closes: int | None = None,
    class_name: str | None = None,
) -> bytes:
    """Return the payload that creates a need; raises LocalProtocolError."""
    return _form.encode(Need(title, body, tuple(lines), closes, class_name))


def encode_need_change(
    *,
    title: str | None = None,
    lines: Sequence[NeedLine] | None = None,
    body: str | None = None,
    closes: int | None = None,
    class_name: str | None = None,
) -> bytes:
    """Return the payload that changes what is given; raises LocalProtocolError."""
    new_lines = None if lines is None else tuple(lines)
    return _form.encode(Need(title, body, new_lines, closes, class_name))


def _fold(operations: Sequence[Placed]) -> NeedState | None:
    state: NeedState | None = None
    for placed in operations:
        need: Need = placed.payload
        if placed.creates:
            if need.title is not None and need.lines is not None:
                state = NeedState(placed.member, need.title, need.lines)
                state = _changed(state, need)
        elif state is not None and _may_change(state, placed):
            state = _changed(state, need)
    return state


def _may_change(state: NeedState, placed: Placed) -> bool:
    return placed.member == state.author or placed.rank <= RANK_MAY_EDIT_MAX


def _changed(state: NeedState, need: Need) -> NeedState:
    return NeedState(
        author=state.author,
        title=state.title if need.title is None else need.title,
        lines=state.lines if need.lines is None else need.lines,
        body=state.body if need.body is None else need.body,
        closes=state.closes if need.closes is None else need.closes,
        class_name=state.class_name if need.class_name is None else need.class_name,
    )


NEED = StateKind(
    number=NUMBER,
    name="need",
    decode=_form.decode,
    subject=lambda subject, op_id, member: subject or subject_of(op_id),
    fold=_fold,
    group=lambda state: NO_SUBJECT,
)
