"""The process of texts is killed under tabs that write: they go on, and nothing is lost."""

from __future__ import annotations

import os
import select
import signal

from p2pvalue.node.editors.editor_refusal import Refusal
from tests.editors.tabs import Tabs, new_document, text_of
from tests.patience import WAIT_S
from tests.system.person import Person
from tests.system.test_text_process import text_process

WORDS = 200
KILLS = (20, 70, 120, 199)  # when the first tab has written so many


def kill_text_process(person: Person) -> None:
    """End the process of texts by signal 9, while its daemon goes on."""
    pid = text_process(person)
    its_end = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    ready, _, _ = select.select([its_end], [], [], WAIT_S)
    os.close(its_end)
    assert ready


def test_tabs_write_on_when_the_process_of_texts_is_killed_and_nothing_is_lost(
    two: tuple[Person, Person], tabs: Tabs
) -> None:
    ana, ben = two
    document = new_document(ana, ben)
    daemon = ana.status()["pid"]
    named = {"one": tabs.at(ana, document), "too": tabs.at(ana, document)}
    far = tabs.at(ben, document)
    for name, tab in named.items():
        tab("write", name, WORDS)
    for count in KILLS:
        named["one"]("holds", f"one{count} ")
        assert text_of(ana, document) is not None  # the process is there
        kill_text_process(ana)
    written = sorted(f"{name}{number}" for name in named for number in range(WORDS))
    for tab in named.values():
        tab("scribbled")
    everywhere = [*named.values(), far]

    def is_one() -> bool:
        shown = {tab("show") for tab in everywhere} | {text_of(p, document) for p in two}
        return len(shown) == 1 and sorted(str(*shown).split()) == written

    ana.until(is_one, "all words at all tabs, and on both machines")
    assert {code for tab in everywhere for code, _ in tab("closes")} <= {Refusal.BUSY}
    assert (far("closes"), ana.status()["pid"]) == ([], daemon)
    assert ben.ask("GET", f"/documents/{document}")["without_effect"] == []
