"""What one wrote can be taken back edit by edit, and done again; what others wrote stays."""

from __future__ import annotations

import random

import pytest

from p2pvalue_protocol.errors import LocalProtocolError
from tests.node.small_node import SmallNode, exchange


async def shown(node: SmallNode) -> str:
    return (await node.community.document_text("Plan")).text


async def splice(node: SmallNode, position: int, deleted: int, inserted: str) -> None:
    await node.community.splice_document("Plan", [(position, deleted, inserted)])


async def undo(node: SmallNode) -> str:
    await node.community.history.undo("Plan")
    return await shown(node)


async def redo(node: SmallNode) -> str:
    await node.community.history.redo("Plan")
    return await shown(node)


async def test_edits_are_taken_back_one_by_one_and_done_again_in_turn(ana: SmallNode) -> None:
    await ana.community.create_document("Plan", "שלום 日本")
    await splice(ana, 5, 2, "😀🍵")
    await splice(ana, 0, 4, "")
    texts = ["", "שלום 日本", "שלום 😀🍵", " 😀🍵"]
    assert await shown(ana) == texts[3]
    assert [await undo(ana) for _ in range(3)] == texts[2::-1]
    with pytest.raises(LocalProtocolError, match="left to take back"):
        await undo(ana)
    assert [await redo(ana) for _ in range(3)] == texts[1:]
    with pytest.raises(LocalProtocolError, match="done again"):
        await redo(ana)
    assert [await undo(ana) for _ in range(2)] == texts[2:0:-1]
    assert await redo(ana) == texts[2]
    history = await ana.community.history.edits("Plan", 100)
    assert [edit.is_taken_back for edit in history.edits[:3]] == [False, False, True]
    assert (await ana.community.document_text("Plan")).skipped == 0


async def test_what_was_taken_back_follows_from_the_operations_after_a_restart(
    ana: SmallNode,
) -> None:
    await ana.community.create_document("Plan", "one")
    await splice(ana, 3, 0, " two")
    await splice(ana, 7, 0, " three")
    assert await undo(ana) == "one two"
    ana.restart()
    assert await undo(ana) == "one"
    ana.restart()
    assert await redo(ana) == "one two"
    assert await redo(ana) == "one two three"


async def test_what_is_written_after_an_undo_ends_its_being_done_again(ana: SmallNode) -> None:
    await ana.community.create_document("Plan", "one")
    await splice(ana, 3, 0, " two")
    assert await undo(ana) == "one"
    await splice(ana, 3, 0, "!")
    with pytest.raises(LocalProtocolError, match="done again"):
        await redo(ana)
    assert await undo(ana) == "one"
    assert await undo(ana) == ""


async def test_others_edits_stay_before_between_and_at_the_same_time(
    ana: SmallNode, eva: SmallNode
) -> None:
    await ana.community.create_document("Plan", "abc")
    await splice(ana, 3, 0, " hello world")
    exchange(ana, eva)
    await splice(eva, 9, 0, " big")
    await splice(eva, 0, 1, "A")
    exchange(ana, eva)
    assert await shown(ana) == "Abc hello big world"
    await splice(eva, 19, 0, "!")
    assert await undo(ana) == "Abc big"
    exchange(ana, eva)
    assert await shown(ana) == await shown(eva) == "Abc big!"
    assert await redo(ana) == "Abc hello big world!"
    exchange(ana, eva)
    assert await undo(eva) == "Abc hello big world"
    exchange(ana, eva)
    assert await shown(ana) == "Abc hello big world"


async def test_only_the_letter_that_was_written_goes_and_not_one_like_it(
    ana: SmallNode, eva: SmallNode
) -> None:
    await ana.community.create_document("Plan", "aa")
    exchange(ana, eva)
    await splice(ana, 0, 0, "a")
    exchange(ana, eva)
    await splice(eva, 1, 2, "")
    assert await undo(ana) == "aa"
    exchange(ana, eva)
    assert await shown(ana) == await shown(eva) == ""


