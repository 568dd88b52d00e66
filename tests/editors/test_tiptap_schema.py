"""Rich documents that Markdown made, in the schema of an editor that people use."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from p2pvalue.texts.blocks import Element, Words
from p2pvalue.texts.markdown_reading import read_markdown
from p2pvalue.texts.shared import SharedDocument
from p2pvalue_protocol.documents.update_form import read_update
from tests.editors.javascript import run
from tests.editors.tabs import Tabs, attach, text_of
from tests.system.person import Person
from tests.texts.rich_by_chance import markdown_by_chance
from tests.texts.test_markdown import EVERYTHING

TEXTS = 200


def shown_by_editor(updates: list[bytes], replaced: str, by: str) -> dict[str, Any]:
    given = {"updates": [update.hex() for update in updates], "replaced": replaced, "by": by}
    found: dict[str, Any] = json.loads(run("tiptap_schema.mjs", given=json.dumps(given)))
    return found


def as_json(node: Element | Words) -> list[Any]:
    """A block as ProseMirror writes it, without attributes that have no value."""
    if isinstance(node, Words):
        return [
            {"type": "text", "text": run.text, "marks": marks_of(run.marks)} for run in node.runs
        ]
    content = [part for child in node.children for part in as_json(child)]
    return [{"type": node.name, "attrs": dict(node.attributes), "content": content}]


def marks_of(marks: Any) -> list[Any]:
    return sorted(([name, dict(said)] for name, said in marks.items()), key=str)


def plain(node: dict[str, Any]) -> dict[str, Any]:
    """What the editor shows, in the same form."""
    if node["type"] == "text":
        marks = {mark["type"]: said(mark) for mark in node.get("marks", ())}
        return {"type": "text", "text": node["text"], "marks": marks_of(marks)}
    content = [plain(child) for child in node.get("content", ())]
    return {"type": node["type"], "attrs": said(node), "content": content}


def said(node: dict[str, Any]) -> dict[str, Any]:
    known = ("level", "start", "language", "src", "alt", "title", "href")
    attributes = node.get("attrs") or {}
    return {name: attributes[name] for name in known if attributes.get(name) is not None}


def test_an_editor_shows_all_that_markdown_made_and_writes_nothing_for_it() -> None:
    document = SharedDocument("rich", 7)
    found = shown_by_editor(document.rewrite(None, EVERYTHING), "beans", "beans")
    assert found["wroteByShowing"] == []
    expected = [part for block in read_markdown(EVERYTHING) for part in as_json(block)]
    assert [plain(child) for child in found["shown"]["content"]] == expected


def test_whatever_markdown_says_fits_into_the_schema_of_the_editor(rng: Random) -> None:
    text = "\n\n".join(markdown_by_chance(rng) for _ in range(TEXTS))
    found = shown_by_editor(SharedDocument("rich", 7).rewrite(None, text), "tree", "tree")
    assert found["wroteByShowing"] == [], text
    expected = [part for block in read_markdown(text) for part in as_json(block)]
    assert [plain(child) for child in found["shown"]["content"]] == expected, text


def test_what_an_editor_writes_is_read_as_markdown() -> None:
    document = SharedDocument("rich", 7)
    updates = document.rewrite(None, EVERYTHING)
    found = shown_by_editor(updates, "beans", "peas 😀")
    written = [bytes.fromhex(update) for update in found["wrote"]]
    assert [read_update(update).client for update in written] == [12345]
    document.apply(written)
    assert document.text == EVERYTHING.replace("beans", "peas 😀")
    assert document.rewrite(None, document.text) == []


def test_who_does_not_know_all_that_a_document_uses_only_reads(
    two: tuple[Person, Person], tabs: Tabs
) -> None:
    ana, _ = two
    made = ana.ask("POST", "/documents", title="Blocks", text=EVERYTHING, shape="rich")
    tab = tabs.at(ana, made["document"])
    assert not tab.attached["read_only"]
    tab("block", "paragraph")
    tab("block", "callout")
    ana.until(lambda: "callout" in str(text_of(ana, made["document"])), "the new block")
    assert [attach(ana, made["document"], schema=n)["read_only"] for n in (1, 2)] == [True, False]
    ana.ask("PUT", f"/documents/{made['document']}", text=f"{text_of(ana, made['document'])}\nx")
    saved = str(text_of(ana, made["document"]))
    assert ("callout" in saved, saved.endswith("stay.\n\nx\n")) == (True, True)
