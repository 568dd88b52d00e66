"""Kind 37, need: something the community wants done (spec: kinds/need).

What may be pledged to, until when and on what terms it comes about are its *terms*. Whoever pledges
or closes names them by their id: nobody is bound by terms that she never saw.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Final, Literal, TypedDict, Unpack

import msgspec

from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.ids import tagged_hash
from p2pvalue_protocol.kind import Placed, StateKind, no_group, object_subject
from p2pvalue_protocol.payload_form import (
    U53,
    PayloadForm,
    RootKey,
    Subject,
    SubjectOrNone,
    first_problem,
    given_fields,
    line_problem,
    name_problem,
    order_problem,
    subject_problem,
    text_problem,
)

NUMBER: Final = 37
TITLE_BYTES_MAX: Final = 300
BODY_BYTES_MAX: Final = 16_384
UNIT_BYTES_MAX: Final = 32
LINES_MAX: Final = 16
QUANTITY_MAX: Final = 10**12
ESTIMATE_MAX: Final = 10_000_000  # minutes: the working life of eighty people
NAMED_MAX: Final = 16  # skills, stewards, confirmers, needs that it depends on: of each
SKILL_BYTES_MAX: Final = 100
ACCEPTANCE_BYTES_MAX: Final = 4_000
GIVES_BACK_BYTES_MAX: Final = 1_000
TERMS_MAX: Final = 32  # different ones that a need keeps
RANK_MAY_EDIT_MAX: Final = 1  # founders and admins may correct the needs of others

CLASSES: Final = ("build", "maintain", "care", "learn")
"""The classes that everybody knows; a community may use others."""

_CURRENCY = re.compile("[A-Z]{3}", re.ASCII)

Quantity = Annotated[int, msgspec.Meta(ge=0, le=QUANTITY_MAX)]
Trigger = Literal["all", "any", "none"]
Status = Literal["draft", "open", "dropped"]
_Estimate = Annotated[int, msgspec.Meta(ge=0, le=ESTIMATE_MAX)]
_Skills = Annotated[tuple[str, ...], msgspec.Meta(max_length=NAMED_MAX)]
_Roots = Annotated[tuple[RootKey, ...], msgspec.Meta(max_length=NAMED_MAX)]
_Subjects = Annotated[tuple[Subject, ...], msgspec.Meta(max_length=NAMED_MAX)]


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
    opens: U53 | None = None  # ms
    closes: U53 | None = None  # ms; 0: open without end
    trigger: Trigger | None = None  # whose minimums must be met: of all lines, of any, or none
    class_name: str | None = msgspec.field(default=None, name="class")
    estimate: _Estimate | None = None  # minutes
    deadline: U53 | None = None  # ms; 0: none
    skills: _Skills | None = None
    acceptance: str | None = None  # by what it is known to be done
    gives_back: str | None = None  # what the community gets of it
    project: SubjectOrNone | None = None  # subject; empty: none
    message: SubjectOrNone | None = None  # of the chat message that it came of; empty: none
    stewards: _Roots | None = None  # root keys, ascending; who closes it and settles; none: author
    confirmers: _Roots | None = None  # root keys, ascending; none: the author and the stewards
    depends: _Subjects | None = None  # of other needs, ascending
    status: Status | None = None


class Terms(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a pledge to a need is given under."""

    lines: tuple[NeedLine, ...]
    trigger: Trigger = "all"
    opens: int = 0
    closes: int = 0
    stewards: tuple[bytes, ...] = ()
    confirmers: tuple[bytes, ...] = ()


class NeedState(msgspec.Struct, frozen=True, omit_defaults=True):
    """A need as it stands; `author` is the root key of who asked, `created` when (ms).

    `terms` are the different ones that it had, those that were current last at the end.
    """

    author: bytes
    created: int
    title: str
    terms: tuple[Terms, ...]
    body: str = ""
    class_name: str = msgspec.field(default="", name="class")
    estimate: int = 0
    deadline: int = 0
    skills: tuple[str, ...] = ()
    acceptance: str = ""
    gives_back: str = ""
    project: bytes = b""
    message: bytes = b""
    depends: tuple[bytes, ...] = ()
    status: Status = "open"


