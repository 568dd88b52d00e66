"""The editors that people have: Tiptap's and CodeMirror's parts, on two machines."""

from __future__ import annotations

from tests.editors.tabs import Tabs, attach, new_document, text_of, until_reads
from tests.system.person import Person

SCRIBBLES = 150
HELLO = "# Title\n\nHello **bold** words.\n"


def test_a_rich_editor_shows_markdown_and_markdown_shows_what_it_writes(
    two: tuple[Person, Person], tabs: Tabs
) -> None:
    ana, ben = two
    document = new_document(ana, ben, text=HELLO, shape="rich")
    one, far = (tabs.at(person, document, editor="RichEditor") for person in two)
    shown = 'doc(heading("Title"), paragraph("Hello ", bold("bold"), " words."))'
    for tab in (one, far):
        tab("edited", shown)
    far("edit", "mark", 8, 13, "italic")
    one("edited", shown.replace('"Hello "', 'italic("Hello"), " "'))
    one("edit", "type", 6, " of Ana")
    one("edit", "block", 1, "heading", {"level": 2})
    written = "## Title of Ana\n\n*Hello* **bold** words.\n"
    until_reads(ben, document, written)
    assert attach(ana, document)["read_only"] is False
    ana.ask("PUT", f"/documents/{document}", text=f"{written}\n- by hand\n")
    for tab in (one, far):
        tab("editHolds", 'bulletList(listItem(paragraph("by hand")))')
    assert text_of(ana, document) == f"{written}\n- by hand\n"


def test_rich_editors_that_are_apart_meet_and_undo_their_own(
    two: tuple[Person, Person], tabs: Tabs
) -> None:
    ana, ben = two
    document = new_document(ana, ben, text="one\n\ntwo\n", shape="rich")
    one, far = (tabs.at(person, document, editor="RichEditor") for person in two)
    ana.cable.pull()
    ben.cable.pull()
    one("edit", "type", 4, " by Ana")
    far("edit", "type", 9, " by Ben")
    until_reads(ana, document, "one by Ana\n\ntwo\n")
    until_reads(ben, document, "one\n\ntwo by Ben\n")
    ana.cable.plug_in()
    ben.cable.plug_in()
    for tab in (one, far):
        tab("edited", 'doc(paragraph("one by Ana"), paragraph("two by Ben"))')
    one("edit", "undo")
    for tab in (one, far):
        tab("edited", 'doc(paragraph("one"), paragraph("two by Ben"))')


def test_what_was_typed_beside_words_that_came_back_comes_back_with_its_block(
    two: tuple[Person, Person], tabs: Tabs
) -> None:
    ana, ben = two
    document = new_document(ana, ben, text="one\n\ntwo\n", shape="rich")
    one, far = (tabs.at(person, document, editor="RichEditor") for person in two)
    for what, *given in (["split", 2], ["undo"], ["type", 3, "X"], ["erase", 0, 6], ["undo"]):
        one("edit", what, *given)
        one("edit", "pause")
    one("edit", "type", 4, "Y")  # beside what no list could have told the place of
    for tab in (one, far):
        tab("edited", 'doc(paragraph("onXYe"), paragraph("two"))')
    far("edit", "type", 3, "Z")
    for tab in (one, far):
        tab("edited", 'doc(paragraph("onZXYe"), paragraph("two"))')
    assert [tab("closes") for tab in (one, far)] == [[], []]


def test_rich_editors_in_which_all_is_edited_at_once_show_the_same(
    two: tuple[Person, Person], tabs: Tabs, seed: int
) -> None:
    ana, ben = two
    document = new_document(ana, ben, text=HELLO, shape="rich")
    both = [tabs.at(person, document, editor="RichEditor") for person in two]
    for number, tab in enumerate(both, 1):
        tab("scribble", (seed + number) % 2**30 + 1, SCRIBBLES)
    for tab in both:
        tab("scribbled")
        tab("flag")

    def is_one() -> bool:
        texts = {text_of(person, document) for person in two}
        shown = {tab("seen") for tab in both}
        return {tab("flags") for tab in both} == {2} and len(texts) == len(shown) == 1

    ana.until(is_one, "one document")
    assert ben.ask("GET", f"/documents/{document}")["without_effect"] == []
    assert [tab("closes") for tab in both] == [[], []]


def test_code_editors_type_and_erase_together(two: tuple[Person, Person], tabs: Tabs) -> None:
    ana, ben = two
    document = new_document(ana, ben, text="# héllo 😀\n", shape="markdown")
    one, far = (tabs.at(person, document, editor="CodeEditor") for person in two)
    one("edit", "type", 11, "from Ana\n")
    far("edited", "# héllo 😀\nfrom Ana\n")
    far("edit", "erase", 8, 2)
    one("edited", "# héllo \nfrom Ana\n")
    assert text_of(ana, document) == one("show")
