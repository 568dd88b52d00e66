"""Who is a member, and as what, is said by the auth operations held and by nothing else."""

from __future__ import annotations

import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.auth_payloads import ADMIN, FOUNDER, GUEST, MEMBER
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.invitation import invite_key
from p2pvalue_protocol.members import Standing
from tests.protocol.authoring import NONCE, SECRET, Author, key_named, membership_of, prekey_named
from tests.protocol.village import Village, frontier

CHAT, DOCUMENT, CARD = 35, 32, 46
HERE = Reference(bytes(32), 0, 1, bytes(32))


# --- GENESIS


def test_genesis_makes_founders_with_their_devices() -> None:
    ada, bo = Author("ada"), Author("bo")
    genesis = ada.found(bo)
    membership = membership_of(ada.community, [genesis])
    assert [(m.rank, m.admitted_by) for m in membership.members()] == [(FOUNDER, None)] * 2
    assert membership.devices() == sorted([ada.device, bo.device])
    assert membership.standing(bo.device) == Standing(bo.root.public, FOUNDER)


def test_a_founder_whose_root_did_not_certify_the_device_founds_nothing() -> None:
    ada = Author("ada")
    wrong = key_named("x").sign(b"certificate")
    forged = auth.Founder(ada.root.public, ada.device, ada.prekey, wrong)
    genesis = ada.write(auth.GENESIS, auth.genesis_payload(NONCE, [forged]))
    assert membership_of(ada.community, [genesis]).members() == []


def test_the_genesis_of_another_community_has_no_effect() -> None:
    village = Village()
    eve = Author("eve")
    other = eve.found()
    membership = membership_of(village.community, [other, *village.operations])
    assert membership.standing(eve.device) is None
    assert membership.standing(village.ada.device) is not None


@pytest.mark.parametrize(
    ("devices", "is_sorted"),
    [(("ada", "ada"), True), (("ada", "bo"), False)],
    ids=["device-twice", "roots-descending"],
)
def test_a_founding_not_in_its_one_form_has_no_effect(
    devices: tuple[str, str], is_sorted: bool
) -> None:
    founders = [
        auth.founder(key_named(root), Author(device).device, Author(device).prekey, NONCE)
        for root, device in zip(("root 1", "root 2"), devices, strict=True)
    ]
    founders.sort(key=lambda entry: entry.root, reverse=not is_sorted)
    payload = auth.GenesisPayload(NONCE, tuple(founders), 2, 0, 1, 0, MEMBER, ())
    ada = Author("ada")
    genesis = ada.write(auth.GENESIS, encode(payload))
    assert membership_of(ada.community, [genesis]).members() == []


def test_there_is_no_policy_before_genesis() -> None:
    membership = membership_of(bytes(32), [])
    assert membership.policy() is None
    assert not membership.may_invite(bytes(32), GUEST)


# --- INVITE and ADMIT


def test_an_invited_person_is_admitted_with_the_rank_of_the_invite() -> None:
    village = Village()
    membership = village.with_()
    assert membership.standing(village.bo.device) == Standing(village.bo.root.public, MEMBER)
    assert membership.member_of(village.bo.device) == village.bo.root.public
    bo = next(m for m in membership.members() if m.root == village.bo.root.public)
    assert bo.admitted_by == village.ada.root.public
    assert bo.devices == (village.bo.device,)


def test_an_invite_counts_the_people_it_admitted() -> None:
    village = Village()
    key = invite_key(SECRET).public
    again = village.ada.admit(village.bo, village.invite)
    cy, added = village.newcomer("cy")
    third = village.ada.admit(cy, village.invite, added)
    membership = village.with_(again, added, third)
    invite = membership.invite_for(key)
    assert invite is not None
    assert (invite.uses, invite.uses_max, invite.rank) == (2, 1, MEMBER)
    assert invite.member == village.ada.root.public
    assert membership.invite_for(bytes(32)) is None


def test_an_invite_of_anothers_key_takes_nothing_from_who_was_invited() -> None:
    village = Village()
    secret = b"s" * 16
    key = invite_key(secret).public
    wanted = village.ada.invite(MEMBER, village.admit, secret=secret)
    hostile = [village.bo.invite(GUEST, wanted, secret=secret) for _ in range(8)]  # many op ids
    membership = village.with_(wanted, *hostile)
    found = membership.invite_for(key)
    assert found is not None
    assert found.op_id == wanted.op_id
    assert any(op.op_id < wanted.op_id for op in hostile), "or the test shows nothing"


def test_an_invite_with_uses_left_goes_before_one_that_is_used_up() -> None:
    village = Village()
    second = village.ada.invite(GUEST, village.admit)
    found = village.with_(second).invite_for(invite_key(SECRET).public)
    assert found is not None
    assert (found.op_id, found.rank) == (second.op_id, GUEST)


