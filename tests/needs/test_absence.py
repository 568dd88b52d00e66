"""Who is named and gone gives her place up, by what whoever judges knew then."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from p2pvalue.node.needs.need_boards import need_state, read_acts
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.ids import Reference, subject_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import pledge
from p2pvalue_protocol.needs.standing import NeedStanding, standing_of
from p2pvalue_protocol.proof.reading import read_proof
from tests.needs.by_hand import told
from tests.needs.proofs import Pond, root
from tests.protocol.replicas import Copy, founded, joined

CARL = root("carl")


class Named(Pond):
    """A pond of which Carl alone is to confirm what Bea dug."""

    def __init__(self, ana: Copy | None = None) -> None:
        super().__init__(confirmers=[CARL], ana=ana)
        self.dug = self.offer("bea")
        self.close(self.dug)
        self.act("bea", "claim", self.dug, 60)

    def put_carl_out(self, hears: Sequence[str] = ("bea", "carl")) -> Reference:
        draft = Draft(auth.REVOKE, b"", auth.revoke_payload(CARL))
        self.now_ms += 10
        [reference] = self.ana.write(draft, now_ms=self.now_ms)
        self.ana.give(*(self.copies[who] for who in hears))
        return reference

    def confirm(self, copy: Copy) -> Reference:
        """Somebody confirms all, and nobody hears of it."""
        about = subject_of(self.dug.op_id)
        payload = pledge.encode_pledge_act(self.subject, about, "confirm", quantity=60)
        self.now_ms += 10
        [reference] = copy.write(Draft(pledge.NUMBER, b"", payload), now_ms=self.now_ms)
        return reference

    def let_carl_in(self) -> Reference:
        return self.say("ana", Draft(auth.GRANT, b"", auth.grant_payload(CARL, auth.MEMBER)))

    def delivered(self) -> int:
        """How much was delivered, as all agree who stay, and who reads a file of theirs."""
        found = [standing(self.copies[who], self.subject) for who in ("ana", "bea")]
        found += [read_proof(self.file(who)).standing for who in ("ana", "bea")]
        assert len({told(one) for one in found}) == 1
        [total] = found[0].delivered
        return total.quantity


def standing(copy: Copy, subject: bytes) -> NeedStanding:
    row = copy.store.state(copy.community, subject)
    assert row is not None
    return standing_of(need_state(row), read_acts(copy.replica, copy.store, row))


def test_who_was_put_out_gives_her_place_up_and_no_return_turns_that_back() -> None:
    pond = Named()
    pond.act("ana", "confirm", pond.dug, 20)
    assert pond.delivered() == 0
    pond.put_carl_out()
    assert pond.delivered() == 0, "it was said while Carl was there"
    pond.act("ana", "confirm", pond.dug, 40)
    assert pond.delivered() == 40
    pond.let_carl_in()
    assert pond.delivered() == 40
    pond.act("ana", "confirm", pond.dug, 60)
    assert pond.delivered() == 40, "Carl is there again"
    pond.act("carl", "confirm", pond.dug, 60)
    assert pond.delivered() == 60


def test_who_left_gives_her_place_up() -> None:
    pond = Named()
    pond.say("carl", Draft(auth.REVOKE, b"", auth.revoke_payload(CARL)))
    pond.act("ana", "confirm", pond.dug, 60)
    assert pond.delivered() == 60


@pytest.mark.parametrize("is_removal_first", [True, False])
def test_a_removal_that_arrives_late_turns_no_judgement(*, is_removal_first: bool) -> None:
    pond = Named()
    zoe = joined(pond.ana, "zoe")
    said, removed = pond.confirm(zoe), pond.put_carl_out(hears=())
    bea = pond.copies["bea"]
    for giver in [pond.ana, zoe] if is_removal_first else [zoe, pond.ana]:
        giver.give(bea)
    assert bea.replica.held(said)
    assert bea.replica.held(removed)
    [total] = standing(bea, pond.subject).delivered
    assert total.quantity == 0


def test_who_has_not_heard_that_somebody_was_let_in_does_not_take_her_place() -> None:
    ana = founded("ana", read=auth.READ_MEMBERS)
    zoe = joined(ana, "zoe")
    pond = Named(ana)
    assert not zoe.replica.membership.knows_root(CARL)
    said = pond.confirm(zoe)
    zoe.give(*pond.copies.values())
    assert pond.ana.replica.held(said)
    assert pond.delivered() == 0
