"""The glossary gives every word one meaning, and knows the words that the code lives by."""

from __future__ import annotations

import re

from p2pvalue_protocol.kinds import KINDS
from tests.tidy.tree import ROOT

ENTRIES = re.findall(
    r"^- \*\*(.+?)\*\*: (.+)$",
    (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"),
    flags=re.M,
)


def test_every_word_has_one_entry() -> None:
    words = [word for word, _ in ENTRIES]
    assert words
    assert sorted({word for word in words if words.count(word) > 1}) == []


def test_every_line_of_the_glossary_is_an_entry() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    assert len(re.findall(r"^- ", text, flags=re.M)) == len(ENTRIES)


def test_every_kind_is_in_the_glossary() -> None:
    words = {word for word, _ in ENTRIES}
    assert sorted({kind.name.partition("-")[0] for kind in KINDS} - words) == []
