"""What membership answers by what is known at a frontier, and whom something unseen takes along."""

from __future__ import annotations

import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.auth_payloads import ADMIN, GUEST, MEMBER
from p2pvalue_protocol.members import Standing
from tests.protocol.authoring import Author
from tests.protocol.hamlet import CHAT, DOCUMENT, Hamlet


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
    root, bos_root = gil.root.public, hamlet.bo.root.public
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
    seen = hamlet.heads()
    hamlet.take(hamlet.ada.remove(hamlet.bo.root.public, *seen))
    beside = hamlet.take(hamlet.dee.write(auth.AUTH_SEEN, b"", seen))
    assert authority.view_of(hamlet.graph.past_of(beside.op_id)).removal_of(bos_root) is None
    unknowing = hamlet.graph.past_of(hamlet.take(hamlet.cy.write(auth.AUTH_SEEN)).op_id)
    assert [authority.view_of(unknowing).removal_of(out) for out in (root, bos_root)] == [None] * 2
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


def test_who_may_invite_no_more_lets_nobody_in_by_an_older_invite() -> None:
    for invite_rank, is_in in ((MEMBER, True), (ADMIN, False)):
        hamlet = Hamlet()
        eve = Author("eve", hamlet.ada.community)
        hamlet.take(eve.add_device(hamlet.genesis))
        invite = hamlet.take(hamlet.bo.invite(GUEST, *hamlet.heads()))
        hamlet.take(hamlet.ada.decide(*hamlet.heads(), invite_rank=invite_rank))
        hamlet.take(hamlet.bo.admit(eve, invite, *hamlet.heads()))
        assert hamlet.membership.is_live(eve.device) == is_in


def test_a_members_removal_of_a_device_counts_where_it_is_known_to_be_hers() -> None:
    hamlet = Hamlet()
    seen = hamlet.heads()
    phone = hamlet.phone_of(hamlet.bo, "phone")
    removal = hamlet.take(hamlet.bo.remove_device(phone, *seen))
    authority = hamlet.membership._authority
    alone = authority.view_of(hamlet.graph.past_of(removal.op_id))
    counted = [view.is_effective(removal.op_id) for view in (alone, authority.view())]
    assert counted == [False, True]


def test_a_demotion_that_keeps_something_leaves_what_the_new_rank_may_write() -> None:
    hamlet = Hamlet()
    here, kept, later = hamlet.frontier(), hamlet.wrote(hamlet.cy), hamlet.wrote(hamlet.cy, 1)
    root = hamlet.cy.root.public
    hamlet.take(hamlet.ada.remove(root, *hamlet.heads(), rank=GUEST, keeps=(kept,)))
    shown = [
        [hamlet.shows(hamlet.cy, here, place, kind) for kind in (CHAT, DOCUMENT)]
        for place in (kept, later)
    ]
    assert shown == [[True, True], [True, False]]


def test_what_a_member_keeps_of_a_device_that_she_gives_up_still_counts() -> None:
    hamlet = Hamlet()
    phone = hamlet.phone_of(hamlet.bo, "phone")
    here, kept, later = hamlet.frontier(), hamlet.wrote(phone), hamlet.wrote(phone, 1)
    hamlet.take(hamlet.bo.remove_device(phone, *hamlet.heads(), keeps=(kept,)))
    assert [hamlet.shows(phone, here, place) for place in (kept, later)] == [True, False]


def test_whom_somebody_let_in_is_a_member_where_that_is_known() -> None:
    hamlet = Hamlet()
    before = hamlet.graph.past(hamlet.frontier())
    eve = hamlet.join("eve", MEMBER)
    unknowing = hamlet.graph.past_of(hamlet.take(hamlet.dee.write(auth.AUTH_SEEN)).op_id)
    authority, root = hamlet.membership._authority, eve.root.public
    views = (authority.view_of(before), authority.view_of(unknowing), authority.view())
    assert [view.rank_of(root) for view in views] == [None, None, MEMBER]
