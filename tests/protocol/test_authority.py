"""What membership answers when somebody was removed, kept, demoted, voted out, or went."""

from __future__ import annotations

import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.auth_payloads import ADMIN, GUEST, MEMBER
from p2pvalue_protocol.ids import CONTENT, Reference
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.invitation import invite_key
from p2pvalue_protocol.keys import verify
from p2pvalue_protocol.members import FormerMember, Standing
from tests.protocol.authoring import SECRET, Author, key_named
from tests.protocol.hamlet import CARD, CHAT, DOCUMENT, Hamlet
from tests.protocol.replicas import admitted, founded, invited


def test_a_removal_hides_what_it_does_not_keep_and_names_whose_it_is() -> None:
    hamlet = Hamlet()
    here = hamlet.frontier()
    kept, later = hamlet.wrote(hamlet.bo, 3), hamlet.wrote(hamlet.bo, 4)
    assert hamlet.shows(hamlet.bo, here, later)
    hamlet.take(hamlet.cy.remove(hamlet.bo.root.public, *hamlet.heads(), keeps=(kept,)))
    assert hamlet.membership.take_reconsidered() == [hamlet.bo.device]
    assert hamlet.shows(hamlet.bo, here, hamlet.wrote(hamlet.bo, 2))
    assert hamlet.shows(hamlet.bo, here, kept)
    assert not hamlet.shows(hamlet.bo, here, later)
    assert hamlet.membership.keeps_of(hamlet.bo.device) == [kept]


def test_a_keep_counts_when_what_it_names_arrives() -> None:
    hamlet = Hamlet()
    here, early = hamlet.frontier(), hamlet.wrote(hamlet.bo, 0)
    missing = Reference(hamlet.bo.device, CONTENT, 1, bytes(32))
    hamlet.take(hamlet.cy.remove(hamlet.bo.root.public, *hamlet.heads(), keeps=(missing,)))
    assert hamlet.membership.take_reconsidered() == [hamlet.bo.device]
    assert not hamlet.shows(hamlet.bo, here, early)
    assert hamlet.membership.awaits(missing.op_id)
    hamlet.content.held.add(missing)
    hamlet.membership.evidence(missing)
    assert not hamlet.membership.awaits(missing.op_id)
    assert hamlet.membership.take_reconsidered() == [hamlet.bo.device]
    assert hamlet.shows(hamlet.bo, here, early)


def test_what_arrives_is_evidence_for_who_named_its_place_and_for_nobody_else() -> None:
    hamlet = Hamlet()
    here, early = hamlet.frontier(), hamlet.wrote(hamlet.bo, 0)
    right = Reference(hamlet.bo.device, CONTENT, 1, bytes(32))
    wrong = Reference(hamlet.dee.device, CONTENT, 1, bytes(32))  # no such operation can come
    for author, kept in ((hamlet.bo, right), (hamlet.dee, wrong)):
        removal = hamlet.cy.remove(author.root.public, *hamlet.heads(), keeps=(kept,))
        hamlet.take(removal)
    hamlet.membership.take_reconsidered()
    hamlet.content.held.add(right)
    hamlet.membership.evidence(right)
    assert hamlet.membership.take_reconsidered() == [hamlet.bo.device]
    assert hamlet.shows(hamlet.bo, here, early)
    assert hamlet.membership.awaits(right.op_id)  # for the other place
    hamlet.membership.evidence(right)
    assert hamlet.membership.take_reconsidered() == []


@pytest.mark.parametrize("later", range(5))
def test_what_a_removed_device_certified_unseen_goes_with_it(later: int) -> None:
    hamlet = Hamlet()
    for _ in range(later):
        hamlet.take(hamlet.cy.write(auth.AUTH_SEEN))
    seen = hamlet.heads()
    phone = hamlet.phone_of(hamlet.bo, "phone")
    assert hamlet.membership.is_live(phone.device)
    hamlet.take(hamlet.ada.remove_device(hamlet.bo, *seen))
    assert not hamlet.membership.is_live(phone.device)


@pytest.mark.parametrize("later", range(5))
def test_whom_a_device_certified_unseen_let_in_goes_with_what_certified_it(later: int) -> None:
    hamlet = Hamlet()
    for _ in range(later):
        hamlet.take(hamlet.bo.write(auth.AUTH_SEEN))
    seen = hamlet.heads()
    phone = hamlet.phone_of(hamlet.cy, "phone")
    eve = Author("eve", hamlet.ada.community)
    hamlet.take(eve.add_device(hamlet.genesis))
    hamlet.take(phone.grant(eve.root.public, MEMBER, *hamlet.heads()))
    assert hamlet.membership.is_live(eve.device)
    hamlet.take(hamlet.ada.remove_device(hamlet.cy, *seen))
    assert not hamlet.membership.is_live(phone.device)
    assert not hamlet.membership.is_live(eve.device)


