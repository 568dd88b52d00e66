"""What a CLOSE could not have read counts for nobody, whoever happens to hold it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

from p2pvalue.node.needs.need_boards import need_state, read_acts
from p2pvalue.node.needs.need_views import need_view
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import close, pledge
from p2pvalue_protocol.kinds.close import operation_name
from p2pvalue_protocol.needs.closing import CLOSES_OF_ONE_MAX, with_pasts
from p2pvalue_protocol.needs.standing import NeedStanding, standing_of
from p2pvalue_protocol.proof.reading import read_proof
from p2pvalue_protocol.reach import Reach
from p2pvalue_protocol.walk_back import Asked
from tests.needs.by_hand import Board, told
from tests.needs.proofs import TERMS, Pond, root
from tests.protocol.replicas import said


class Liar(Pond):
    """Ana puts Bea out while she alone holds an offer of Bea's that nothing else names."""

    def __init__(self) -> None:
        super().__init__()
        self.offered = self._offered_to_ana_alone()

    def _offered_to_ana_alone(self) -> Reference:
        payload = pledge.encode_pledge(self.subject, TERMS, 0, 60)
        self.now_ms += 10
        [offered] = self.copies["bea"].write(Draft(pledge.NUMBER, b"", payload), now_ms=self.now_ms)
        self.copies["bea"].give(self.ana)
        return offered

    def put_bea_out(self) -> None:
        self.say("ana", Draft(auth.REVOKE, b"", auth.revoke_payload(root("bea"))))

    def standing(self, who: str) -> NeedStanding:
        """Where the need stands by what somebody holds."""
        copy = self.copies[who]
        row = copy.store.state(copy.community, self.subject)
        assert row is not None
        return standing_of(need_state(row), read_acts(copy.replica, copy.store, row))

    def holds(self, who: str) -> bool:
        return self.copies[who].replica.held(self.offered)


def test_what_is_beyond_a_removal_counts_for_nobody_whoever_holds_it() -> None:
    pond = Liar()
    pond.put_bea_out()
    pond.close(pond.offered)
    assert pond.holds("ana")
    assert not pond.holds("carl")
    assert pond.standing("carl").pledges == ()
    assert told(pond.standing("ana")) == told(pond.standing("carl"))


def test_what_a_close_could_read_counts_for_all_when_its_author_is_removed() -> None:
    pond = Liar()
    pond.say("ana", said("I have read it"))
    pond.close(pond.offered)
    pond.put_bea_out()
    assert pond.standing("ana").state == "triggered"
    assert told(pond.standing("ana")) == told(pond.standing("carl"))


def test_a_stranger_is_told_the_same_of_what_nobody_could_read() -> None:
    pond = Liar()
    pond.put_bea_out()
    pond.close(pond.offered)
    outcomes = {who: read_proof(pond.file(who)).standing for who in ("ana", "carl")}
    assert told(outcomes["ana"]) == told(outcomes["carl"]) == told(pond.standing("carl"))


def test_nothing_is_awaited_by_what_can_never_count() -> None:
    pond = Liar()
    pond.put_bea_out()
    pond.close(pond.offered)
    copy = pond.copies["carl"]
    row = copy.store.state(copy.community, pond.subject)
    assert row is not None
    standing = pond.standing("carl")
    told_to = [
        need_view(row, standing, _Nobody(), (), b"", project_title="", sealed=sealed).missing
        for sealed in (0, 7)
    ]
    assert told_to == [0, 1]


def test_no_past_is_sought_of_a_close_that_cannot_count(monkeypatch: pytest.MonkeyPatch) -> None:
    pond = Liar()
    pond.put_bea_out()
    payload = close.encode_close(pond.subject, TERMS, [operation_name(pond.offered.op_id)])
    for who in ("carl", *("ana" for _ in range(CLOSES_OF_ONE_MAX + 3))):
        pond.say(who, Draft(close.NUMBER, b"", payload))
    asked: list[Asked] = []

    def counted(self: Reach, every: Sequence[Asked]) -> list[frozenset[bytes]]:
        asked.extend(every)
        return pasts_among(self, every)

    pasts_among = Reach.pasts_among
    monkeypatch.setattr(Reach, "pasts_among", counted)
    pond.standing("ana")
    assert len(asked) == CLOSES_OF_ONE_MAX


@pytest.mark.parametrize(("trigger", "sought"), [("all", 1), ("any", 1), ("none", 0)])
def test_no_past_is_sought_of_a_close_where_nothing_closes(trigger: str, sought: int) -> None:
    board = Board(trigger=trigger)
    board.offer("bea", 60, is_hidden=True)
    board.close("ana")
    asked: list[Asked] = []

    class Counted:
        def pasts_among(self, every: Sequence[Asked]) -> list[frozenset[bytes]]:
            asked.extend(every)
            return [frozenset() for _ in every]

    with_pasts(board.need, board.acts, cast(Reach, Counted()))
    assert len(asked) == sought


class _Nobody:
    def of(self, member: bytes) -> str:
        return member.hex()
