"""Updates of documents count, wait or are void as the frozen vectors say."""

from __future__ import annotations

from typing import Any

import pytest

from p2pvalue_protocol.documents.facts import Facts
from p2pvalue_protocol.documents.placement import Placement
from p2pvalue_protocol.documents.verdict import Applies, VoidReason
from tests.documents.by_hand import StoredIds
from tests.documents.by_hand import shown as word
from tests.vectors.files import SPEC, Vector, shown, vectors_of

VECTORS = vectors_of("kinds/document-updates")


def placed(one: dict[str, Any]) -> Placement:
    op_id, device = bytes.fromhex(one["op_id"]), bytes.fromhex(one["device"])
    return Placement(op_id, device, one["branch"], one["seq"])


@pytest.mark.parametrize("vector", VECTORS, ids=shown)
def test_updates_count_as_their_vectors_say(vector: Vector) -> None:
    given, expect = vector["input"], vector["expect"]
    ids = StoredIds()
    facts = Facts(bytes.fromhex(given["document"]), given["shape"], ids)
    forks = {number: (base, base_seq) for number, base, base_seq in given["forks"]}
    verdicts: dict[bytes, str] = {}
    for one in given["updates"]:
        if one["branch"] in forks:
            facts.branch(one["branch"], *forks.pop(one["branch"]))
        place = ids.store(placed(one))
        heads = tuple(map(bytes.fromhex, one["heads"]))
        data = bytes.fromhex(one["update"])
        verdicts[place.op_id] = word(facts.take(place, one["session"], heads, data))
        for released in facts.release():
            verdicts[released.placement.op_id] = word(released.verdict)
    assert [*verdicts.values()] == expect["verdicts"]
    assert expect["verdicts"][-1] == vector.get("reason", expect["verdicts"][-1])
    applied = expect.get("applied", [one["update"] for one in given["updates"]])
    for one, verdict, called in zip(given["updates"], verdicts.values(), applied, strict=True):
        if verdict == word(Applies(None, None)):
            assert facts.encode(placed(one), bytes.fromhex(one["update"])).hex() == called


def test_every_reason_has_vectors_and_is_in_the_page() -> None:
    reasons = {str(reason) for reason in VoidReason}
    assert {vector.get("reason") for vector in VECTORS} >= reasons
    page = (SPEC / "kinds" / "document-update.md").read_text(encoding="utf-8")
    assert {reason for reason in reasons if f"`{reason}`" not in page} == set()
