"""Documents are renamed, removed and brought back, wherever they are held."""

from __future__ import annotations

import pytest

from p2pvalue.node.people import People
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted, NotFound
from tests.node.small_node import SmallNode, exchange


def titles(node: SmallNode, *, deleted: bool = False) -> list[str]:
    return [view.title for view in node.community.documents(deleted=deleted)]


async def test_a_document_has_its_new_title_everywhere(ana: SmallNode, eva: SmallNode) -> None:
    await ana.community.create_document("Plan", "tea\n")
    exchange(ana, eva)
    renamed = await eva.community.rename_document("Plan", "Plan of May")
    assert (renamed.title, renamed.member) == ("Plan of May", ana.root(ana.community_id).hex())
    exchange(ana, eva)
    assert titles(ana) == titles(eva) == ["Plan of May"]
    assert (await ana.community.document_text("Plan of May")).text == "tea\n"
    with pytest.raises(NotFound):
        await ana.community.document_text("Plan")


async def test_a_title_that_is_taken_or_none_is_refused(ana: SmallNode) -> None:
    made = await ana.community.create_document("Plan")
    await ana.community.create_document("Minutes")
    with pytest.raises(LocalProtocolError, match="already"):
        await ana.community.rename_document("Plan", "Minutes")
    with pytest.raises(LocalProtocolError, match="empty"):
        await ana.community.rename_document("Plan", " ")
    assert (await ana.community.rename_document("Plan", "Plan")).time == made.time


async def test_a_removed_document_is_gone_until_it_is_brought_back(
    ana: SmallNode, eva: SmallNode
) -> None:
    made = await ana.community.create_document("Plan", "one\n")
    exchange(ana, eva)
    assert (await ana.community.delete_document("Plan")).deleted
    await eva.community.splice_document("Plan", [(4, 0, "two\n")])  # she has not heard of it
    exchange(ana, eva)
    ana.restart()
    for node in (ana, eva):
        assert (titles(node), titles(node, deleted=True)) == ([], ["Plan"])
        for reference in ("Plan", made.document):
            with pytest.raises(NotFound, match=r"no document|undelete"):
                await node.community.document_text(reference)
    assert not (await eva.community.undelete_document("Plan")).deleted
    exchange(ana, eva)
    for node in (ana, eva):
        assert (await node.community.document_text("Plan")).text == "one\ntwo\n"
        assert len((await node.community.history.edits("Plan", 10)).edits) == 2
        assert titles(node, deleted=True) == []


async def test_the_title_of_a_removed_document_is_free(ana: SmallNode) -> None:
    first = await ana.community.create_document("Plan", "old")
    await ana.community.delete_document("Plan")
    await ana.community.create_document("Plan", "new")
    assert (await ana.community.document_text("Plan")).text == "new"
    await ana.community.undelete_document(first.document[:8])
    assert titles(ana) == ["Plan", "Plan"]
    assert (await ana.community.document_text(first.document)).text == "old"


async def test_only_its_author_and_admins_remove_a_document(
    ana: SmallNode, eva: SmallNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ana.community.create_document("Plan")
    exchange(ana, eva)
    monkeypatch.setattr(People, "my_rank", lambda people: "member")
    with pytest.raises(NotAdmitted, match="only they, or an admin"):
        await eva.community.delete_document("Plan")
    await ana.community.delete_document("Plan")
    exchange(ana, eva)
    with pytest.raises(NotAdmitted, match="only they, or an admin"):
        await eva.community.undelete_document("Plan")
    monkeypatch.setattr(People, "my_rank", lambda people: "admin")
    await eva.community.undelete_document("Plan")
    assert titles(eva) == ["Plan"]


async def test_what_is_not_removed_is_not_brought_back(ana: SmallNode) -> None:
    made = await ana.community.create_document("Plan")
    with pytest.raises(NotFound, match="no deleted document"):
        await ana.community.undelete_document("Plan")
    with pytest.raises(LocalProtocolError, match="is not deleted"):
        await ana.community.undelete_document(made.document)
    with pytest.raises(NotFound, match="no document"):
        await ana.community.undelete_document("ab" * 16)
