from __future__ import annotations

import pytest

from p2pvalue.texts.blocks import Element, Run, Words
from p2pvalue.texts.markdown_reading import read_markdown
from p2pvalue.texts.schema import NEWEST, SCHEMAS, lacks
from tests.texts.test_markdown import EVERYTHING


@pytest.mark.parametrize("version", SCHEMAS)
def test_whatever_markdown_makes_is_in_every_schema(version: int) -> None:
    assert lacks(version, read_markdown(EVERYTHING)) == []


def test_what_a_schema_does_not_know_is_named() -> None:
    line = Words((Run("x", {"underline": {}, "link": {"href": "a", "note": "b"}}),))
    unknown = Element(
        "callout", {"kind": "tip"}, (Element("paragraph", {"align": "right"}, (line,)),)
    )
    assert lacks(NEWEST, [Element("blockquote", {}, (unknown,))]) == [
        *("attribute callout.kind", "attribute link.note", "attribute paragraph.align"),
        *("element callout", "mark underline"),
    ]
