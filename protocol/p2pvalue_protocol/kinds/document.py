"""Kinds 32 and 33, document and document update (spec: kinds/document).

The document is a title and a shape; its text is the ordered list of updates, which the core
carries and never reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from p2pvalue_protocol.kind import (
    NO_SUBJECT,
    EntryKind,
    Placed,
    StateKind,
    no_group,
    object_subject,
)
from p2pvalue_protocol.payload_form import (
    PayloadForm,
    first_problem,
    line_problem,
    name_problem,
    order_problem,
)

NUMBER: Final = 32
UPDATE_NUMBER: Final = 33
TITLE_BYTES_MAX: Final = 300
RANK_MAY_REMOVE_MAX: Final = 1  # admins, and founders
SHAPE_PLAIN: Final = "plain"
SHAPE_MARKDOWN: Final = "markdown"
SHAPE_RICH: Final = "rich"
UPDATE_BYTES_MAX: Final = 62_000  # leaves room for the other fields in one payload
HEADS_MAX: Final = 64  # who has seen more gathers them with an empty update


_OpId = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]


class Document(msgspec.Struct, frozen=True, omit_defaults=True):
    """Creates a document (title and shape), renames it (title), or says if it is `removed`."""

    title: str | None = None
    shape: str | None = None
    removed: bool | None = None


class DocumentState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a document is called and how its updates are to be read; `author` is a root key."""

    title: str
    shape: str
    author: bytes
    removed: bool = False


class DocumentUpdate(msgspec.Struct, frozen=True, omit_defaults=True):
    """One Yjs V1 update by one editing session of a device.

    `heads` are the updates of other logs that it follows, by op id, ascending. The rest is for
    people who look back: `undoes` is the last update of the edit that this one takes back, and
    `continues` says that it goes on with the edit of the update before it in its log.
    """

    update: Annotated[bytes, msgspec.Meta(min_length=1, max_length=UPDATE_BYTES_MAX)]
    session: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
    heads: Annotated[tuple[_OpId, ...], msgspec.Meta(max_length=HEADS_MAX)] = ()
    undoes: _OpId | None = None
    continues: bool = False


def _problem(document: Document) -> str | None:
    if document.removed is not None:
        is_alone = document.title is None and document.shape is None
        return None if is_alone else "a removal says nothing else: leave the other fields out"
    if document.title is None:
        return "a document has a title: give one"
    return first_problem(
        line_problem("title", document.title, TITLE_BYTES_MAX),
        None if document.shape is None else name_problem("shape", document.shape),
    )


def _update_problem(update: DocumentUpdate) -> str | None:
    return order_problem("heads", update.heads)


_form = PayloadForm(Document, _problem)
_update_form = PayloadForm(DocumentUpdate, _update_problem)


def encode_document(title: str, shape: str = SHAPE_PLAIN) -> bytes:
    """Return the payload that creates a document; raises LocalProtocolError."""
    return _form.encode(Document(title, shape))


def encode_document_title(title: str) -> bytes:
    """Return the payload that renames a document; raises LocalProtocolError."""
    return _form.encode(Document(title))


def encode_document_removal(*, removed: bool) -> bytes:
    """Return the payload that removes a document, or brings it back."""
    return _form.encode(Document(removed=removed))


def encode_document_update(
    update: bytes,
    session: int,
    heads: Sequence[bytes] = (),
    *,
    undoes: bytes | None = None,
    continues: bool = False,
) -> bytes:
    """Return the payload of an update after `heads`, ascending; raises LocalProtocolError."""
    form = DocumentUpdate(update, session, tuple(heads), undoes, continues)
    return _update_form.encode(form)


def _fold(operations: Sequence[Placed]) -> DocumentState | None:
    state: DocumentState | None = None
    for placed in operations:
        document: Document = placed.payload
        if placed.creates:
            if document.title is not None and document.shape is not None:
                state = DocumentState(document.title, document.shape, placed.member)
        elif state is not None and document.title is not None:
            state = msgspec.structs.replace(state, title=document.title)
        elif state is not None and may_remove(state, placed.member, placed.rank):
            state = msgspec.structs.replace(state, removed=bool(document.removed))
    return state


def may_remove(state: DocumentState, member: bytes, rank: int) -> bool:
    """Return whether a member of a rank removes a document and brings it back."""
    return member == state.author or rank <= RANK_MAY_REMOVE_MAX


DOCUMENT = StateKind(
    number=NUMBER,
    name="document",
    decode=_form.decode,
    subject=object_subject,
    fold=_fold,
    group=no_group,
)

DOCUMENT_UPDATE = EntryKind(
    number=UPDATE_NUMBER,
    name="document-update",
    decode=_update_form.decode,
    container=lambda payload, subject: subject or NO_SUBJECT,
    keeps_hidden=True,
)
