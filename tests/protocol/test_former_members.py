"""Who is no member any more: put out, gone by herself, or let in by who was not entitled."""

from __future__ import annotations

from p2pvalue_protocol.auth_payloads import ADMIN, GUEST
from tests.protocol.village import Village


def test_who_was_let_in_by_somebody_who_was_put_out_is_voided_and_not_removed() -> None:
    village = Village(ADMIN)
    cy, cy_added = village.newcomer("cy")
    grant = village.bo.grant(cy.root.public, GUEST, village.admit)
    before = village.with_(cy_added, grant)
    assert before.voided_members() == []
    assert before.former_members() == []
    removal = village.ada.remove(village.bo.root.public)
    after = village.with_(cy_added, grant, removal)
    assert after.voided_members() == [cy.root.public]
    [former] = after.former_members()
    assert (former.root, former.is_leave) == (village.bo.root.public, False)
    assert (former.removed_by, former.op_id) == (village.ada.root.public, removal.op_id)


def test_who_left_is_former_and_not_voided() -> None:
    village = Village()
    leave = village.bo.remove(village.bo.root.public, village.admit)
    after = village.with_(leave)
    assert after.voided_members() == []
    [former] = after.former_members()
    assert (former.root, former.is_leave) == (village.bo.root.public, True)
