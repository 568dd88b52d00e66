"""What an editor that is too old may show of a rich document: all words, in names that it knows."""

from __future__ import annotations

from random import Random

import pycrdt

from p2pvalue.texts import schema
from p2pvalue.texts.blocks import Element, Node, Run, Words, text_of
from p2pvalue.texts.known_only import known_only
from p2pvalue.texts.rich_edit import change_blocks
from p2pvalue.texts.rich_tree import read_tree
from p2pvalue.texts.schema import name_of
from p2pvalue.texts.shared import SharedDocument
from tests.texts.rich_by_chance import blocks_by_chance

DOCUMENTS = 150
STEPS = 4


def written(text: str, **marks: dict[str, str]) -> Words:
    return Words((Run(text, marks),))


def fragment_of(document: SharedDocument) -> pycrdt.XmlFragment:
    assert isinstance(document.content, pycrdt.XmlFragment)
    return document.content


def letters(nodes: tuple[Node, ...]) -> str:
    return "".join("".join(text_of(node).split()) for node in nodes)


def test_a_block_that_is_unknown_is_a_code_block_of_its_name_with_its_words() -> None:
    inner = Element("paragraph", {}, (written("mind the gap", underline={}),))
    assert known_only((Element("callout", {"kind": "warning"}, (inner,)),), 1) == (
        Element("codeBlock", {"language": "callout"}, (written("mind the gap"),)),
    )


def test_a_block_without_words_says_what_it_is() -> None:
    (found,) = known_only((Element("video", {"src": "blob:x"}, ()),), 1)
    assert text_of(found) == '[video {"src": "blob:x"}]'


def test_what_is_known_stays_and_unknown_marks_and_attributes_go() -> None:
    line = Words((Run("a ", {}), Run("b", {"bold": {}, "comment": {"id": 7}}), Run("c", {})))
    heading = Element("heading", {"level": 2, "textAlign": "right"}, (line,))
    kept = Words((Run("a ", {}), Run("b", {"bold": {}}), Run("c", {})))
    assert known_only((heading,), 1) == (Element("heading", {"level": 2}, (kept,)),)


def test_what_stands_where_no_editor_would_have_it_comes_to_stand_in_a_block_or_an_item() -> None:
    loose = (written("loose"), Element("hardBreak", {}, ()), written("words"))
    assert [block.name for block in known_only(loose, 1)] == ["paragraph"]
    (found,) = known_only((Element("bulletList", {}, (Element("heading", {}, loose),)),), 1)
    (item,) = found.children
    assert isinstance(item, Element)
    assert (item.name, [child.name for child in item.children if isinstance(child, Element)]) == (
        "listItem",
        ["paragraph", "heading"],
    )


def test_all_words_are_shown_and_nothing_unknown_whatever_changes(rng: Random) -> None:
    for _ in range(DOCUMENTS):
        source, shown = SharedDocument("rich", 7), SharedDocument("rich", 8)
        reader = SharedDocument("rich", 9)
        for _ in range(STEPS):
            change_blocks(source.doc, fragment_of(source), blocks_by_chance(rng))
            blocks = read_tree(fragment_of(source))
            reader.apply(shown.show(source, 1))
            found = read_tree(fragment_of(reader))
            assert schema.lacks(1, found) == []
            assert found == read_tree(fragment_of(shown))
            known = known_only(blocks, 1)
            assert letters(found) == letters(known)
            assert list(map(name_of, found)) == list(map(name_of, known))
            shown_letters = iter(letters(found))
            assert all(letter in shown_letters for letter in letters(blocks)), "in their order"
            assert shown.show(source, 1) == []
