"""What one commit of auth operations means to people: who came, went, rose, fell."""

from __future__ import annotations

from typing import NamedTuple, cast

from p2pvalue.node.members.comings import Coming, Comings
from p2pvalue_protocol.members import FormerMember, Invite, Member
from p2pvalue_protocol.membership import Membership

ADA, BO, CLEO = b"a" * 32, b"b" * 32, b"c" * 32
REVOKE, INVITE = b"r" * 32, b"i" * 32


class Seen(NamedTuple):
    """What a membership answers at one moment."""

    in_it: tuple[Member, ...]
    out: tuple[FormerMember, ...] = ()
    invited: tuple[Invite, ...] = ()
    voided: tuple[bytes, ...] = ()

    def members(self) -> list[Member]:
        return list(self.in_it)

    def former_members(self) -> list[FormerMember]:
        return list(self.out)

    def voided_members(self) -> list[bytes]:
        return list(self.voided)

    def invites(self) -> list[Invite]:
        return list(self.invited)


def member(root: bytes, rank: int = 2) -> Member:
    return Member(root, rank, (root,), ADA if root != ADA else None)


def invite(*admitted: bytes) -> Invite:
    return Invite(INVITE, b"k" * 32, ADA, 2, 5, len(admitted), tuple(admitted), False)


def looked(comings: Comings, seen: Seen) -> list[Coming]:
    return comings.look(cast("Membership", seen))


def after(*moments: Seen) -> list[Coming]:
    """What the last of these moments brought, to a node that saw them all."""
    comings = Comings()
    found: list[Coming] = []
    for seen in moments:
        found = looked(comings, seen)
    return found


def test_what_is_there_at_the_start_is_no_news() -> None:
    assert after(Seen((member(ADA), member(BO)))) == []


def test_a_newcomer_is_news_with_who_let_her_in() -> None:
    found = after(Seen((member(ADA),)), Seen((member(ADA), member(BO)), (), (invite(BO),)))
    assert found == [
        Coming("admitted", BO, ADA, None),
        Coming("invite-used", BO, None, INVITE),
    ]


def test_a_rank_rises_and_falls() -> None:
    for before, now, what in ((2, 1, "promoted"), (1, 3, "demoted")):
        found = after(Seen((member(BO, before),)), Seen((member(BO, now),)))
        assert [coming.what for coming in found] == [what]


def test_a_removal_names_who_did_it_and_a_leave_is_ones_own() -> None:
    removed = after(Seen((member(BO),)), Seen((), (FormerMember(BO, ADA, REVOKE, False),)))
    assert removed == [Coming("removed", BO, ADA, REVOKE)]
    left = after(Seen((member(BO),)), Seen((), (FormerMember(BO, BO, REVOKE, True),)))
    assert left == [Coming("left", BO, None, REVOKE)]


def test_who_comes_back_is_readmitted() -> None:
    out = FormerMember(BO, ADA, REVOKE, False)
    found = after(Seen((member(BO),)), Seen((), (out,)), Seen((member(BO),)))
    assert [coming.what for coming in found] == ["readmitted"]


def test_an_admission_that_nobody_may_give_is_news_also_to_who_never_saw_her_in() -> None:
    for before in (Seen((member(ADA), member(BO))), Seen((member(ADA),))):
        voided = Seen((member(ADA),), voided=(BO,))
        assert after(before, voided) == [Coming("voided", BO, None, None)]
        healed = after(before, voided, Seen((member(ADA), member(BO))))
        assert [coming.what for coming in healed] == ["readmitted"]


def test_who_was_out_already_is_no_news() -> None:
    out = FormerMember(BO, ADA, REVOKE, False)
    assert after(Seen((), (out,)), Seen((), (out,))) == []


def test_a_newcomer_is_not_told_of_everybody_who_was_there_before() -> None:
    comings = Comings()
    looked(comings, Seen(()))
    comings.forget()
    assert looked(comings, Seen((member(ADA), member(BO)))) == []
