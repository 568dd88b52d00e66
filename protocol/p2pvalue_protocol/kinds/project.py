"""Kind 34, project: what several needs belong to (spec: kinds/project)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, TypedDict, Unpack

import msgspec

from p2pvalue_protocol.kind import Placed, StateKind, no_group, object_subject
from p2pvalue_protocol.payload_form import (
    PayloadForm,
    RootKey,
    Subject,
    SubjectOrNone,
    first_problem,
    given_fields,
    line_problem,
    order_problem,
    subject_problem,
    text_problem,
)

NUMBER: Final = 34
TITLE_BYTES_MAX: Final = 300
BODY_BYTES_MAX: Final = 16_384
PLACE_BYTES_MAX: Final = 300
ALSO_MAX: Final = 8
RANK_MAY_EDIT_MAX: Final = 1  # founders and admins may correct the projects of others


class Elsewhere(msgspec.Struct, frozen=True, order=True):
    """The same project in another community: its id, and the project's subject there."""

    community: RootKey
    project: Subject


_Also = Annotated[tuple[Elsewhere, ...], msgspec.Meta(max_length=ALSO_MAX)]


class Project(msgspec.Struct, frozen=True, omit_defaults=True):
    """Creates a project (title at least) or changes the fields given."""

    title: str | None = None
    body: str | None = None
    image: SubjectOrNone | None = None  # of a blob; empty: none
    place: str | None = None  # empty: none
    also: _Also | None = None  # ascending
    dropped: bool | None = None


class ProjectState(msgspec.Struct, frozen=True, omit_defaults=True):
    """A project as it stands; `author` is the root key of who began it, `created` when (ms)."""

    author: bytes
    created: int
    title: str
    body: str = ""
    image: bytes = b""
    place: str = ""
    also: tuple[Elsewhere, ...] = ()
    dropped: bool = False


def _problem(project: Project) -> str | None:
    return first_problem(
        None if project.title is None else line_problem("title", project.title, TITLE_BYTES_MAX),
        text_problem("body", project.body or "", BODY_BYTES_MAX),
        line_problem("place", project.place, PLACE_BYTES_MAX) if project.place else None,
        subject_problem("image", project.image),
        order_problem("other communities", project.also),
    )


_form = PayloadForm(Project, _problem)


class Given(TypedDict, total=False):
    """What else may be said of a project: the fields of `Project`."""

    body: str | None
    image: bytes | None
    place: str | None
    also: tuple[Elsewhere, ...] | None
    dropped: bool | None


def encode_project(title: str, **given: Unpack[Given]) -> bytes:
    """Return the payload that creates a project; raises LocalProtocolError."""
    return _form.encode(Project(title, **given))


def encode_project_change(*, title: str | None = None, **given: Unpack[Given]) -> bytes:
    """Return the payload that changes what is given; raises LocalProtocolError."""
    return _form.encode(Project(title, **given))


def _fold(operations: Sequence[Placed]) -> ProjectState | None:
    state: ProjectState | None = None
    for placed in operations:
        project: Project = placed.payload
        given = given_fields(project, Project.__struct_fields__)
        if placed.creates:
            if project.title is not None:
                state = ProjectState(placed.member, placed.order.time, **given)
        elif state is not None and _may_change(state, placed):
            state = msgspec.structs.replace(state, **given)
    return state


def _may_change(state: ProjectState, placed: Placed) -> bool:
    return placed.member == state.author or placed.rank <= RANK_MAY_EDIT_MAX


PROJECT = StateKind(
    number=NUMBER,
    name="project",
    decode=_form.decode,
    subject=object_subject,
    fold=_fold,
    group=no_group,
)
