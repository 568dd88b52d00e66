"""Much at once: long messages of a tab, what it says twice, and many tabs."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from p2pvalue.node.editors import editor_messages as m
from p2pvalue.node.editors.editor_refusal import Refusal
from p2pvalue.node.editors.editors import TABS_OF_DOCUMENT_MAX
from tests.bench.stalls import beside, section
from tests.node.small_node import SmallNode
from tests.node.straw_editor import Desk
from tests.node.test_editors import NAMES, expect_closed, text_of


@pytest.fixture
async def desk(tmp_path: Path) -> Desk:
    """Ana's node, where a document "Plan" reads "abc"."""
    ana = SmallNode("ana", NAMES)
    await ana.community.create_document("Plan", "abc")
    return Desk(ana, tmp_path)


def scattered(client: int, first: int, letters: int) -> bytes:
    """An update of letters that are all apart from each other."""
    rest = [beside(0x84, (client, first + max(0, at - 2))) for at in range(1, letters)]
    return section(client, first, beside(0x04), *rest)


async def test_a_long_message_is_signed_behind_what_was_typed_before_and_in_the_other_tab(
    desk: Desk,
) -> None:
    async with desk.opened(await desk.attach()) as one, desk.opened(await desk.attach()) as other:
        await one.type(0, "typed ")
        said = scattered(one.doc.client_id, 6, 5_000)
        assert len(said) > m.READ_BYTES_MAX
        await one.tab.take(m.news(said))
        one.doc.apply_update(said)
        await one.type(0, "more ")
        await other.until_shows(str(one.text))
    assert await text_of(desk.node) == str(one.text)
    assert str(one.text).count("a") == 5_001


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (m.news(b"\x01" * (m.READ_BYTES_MAX + 1)), Refusal.REFUSED),
        (m.holding(b"\xff" * (m.READ_BYTES_MAX + 1)), Refusal.REFUSED),
        (m.news(scattered(7, 0, 3_000)), Refusal.REFUSED),
        (m.all_missing(b"\x05"), Refusal.REFUSED),
    ],
)
async def test_what_is_wrong_in_a_long_message_closes_the_tab(
    desk: Desk, message: bytes, code: Refusal
) -> None:
    with expect_closed(code):
        async with desk.opened(await desk.attach()) as editor:
            await editor.type(0, "x")
            await editor.tab.take(message)
    assert await text_of(desk.node) == "xabc"


async def test_the_tabs_of_one_document_leave_room_for_others(desk: Desk) -> None:
    await desk.node.community.create_document("Other", "x")
    crowd = [await desk.attach() for _ in range(TABS_OF_DOCUMENT_MAX)]
    late, elsewhere = await desk.attach(), await desk.attach("Other")
    async with AsyncExitStack() as stack:
        for view in crowd:
            await stack.enter_async_context(desk.editors.tab(view.room, view.token))
        with expect_closed(Refusal.BUSY):
            async with desk.opened(late):
                pass
        async with desk.opened(elsewhere) as editor:
            await editor.type(0, "y")
    assert (await desk.node.community.document_text("Other")).text == "yx"
    async with desk.opened(late):
        pass


async def test_what_an_editor_says_twice_is_signed_once(desk: Desk) -> None:
    async with desk.opened(await desk.attach()) as editor:
        before = editor.doc.get_state()
        await editor.type(3, "de")
        editor.text.insert(5, "fé")
        del editor.text[0:1]
        await editor.tab.take(m.news(editor.doc.get_update(before)))
        await editor.tab.sign()
        written = desk.node.written
        for _ in range(2):
            editor.text.insert(0, "a")
            del editor.text[0:1]
            await editor.tab.take(m.news(editor.doc.get_update(before)))
        await editor.type(4, "!")
    assert desk.node.written == written + 1
    assert await text_of(desk.node) == "bcde!fé"


async def test_what_an_editor_says_twice_and_at_length_is_signed_once(desk: Desk) -> None:
    much = "é" * 40_000
    async with desk.opened(await desk.attach()) as editor:
        before = editor.doc.get_state()
        await editor.type(3, "d")
        editor.text.insert(0, much)
        for _ in range(2):
            await editor.tab.take(m.news(editor.doc.get_update(before)))
    assert await text_of(desk.node) == f"{much}abcd"


async def test_who_says_again_what_another_connection_said_begins_anew(desk: Desk) -> None:
    view = await desk.attach()
    async with desk.opened(view) as editor:
        doc, before = editor.doc, editor.doc.get_state()
        await editor.type(3, "def")
    with expect_closed(Refusal.ANEW):
        async with desk.opened(view, doc) as editor:
            await editor.tab.take(m.news(doc.get_update(before)))
