"""Rich documents have a past too, as Markdown."""

from __future__ import annotations

import random

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


async def test_a_change_of_marks_alone_is_an_edit_that_can_be_taken_back(
    two: tuple[SmallNode, SmallNode],
) -> None:
    ana, _ = two
    bold = SECOND.replace("coffee", "**coffee**")
    await ana.community.edit_document("Plan", bold)
    await ana.community.history.undo("Plan")
    assert await shown(ana) == SECOND
    await ana.community.history.redo("Plan")
    assert await shown(ana) == bold


async def test_random_edits_of_a_rich_document_go_and_come_back_in_turn(
    two: tuple[SmallNode, SmallNode], rng: random.Random
) -> None:
    ana, eva = two
    blocks = ["# 日本\n", "tea *and* 🍵\n", "> שלום\n", "- one\n- two\n", "```\ncode\n```\n"]
    texts = [await shown(ana)]
    for _ in range(8):
        parts = rng.sample(blocks, rng.randint(1, len(blocks)))
        text = (await ana.community.edit_document("Plan", "\n".join(parts))).text
        if text != texts[-1]:
            texts.append(text)
        if rng.random() < 0.3:
            ana.restart()
    for text in texts[-2::-1]:
        await ana.community.history.undo("Plan")
        assert await shown(ana) == text
    for text in texts[1:]:
        await ana.community.history.redo("Plan")
        assert await shown(ana) == text
    exchange(ana, eva)
    assert await shown(eva) == texts[-1]


async def test_what_another_wrote_in_the_same_block_stays_when_one_takes_back(
    two: tuple[SmallNode, SmallNode],
) -> None:
    ana, eva = two
    await ana.community.edit_document("Plan", SECOND.replace("Bring", "Please *bring*"))
    exchange(ana, eva)
    now = await shown(eva)
    await eva.community.edit_document("Plan", now.replace("rice.", "rice and 日本酒."))
    exchange(ana, eva)
    await ana.community.history.undo("Plan")
    exchange(ana, eva)
    expected = SECOND.replace("rice.", "rice and 日本酒.")
    assert await shown(ana) == await shown(eva) == expected
