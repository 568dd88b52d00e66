"""What is shown of invitations: whom each let in, and whether it still lets anybody in."""

from __future__ import annotations

import pytest

from p2pvalue_protocol.auth_payloads import ADMIN, GUEST, MEMBER
from p2pvalue_protocol.invitation import invite_key
from p2pvalue_protocol.members import Invite
from tests.protocol.authoring import SECRET, Author
from tests.protocol.hamlet import Hamlet


def test_an_invite_shows_who_came_in_and_that_it_was_withdrawn() -> None:
    hamlet = Hamlet()
    invite = hamlet.take(hamlet.cy.invite(MEMBER, *hamlet.heads()))
    eve = Author("eve", hamlet.ada.community)
    hamlet.take(eve.add_device(hamlet.genesis))
    hamlet.take(hamlet.bo.admit(eve, invite, *hamlet.heads()))
    hamlet.take(hamlet.ada.withdraw(*hamlet.heads()))
    (shown,) = hamlet.membership.invites()
    assert shown == hamlet.membership.invite_for(invite_key(SECRET).public)
    assert (shown.admitted, shown.is_withdrawn) == ((eve.root.public,), True)
    assert shown.member == hamlet.cy.root.public
    assert hamlet.membership.is_live(eve.device)


def test_of_the_invites_of_a_key_the_one_that_still_admits_is_shown() -> None:
    hamlet = Hamlet()
    eve = hamlet.join("eve", ADMIN)
    void = hamlet.take(hamlet.cy.invite(MEMBER, *hamlet.heads()))
    good = hamlet.take(eve.invite(GUEST, *hamlet.heads()))
    hamlet.take(hamlet.ada.remove(hamlet.cy.root.public, *hamlet.heads()))
    shown = hamlet.membership.invite_for(invite_key(SECRET).public)
    assert shown is not None
    assert shown.op_id == good.op_id
    assert {invite.op_id for invite in hamlet.membership.invites()} == {void.op_id, good.op_id}


def test_an_invite_is_withdrawn_by_who_is_stronger_than_what_it_gives() -> None:
    hamlet = Hamlet()
    hamlet.take(hamlet.cy.invite(MEMBER, *hamlet.heads()))
    for author, is_withdrawn in ((hamlet.dee, False), (hamlet.bo, False), (hamlet.cy, True)):
        hamlet.take(author.withdraw(*hamlet.heads()))
        (shown,) = hamlet.membership.invites()
        assert shown.is_withdrawn == is_withdrawn


def test_each_invite_of_one_key_shows_whom_it_let_in_itself() -> None:
    hamlet = Hamlet()
    invites = [hamlet.take(hamlet.cy.invite(rank, *hamlet.heads())) for rank in (MEMBER, GUEST)]
    for number, name in enumerate(("eve", "fay", "gil")):
        newcomer = Author(name, hamlet.ada.community)
        hamlet.take(newcomer.add_device(hamlet.genesis))
        hamlet.take(hamlet.bo.admit(newcomer, invites[number // 2], *hamlet.heads()))
    shown = {invite.op_id: invite.uses for invite in hamlet.membership.invites()}
    assert shown == {invites[0].op_id: 2, invites[1].op_id: 1}


@pytest.mark.parametrize(
    ("uses", "uses_max", "is_used_up"),
    [(0, 0, False), (500, 0, False), (2, 3, False), (3, 3, True), (4, 3, True), (500, 500, True)],
)
def test_an_invite_is_used_up_once_as_many_came_as_it_is_for(
    uses: int, uses_max: int, is_used_up: bool
) -> None:
    root = bytes(32)
    invite = Invite(root, root, root, MEMBER, uses_max, uses, (), is_withdrawn=False)
    assert invite.is_used_up == is_used_up
