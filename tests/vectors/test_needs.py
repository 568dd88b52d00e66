"""What becomes of a need and its pledges is what the vectors say."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from p2pvalue_protocol.auth_payloads import MEMBER
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds import close, need, pledge
from p2pvalue_protocol.needs.acts import Act
from p2pvalue_protocol.needs.facts import facts_of
from p2pvalue_protocol.needs.pledged import offers_of
from p2pvalue_protocol.needs.standing import NeedStanding, standing_of
from tests.vectors.files import Vector, shown, vectors_of


def act_of(written: dict[str, Any]) -> Act:
    """An act as vectors write it: its place in the folding order, whose it is, its payload."""
    order = Order(
        written["time"],
        bytes.fromhex(written["device"]),
        written["seq"],
        bytes.fromhex(written["op_id"]),
    )
    kind = pledge.PLEDGE if written["kind"] == pledge.NUMBER else close.CLOSE
    said = kind.decode(bytes.fromhex(written["payload"]))
    assert isinstance(said, pledge.Pledge | close.Close)
    past = frozenset(bytes.fromhex(op_id) for op_id in written.get("past", ()))
    absent = frozenset(bytes.fromhex(member) for member in written.get("absent", ()))
    return Act(order, bytes.fromhex(written["member"]), said, written["hidden"], past, absent)


def told(state: need.NeedState, standing: NeedStanding) -> dict[str, Any]:
    """What two implementations must agree on."""
    ranks = {found.offer.member: MEMBER for found in standing.pledges}
    return {
        "state": standing.state,
        "met": standing.is_met,
        "terms": standing.terms_id.hex(),
        "missing": standing.missing,
        "totals": [list(total) for total in standing.totals],
        "delivered": [list(total) for total in standing.delivered],
        "pledges": [
            {
                "pledge": found.offer.pledge.hex(),
                "state": found.state,
                "bound": 0 if found.word is None else found.word.bound,
                "delivered": 0 if found.word is None else found.word.delivered,
            }
            for found in standing.pledges
        ],
        "closings": [[c.member.hex(), c.changed] for c in standing.closings],
        "done": [
            {
                "pledge": fact.pledge.hex(),
                "member": fact.member.hex(),
                "quantity": fact.quantity,
                "unit": fact.line.unit,
                "class": fact.class_name,
                "witnesses": [witness.hex() for witness in fact.witnesses],
                "time": fact.time,
            }
            for fact in facts_of(state, standing)
        ],
        "ranked": [
            [offer.member.hex(), offer.line, offer.quantity, offer.at_ms]
            for offer in offers_of(standing, ranks)
        ],
    }


@pytest.mark.parametrize("vector", vectors_of("needs"), ids=shown)
def test_a_need_stands_where_its_vector_says(vector: Vector) -> None:
    given = vector["input"]
    state = msgspec.msgpack.decode(bytes.fromhex(given["need"]), type=need.NeedState)
    standing = standing_of(state, [act_of(act) for act in given["acts"]])
    assert told(state, standing) == vector["expect"]