async def test_what_others_have_deleted_is_passed_over(ana: SmallNode, eva: SmallNode) -> None:
    await ana.community.create_document("Plan", "tea")
    for word in (" one", " two", " six", " ten", " all"):
        await splice(ana, len(await shown(ana)), 0, word)
    exchange(ana, eva)
    await splice(eva, 7, 16, "")
    exchange(ana, eva)
    assert await shown(ana) == "tea one"
    assert await undo(ana) == "tea"
    exchange(ana, eva)
    await splice(eva, 0, 3, "")
    exchange(ana, eva)
    with pytest.raises(LocalProtocolError, match="left to take back"):
        await undo(ana)


async def test_text_that_came_back_goes_when_its_author_goes_further_back(ana: SmallNode) -> None:
    await ana.community.create_document("Plan", "")
    await splice(ana, 0, 0, "hello world")
    await splice(ana, 5, 6, "")
    assert await undo(ana) == "hello world"
    assert await undo(ana) == ""
    assert await redo(ana) == "hello world"
    assert await redo(ana) == "hello"
    assert await undo(ana) == "hello world"


async def test_a_stretch_of_typing_is_taken_back_at_once_and_typing_after_that_is_another(
    ana: SmallNode,
) -> None:
    await ana.community.create_document("Plan", "tea")

    async def type_on(text: str) -> None:
        for letter in text:
            at = len(await shown(ana))
            await ana.community.splice_document("Plan", [(at, 0, letter)], session=3)

    await type_on(" 日本😀")
    assert await undo(ana) == "tea"
    await type_on("!?")
    assert [e.updates for e in (await ana.community.history.edits("Plan", 9)).edits] == [1, 4, 1, 2]
    assert await undo(ana) == "tea"
    assert await undo(ana) == ""


async def test_a_long_text_that_came_at_once_goes_and_comes_back_at_once(ana: SmallNode) -> None:
    text = "日本😀\n" * 6_000
    await ana.community.create_document("Plan", text)
    assert await undo(ana) == ""
    ana.restart()
    assert await redo(ana) == text
    assert await undo(ana) == ""


async def test_nothing_is_left_to_take_back_where_one_wrote_nothing(
    ana: SmallNode, eva: SmallNode
) -> None:
    await ana.community.create_document("Plan", "tea")
    exchange(ana, eva)
    for turn in (undo, redo):
        with pytest.raises(LocalProtocolError):
            await turn(eva)
    assert await shown(eva) == "tea"


async def test_random_undo_and_redo_is_that_of_a_stack_and_leaves_others_text(
    ana: SmallNode, eva: SmallNode, rng: random.Random
) -> None:
    await ana.community.create_document("Plan", "")
    exchange(ana, eva)
    stack, at, others = [""], 0, 0
    for _ in range(60):
        own = "".join(c for c in await shown(ana) if c != "E")
        assert own == stack[at]
        move = rng.choice(["write", "write", "undo", "redo", "eva"])
        if move == "write":
            text = await shown(ana)
            position = rng.randint(0, len(text))
            inserted = "".join(rng.choices("aé😀日ש", k=rng.randint(1, 4)))
            length = len(text) - position
            cut = min(rng.choice([0, 1, 3]), length)
            cut = cut if "E" not in text[position : position + cut] else 0
            await splice(ana, position, cut, inserted)
            own = "".join(c for c in await shown(ana) if c != "E")
            del stack[at + 1 :]
            stack.append(own)
            at += 1
        elif move == "undo" and at:
            await undo(ana)
            at -= 1
        elif move == "redo" and at + 1 < len(stack):
            await redo(ana)
            at += 1
        elif move == "eva":
            await splice(eva, rng.randint(0, len(await shown(eva))), 0, "E")
            others += 1
        if rng.random() < 0.4:
            exchange(ana, eva)
        if rng.random() < 0.1:
            ana.restart()
    exchange(ana, eva)
    assert await shown(ana) == await shown(eva)
    assert (await shown(ana)).count("E") == others
    assert (await ana.community.document_text("Plan")).skipped == 0
