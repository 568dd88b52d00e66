"""Updates of documents count, wait or are void as the frozen vectors say."""

from __future__ import annotations

import pytest

from p2pvalue_protocol.documents.facts import Facts
from p2pvalue_protocol.documents.placement import Placement
from p2pvalue_protocol.documents.verdict import Applies, VoidReason
from tests.documents.by_hand import shown as word
from tests.vectors.files import SPEC, Vector, shown, vectors_of

VECTORS = vectors_of("kinds/document-updates")


@pytest.mark.parametrize("vector", VECTORS, ids=shown)
def test_updates_count_as_their_vectors_say(vector: Vector) -> None:
    given, expect = vector["input"], vector["expect"]
    facts = Facts(bytes.fromhex(given["document"]), given["shape"])
    forks = {number: (base, base_seq) for number, base, base_seq in given["forks"]}
    verdicts: dict[bytes, str] = {}
    for one in given["updates"]:
        if one["branch"] in forks:
            facts.branch(one["branch"], *forks.pop(one["branch"]))
        op_id, data = bytes.fromhex(one["op_id"]), bytes.fromhex(one["update"])
        place = Placement(op_id, bytes.fromhex(one["device"]), one["branch"], one["seq"])
        heads = tuple(map(bytes.fromhex, one["heads"]))
        verdicts[op_id] = word(facts.take(place, one["session"], heads, data))
        for released in facts.release():
            verdicts[released.placement.op_id] = word(released.verdict)
    assert [*verdicts.values()] == expect["verdicts"]
    assert expect["verdicts"][-1] == vector.get("reason", expect["verdicts"][-1])
    updates = [bytes.fromhex(one["update"]) for one in given["updates"]]
    applied = expect.get("applied", [data.hex() for data in updates])
    for (op_id, verdict), data, called in zip(verdicts.items(), updates, applied, strict=True):
        if verdict == word(Applies(None, None)):
            assert facts.encode(op_id, data).hex() == called


def test_every_reason_has_vectors_and_is_in_the_page() -> None:
    reasons = {str(reason) for reason in VoidReason}
    assert {vector.get("reason") for vector in VECTORS} >= reasons
    page = (SPEC / "kinds" / "document-update.md").read_text(encoding="utf-8")
    assert {reason for reason in reasons if f"`{reason}`" not in page} == set()
