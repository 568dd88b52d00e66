"""What tabs of editors may do and what they hear, without sockets and browsers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pycrdt
import pytest
import trio
import trio.testing

from p2pvalue.node.editors import editor_messages as m
from p2pvalue.node.editors.editor_leases import FIRST_SESSION, FORGOTTEN_MS, LEASES_MAX
from p2pvalue.node.editors.editor_refusal import EditorRefused, Refusal
from p2pvalue.node.editors.editor_tab import UNREAD_BYTES_MAX
from p2pvalue.store import StoreFailed
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted, NotFound
from p2pvalue_protocol.kinds import document
from tests.node.small_node import SmallNode, exchange
from tests.node.straw_editor import Desk, refusal_in
from tests.node.test_document_attacks import Removals

NAMES = ["ana", "ben", "eva"]


@pytest.fixture
async def desk(tmp_path: Path) -> Desk:
    """Ana's node, where a document "Plan" reads "abc"."""
    ana = SmallNode("ana", NAMES)
    await ana.community.create_document("Plan", "abc")
    return Desk(ana, tmp_path)


async def text_of(node: SmallNode) -> str:
    return (await node.community.document_text("Plan")).text


@contextmanager
def expect_closed(code: Refusal) -> Iterator[None]:
    """Expect that the tab is refused in this block."""
    found = None
    try:
        yield
    except (EditorRefused, BaseExceptionGroup) as error:
        found = refusal_in(error).code
    assert found == code


# --- typing


async def test_a_word_is_one_operation_and_in_the_other_tab(desk: Desk) -> None:
    one, other = await desk.attach(), await desk.attach()
    written = desk.node.written
    async with desk.opened(one) as ana, desk.opened(other) as too:
        await ana.type(3, " a word")
        await too.until_shows("abc a word")
    assert desk.node.written == written + 1
    assert await text_of(desk.node) == "abc a word"


async def test_what_was_typed_last_is_signed_when_the_tab_goes(desk: Desk) -> None:
    async with desk.opened(await desk.attach()) as editor:
        await editor.type(0, "last ")
    assert await text_of(desk.node) == "last abc"


async def test_a_tab_hears_what_others_write_elsewhere(desk: Desk) -> None:
    ben = SmallNode("ben", NAMES)
    exchange(desk.node, ben)
    async with desk.opened(await desk.attach()) as editor:
        await ben.community.splice_document("Plan", [(3, 0, " of Ben")])
        exchange(desk.node, ben)
        await editor.until_shows("abc of Ben")
        await desk.node.community.splice_document("Plan", [(0, 1, "A")])
        await editor.until_shows("Abc of Ben")


async def test_a_tab_that_comes_back_says_only_what_is_new(desk: Desk) -> None:
    view = await desk.attach()
    async with desk.opened(view) as editor:
        await editor.type(3, "def")
        doc, text = editor.doc, editor.text
    written = desk.node.written
    async with desk.opened(view, doc) as editor:
        await editor.until_shows("abcdef")
    assert desk.node.written == written
    text.insert(6, "away")
    del text[0:2]
    async with desk.opened(view, doc) as editor:
        pass
    assert desk.node.written == written + 1
    assert await text_of(desk.node) == "cdefaway"