def test_any_member_may_publish_an_admission_and_the_inviter_stays_its_author() -> None:
    village = Village()
    cy, added = village.newcomer("cy")
    admit = village.bo.admit(cy, village.invite, added, village.admit)
    membership = village.with_(added, admit)
    member = next(m for m in membership.members() if m.root == cy.root.public)
    assert member.admitted_by == village.ada.root.public


def test_nobody_admits_herself() -> None:
    village = Village()
    cy, added = village.newcomer("cy")
    admit = cy.admit(cy, village.invite, village.admit)
    assert village.with_(added, admit).standing(cy.device) is None


def test_an_admission_needs_the_secret() -> None:
    village = Village()
    cy, added = village.newcomer("cy")
    admit = village.ada.admit(cy, village.invite, added, secret=bytes(16))
    assert village.with_(added, admit).standing(cy.device) is None


def test_an_admission_needs_the_invite_in_its_past() -> None:
    village = Village()
    cy, added = village.newcomer("cy")
    other = Author("ada-2", root="ada")
    ada_2 = other.add_device(village.genesis)
    admit = other.admit(cy, village.invite, added)
    assert village.with_(added, ada_2, admit).standing(cy.device) is None


def test_an_admission_needs_the_newcomers_device_in_its_past() -> None:
    village = Village()
    cy, added = village.newcomer("cy")
    admit = village.ada.admit(cy, village.invite)
    membership = village.with_(added, admit)
    assert membership.standing(cy.device) is None
    assert membership.knows_root(cy.root.public)


def test_an_invite_by_somebody_too_weak_admits_nobody() -> None:
    village = Village()
    secret = bytes(range(16))
    invite = village.bo.invite(MEMBER, village.admit, secret=secret)
    cy, added = village.newcomer("cy")
    admit = village.ada.admit(cy, invite, added, invite, secret=secret)
    membership = village.with_(invite, added, admit)
    assert membership.standing(cy.device) is None
    assert membership.invite_for(invite_key(secret).public) is None


def test_the_policy_says_who_may_invite() -> None:
    for invite_rank, may in ((ADMIN, False), (MEMBER, True)):
        village = Village(invite_rank=invite_rank)
        cy, added = village.newcomer("cy")
        grant = village.bo.grant(cy.root.public, GUEST, village.admit, added)
        membership = village.with_(added, grant)
        assert membership.may_invite(village.bo.device, GUEST) is may
        assert (membership.standing(cy.device) is not None) is may


# --- GRANT


def test_a_grant_gives_a_rank_below_its_authors() -> None:
    village = Village()
    promoted = village.ada.grant(village.bo.root.public, ADMIN)
    membership = village.with_(promoted)
    assert membership.standing(village.bo.device) == Standing(village.bo.root.public, ADMIN)
    assert membership.may_invite(village.bo.device, MEMBER)
    assert not membership.may_invite(village.bo.device, ADMIN)


@pytest.mark.parametrize("rank", [ADMIN, MEMBER])
def test_a_grant_of_ones_own_rank_or_a_stronger_one_has_no_effect(rank: int) -> None:
    village = Village()
    cy, added = village.newcomer("cy")
    grant = village.bo.grant(cy.root.public, rank, village.admit, added)
    assert village.with_(added, grant).standing(cy.device) is None


def test_nobody_becomes_founder_by_a_grant() -> None:
    with pytest.raises(LocalProtocolError):
        auth.grant_payload(bytes(32), FOUNDER)


def test_the_strongest_grant_counts() -> None:
    village = Village()
    lower = village.ada.grant(village.bo.root.public, GUEST)
    standing = village.with_(lower).standing(village.bo.device)
    assert standing is not None
    assert standing.rank == MEMBER


def test_a_promotion_does_not_change_who_admitted() -> None:
    village = Village()
    cy, added = village.newcomer("cy")
    grant = village.bo.grant(cy.root.public, GUEST, village.admit, added)
    promoted = village.ada.grant(cy.root.public, ADMIN, grant)
    membership = village.with_(added, grant, promoted)
    member = next(m for m in membership.members() if m.root == cy.root.public)
    assert (member.rank, member.admitted_by) == (ADMIN, village.bo.root.public)


def test_a_stranger_grants_nothing() -> None:
    village = Village()
    eve, added = village.newcomer("eve")
    grant = eve.grant(eve.root.public, GUEST)
    membership = village.with_(added, grant)
    assert membership.standing(eve.device) is None
    assert not membership.was_ever_admitted(eve.device)
    assert membership.knows_root(eve.root.public)


# --- judged at a frontier


def test_a_frontier_is_judged_by_its_past_alone() -> None:
    village = Village()
    membership = village.with_()
    before = frontier(membership, [village.invite.op_id, village.bo_added.op_id])
    after = frontier(membership, [village.admit.op_id])
    assert membership.judge(village.bo.device, CHAT, before) is None
    assert membership.judge(village.bo.device, CHAT, after) == Standing(
        village.bo.root.public, MEMBER
    )
    assert membership.judge(village.bo.device, CHAT, 0) is None
    reference = village.admit.reference
    assert membership.visible(village.bo.device, CHAT, after, reference)
    assert not membership.visible(village.bo.device, CHAT, before, reference)


