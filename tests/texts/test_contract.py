"""What a document in another process promises, it promises beside us too."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from p2pvalue.texts.broken import TextBroken
from p2pvalue.texts.calls import CALLS
from p2pvalue.texts.edits import Edit
from p2pvalue.texts.remote import RemoteDocument, Texts
from p2pvalue.texts.steps import APPLIED_BYTES_MAX
from p2pvalue.texts.workers import TextWorkers
from p2pvalue_protocol.errors import LocalProtocolError
from tests.node.hostile_updates import hostile_updates
from tests.node.near_texts import NearTexts

UNREADABLE = hostile_updates(7, 8)["half of it"].update


@pytest.fixture(params=[NearTexts, TextWorkers])
async def texts(request: pytest.FixtureRequest) -> AsyncIterator[Texts]:
    kept: Texts = request.param()
    yield kept
    await kept.close()


async def written(document: RemoteDocument, text: str) -> list[bytes]:
    return await document.edit([Edit(0, 0, text)])


async def test_what_is_written_is_read_at_once_and_by_who_takes_the_updates(texts: Texts) -> None:
    writer, reader = await texts.open("plain", 7), await texts.open("plain", 8)
    assert await writer.text() == ""
    updates = await written(writer, "h😀llo")
    updates += await writer.edit([Edit(1, 1, "e"), Edit(5, 0, " €")])
    await reader.apply(updates)
    assert [await d.text() for d in (writer, reader)] == ["hello €", "hello €"]


async def test_the_text_is_that_of_the_library_also_where_it_was_not_fetched(texts: Texts) -> None:
    writer = await texts.open("plain", 7)
    for fetches in (False, True):
        for edits in ([Edit(0, 0, "a😀b")], [Edit(1, 1, ""), Edit(0, 0, "€€")], []):
            if fetches:
                await writer.text()
            await writer.edit(edits)
        again = await texts.open("plain", 9, await writer.encoded())
        assert await again.text() == await writer.text()
    assert await writer.text() == "€€ab€€ab"


async def test_an_edit_that_does_not_fit_is_refused_and_changes_nothing(texts: Texts) -> None:
    writer = await texts.open("plain", 7)
    await written(writer, "abc")
    for attempt in (writer.check, writer.edit):
        with pytest.raises(LocalProtocolError, match="does not fit a text of 4 characters"):
            await attempt([Edit(0, 0, "x"), Edit(5, 0, "y")])
    with pytest.raises(LocalProtocolError, match="half a character"):
        await writer.check([Edit(0, 0, "\ud83d")])
    assert await writer.text() == "abc"


async def test_a_rich_document_has_no_positions(texts: Texts) -> None:
    rich = await texts.open("rich", 7)
    with pytest.raises(LocalProtocolError, match="edit it as a whole"):
        await written(rich, "abc")


async def test_a_copy_goes_its_own_way_until_it_takes_what_it_lacks(texts: Texts) -> None:
    first = await texts.open("plain", 7)
    await written(first, "abc")
    second = await first.copy(8)
    await written(first, "1")
    updates = await written(second, "2")
    assert [await d.text() for d in (first, second)] == ["1abc", "2abc"]
    await second.take_from(first)
    await first.apply(updates)
    assert await first.text() == await second.text()


async def test_the_library_failing_costs_one_document_and_says_at_which_update(
    texts: Texts,
) -> None:
    writer, other = await texts.open("plain", 7), await texts.open("plain", 8)
    fine = await written(writer, "x" * 8_000) * (APPLIED_BYTES_MAX // 8_000 + 2)
    await written(other, "untouched")
    with pytest.raises(TextBroken, match="ValueError") as caught:
        await writer.apply([*fine, UNREADABLE, *fine])
    assert caught.value.at == len(fine)
    with pytest.raises(TextBroken):
        await writer.text()
    assert await other.text() == "untouched"


async def test_what_was_closed_is_no_more(texts: Texts) -> None:
    one, other = await texts.open("plain", 7), await texts.open("plain", 8)
    assert texts.count == 2
    one.close()
    one.close()
    assert texts.count == 1
    assert await other.text() == ""
    with pytest.raises(TextBroken):
        await one.text()


async def test_nothing_asked_after_an_end_is_answered(texts: Texts) -> None:
    document = await texts.open("plain", 7)
    await texts.close()
    assert document.is_lost
    assert texts.count == 0
    again = await texts.open("plain", 7)
    assert not again.is_lost


async def test_differences_are_merged_as_two_peoples_edits(texts: Texts) -> None:
    document = await texts.open("plain", 7)
    await written(document, "one\ntwo\nthree\n")
    assert await document.rewrite("one\ntwo\nthree\n", "one\ntwo\nthree\n") == []
    assert len(await document.rewrite("one\nthree\n", "one\nthree, four\n")) == 1
    assert await document.text() == "one\ntwo\nthree, four\n"
    assert len(await document.rewrite(None, "four\n")) == 1
    assert await document.text() == "four\n"


async def test_a_rich_document_is_read_and_written_as_markdown(texts: Texts) -> None:
    document = await texts.open("rich", 7)
    updates = await document.rewrite(None, "# Plan\n\n**meet** <!-- now -->\n")
    await document.rewrite("# Plan\n", "# New plan\n")
    other = await texts.open("rich", 8)
    await other.apply(updates)
    assert await other.text() == "# Plan\n\n**meet** \\<!-- now -->\n"
    assert await document.text() == "# New plan\n\n**meet** \\<!-- now -->\n"
    assert await other.lacks(1) == []
    with pytest.raises(LocalProtocolError, match="no positions"):
        await other.edit([Edit(0, 0, "x")])
    with pytest.raises(LocalProtocolError, match="too deep"):
        await other.rewrite(None, "> " * 100)
    assert await other.text() == "# Plan\n\n**meet** \\<!-- now -->\n"


def test_every_row_of_the_table_has_a_method() -> None:
    assert [name for name in CALLS if not hasattr(RemoteDocument, name)] == []