def test_a_leave_hides_nothing_that_was() -> None:
    hamlet = Hamlet()
    here, written = hamlet.frontier(), hamlet.wrote(hamlet.bo)
    hamlet.take(hamlet.bo.remove(hamlet.bo.root.public, *hamlet.heads()))
    assert hamlet.membership.take_reconsidered() == []
    assert hamlet.shows(hamlet.bo, here, written)
    assert not hamlet.shows(hamlet.bo, hamlet.frontier(), hamlet.wrote(hamlet.bo, 1))
    assert not hamlet.membership.is_gone(hamlet.bo.device)
    assert hamlet.membership.was_ever_admitted(hamlet.bo.device)
    root = hamlet.bo.root.public
    op_id = hamlet.bo.log[-1].op_id
    assert hamlet.membership.former_members() == [FormerMember(root, root, op_id, True)]


def test_a_demotion_hides_what_the_new_rank_may_not_write() -> None:
    hamlet = Hamlet()
    here, written = hamlet.frontier(), hamlet.wrote(hamlet.cy)
    assert hamlet.shows(hamlet.cy, here, written, CARD)
    hamlet.take(hamlet.ada.remove(hamlet.cy.root.public, rank=MEMBER))
    assert hamlet.membership.take_reconsidered() == [hamlet.cy.device]
    assert not hamlet.shows(hamlet.cy, here, written, CARD)
    assert hamlet.shows(hamlet.cy, here, written, DOCUMENT)
    assert hamlet.membership.standing(hamlet.cy.device) == Standing(hamlet.cy.root.public, MEMBER)


def test_a_policy_binds_what_comes_after_it_only() -> None:
    hamlet = Hamlet()
    before, written = hamlet.frontier(), hamlet.wrote(hamlet.dee)
    hamlet.take(hamlet.ada.decide(*hamlet.heads(), write=((CHAT, MEMBER),)))
    assert hamlet.membership.take_reconsidered() == []
    assert hamlet.shows(hamlet.dee, before, written)
    assert not hamlet.shows(hamlet.dee, hamlet.frontier(), written)
    assert hamlet.membership.policy(before) != hamlet.membership.policy(hamlet.frontier())
    policy = hamlet.membership.policy()
    assert policy == hamlet.membership.policy(hamlet.frontier())
    assert policy is not None
    assert policy.weakest_writer(CHAT) == MEMBER


def test_who_admitted_unseen_takes_her_newcomers_content_with_her() -> None:
    hamlet = Hamlet()
    known = hamlet.heads()
    eve = Author("eve", hamlet.ada.community)
    added = hamlet.take(eve.add_device(hamlet.genesis))
    hamlet.take(hamlet.cy.grant(eve.root.public, MEMBER, *known, added))
    here, written = hamlet.frontier(), hamlet.wrote(eve)
    assert hamlet.shows(eve, here, written)
    hamlet.membership.take_reconsidered()
    hamlet.take(hamlet.ada.remove(hamlet.cy.root.public))
    assert set(hamlet.membership.take_reconsidered()) == {hamlet.cy.device, eve.device}
    assert not hamlet.shows(eve, here, written)
    assert hamlet.membership.is_gone(eve.device)
    assert [former.root for former in hamlet.membership.former_members()] == [
        hamlet.cy.root.public
    ], "she was not removed herself"


@pytest.mark.parametrize("is_held", [False, True])
def test_a_members_proof_of_a_fork_hides_content_once_both_operations_are_held(
    is_held: bool,
) -> None:
    hamlet = Hamlet()
    here, first = hamlet.frontier(), hamlet.wrote(hamlet.cy)
    twin = Reference(first.device, CONTENT, 0, b"t" * 32)
    payload = auth.fork_payload(first, twin)
    fork = hamlet.take(hamlet.bo.write(auth.FORK, payload, hamlet.heads()))
    assert hamlet.membership.awaits(twin.op_id)
    if is_held:
        hamlet.content.held.add(twin)
        hamlet.membership.evidence(twin)
    assert hamlet.shows(hamlet.cy, here, first) is not is_held
    assert hamlet.membership.take_reconsidered() == ([first.device] if is_held else [])
    assert hamlet.membership.is_gone(hamlet.cy.device) is is_held
    assert hamlet.membership.is_live(hamlet.cy.device), "a member takes no rank from an admin"
    forked = hamlet.membership.forked_devices()
    assert [(found.by_op_id, found.is_authorised) for found in forked] == [
        (fork.op_id, False)
    ] * is_held


# --- epochs


def test_a_removal_uncovers_what_did_not_know_of_it() -> None:
    hamlet = Hamlet()
    before = hamlet.frontier()
    assert not hamlet.membership.uncovered(before)
    hamlet.take(hamlet.cy.remove(hamlet.bo.root.public, *hamlet.heads()))
    assert hamlet.membership.uncovered(before)
    assert not hamlet.membership.uncovered(hamlet.frontier())


def test_whom_the_removed_let_in_meanwhile_needs_no_removal_of_her_own() -> None:
    hamlet = Hamlet()
    heads = hamlet.heads()
    guest = bytes(range(32))
    removal = hamlet.cy.remove(hamlet.bo.root.public, *heads)
    hamlet.take(removal)
    hamlet.take(hamlet.bo.grant(guest, GUEST, *heads))
    knows_removal = hamlet.graph.frontier([removal.op_id])
    knows_neither = hamlet.graph.frontier([head.op_id for head in heads])
    assert all(member.root != guest for member in hamlet.membership.members())
    assert not hamlet.membership.uncovered(knows_removal), "else nobody could write any more"
    assert hamlet.membership.uncovered(knows_neither)


