"""What editors ask of a document."""

from __future__ import annotations

from typing import Any

import pycrdt
import pytest

from p2pvalue.texts import sync
from p2pvalue.texts.edits import Edit
from p2pvalue.texts.shared import SharedDocument
from p2pvalue_protocol.documents.state_form import read_state


def test_who_is_given_what_she_lacks_has_all() -> None:
    one, other = SharedDocument("plain", 1), SharedDocument("plain", 2)
    one.edit([Edit(0, 0, "first "), Edit(6, 0, "second")])
    other.apply([sync.since(one, sync.state(other))])
    one.edit([Edit(0, 6, ""), Edit(6, 0, " third")])
    missing = sync.since(one, sync.state(other))
    other.apply([missing])
    assert (other.text, read_state(sync.state(other))) == ("second third", {1: 18})
    assert b"first" not in missing


@pytest.mark.parametrize("held", [b"\xff", b"", b"\x01\x05", b"\x02\x05\x01\x05\x01"])
def test_who_says_no_state_is_told_nothing(held: bytes) -> None:
    assert sync.since(SharedDocument("plain", 1), held) == b""


@pytest.mark.parametrize(
    ("told", "wanted"), [(None, 1), (1, 1), (2, 2), (7.0, 7), (0, 1), ("3", 1), (2**40, 1)]
)
def test_a_document_says_which_version_it_uses(told: Any, wanted: int) -> None:
    document = SharedDocument("plain", 1)
    if told is not None:
        document.doc.get(sync.META_ROOT, type=pycrdt.Map)["schema"] = told
    assert sync.schema(document) == wanted


def test_what_no_known_version_has_needs_a_later_one() -> None:
    document = SharedDocument("rich", 1)
    assert sync.schema(document) == 1
    fragment = document.doc.get("prosemirror", type=pycrdt.XmlFragment)
    fragment.children.append(pycrdt.XmlElement("callout"))
    document.touch()
    assert sync.schema(document) == 2
