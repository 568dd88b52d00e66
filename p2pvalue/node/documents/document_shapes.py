"""Which shapes of documents there are, and what can be done with each.

`plain` and `markdown` are one text, edited by positions or as a whole. `rich` is made of blocks:
its text here is Markdown, edited as a whole, and what was changed is brought in block by block.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Final

from p2pvalue import sizes
from p2pvalue.texts.edits import Edit, check_edits
from p2pvalue.texts.remote import Texts
from p2pvalue_protocol.documents.bursts import first_text
from p2pvalue_protocol.documents.clients import client_of
from p2pvalue_protocol.documents.rules import SHAPES
from p2pvalue_protocol.documents.update_form import write_update
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kind import NO_SUBJECT
from p2pvalue_protocol.kinds import document

TEXT_BYTES_MAX: Final = 4 * sizes.MEBIBYTE
"""Of a text that is saved as a whole."""


class VersionUnknown(LocalProtocolError):
    """A text cannot be made again as it was: it was never here, or its past counts no more."""


def check_text(text: str) -> None:
    """Raise LocalProtocolError unless a text can be saved as a whole."""
    check_edits(0, [Edit(0, 0, text)])
    size = len(text.encode())
    if size > TEXT_BYTES_MAX:
        raise LocalProtocolError(
            f"the text is {size:,} bytes long; {sizes.said(TEXT_BYTES_MAX)}"
            f" ({TEXT_BYTES_MAX:,} bytes) can be saved at once: make several documents of it"
        )


def check_shape(shape: str) -> None:
    """Raise LocalProtocolError unless a document can be made with this shape."""
    if shape not in SHAPES:
        raise LocalProtocolError(
            f'there is no shape "{shape}": choose one of {", ".join(sorted(SHAPES))}'
        )


def check_readable(state: document.DocumentState) -> None:
    """Raise LocalProtocolError for a document of a later version."""
    if state.shape not in SHAPES:
        raise LocalProtocolError(
            f'"{state.title}" has the shape "{state.shape}", which this version cannot read:'
            " update p2pvalue"
        )


def check_has_positions(state: document.DocumentState) -> None:
    """Raise LocalProtocolError for a document that is no text."""
    if state.shape == document.SHAPE_RICH:
        raise LocalProtocolError(
            f'"{state.title}" is rich text, which has no positions:'
            " save it as a whole, as Markdown, or attach an editor"
        )


def first_text_drafts(device: bytes, text: str) -> list[Draft]:
    """Return what to write behind a new document that is not rich so that it begins with a text.

    Raises UnicodeEncodeError for text with half a surrogate pair.
    """

    @lru_cache(maxsize=1)
    def payloads(subject: bytes) -> list[bytes]:
        return [
            document.encode_document_update(write_update(part), 0, continues=number > 0)
            for number, part in enumerate(first_text(client_of(device, subject, 0), text))
        ]

    def payload_at(number: int, subject: bytes) -> bytes:
        return payloads(subject)[number]

    return [
        Draft(document.UPDATE_NUMBER, b"", b"", payload_of=partial(payload_at, number))
        for number in range(len(payloads(NO_SUBJECT)))
    ]


async def check_first_text(texts: Texts, shape: str, text: str) -> None:
    """Raise LocalProtocolError unless a document of a shape can begin with a text."""
    if shape == document.SHAPE_RICH and text:
        trial = await texts.open(shape, 1)
        try:
            await trial.rewrite(None, text)
        finally:
            trial.close()
