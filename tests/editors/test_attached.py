"""Real editors' parts, attached to real daemons: what one types, all have."""

from __future__ import annotations

from p2pvalue.node.editors.editor_refusal import Refusal
from tests.editors.javascript import run
from tests.editors.tabs import (
    Tabs,
    as_shown,
    attach,
    new_document,
    text_of,
    until_reads,
    updates_of,
)
from tests.system.person import Person

SCRIBBLES = 150


def test_what_a_tab_types_is_signed_in_bursts_and_in_every_other_tab(
    two: tuple[Person, Person], tabs: Tabs
) -> None:
    ana, ben = two
    document = new_document(ana, ben, text="so far 😀\n")
    one, other, far = (tabs.at(person, document) for person in (ana, ana, ben))
    one("type", 0, "thirty keys, one after another: ")
    for tab in (other, far):
        tab("shown", "thirty keys, one after another: so far 😀\n")
    assert text_of(ana, document) == text_of(ben, document) == one("show")
    assert updates_of(ana, document) <= 3
    far("erase", 0, 7)
    ana.ask("PUT", f"/documents/{document}", text="by hand\n" + str(text_of(ana, document)))
    for tab in (one, other, far):
        tab("holds", "by hand\n")
        tab("holds", "keys, one after another: so far 😀\n")


def test_tabs_have_sessions_and_clients_of_their_own(
    two: tuple[Person, Person], tabs: Tabs
) -> None:
    ana, ben = two
    document = new_document(ana, ben)
    given = [attach(person, document) for person in (ana, ana, ben)]
    assert len({view["client"] for view in given}) == 3
    assert [view["session"] for view in given[:2]] == [given[2]["session"], given[0]["session"] + 1]
    for number, view in enumerate(given):
        tab = tabs.open(view)
        assert tab("client") == view["client"]
        tab("type", 0, str(number))
    ana.until(lambda: sorted(str(text_of(ana, document))) == ["0", "1", "2"], "what all typed")
    assert set(tab("clients")) == {view["client"] for view in given}


def test_a_session_is_lent_again_when_its_tab_says_that_it_is_done(
    two: tuple[Person, Person], tabs: Tabs
) -> None:
    document = new_document(two[0])
    done, still = (tabs.at(two[0], document) for _ in range(2))
    done("type", 0, "last words")
    still("shown", "last words")
    done("close")

    def lent_again() -> bool:
        return bool(attach(two[0], document)["session"] == done.attached["session"])

    two[0].until(lent_again, "the session to be free")
    returned = tabs.open(done.attached, wait=False)
    assert "attach" in returned("closedBy", Refusal.UNKNOWN)


def test_two_tabs_with_one_token_are_one_too_many(two: tuple[Person, Person], tabs: Tabs) -> None:
    document = new_document(two[0])
    first = tabs.at(two[0], document)
    second = tabs.open(first.attached, wait=False)
    assert "another tab" in second("closedBy", Refusal.BUSY)
    first("type", 0, "still here")
    until_reads(two[0], document, "still here")


def test_a_tab_that_takes_another_client_is_refused_and_nothing_is_signed(
    two: tuple[Person, Person], tabs: Tabs
) -> None:
    document = new_document(two[0], text="honest")
    honest, forger = (tabs.at(two[0], document) for _ in range(2))
    forger("takeForeignClient", honest("client"))
    forger("type", 0, "in her name")
    assert "client" in forger("closedBy", Refusal.REFUSED)
    honest("type", 6, " words")
    until_reads(two[0], document, "honest words")


def test_a_tab_undoes_its_own_typing_only(two: tuple[Person, Person], tabs: Tabs) -> None:
    ana, ben = two
    document = new_document(ana, ben)
    one, far = tabs.at(ana, document), tabs.at(ben, document)
    one("paste", 0, "Ana wrote this. ")
    far("shown", "Ana wrote this. ")
    far("paste", 16, "Ben added that.")
    one("shown", "Ana wrote this. Ben added that.")
    one("undo")
    far("shown", "Ben added that.")
    one("redo")
    far("shown", "Ana wrote this. Ben added that.")
    assert text_of(ben, document) == "Ana wrote this. Ben added that."


def test_people_who_are_apart_type_on_and_meet(two: tuple[Person, Person], tabs: Tabs) -> None:
    ana, ben = two
    document = new_document(ana, ben, text="middle")
    one, far = tabs.at(ana, document), tabs.at(ben, document)
    ana.cable.pull()
    ben.cable.pull()
    one("type", 0, "from Ana ")
    far("type", 6, " from Ben")
    for person, text in ((ana, "from Ana middle"), (ben, "middle from Ben")):
        until_reads(person, document, text)
    ana.cable.plug_in()
    ben.cable.plug_in()
    for tab in (one, far):
        tab("shown", "from Ana middle from Ben")


