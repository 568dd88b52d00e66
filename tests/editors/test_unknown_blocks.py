"""A block that an editor does not know: it is shown, and never deleted and signed away."""

from __future__ import annotations

from p2pvalue.node.editors.editor_refusal import Refusal
from tests.editors.tabs import Tab, Tabs, attach, new_document, text_of
from tests.system.person import Person

NEWER = 2
"""A version of the schema that has callouts, and that nobody has made yet."""


def newer_tab(tabs: Tabs, person: Person, document: str) -> Tab:
    return tabs.open(attach(person, document, schema=NEWER))


def until_holds(person: Person, document: str, part: str) -> None:
    person.until(lambda: part in str(text_of(person, document)), repr(part))


def test_an_editor_that_does_not_know_a_block_shows_its_words_and_deletes_nothing(
    two: tuple[Person, Person], tabs: Tabs
) -> None:
    ana, ben = two
    document = new_document(ana, ben, text="first\n\nlast\n", shape="rich")
    newer = newer_tab(tabs, ben, document)
    newer("block", "callout", "mind the gap")
    until_holds(ana, document, "callout")
    before = text_of(ana, document)
    older = tabs.at(ana, document, editor="RichEditor")
    assert older.attached["read_only"]
    placeholder = 'codeBlock("mind the gap")'
    older("edited", f'doc({placeholder}, paragraph("first"), paragraph("last"))')
    ana.ask("PUT", f"/documents/{document}", text=f"{before}\nby hand\n")
    older(
        "edited", f'doc({placeholder}, paragraph("first"), paragraph("last"), paragraph("by hand"))'
    )
    newer("block", "callout", "and the step")
    older("editHolds", f'codeBlock("and the step"), {placeholder}')
    assert older("closes") == []
    older("edit", "type", 1, "x")
    assert "not write" in older("closedBy", Refusal.NOT_ALLOWED)
    for person in two:
        assert str(text_of(person, document)).count("<!-- p2pvalue") == 2


def test_a_block_that_comes_while_an_older_editor_writes_is_not_taken_from_the_others(
    two: tuple[Person, Person], tabs: Tabs
) -> None:
    ana, ben = two
    document = new_document(ana, ben, text="first\n", shape="rich")
    here, away = (tabs.at(ana, document, editor="RichEditor") for _ in range(2))
    away("leave")
    newer = newer_tab(tabs, ben, document)
    newer("block", "callout", "mind the gap")
    assert "does not know" in here("closedBy", Refusal.ANEW)
    away("comeBack")
    assert "does not know" in away("closedBy", Refusal.ANEW)
    again = tabs.at(ana, document, editor="RichEditor")
    again("edited", 'doc(codeBlock("mind the gap"), paragraph("first"))')
    for person in two:
        assert str(text_of(person, document)).count("<!-- p2pvalue") == 1
