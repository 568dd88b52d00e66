from __future__ import annotations

import pytest

from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import document
from tests.node.small_node import SmallNode, exchange


async def test_a_title_names_one_document_here(ana: SmallNode) -> None:
    await ana.community.create_document("Minutes", "one")
    with pytest.raises(LocalProtocolError, match="already"):
        await ana.community.create_document("Minutes", "two")
    assert [view.title for view in ana.community.documents()] == ["Minutes"]


async def test_a_title_that_somebody_else_gave_is_taken_as_well(
    ana: SmallNode, eva: SmallNode
) -> None:
    await ana.community.create_document("Plan")  # ana has read which titles there are
    exchange(ana, eva)
    await eva.community.create_document("Minutes")
    exchange(ana, eva)
    with pytest.raises(LocalProtocolError, match="already"):
        await ana.community.create_document("Minutes")


async def test_a_title_is_free_again_once_its_document_has_another(ana: SmallNode) -> None:
    made = await ana.community.create_document("Minutes")
    renamed = document.encode_document_title("Minutes of May")
    draft = Draft(document.NUMBER, bytes.fromhex(made.document), renamed)
    await ana.write(ana.community_id, [draft])
    await ana.community.create_document("Minutes")
    with pytest.raises(LocalProtocolError, match="already"):
        await ana.community.create_document("Minutes of May")


async def test_more_titles_than_are_kept_are_read_each_time(
    ana: SmallNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("p2pvalue.node.documents.titles.TITLES_MAX", 1)
    for title in ("Plan", "Minutes"):
        await ana.community.create_document(title)
    with pytest.raises(LocalProtocolError, match="already"):
        await ana.community.create_document("Plan")