def test_a_return_does_not_cover_who_is_removed_again() -> None:
    hamlet = Hamlet()
    root = hamlet.bo.root.public
    hamlet.take(hamlet.cy.remove(root, *hamlet.heads()))
    first = hamlet.frontier()
    hamlet.take(hamlet.ada.grant(root, MEMBER, *hamlet.heads()))
    assert not hamlet.membership.uncovered(first)
    hamlet.take(hamlet.cy.remove(root, *hamlet.heads()))
    assert not hamlet.membership.is_live(hamlet.bo.device)
    assert hamlet.membership.uncovered(first), "she got the key when she came back"


def test_recipients_are_the_devices_live_there_with_their_prekeys() -> None:
    hamlet = Hamlet()
    phone = hamlet.phone_of(hamlet.bo, "phone")
    before = hamlet.frontier()
    hamlet.take(hamlet.bo.remove_device(phone, *hamlet.heads()))
    then = hamlet.membership.devices_at(before)
    now = hamlet.membership.devices_at(hamlet.frontier())
    people = [hamlet.ada, hamlet.bo, hamlet.cy, hamlet.dee]
    assert {(d.device, d.prekey) for d in then} == {
        (author.device, author.prekey) for author in [*people, phone]
    }
    assert [d.device for d in now] == sorted(author.device for author in people)
    assert hamlet.membership.uncovered(before)
    assert hamlet.membership.removals_of_device(phone.device) == [hamlet.bo.log[-1].op_id]


# --- who may what


def test_what_a_device_may_do_is_what_would_have_an_effect() -> None:
    hamlet = Hamlet(admin_quorum=2)
    eve = hamlet.join("eve", ADMIN)
    membership, cy = hamlet.membership, hamlet.cy.device
    bo, dee, eves = (author.root.public for author in (hamlet.bo, hamlet.dee, eve))
    assert membership.may_remove(cy, bo)
    assert not membership.may_remove(cy, eves)
    assert not membership.may_remove(hamlet.bo.device, eves)
    assert membership.may_vote(cy, eves)
    assert not membership.may_vote(cy, bo)
    assert not membership.may_vote(cy, hamlet.cy.root.public)
    assert membership.may_demote(hamlet.ada.device, eves, MEMBER)
    assert not membership.may_demote(hamlet.ada.device, dee, MEMBER)
    assert membership.may_grant(cy, bo, GUEST)
    assert not membership.may_grant(cy, bo, ADMIN)
    phone = hamlet.phone_of(hamlet.bo, "phone")
    assert membership.may_remove_device(hamlet.bo.device, bo, phone.device)
    assert not membership.may_remove_device(phone.device, bo, hamlet.bo.device)
    assert membership.may_remove_device(cy, bo, hamlet.bo.device)
    assert not membership.may_remove_device(hamlet.dee.device, bo, hamlet.bo.device)


def test_a_founder_put_out_by_votes_was_removed_by_nobody_in_particular() -> None:
    flo, gil = Author("flo"), Author("gil")
    hamlet = Hamlet(flo, gil)
    root = gil.root.public
    votes = [hamlet.take(author.vote(root, *hamlet.heads())) for author in (hamlet.ada, flo)]
    (former,) = hamlet.membership.former_members()
    assert (former.root, former.removed_by, former.is_leave) == (root, None, False)
    assert former.op_id in {vote.op_id for vote in votes}
    assert hamlet.membership.removals_of_device(gil.device) == sorted(v.op_id for v in votes)


# --- proofs


def test_a_proof_that_was_valid_is_not_checked_again_and_a_wrong_one_never_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ana = founded()
    admitted(ana, "ben")
    eve, invite = key_named("eve"), invited(ana)
    wrong = auth.admit_payload(
        eve.public, eve.public, invite_key(SECRET).public, bytes(64), invite.op_id
    )
    ana.write(Draft(auth.ADMIT, b"", wrong))
    members = ana.replica.membership.members()
    checked: list[bytes] = []

    def counted(key: bytes, message: bytes, signature: bytes) -> bool:
        checked.append(message)
        return verify(key, message, signature)

    monkeypatch.setattr("p2pvalue_protocol.act_reading.verify", counted)
    ana.restart()
    assert ana.replica.membership.members() == members
    assert len(checked) == 2, "GENESIS and the wrong one, not those found valid"


def test_what_a_removal_keeps_is_told_of_each_device_by_itself() -> None:
    hamlet = Hamlet()
    phones = [hamlet.phone_of(hamlet.bo, name) for name in ("phone", "tablet", "watch")]
    heads = [hamlet.wrote(author) for author in (hamlet.bo, *phones)]
    kept = tuple(sorted(heads))
    hamlet.take(hamlet.ada.remove(hamlet.bo.root.public, *hamlet.heads(), keeps=kept))
    for head in heads:
        assert hamlet.membership.keeps_of(head.device) == [head]
