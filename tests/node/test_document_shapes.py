from __future__ import annotations

import pytest

from p2pvalue.node.documents.document_shapes import TEXT_BYTES_MAX
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.ids import CONTENT, Reference
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import document
from tests.node.small_node import SmallNode, exchange
from tests.protocol.verdicts import Verdicts

PLAN = "# Plan\n\nBring **tea** 😀 and مرحبا.\n\n- 日本\n- milk\n"


async def text_of(node: SmallNode, title: str = "Plan") -> str:
    return (await node.community.document_text(title)).text


@pytest.mark.parametrize("shape", ["markdown", "plain", "rich"])
async def test_a_document_of_any_shape_is_as_it_was_after_a_restart(
    shape: str, ana: SmallNode
) -> None:
    made = await ana.community.create_document("Plan", PLAN, shape)
    assert (made.shape, await text_of(ana)) == (shape, PLAN)
    await ana.community.edit_document("Plan", PLAN.replace("milk", "*milk*"))
    before = await ana.community.document_text("Plan")
    assert before.text == PLAN.replace("milk", "*milk*")
    ana.restart()
    assert await ana.community.document_text("Plan") == before


async def test_a_document_is_markdown_unless_somebody_wants_it_otherwise(ana: SmallNode) -> None:
    assert (await ana.community.create_document("Plan")).shape == "markdown"


async def test_a_document_and_its_first_text_are_written_together(ana: SmallNode) -> None:
    changed: list[int] = []
    ana.on_changes = lambda changes: changed.append(len(changes))
    text = "😀 too long for one update\n" * 5_000
    made = await ana.community.create_document("Plan", text)
    assert changed == [1 + made.updates]
    assert made.updates > 1
    assert (await ana.community.document_text("Plan")).text == text


async def test_a_text_that_cannot_be_written_makes_no_document(ana: SmallNode) -> None:
    with pytest.raises(LocalProtocolError, match="half a character"):
        await ana.community.create_document("Plan", "\ud83d")
    assert ana.community.documents() == []


async def test_two_who_save_rich_text_from_editors_keep_both_edits(
    ana: SmallNode, eva: SmallNode
) -> None:
    await ana.community.create_document("Plan", PLAN, "rich")
    exchange(ana, eva)
    seen = await eva.community.document_text("Plan")
    await ana.community.edit_document("Plan", PLAN.replace("tea", "green tea"))
    exchange(ana, eva)
    saved = await eva.community.edit_document(
        "Plan",
        seen.text.replace("- milk", "- milk\n- bread").replace("# Plan", "# Our plan"),
        base_version=seen.version,
        base_text=seen.text,
    )
    exchange(ana, eva)
    expected = "# Our plan\n\nBring **green tea** 😀 and مرحبا.\n\n- 日本\n- milk\n- bread\n"
    assert saved.text == await text_of(ana) == await text_of(eva) == expected


async def test_a_text_that_was_begun_elsewhere_is_brought_in_by_what_it_began_with(
    ana: SmallNode,
) -> None:
    await ana.community.create_document("Plan", PLAN, "rich")
    await ana.community.edit_document("Plan", PLAN.replace("Bring", "Please bring"))
    saved = await ana.community.edit_document(
        "Plan", PLAN.replace("milk", "bread"), base_version="f" * 32, base_text=PLAN
    )
    assert saved.text == PLAN.replace("Bring", "Please bring").replace("milk", "bread")


async def test_saving_rich_text_as_it_was_writes_nothing(ana: SmallNode) -> None:
    made = await ana.community.create_document("Plan", PLAN, "rich")
    updates = ana.community.documents()[0].updates
    assert (await ana.community.edit_document("Plan", PLAN)).document == made.document
    assert ana.community.documents()[0].updates == updates