def test_four_who_scribble_at_once_have_one_text(
    two: tuple[Person, Person], tabs: Tabs, seed: int
) -> None:
    ana, ben = two
    document = new_document(ana, ben, text="to begin with")
    all_tabs = [tabs.at(person, document) for person in (ana, ana, ben, ben)]
    for number, tab in enumerate(all_tabs, 1):
        tab("scribble", (seed + number) % 2**30 + 1, SCRIBBLES)
    ana.ask("PUT", f"/documents/{document}", text="by hand, to begin with")
    for tab in all_tabs:
        tab("scribbled")
        tab("type", 0, f"<end of {tab('client')}>")
    ends = [f"<end of {tab('client')}>" for tab in all_tabs]

    def is_one() -> bool:
        shown = {tab("show") for tab in all_tabs} | {text_of(ana, document), text_of(ben, document)}
        return len(shown) == 1 and all(end in str(*shown) for end in ends)

    ana.until(is_one, "one text")
    assert ben.ask("GET", f"/documents/{document}")["without_effect"] == []
    assert [tab("closes") for tab in all_tabs] == [[]] * 4


def test_a_tab_that_was_cut_off_says_then_what_it_typed_meanwhile(
    two: tuple[Person, Person], tabs: Tabs
) -> None:
    document = new_document(two[0], text="kept ")
    away, here = (tabs.at(two[0], document) for _ in range(2))
    away("leave")
    away("type", 5, "typed while away, and")
    away("erase", 22, 4)
    here("type", 0, "meanwhile ")
    until_reads(two[0], document, "meanwhile kept ")
    away("comeBack")
    for tab in (away, here):
        tab("shown", "meanwhile kept typed while away,")
    away("type", 10, "again, ")
    here("shown", "meanwhile again, kept typed while away,")


def test_tabs_come_back_to_a_daemon_that_was_killed(two: tuple[Person, Person], tabs: Tabs) -> None:
    ana, _ = two
    document = new_document(ana)
    tab = tabs.at(ana, document)
    tab("type", 0, "before ")
    until_reads(ana, document, "before ")
    ana.kill()
    tab("type", 7, "meanwhile")
    ana.start()
    ana.until_up()
    until_reads(ana, document, "before meanwhile")
    assert tab("client") == tab.attached["client"]


def test_the_example_of_the_documentation_writes(two: tuple[Person, Person]) -> None:
    document = new_document(two[0], text="before")
    view = attach(two[0], document)
    run("example.mjs", *(str(view[name]) for name in ("url", "room", "token", "client")))
    written = "typed by a program\nbefore"
    until_reads(two[0], document, written)


def test_who_is_there_is_seen_on_other_machines_too(two: tuple[Person, Person], tabs: Tabs) -> None:
    ana, ben = two
    document = new_document(ana, ben)
    one, far = tabs.at(ana, document), tabs.at(ben, document)
    ana_is = {str(one("client")): as_shown(ana, cursor=3)}
    itself: dict[str, object] = {str(far("client")): {}}
    one("say", {"user": {"name": "Ben"}, "cursor": 3})
    far("sees", itself | ana_is)
    one("leave")
    assert far("sees", itself) == itself


def test_a_tab_of_who_may_not_write_here_only_reads(two: tuple[Person, Person], tabs: Tabs) -> None:
    ana, ben = two
    document = new_document(ana, ben, text="read me")
    before = tabs.at(ben, document)
    name = "document-update"
    usual = ana.ask("GET", "/policy")["write"][name]
    until_policy(ana, ben, name, "founder")
    reader = tabs.at(ben, document)
    assert reader.attached["read_only"]
    reader("erase", 0, 4)
    reader("type", 0, "x")
    before("type", 0, "x")
    for tab in (reader, before):
        tab("closedBy", Refusal.NOT_ALLOWED)
    assert text_of(ben, document) == "read me"
    until_policy(ana, ben, name, usual)
    assert not attach(ben, document)["read_only"]


def until_policy(founder: Person, other: Person, kind: str, rank: str) -> None:
    """Let nobody weaker than a rank write a kind, and return when another knows of it."""
    founder.ask("PUT", "/policy", write={kind: rank})
    other.until(lambda: other.ask("GET", "/policy")["write"][kind] == rank, "the policy")
