"""Two replicas that show the same have one digest, however it came to be; others have not."""

from __future__ import annotations

from typing import Any

import pycrdt
import pytest

from p2pvalue.texts.digest import digest
from p2pvalue.texts.edits import Edit
from p2pvalue.texts.shared import SharedDocument


def text_of(shape: str, *edits: Edit) -> SharedDocument:
    document = SharedDocument(shape, 1)
    document.edit(list(edits))
    return document


def rich_of(*children: Any) -> SharedDocument:
    document = SharedDocument("rich", 1)
    for child in children:
        content_of(document).append(child)
    return document


def content_of(document: SharedDocument) -> Any:
    """The nodes of a rich document, of whichever kinds they are."""
    content: Any = document.content
    return content.children


def paragraph(text: str, **attributes: str) -> pycrdt.XmlElement:
    return pycrdt.XmlElement("paragraph", attributes, [pycrdt.XmlText(text)])


@pytest.mark.parametrize("shape", ["plain", "markdown"])
def test_what_is_shown_counts_and_not_how_it_was_written(shape: str) -> None:
    in_one = text_of(shape, Edit(0, 0, "abc"))
    in_pieces = text_of(shape, Edit(0, 0, "ac"), Edit(1, 0, "xb"), Edit(1, 1, ""))
    assert digest(in_one) == digest(in_pieces)
    assert digest(in_one) != digest(text_of(shape, Edit(0, 0, "abd")))


def test_a_rich_document_counts_by_nodes_attributes_and_marks() -> None:
    one, other = rich_of(paragraph("abc", a="1", b="2")), rich_of(paragraph("", b="2", a="1"))
    text = content_of(other)[0].children[0]
    for part in ("a", "b", "c"):
        text.insert(len(str(text)), part)
    assert digest(one) == digest(other)
    text.format(0, 2, {"bold": True})
    marked = digest(other)
    assert marked != digest(one)
    text.format(0, 2, {"bold": None})
    assert digest(one) == digest(other)
    content_of(other)[0].attributes["a"] = "3"
    assert digest(one) != digest(other)


def test_nodes_that_nobody_can_read_have_a_digest_too() -> None:
    strange = rich_of(pycrdt.XmlText("loose"), pycrdt.XmlElement("x", {}, [pycrdt.XmlElement("y")]))
    content_of(strange)[1].attributes["held"] = pycrdt.Map({"k": 1})
    text = content_of(strange)[0]
    text.insert_embed(2, {"image": b"bytes", "n": 1.0, "huge": 1e300, "none": None})
    assert digest(strange) == digest(strange)
    assert len(digest(strange)) == 32