async def test_rich_text_has_no_positions(ana: SmallNode) -> None:
    await ana.community.create_document("Plan", PLAN, "rich")
    with pytest.raises(LocalProtocolError, match="no positions: save it as a whole"):
        await ana.community.splice_document("Plan", [(0, 0, "x")])
    assert await text_of(ana) == PLAN


async def test_a_document_is_not_made_if_it_could_not_begin(ana: SmallNode) -> None:
    with pytest.raises(LocalProtocolError, match="too deep"):
        await ana.community.create_document("Plan", "> " * 100, "rich")
    with pytest.raises(LocalProtocolError, match="choose one of markdown, plain, rich"):
        await ana.community.create_document("Plan", "", "poem")
    assert ana.community.documents() == []


async def test_a_text_that_rich_text_cannot_hold_leaves_it_as_it_was(ana: SmallNode) -> None:
    await ana.community.create_document("Plan", PLAN, "rich")
    with pytest.raises(LocalProtocolError, match="too deep"):
        await ana.community.edit_document("Plan", "> " * 100)
    assert await text_of(ana) == PLAN
    await ana.community.edit_document("Plan", "after\n")
    assert await text_of(ana) == "after\n"


async def test_a_shape_of_a_later_version_is_kept_and_not_shown(ana: SmallNode) -> None:
    payload = document.encode_document("Plan", "drawing")
    await ana.write(ana.community_id, [Draft(document.NUMBER, b"", payload)])
    assert [view.shape for view in ana.community.documents()] == ["drawing"]
    with pytest.raises(LocalProtocolError, match="update p2pvalue"):
        await ana.community.document_text("Plan")


async def test_rich_text_is_made_anew_without_hidden_updates_and_with_them_again(
    ana: SmallNode, eva: SmallNode
) -> None:
    verdicts = Verdicts()
    verdicts.rule(ana.replica)
    await ana.community.create_document("Plan", "one\n\ntwo\n", "rich")
    exchange(ana, eva)
    await eva.community.edit_document("Plan", "one *word*\n\nher own\n")
    exchange(ana, eva)
    before = await ana.community.document_text("Plan")
    updates = ana.store.entries(
        ana.community_id, bytes.fromhex(before.document), document.UPDATE_NUMBER
    )
    theirs = [
        Reference(entry.order.device, CONTENT, entry.order.seq, entry.order.op_id)
        for entry in updates
        if entry.order.device == eva.device_seen
    ]
    verdicts.hide(*theirs)
    ana.take([])
    assert await text_of(ana) == "one\n\ntwo\n"
    verdicts.show(*theirs)
    ana.take([])
    assert await text_of(ana) == before.text == "one *word*\n\nher own\n"


async def test_an_edit_of_rich_text_can_be_taken_back_and_a_version_restored(
    ana: SmallNode,
) -> None:
    await ana.community.create_document("Plan", PLAN, "rich")
    first = (await ana.community.history.edits("Plan", 1)).version
    await ana.community.edit_document("Plan", PLAN.replace("tea", "green tea"))
    await ana.community.history.undo("Plan")
    assert await text_of(ana) == PLAN
    await ana.community.history.redo("Plan")
    assert await text_of(ana) == PLAN.replace("tea", "green tea")
    assert (await ana.community.history.restore("Plan", first)).text == PLAN


@pytest.mark.parametrize("shape", ["plain", "rich"])
async def test_what_is_saved_as_a_whole_has_a_limit_that_is_told(
    ana: SmallNode, shape: str
) -> None:
    made = await ana.community.create_document("Plan", "one", shape)
    text = "é" * (TEXT_BYTES_MAX // 2) + "x"
    with pytest.raises(LocalProtocolError, match=r"4,194,305 bytes long; 4 MiB \(4,194,304"):
        await ana.community.edit_document("Plan", text)
    with pytest.raises(LocalProtocolError, match="4 MiB"):
        await ana.community.create_document("Other", text, shape)
    assert [view.document for view in ana.community.documents()] == [made.document]