async def test_the_first_edit_of_a_node_may_be_a_tabs(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    ana, ben = SmallNode("ana", NAMES), SmallNode("ben", NAMES)
    await ana.community.create_document("Plan", "abc")
    exchange(ana, ben)
    desk = Desk(ben, tmp_path)
    async with desk.opened(await desk.attach()) as editor:
        await editor.type(3, "d")
        await editor.tab.sign()
        await editor.type(4, "e")
    assert await text_of(ben) == "abcde"
    exchange(ana, ben)
    assert await text_of(ana) == "abcde"


# --- leases


async def test_a_session_is_lent_to_one_tab_and_again_when_it_is_free(desk: Desk) -> None:
    views = [await desk.attach() for _ in range(3)]
    assert [view.session - FIRST_SESSION for view in views] == [0, 1, 2]
    await desk.editors.detach(None, "Plan", views[1].session)
    assert (await desk.attach()).session == views[1].session
    with pytest.raises(NotFound):
        await desk.editors.detach(None, "Plan", FIRST_SESSION + 9)
    with expect_closed(Refusal.UNKNOWN):
        async with desk.opened(views[1]):
            pass


async def test_leases_outlast_a_restart_and_are_forgotten_after_a_day(desk: Desk) -> None:
    view = await desk.attach()
    desk.restart()
    assert desk.editors.is_wanted.is_set()
    assert desk.editors.port == 4_711
    async with desk.opened(view) as editor:
        await editor.type(0, "x")
    desk.editors.serves_at(4_711)
    assert (await desk.attach()).session == view.session + 1
    desk.node.now_ms += FORGOTTEN_MS + 1
    assert (await desk.attach()).session == view.session


async def test_a_session_is_its_tabs_as_long_as_it_is_there(desk: Desk) -> None:
    view = await desk.attach()
    async with desk.opened(view) as editor:
        desk.node.now_ms += 2 * FORGOTTEN_MS
        assert (await desk.attach()).session == view.session + 1
        await editor.type(0, "still ")
    assert await text_of(desk.node) == "still abc"


async def test_of_very_many_leases_the_one_unseen_for_longest_is_forgotten(desk: Desk) -> None:
    views = []
    for _ in range(LEASES_MAX):
        desk.node.now_ms += 1
        views.append(await desk.attach())
    async with desk.opened(views[0]):
        assert (await desk.attach()).session == views[1].session
    with expect_closed(Refusal.UNKNOWN):
        async with desk.opened(views[1]):
            pass


async def test_tokens_are_void_when_another_program_has_the_port(desk: Desk) -> None:
    view = await desk.attach()
    desk.restart()
    assert not desk.editors.warning
    desk.editors.serves_at(4_712)
    assert "4711" in desk.editors.warning
    assert not desk.editors.lets_in(view.room, view.token, "http://localhost")
    with expect_closed(Refusal.UNKNOWN):
        async with desk.opened(view):
            pass
    desk.restart()
    desk.editors.serves_at(4_712)
    assert not desk.editors.warning
    with expect_closed(Refusal.UNKNOWN):
        async with desk.opened(view):
            pass


async def test_where_tabs_do_not_come_back_each_start_has_its_own_port(desk: Desk) -> None:
    view = await desk.attach()
    desk.restart(come_back=False)
    assert desk.editors.port == 0
    assert not desk.editors.is_wanted.is_set()
    desk.editors.serves_at(4_712)
    assert not desk.editors.warning
    with expect_closed(Refusal.UNKNOWN):
        async with desk.opened(view):
            pass


async def test_nobody_opens_the_door_for_tabs_that_were_forgotten(desk: Desk) -> None:
    await desk.attach()
    desk.node.now_ms += FORGOTTEN_MS + 1
    desk.restart()
    assert not desk.editors.is_wanted.is_set()


async def test_a_tab_of_a_community_that_was_left_is_sent_away(desk: Desk) -> None:
    view = await desk.attach()
    desk.has_left = True
    with expect_closed(Refusal.UNKNOWN):
        async with desk.opened(view):
            pass


async def test_one_token_serves_one_tab_at_a_time(desk: Desk) -> None:
    view = await desk.attach()
    async with desk.opened(view):
        with expect_closed(Refusal.BUSY):
            async with desk.opened(view):
                pass
    async with desk.opened(view):
        pass


async def test_a_detached_tab_is_told_to_go_and_its_last_words_are_its_sessions(desk: Desk) -> None:
    view = await desk.attach()
    with expect_closed(Refusal.UNKNOWN):
        async with desk.opened(view) as editor:
            await editor.type(0, "last ")
            await desk.editors.detach(None, "Plan", view.session)
            assert (await desk.attach()).session == view.session + 1
            await trio.sleep_forever()
    again = await desk.attach()
    assert again.session == view.session
    async with desk.opened(again) as editor:
        await editor.type(0, "more ")
    assert await text_of(desk.node) == "more last abc"


async def test_an_origin_is_let_in_for_its_own_lease_only(desk: Desk) -> None:
    page = "http://localhost:5173"
    for_page = await desk.editors.attach(None, "Plan", origin=page, schema=1)
    for_program = await desk.attach()
    lets_in = desk.editors.lets_in
    assert lets_in(for_page.room, for_page.token, page)
    assert not lets_in(for_page.room, for_page.token, "")
    assert not lets_in(for_program.room, for_program.token, page)
    assert not lets_in(for_page.room, for_page.token, "http://evil.example")
    assert not lets_in(for_page.room, "a guess", "http://evil.example")
    assert not lets_in("00" * 16, for_program.token, "http://evil.example")
    assert lets_in(for_page.room, "a guess", page), "to be told so"
    assert lets_in(for_page.room, "a guess", ""), "to be told so"


# --- what is refused


async def test_a_tab_that_another_was_hidden_from_begins_anew(desk: Desk) -> None:
    ben, eva = SmallNode("ben", NAMES), SmallNode("eva", NAMES)
    exchange(desk.node, ben, eva)
    await eva.community.splice_document("Plan", [(0, 1, "Eva ")])
    exchange(desk.node, ben, eva)
    view = await desk.attach()
    subject = bytes.fromhex(view.document)
    with expect_closed(Refusal.ANEW):
        async with desk.opened(view) as editor:
            await editor.until_shows("Eva bc")
            doc = editor.doc
            Removals(desk.node, ben).hide(eva, subject)
            await trio.sleep_forever()
    desk.restart()
    with expect_closed(Refusal.ANEW):
        async with desk.opened(view, doc):
            pass
    assert await text_of(desk.node) == "abc", "what she deleted is back, and stays"


async def test_who_may_only_read_hears_and_is_not_heard(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "p2pvalue.node.editors.editors.Editors._reads_only", lambda self, lease: True
    )
    view = await desk.attach()
    assert view.read_only
    with expect_closed(Refusal.NOT_ALLOWED):
        async with desk.opened(view) as editor:
            state = editor.doc.get_state()
            del editor.text[0:1]
            await editor.tab.take(m.news(editor.doc.get_update(state)))
            await desk.node.community.splice_document("Plan", [(3, 0, "def")])
            await editor.until_shows("bcdef")
            await editor.type(0, "x")
    assert await text_of(desk.node) == "abcdef"


async def test_an_editor_that_knows_too_little_may_only_read(desk: Desk) -> None:
    async with desk.opened(await desk.attach()) as editor:
        state = editor.doc.get_state()
        editor.doc.get("meta", type=pycrdt.Map)["schema"] = 2
        await editor.tab.take(m.news(editor.doc.get_update(state)))
    views = [await desk.attach(schema=schema) for schema in (1, 2, 3)]
    assert [(view.read_only, view.schema) for view in views] == [(True, 2), (False, 2), (False, 2)]


async def test_one_piece_that_no_operation_can_hold_is_refused(desk: Desk) -> None:
    with expect_closed(Refusal.REFUSED):
        async with desk.opened(await desk.attach()) as editor:
            state = editor.doc.get_state()
            editor.doc.get("meta", type=pycrdt.Map)["picture"] = b"x" * 70_000
            await editor.tab.take(m.news(editor.doc.get_update(state)))
            await trio.sleep_forever()


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (StoreFailed("the disk is full"), Refusal.BUSY),
        (NotAdmitted("you are out"), Refusal.NOT_ALLOWED),
        (LocalProtocolError("later"), Refusal.BUSY),
    ],
)
async def test_what_cannot_be_written_closes_the_tab_and_is_said_again(
    desk: Desk, failure: Exception, code: Refusal
) -> None:
    view = await desk.attach()
    with expect_closed(code):
        async with desk.opened(view) as editor:
            doc = editor.doc
            desk.node.refusal = failure
            await editor.type(3, "def")
            await trio.sleep_forever()
    assert await text_of(desk.node) == "abc"
    async with desk.opened(view, doc):
        pass
    assert await text_of(desk.node) == "abcdef"


