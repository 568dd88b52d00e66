"""Which shapes of documents there are, and what can be done with each.

`plain` and `markdown` are one text, edited by positions or as a whole. `rich` is made of blocks:
its text here is Markdown, edited as a whole, and what was changed is brought in block by block.
"""

from __future__ import annotations

from typing import Final

from p2pvalue.texts.edits import Edit, check_edits
from p2pvalue.texts.remote import Texts
from p2pvalue_protocol.documents.rules import SHAPES
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.kinds import document

MEBIBYTE: Final = 1024 * 1024
TEXT_BYTES_MAX: Final = 4 * MEBIBYTE
"""Of a text that is saved as a whole."""


def check_text(text: str) -> None:
    """Raise LocalProtocolError unless a text can be saved as a whole."""
    check_edits(0, [Edit(0, 0, text)])
    size = len(text.encode())
    if size > TEXT_BYTES_MAX:
        raise LocalProtocolError(
            f"the text is {size:,} bytes long; {TEXT_BYTES_MAX // MEBIBYTE} MiB"
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


async def check_first_text(texts: Texts, shape: str, text: str) -> None:
    """Raise LocalProtocolError unless a document of a shape can begin with a text."""
    if shape == document.SHAPE_RICH and text:
        trial = await texts.open(shape, 1)
        try:
            await trial.rewrite(None, text)
        finally:
            trial.close()