@pytest.mark.parametrize(
    ("rank", "kind", "may"),
    [
        (GUEST, CHAT, True),
        (GUEST, DOCUMENT, False),
        (MEMBER, DOCUMENT, True),
        (MEMBER, CARD, False),
        (ADMIN, CARD, True),
        (GUEST, auth.AUTH_SEEN, True),
        (GUEST, 200, False),
        (MEMBER, 200, True),
    ],
)
def test_the_policy_says_which_rank_writes_what(rank: int, kind: int, may: bool) -> None:
    village = Village(rank)
    membership = village.with_()
    here = frontier(membership, [village.admit.op_id])
    assert (membership.judge(village.bo.device, kind, here) is not None) is may


def test_a_community_may_set_its_own_write_policy() -> None:
    village = Village(write=((CHAT, MEMBER), (DOCUMENT, GUEST)), rank=GUEST)
    membership = village.with_()
    here = frontier(membership, [village.admit.op_id])
    assert membership.judge(village.bo.device, CHAT, here) is None
    assert membership.judge(village.bo.device, DOCUMENT, here) is not None


def test_remembered_judgements_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("p2pvalue_protocol.visibility._REMEMBERED_MAX", 3)
    village = Village()
    membership = village.with_()
    here = frontier(membership, [village.admit.op_id])
    for kind in range(32, 64):
        assert membership.judge(village.ada.device, kind, here) is not None
        assert len(membership._visibility._judged) <= 3


# --- what peers may send


@pytest.mark.parametrize(
    "kind", [auth.GENESIS, auth.GRANT, auth.INVITE, auth.ADMIT, auth.DEV_ADD, auth.AUTH_SEEN]
)
@pytest.mark.parametrize("payload", [b"", b"\xc0", b"\x90", b"\x93\x01\x02\x03", b"\xff" * 100])
def test_a_payload_without_meaning_has_no_effect(kind: int, payload: bytes) -> None:
    village = Village()
    members = village.with_().members()
    assert village.with_(village.ada.write(kind, payload)).members() == members


def test_an_operation_taken_twice_counts_once() -> None:
    village = Village()
    assert village.with_(*village.operations).members() == village.with_().members()


# --- what callers may ask


@pytest.mark.parametrize(
    ("founders", "policy"),
    [
        (["ada", "ada"], {}),
        ([], {}),
        (["ada"], {"write": ((CHAT, GUEST), (CHAT, MEMBER))}),
        (["ada"], {"write": ((3, GUEST),)}),
        (["ada"], {"read": 2}),
        ([f"founder {n}" for n in range(8)], {}),
    ],
)
def test_a_founding_that_makes_no_sense_is_refused_with_a_next_step(
    founders: list[str], policy: dict[str, object]
) -> None:
    prekey = prekey_named("ada")
    entries = [
        auth.founder(key_named(n), key_named(n + "'").public, prekey, NONCE) for n in founders
    ]
    with pytest.raises(LocalProtocolError, match=r"must|check"):
        auth.genesis_payload(NONCE, entries, **policy)  # type: ignore[arg-type]  # cases


def test_other_callers_mistakes_are_refused_with_a_next_step() -> None:
    with pytest.raises(LocalProtocolError, match="pass invite_key"):
        auth.invite_payload(bytes(32), MEMBER, 1)
    with pytest.raises(LocalProtocolError, match="certifier"):
        auth.dev_add_payload(bytes(32), prekey_named("ada"), bytes(64), b"short")
    with pytest.raises(LocalProtocolError, match="exchange_key_of"):
        auth.dev_add_payload(bytes(32), bytes(32), bytes(64))
    with pytest.raises(LocalProtocolError, match="leave `seen` empty"):
        auth.dev_revoke_payload(bytes(32), bytes(32), seen=(bytes(32),))
    with pytest.raises(LocalProtocolError, match="two different operations"):
        auth.fork_payload(HERE, HERE)
    with pytest.raises(LocalProtocolError, match="0 for out"):
        auth.revoke_payload(bytes(32), 1)
    with pytest.raises(LocalProtocolError, match="named once"):
        auth.policy_payload(auth.JOIN_OPEN, MEMBER, ((35, 1), (35, 2)))
    with pytest.raises(LocalProtocolError, match="check both"):
        auth.root_seed(b"short", NONCE)


def test_the_root_of_one_person_differs_between_communities() -> None:
    entropy = bytes(range(32))
    assert auth.root_seed(entropy, NONCE) != auth.root_seed(entropy, bytes(32))
    assert auth.root_seed(entropy, NONCE) == auth.root_seed(entropy, NONCE)
