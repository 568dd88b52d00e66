"""What membership answers by what is known at a frontier, and whom something unseen takes along."""

from __future__ import annotations

import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.auth_payloads import ADMIN, MEMBER
from p2pvalue_protocol.members import Standing
from tests.protocol.authoring import Author
from tests.protocol.hamlet import CHAT, Hamlet


def test_whom_a_device_let_in_unseen_goes_with_it_when_its_owners_words_take_it() -> None:
    hamlet = Hamlet()
    phone = hamlet.phone_of(hamlet.cy, "phone")
    eve = Author("eve", hamlet.ada.community)
    hamlet.take(eve.add_device(hamlet.genesis))
    hamlet.take(phone.grant(eve.root.public, MEMBER, *hamlet.heads()))
    assert hamlet.membership.is_live(eve.device)
    hamlet.take(hamlet.bo.carry_removal(phone, *hamlet.heads()))
    assert not hamlet.membership.is_live(phone.device)
    assert not hamlet.membership.is_live(eve.device)


def test_whom_a_forked_device_let_in_unseen_goes_with_it() -> None:
    hamlet = Hamlet()
    phone = hamlet.phone_of(hamlet.cy, "phone")
    eve = Author("eve", hamlet.ada.community)
    hamlet.take(eve.add_device(hamlet.genesis))
    seen, twin = hamlet.heads(), phone.branch(1)
    first = hamlet.take(phone.grant(eve.root.public, MEMBER, *seen))
    second = hamlet.take(twin.write(auth.AUTH_SEEN))
    assert hamlet.membership.is_live(eve.device)
    hamlet.take(hamlet.ada.prove_fork(first, second, *seen))
    assert not hamlet.membership.is_live(phone.device)
    assert not hamlet.membership.is_live(eve.device)


def test_a_device_is_nobodys_where_its_certificate_is_not_known() -> None:
    hamlet = Hamlet()
    before = hamlet.frontier()
    phone = hamlet.phone_of(hamlet.bo, "phone")
    judged = [
        hamlet.membership.judge(phone.device, CHAT, frontier)
        for frontier in (before, hamlet.frontier())
    ]
    assert judged == [None, Standing(hamlet.bo.root.public, MEMBER)]


def test_a_withdrawal_counts_where_its_invite_is_known() -> None:
    hamlet = Hamlet()
    seen = hamlet.heads()
    hamlet.take(hamlet.ada.invite(MEMBER))
    withdrawal = hamlet.take(hamlet.cy.withdraw(*seen))
    authority = hamlet.membership._authority
    alone = authority.view_of(hamlet.graph.past_of(withdrawal.op_id))
    assert [view.is_effective(withdrawal.op_id) for view in (alone, authority.view())] == [
        False,
        True,
    ]


@pytest.mark.parametrize("is_seen", [False, True])
def test_votes_put_out_whom_somebody_lets_in_without_having_seen_them(is_seen: bool) -> None:
    hamlet = Hamlet(admin_quorum=2)
    gil, eve = hamlet.join("gil", ADMIN), Author("eve", hamlet.ada.community)
    added = hamlet.take(eve.add_device(hamlet.genesis))
    root = eve.root.public
    votes = [hamlet.take(author.vote(root, *hamlet.heads())) for author in (hamlet.cy, gil)]
    for author in (hamlet.ada, hamlet.dee, hamlet.ada):  # what she had seen is newer than a vote
        hamlet.take(author.write(auth.AUTH_SEEN))
    hamlet.take(hamlet.ada.grant(root, ADMIN, added, *(votes if is_seen else ())))
    assert hamlet.membership.is_live(eve.device) == is_seen
    effective = [] if is_seen else sorted(vote.op_id for vote in votes)
    assert hamlet.membership.removals_of_device(eve.device) == effective


@pytest.mark.parametrize("is_adas_first", [False, True])
def test_at_a_frontier_nobody_is_put_out_by_what_came_later(is_adas_first: bool) -> None:
    flo, gil = Author("flo"), Author("gil")
    hamlet = Hamlet(flo, gil)
    root = gil.root.public
    voters = (hamlet.ada, flo) if is_adas_first else (flo, hamlet.ada)
    before = hamlet.graph.past(hamlet.frontier())
    votes = [hamlet.take(author.vote(root, *hamlet.heads())) for author in voters]
    authority = hamlet.membership._authority
    known = [hamlet.graph.past_of(vote.op_id) for vote in votes]
    assert authority.view_of(before).removal_of(root) is None
    assert authority.view_of(known[0]).rank_of(root) == 0
    (first, second) = (hamlet.graph.index(vote.op_id) for vote in votes)
    assert authority.view_of(known[0]).removal_of(root) == first
    least = min((first, second), key=hamlet.graph.op_id)
    assert authority.view_of(known[1]).removal_of(root) == least
    hamlet.take(hamlet.ada.remove(hamlet.bo.root.public, *hamlet.heads()))
    assert authority.view_of(known[1]).removal_of(hamlet.bo.root.public) is None
    assert authority.view().removal_of(hamlet.bo.root.public) is not None


def test_a_keep_counts_where_what_it_names_is_known_and_nowhere_else() -> None:
    hamlet = Hamlet()
    eve = Author("eve", hamlet.ada.community)
    hamlet.take(eve.add_device(hamlet.genesis))
    seen = hamlet.heads()
    grant = hamlet.take(hamlet.cy.grant(eve.root.public, MEMBER, *seen))
    last = hamlet.take(hamlet.cy.write(auth.AUTH_SEEN))
    root = hamlet.cy.root.public
    removal = hamlet.take(hamlet.ada.remove(root, *seen, keeps=(last.reference,)))
    standings = [
        hamlet.membership.judge(
            eve.device, CHAT, hamlet.graph.frontier([removal.op_id, head.op_id])
        )
        for head in (grant, last)
    ]
    assert standings == [None, Standing(eve.root.public, MEMBER)]


def test_a_removal_that_reaches_nothing_unseen_settles_nothing_anew() -> None:
    hamlet = Hamlet()
    authority = hamlet.membership._authority
    phone = hamlet.phone_of(hamlet.bo, "phone")
    changes = authority.changes()
    authority.settle()
    changes.take()
    kept = hamlet.wrote(phone)
    hamlet.take(hamlet.ada.remove_device(phone, *hamlet.heads(), keeps=(kept,)))
    authority.settle()
    assert changes.take() == (False, {hamlet.bo.root.public})
    unknown = Author("somebody").add_device()
    hamlet.take(hamlet.bo.carry_removal(phone, *hamlet.heads(), seen=(unknown.op_id,)))
    authority.settle()
    assert changes.take() == (False, {hamlet.bo.root.public})
    hamlet.take(hamlet.ada.remove_device(phone, *hamlet.heads()))
    authority.settle()
    assert changes.take() == (False, {hamlet.bo.root.public})
    hamlet.take(hamlet.ada.remove(hamlet.bo.root.public, *hamlet.heads()))
    authority.settle()
    assert changes.take() == (False, {hamlet.bo.root.public})
