"""Whatever counts can be exported and edited, also what no editor writes."""

from __future__ import annotations

import struct as packing
from random import Random

import pycrdt
import pytest

from p2pvalue.texts.markdown_reading import read_markdown
from p2pvalue.texts.markdown_spans import ATTRIBUTE_MAX
from p2pvalue.texts.rich_edit import change_to, markdown_of
from p2pvalue.texts.schema import ATTRIBUTES, BLOCKS, HARD_BREAK, IMAGE, LIST_ITEM
from p2pvalue_protocol.documents import update_form as form
from p2pvalue_protocol.documents.update_form import Struct
from tests.documents.by_hand import ANA, APPLIES, Scene, client, string, struct, text_bytes, update
from tests.documents.hostile import played
from tests.texts.test_rich_edit import rewrite_by_chance, says

AUTHOR = client(ANA)
LONG = "long " * ATTRIBUTE_MAX
VALUES = {
    "undefined": b"\x7f",
    "null": b"\x7e",
    "true": b"\x78",
    "not a number": b"\x7b" + packing.pack(">d", float("nan")),
    "infinite": b"\x7b" + packing.pack(">d", float("inf")),
    "huge": b"\x7b" + packing.pack(">d", 1e300),
    "negative": b"\x7d\x41",
    "big": b"\x7a" + bytes(8),
    "empty": b"\x77\x00",
    "lines": b"\x77" + text_bytes("a\n\n# b\r\n`~~~"),
    "long": b"\x77" + text_bytes(LONG),
    "object": b"\x76\x01" + text_bytes("href") + b"\x7d\x05",
    "array": b"\x75\x02\x7d\x01\x75\x00",
    "bytes": b"\x74\x02\x00\xff",
}
NAMES = sorted({*BLOCKS, LIST_ITEM, HARD_BREAK, IMAGE, "p2pvalue", "-->\n", ""})
HISTORIES = 60


def element(name: str, **where: object) -> Struct:
    return struct(form.TYPE, body=bytes([form.XML_ELEMENT]) + text_bytes(name), **where)  # type: ignore[arg-type]  # as `struct` takes it


def judged(*structs: Struct) -> tuple[pycrdt.Doc[pycrdt.XmlFragment], pycrdt.XmlFragment]:
    """A document that these structs make, if they count."""
    data = update(AUTHOR, 0, *structs)
    assert Scene("rich").give(ANA, data) == APPLIES
    doc: pycrdt.Doc[pycrdt.XmlFragment] = pycrdt.Doc(client_id=7)
    fragment = doc.get("prosemirror", type=pycrdt.XmlFragment)
    doc.apply_update(data)
    return doc, fragment


def check_usable(doc: pycrdt.Doc[pycrdt.XmlFragment], fragment: pycrdt.XmlFragment) -> None:
    text = markdown_of(fragment)
    assert change_to(doc, fragment, text) == []
    change_to(doc, fragment, text + "\n\nmore *words*\n")
    assert markdown_of(fragment).endswith("more *words*\n")
    change_to(doc, fragment, "only\n")
    assert read_markdown(markdown_of(fragment)) == read_markdown("only\n")


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", NAMES)
def test_an_element_with_an_odd_attribute_is_exported_and_edited(name: str, value: str) -> None:
    attributes = [*ATTRIBUTES.get(name, ()), "source", "other"]
    body = b"\x01" + VALUES[value]
    keyed = [
        struct(form.ANY, 1, parent=(AUTHOR, 0), key=attribute, body=body)
        for attribute in attributes
    ]
    check_usable(*judged(element(name, parent="prosemirror"), *keyed))


@pytest.mark.parametrize("outer", NAMES)
@pytest.mark.parametrize("inner", NAMES)
def test_an_element_in_any_other_is_exported_and_edited(outer: str, inner: str) -> None:
    words = struct(form.TYPE, body=bytes([form.XML_TEXT]), parent=(AUTHOR, 1))
    check_usable(
        *judged(
            element(outer, parent="prosemirror"),
            element(inner, parent=(AUTHOR, 0)),
            words,
            string("a ![b](c)\n- d", parent=(AUTHOR, 2)),
            struct(form.EMBED, body=text_bytes('{"image": 1}'), origin=(AUTHOR, 15)),
        )
    )


@pytest.mark.parametrize("type_ref", [form.ARRAY, form.MAP, form.TEXT, form.XML_TEXT])
def test_an_attribute_that_is_a_shared_type_is_exported_and_edited(type_ref: int) -> None:
    level = struct(form.TYPE, body=bytes([type_ref]), parent=(AUTHOR, 0), key="level")
    check_usable(*judged(element("heading", parent="prosemirror"), level))


@pytest.mark.parametrize("mark", ["bold", "code", "link", "underline", ""])
@pytest.mark.parametrize("value", ["true", "0", '"x"', "[]", '{"href": 5}', '{"href": "a\\nb c"}'])
def test_an_odd_mark_is_exported_and_edited(mark: str, value: str) -> None:
    words = struct(form.TYPE, body=bytes([form.XML_TEXT]), parent=(AUTHOR, 0))
    begin = struct(form.FORMAT, body=text_bytes(mark) + text_bytes(value), parent=(AUTHOR, 1))
    letters = string("letters", origin=(AUTHOR, 2))
    check_usable(*judged(element("paragraph", parent="prosemirror"), words, begin, letters))


def test_what_liars_wrote_and_counts_is_exported_and_edited(seed: int) -> None:
    for number in range(HISTORIES):
        check_export_and_edit(2 * (seed + number) + 1)


def test_a_kept_block_with_words_that_are_empty_is_edited() -> None:
    check_export_and_edit(4_697)


def check_export_and_edit(history: int) -> None:
    person = played(history).people[0]
    assert says(person) == says(person)
    person.write(rewrite_by_chance, Random(history))
