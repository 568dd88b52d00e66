"""What is open is closed one after the other, whatever happens to the rest meanwhile."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from p2pvalue.node.documents.open_documents import DocumentKey, OpenDocuments
from tests.node.near_texts import NearTexts

COMMUNITY = bytes(32)


async def test_a_document_that_is_dropped_while_another_is_closed_is_passed_over() -> None:
    documents = OpenDocuments(NearTexts())
    first, second = (COMMUNITY, b"one"), (COMMUNITY, b"two")
    saved: list[DocumentKey] = []

    def replica(key: DocumentKey) -> Any:
        async def save_snapshot() -> None:
            saved.append(key)
            documents.forget(COMMUNITY)

        return SimpleNamespace(save_snapshot=save_snapshot, close=lambda: None, size=1)

    for key in (first, second):
        place = documents.use(key)
        place.replica = cast("Any", replica(key))
        await documents.release(place)
    await documents.close()
    assert saved == [first]
    assert documents.all() == []