def terms_id(terms: Terms) -> bytes:
    """Return the 16 bytes by which pledges and closes name terms; about 5 µs."""
    fields = (terms.lines, terms.trigger, terms.opens, terms.closes)
    return tagged_hash("terms", encode((*fields, terms.stewards, terms.confirmers)))[:16]


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
        name_problem("class", need.class_name) if need.class_name else None,
        text_problem("body", need.body or "", BODY_BYTES_MAX),
        text_problem("acceptance", need.acceptance or "", ACCEPTANCE_BYTES_MAX),
        text_problem("return", need.gives_back or "", GIVES_BACK_BYTES_MAX),
        *(_line_problem(line) for line in lines or ()),
        *(line_problem("skill", skill, SKILL_BYTES_MAX) for skill in need.skills or ()),
        subject_problem("project", need.project),
        subject_problem("message", need.message),
        order_problem("stewards", need.stewards),
        order_problem("confirmers", need.confirmers),
        order_problem("needs it depends on", need.depends),
    )


_form = PayloadForm(Need, _problem)


class Given(TypedDict, total=False):
    """What else may be said of a need: the fields of `Need`."""

    body: str | None
    opens: int | None
    closes: int | None
    trigger: Trigger | None
    class_name: str | None
    estimate: int | None
    deadline: int | None
    skills: tuple[str, ...] | None
    acceptance: str | None
    gives_back: str | None
    project: bytes | None
    message: bytes | None
    stewards: tuple[bytes, ...] | None
    confirmers: tuple[bytes, ...] | None
    depends: tuple[bytes, ...] | None
    status: Status | None


def encode_need(title: str, lines: Sequence[NeedLine], **given: Unpack[Given]) -> bytes:
    """Return the payload that creates a need; raises LocalProtocolError."""
    return _form.encode(Need(title=title, lines=tuple(lines), **given))


def encode_need_change(
    *,
    title: str | None = None,
    lines: Sequence[NeedLine] | None = None,
    **given: Unpack[Given],
) -> bytes:
    """Return the payload that changes what is given; raises LocalProtocolError."""
    new_lines = None if lines is None else tuple(lines)
    return _form.encode(Need(title=title, lines=new_lines, **given))


_TERMS: Final = Terms.__struct_fields__
_TERMS_OF_STEWARDS: Final = tuple(
    field for field in _TERMS if field not in ("stewards", "confirmers")
)
_PLAIN: Final = tuple(field for field in Need.__struct_fields__ if field not in _TERMS)


def _fold(operations: Sequence[Placed]) -> NeedState | None:
    state: NeedState | None = None
    for placed in operations:
        state = need_after(state, placed)
    return state


def need_after(state: NeedState | None, placed: Placed) -> NeedState | None:
    """Return a need after one more operation, in the order of its fold."""
    need: Need = placed.payload
    if placed.creates:
        return _made(placed, need)
    return None if state is None else _changed(state, need, _terms_changed_by(placed, state))


def _made(placed: Placed, need: Need) -> NeedState | None:
    if need.title is None or need.lines is None:
        return None
    terms = msgspec.structs.replace(Terms(need.lines), **given_fields(need, _TERMS))
    state = NeedState(placed.member, placed.order.time, need.title, (terms,))
    return _changed(state, need, _TERMS)


def _terms_changed_by(placed: Placed, state: NeedState) -> tuple[str, ...] | None:
    """Return the fields of the terms that a member may change, None if she may change nothing.

    After the last day nobody changes the terms: what was pledged by then stands or falls by them.
    """
    own = _may_change(placed, state)
    closes = state.terms[-1].closes
    return () if own is not None and closes and placed.order.time > closes else own


def _may_change(placed: Placed, state: NeedState) -> tuple[str, ...] | None:
    if placed.member == state.author or placed.rank <= RANK_MAY_EDIT_MAX:
        return _TERMS
    return _TERMS_OF_STEWARDS if placed.member in state.terms[-1].stewards else None


def _changed(state: NeedState, need: Need, may_change: tuple[str, ...] | None) -> NeedState:
    if may_change is None:
        return state
    terms = msgspec.structs.replace(state.terms[-1], **given_fields(need, may_change))
    others = tuple(other for other in state.terms if other != terms)
    if len(others) < TERMS_MAX:
        state = msgspec.structs.replace(state, terms=(*others, terms))
    return msgspec.structs.replace(state, **given_fields(need, _PLAIN))


NEED = StateKind(
    number=NUMBER,
    name="need",
    decode=_form.decode,
    subject=object_subject,
    fold=_fold,
    group=no_group,
)
