"""Rich documents have a past too, as Markdown."""

from __future__ import annotations

import pytest

from tests.node.small_node import SmallNode, exchange

NAMES = ["ana", "eva"]
FIRST = "# Plan 🍵\n\nBring tea and **日本** rice.\n\n- one\n- two\n"
SECOND = "# Plan 🍵\n\nBring coffee and **日本** rice.\n\n- one\n- two\n"


@pytest.fixture
async def two() -> tuple[SmallNode, SmallNode]:
    ana, eva = (SmallNode(name, NAMES) for name in NAMES)
    await ana.community.create_document("Plan", FIRST, shape="rich")
    exchange(ana, eva)
    await eva.community.edit_document("Plan", SECOND)
    exchange(ana, eva)
    return ana, eva


async def shown(node: SmallNode) -> str:
    return (await node.community.document_text("Plan")).text


async def test_a_version_of_a_rich_document_is_read_and_restored(
    two: tuple[SmallNode, SmallNode],
) -> None:
    ana, eva = two
    history = await ana.community.history.edits("Plan", 100)
    versions = [edit.version for edit in history.edits]
    texts = [(await eva.community.history.at("Plan", version)).text for version in versions]
    assert (texts[0], texts[-1]) == (FIRST, SECOND)
    await eva.community.edit_document("Plan", SECOND + "\nMore.\n")
    assert (await ana.community.history.restore("Plan", versions[0])).text == FIRST
    exchange(ana, eva)
    assert await shown(ana) == await shown(eva) == FIRST + "\nMore.\n"


async def test_blame_of_a_rich_document_is_of_its_markdown(
    two: tuple[SmallNode, SmallNode],
) -> None:
    ana, eva = two
    view = await ana.community.history.blame("Plan", "", deleted=False)
    assert "".join(run.text for run in view.runs) == SECOND
    assert len({run.member for run in view.runs}) == 2
    eva_wrote = [run.text for run in view.runs if run.member != view.runs[0].member]
    assert "".join(eva_wrote) in "coffee"
    assert await eva.community.history.blame("Plan", "", deleted=False) == view


async def test_edits_of_a_rich_document_are_taken_back_and_done_again(
    two: tuple[SmallNode, SmallNode],
) -> None:
    ana, eva = two
    await ana.community.edit_document("Plan", SECOND.replace("- two", "- two and three"))
    exchange(ana, eva)
    await eva.community.history.undo("Plan")
    exchange(ana, eva)
    assert await shown(ana) == FIRST.replace("- two", "- two and three")
    await ana.community.history.undo("Plan")
    assert await shown(ana) == FIRST
    await eva.community.history.redo("Plan")
    exchange(ana, eva)
    assert await shown(ana) == await shown(eva) == SECOND
