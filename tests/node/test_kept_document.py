"""What is kept of a document, to open it again without reading all its updates."""

from __future__ import annotations

import msgspec
import pytest

from p2pvalue.node.documents.kept_document import KeptDocument, kept_document
from tests.node.small_node import SmallNode

LETTERS = 300


def test_what_is_kept_is_what_was_given() -> None:
    kept = KeptDocument(b"text" * 100, b"facts", [bytes(32)])
    assert kept_document(kept.as_bytes()) == kept
    assert len(kept.as_bytes()) < 100


@pytest.mark.parametrize(
    "data", [b"", b"damaged", msgspec.msgpack.encode([b"not compressed", b"", []])]
)
def test_what_is_damaged_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="kept"):
        kept_document(data)


@pytest.mark.parametrize(("letters", "is_kept"), [(10, False), (500, True)])
async def test_what_takes_long_to_read_again_is_kept_however_few_its_updates(
    letters: int, is_kept: bool
) -> None:
    ana = SmallNode("ana", ["ana"])
    subject = bytes.fromhex((await ana.community.create_document("Plan", "-" * 1_000)).document)
    await ana.community.splice_document("Plan", [(2 * n, 0, "x") for n in range(letters)])
    before = await ana.community.document_text("Plan")
    await ana.documents.close()
    assert (ana.store.snapshot(ana.community_id, subject) is not None) == is_kept
    ana.restart()
    assert await ana.community.document_text("Plan") == before


async def test_a_snapshot_is_little_more_than_the_text() -> None:
    ana = SmallNode("ana", ["ana"])
    subject = bytes.fromhex((await ana.community.create_document("Plan")).document)
    for number in range(LETTERS):
        await ana.community.splice_document("Plan", [(number, 0, "x")])
    await ana.documents.close()
    kept = ana.store.snapshot(ana.community_id, subject)
    assert kept is not None
    assert len(kept.data) < 7 * LETTERS
