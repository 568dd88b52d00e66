"""What tabs type is in the past of the document, and is taken back from outside the tab."""

from __future__ import annotations

from tests.editors.tabs import Tabs, new_document, text_of
from tests.system.person import Person


def test_what_a_tab_typed_is_taken_back_from_the_terminal_and_seen_in_all_tabs(
    two: tuple[Person, Person], tabs: Tabs
) -> None:
    ana, ben = two
    document = new_document(ana, ben, text="so far 😀\n")
    one, far = tabs.at(ana, document), tabs.at(ben, document)
    one("type", 0, "日本 and tea, ")
    far("shown", "日本 and tea, so far 😀\n")
    far("type", 6, "Ben's ")
    one("shown", "日本 andBen's  tea, so far 😀\n")
    edits = ana.ask("GET", f"/history/{document}")["edits"]
    assert [edit["inserted"] for edit in edits] == [9, 12, 6]
    members = [edit["member"] for edit in edits]
    assert members == [members[0], members[0], members[2]]
    assert members[0] != members[2]
    turn = ana.ask("POST", f"/documents/{document}/undo")
    assert turn["edit"]["inserted"] == 12
    for tab in (one, far):
        tab("shown", "Ben's so far 😀\n")
    ana.ask("POST", f"/documents/{document}/redo")
    for tab in (one, far):
        tab("shown", "日本 andBen's  tea, so far 😀\n")
    version = ben.ask("GET", f"/history/{document}")["version"]
    then = ana.ask("GET", f"/versions/{document}", version=version)
    assert then["text"] == text_of(ben, document)