async def test_what_is_typed_into_a_deleted_document_is_said_when_it_is_back(desk: Desk) -> None:
    view = await desk.attach()
    with expect_closed(Refusal.UNKNOWN):
        async with desk.opened(view) as editor:
            doc = editor.doc
            deleted = await desk.node.community.delete_document("Plan")
            await editor.type(3, "def")
            await trio.sleep_forever()
    await desk.node.community.undelete_document(deleted.document)
    assert await text_of(desk.node) == "abc"
    async with desk.opened(view, doc):
        pass
    assert await text_of(desk.node) == "abcdef"


async def test_who_reads_too_slowly_begins_again_and_takes_no_memory(desk: Desk) -> None:
    view = await desk.attach()
    async with desk.editors.tab(view.room, view.token) as tab:
        for _ in range(2):
            tab.push(b"x" * UNREAD_BYTES_MAX)
            tab.push(b"y")
            assert len(await tab.next_message()) == UNREAD_BYTES_MAX
            assert await tab.next_message() == b"y"
        for _ in range(3):
            tab.push(b"x" * UNREAD_BYTES_MAX)
        with expect_closed(Refusal.SLOW):
            await tab.next_message()
        tab.push(b"more")
        with expect_closed(Refusal.SLOW):
            await tab.next_message()


async def test_a_tab_hears_something_before_it_believes_the_connection_dead(
    desk: Desk, autojump_clock: trio.testing.MockClock
) -> None:
    async with desk.opened(await desk.attach()) as editor:
        heard = editor.heard
        with trio.move_on_after(40.0):
            await trio.sleep_forever()
        assert editor.heard >= heard + 2


async def test_nobody_attaches_where_nobody_serves_or_writes(
    desk: Desk, autojump_clock: trio.testing.MockClock
) -> None:
    desk.restart()
    with pytest.raises(LocalProtocolError, match="no daemon"):
        await desk.attach()
    assert desk.node.replica.membership.judge(
        desk.node.device_seen, document.UPDATE_NUMBER, desk.node.replica.graph.head_frontier()
    )
    desk.node.device_seen = b""
    with pytest.raises(NotAdmitted):
        await desk.attach()
