"""What counts no more is no edit, and two histories of one device are both to be seen."""

from __future__ import annotations

import pytest

from p2pvalue_protocol.documents.clients import client_of
from tests.node.small_node import SmallNode, exchange
from tests.node.test_document_attacks import NAMES, Removals, brought, plant, text_of

Trio = tuple[SmallNode, SmallNode, SmallNode]


@pytest.fixture
async def three() -> Trio:
    """Ana, Ben and Eva, and a document that Ana began."""
    ana, ben, eva = (SmallNode(name, NAMES) for name in NAMES)
    await ana.community.create_document("Plan", "abc")
    exchange(ana, ben, eva)
    return ana, ben, eva


async def edits_of(node: SmallNode) -> list[tuple[int, int]]:
    edits = (await node.community.history.edits("Plan", 100)).edits
    return [(edit.inserted, edit.deleted) for edit in edits]


async def blamed(node: SmallNode) -> str:
    view = await node.community.history.blame("Plan", "", deleted=False)
    return "".join(run.text for run in view.runs)


async def test_what_is_void_or_waits_is_no_edit(three: Trio) -> None:
    ana, ben, eva = three
    subject = bytes.fromhex(ana.community.documents()[0].document)
    lie = text_of(client_of(ana.device(b""), subject, 0), "in Ana's name")
    early = text_of(client_of(eva.device(b""), subject, 4), "behind what is not here")
    await plant(eva, subject, lie, session=3)
    await plant(eva, subject, early, session=4, heads=[b"h" * 32])
    await ben.community.splice_document("Plan", [(3, 0, "!")])
    brought(ana, eva)
    brought(ana, ben)
    assert await edits_of(ana) == [(3, 0), (1, 0)]
    assert await blamed(ana) == "abc!"
    history = await ana.community.history.edits("Plan", 100)
    assert (await ana.community.history.at("Plan", history.version)).text == "abc!"


async def test_edits_of_who_was_put_out_are_none_and_versions_are_without_them(
    three: Trio,
) -> None:
    ana, ben, eva = three
    await eva.community.splice_document("Plan", [(0, 1, "[Eva]")])
    exchange(ana, ben, eva)
    await ana.community.splice_document("Plan", [(4, 0, " and Ana")])
    exchange(ana, ben, eva)
    before = await ana.community.history.edits("Plan", 100)
    assert (await blamed(ana)) == "[Eva and Ana]bc"
    subject = bytes.fromhex(before.document)
    removals = Removals(ana, ben)
    removals.hide(eva, subject)
    for node in (ana, ben):
        assert await edits_of(node) == [(3, 0), (8, 0)]
        assert await blamed(node) == (await node.community.document_text("Plan")).text
        then = await node.community.history.at("Plan", before.version)
        assert sorted(then.text) == sorted("abc and Ana")
    assert (await ana.community.history.undo("Plan")).deleted == 8
    assert (await ana.community.document_text("Plan")).text == "abc"
    removals.show(eva, subject)
    exchange(ana, ben)
    assert await blamed(ben) == (await ana.community.document_text("Plan")).text == "[Eva]bc"


async def test_both_branches_of_a_fork_have_their_edits(three: Trio) -> None:
    ana, ben, eva = three
    copied = SmallNode("eva", NAMES)  # the same device, begun twice
    copied.take(eva.runs([]))
    await eva.community.splice_document("Plan", [(3, 0, " one")])
    await copied.community.splice_document("Plan", [(3, 0, " other")])
    brought(ana, eva)
    brought(ben, copied)
    await ana.community.splice_document("Plan", [(0, 0, "Ana: ")])
    exchange(ana, ben)
    text = (await ana.community.document_text("Plan")).text
    for node in (ana, ben):
        assert sorted(await edits_of(node)) == [(3, 0), (4, 0), (5, 0), (6, 0)]
        assert await blamed(node) == text
        history = await node.community.history.edits("Plan", 100)
        texts = {
            edit.inserted: (await node.community.history.at("Plan", edit.version)).text
            for edit in history.edits
        }
        assert texts == {3: "abc", 4: "abc one", 5: "Ana: abc one", 6: "abc other"}
    assert await blamed(ana) == await blamed(ben)
