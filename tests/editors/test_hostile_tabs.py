"""A tab that was taken over hurts nobody: not the daemon, nor the document, nor other tabs."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from p2pvalue.api.editor_server import STRANGERS_MAX
from p2pvalue.node.editors import editor_messages as m
from p2pvalue.node.editors.editor_refusal import Refusal
from p2pvalue_protocol.documents.state_form import write_state
from tests.documents.by_hand import string, update
from tests.editors.tabs import Tabs, as_shown, new_document, text_of, until_reads
from tests.node.hostile_updates import hostile_updates
from tests.system.person import Person

FOR_GOOD = (Refusal.REFUSED, Refusal.ANEW)


def test_what_kills_text_libraries_closes_the_tab_and_nothing_else(
    two: tuple[Person, Person], tabs: Tabs
) -> None:
    ana, ben = two
    document = new_document(ana, ben, text="")
    honest, far = tabs.at(ana, document), tabs.at(ben, document)
    honest("type", 0, "honest")
    until_reads(ben, document, "honest")
    pid = ana.status()["pid"]
    outcomes = {}
    for name in hostile_updates(1, 2):
        hostile = tabs.at(ana, document)
        attack = hostile_updates(hostile("client"), honest("client"))[name]
        said = m.news(attack.update).hex()
        later = update(hostile("client"), 2**30, string("later"))
        hostile("raw", said, m.news(later).hex())  # one that can be cut counts: the next does not
        outcomes[name], _ = hostile("closed")
    assert set(outcomes.values()) <= set(FOR_GOOD), outcomes
    honest("type", 0, "more ")
    far("holds", "more ")
    shown = iter(far("show"))
    assert all(letter in shown for letter in "honest"), "her letters, in their order"
    assert text_of(ana, document) == text_of(ben, document) == far("show")
    view = ben.ask("GET", f"/documents/{document}")
    assert (view["skipped"], ana.status()["pid"]) == (0, pid)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x00",
        b"\x00\x03\x00",
        b"\x09",
        b"\x00\x00\x05\x01",
        m.holding(b"\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00"),
        m.holding(b"\xff\xff\xff\xff\x0f"),
        b"\x01\x03\xff\xff\x03",
        b"\x01\x04\x01\x05\x01\xff",
    ],
)
def test_what_is_no_message_closes_the_tab(
    two: tuple[Person, Person], tabs: Tabs, message: bytes
) -> None:
    document = new_document(two[0], text="here")
    hostile = tabs.at(two[0], document)
    hostile("raw", message.hex())
    assert hostile("closed")[0] == Refusal.REFUSED
    tabs.at(two[0], document)("shown", "here")


def test_who_says_that_it_holds_more_than_there_is_gets_what_there_is(
    two: tuple[Person, Person], tabs: Tabs
) -> None:
    document = new_document(two[0], text="here")
    tab = tabs.at(two[0], document)
    for state in ({}, {5: 2**31 - 1}, dict.fromkeys(range(60000), 1)):
        tab("raw", m.holding(write_state(state)).hex())
    tab("type", 0, "still ")
    until_reads(two[0], document, "still here")


def test_presence_is_of_the_tabs_own_client_small_and_told_to_other_tabs_only(
    two: tuple[Person, Person], tabs: Tabs
) -> None:
    ana, _ = two
    document = new_document(ana)
    one, other, forger = (tabs.at(ana, document) for _ in range(3))
    forged = [m.Presence(one("client"), 99, '{"user":"Mallory"}'), m.Presence(5, 1, "{}")]
    forger("raw", m.presences(forged).hex())
    forger("say", {"user": "x" * 2_000})
    forger("say", {"user": "Eva"})
    one("say", {"user": "Ana", "cursor": 3})
    other(
        "sees",
        {
            str(one("client")): as_shown(ana, cursor=3),
            str(forger("client")): as_shown(ana),
            str(other("client")): {},
        },
    )
    one("leave")
    other("sees", {str(forger("client")): as_shown(ana), str(other("client")): {}})
    assert other("closes") == []


CONNECTIONS = 600


def descriptors_of(pid: int) -> int:
    """How many file descriptors a process has."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def test_silent_connections_take_neither_descriptors_nor_the_place_of_a_tab(
    two: tuple[Person, Person], tabs: Tabs
) -> None:
    ana, _ = two
    document = new_document(ana, text="here")
    before = tabs.at(ana, document)
    pid = ana.status()["pid"]
    descriptors = descriptors_of(pid)
    port = urlsplit(before.attached["url"]).port
    with ExitStack() as stack:
        for _ in range(CONNECTIONS):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        after = tabs.at(ana, document)
        after("type", 0, "still ")
        before("shown", "still here")
        until_reads(ana, document, "still here")
        assert descriptors_of(pid) <= descriptors + STRANGERS_MAX + 8
