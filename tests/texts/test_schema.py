from __future__ import annotations

import re

import pytest

from p2pvalue.texts.blocks import Element, Run, Words
from p2pvalue.texts.markdown_reading import read_markdown
from p2pvalue.texts.schema import NEWEST, SCHEMAS, lacks
from tests.texts.test_markdown import EVERYTHING
from tests.tidy.tree import ROOT

PAGE = ROOT / "protocol" / "spec" / "kinds" / "document.md"


def test_the_specification_names_what_the_first_version_has() -> None:
    rows = re.findall(r"^\|(.*)\|(.*)\|$", PAGE.read_text(encoding="utf-8"), re.M)
    named: dict[str, frozenset[str]] = {}
    for first, rest in rows:
        for name in re.findall(r"`(\w+)`", first.partition("|")[0]):
            named[name] = frozenset(re.findall(r"`(\w+)`", rest))
    of_version = {**SCHEMAS[1].elements, **SCHEMAS[1].marks}
    assert {name: named[name] for name in of_version if name in named} == of_version


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
    assert lacks(NEWEST + 1, [unknown]) == []
