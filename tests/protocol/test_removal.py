"""What is written when somebody is to go: what it keeps, and who may write it at all."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import removal
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted, NotFound
from p2pvalue_protocol.ids import AUTH, CONTENT
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.invitation import invite_key
from p2pvalue_protocol.keys import verify
from p2pvalue_protocol.named import is_by_words
from p2pvalue_protocol.operation import Operation
from tests.protocol.authoring import NONCE, SECRET, key_named
from tests.protocol.replicas import (
    Chain,
    Copy,
    by_hand,
    device_added,
    genesis_of,
    invited,
    joined,
)

BEN = key_named("ben root").public
BENS = key_named("ben device").public


@pytest.fixture
def ben(ana: Copy) -> Copy:
    made = joined(ana, "ben")
    made.say("hello", "again")
    made.give(ana)
    return made


def revoked(draft: Draft) -> auth.RevokePayload:
    assert draft.kind == auth.REVOKE
    payload = auth.read_payload(auth.RevokePayload, draft.payload)
    assert payload is not None
    return payload


def test_a_removal_keeps_the_heads_of_both_logs_of_the_member(ana: Copy, ben: Copy) -> None:
    payload = revoked(removal.removal_draft(ana.replica, BEN))
    assert (payload.key, payload.rank) == (BEN, 0)
    heads = [head for head in ben.replica.heads() if head.device == BENS]
    assert {head.log_class for head in heads} == {AUTH, CONTENT}
    assert auth.references_of(payload.keeps) == tuple(heads)


def test_a_demotion_names_the_rank_that_is_left(ana: Copy, ben: Copy) -> None:
    assert revoked(removal.removal_draft(ana.replica, BEN, auth.GUEST)).rank == auth.GUEST
    with pytest.raises(NotAdmitted, match="weak already"):
        removal.removal_draft(ana.replica, BEN, auth.MEMBER)


def test_nobody_removes_who_is_no_weaker(ana: Copy, ben: Copy) -> None:
    founder = key_named("ana root").public
    with pytest.raises(NotAdmitted, match="ask an admin"):
        removal.removal_draft(ben.replica, founder)
    with pytest.raises(LocalProtocolError, match="leave"):
        removal.removal_draft(ana.replica, founder)
    with pytest.raises(NotFound, match="list the members"):
        removal.removal_draft(ana.replica, key_named("stranger").public)
    with pytest.raises(NotAdmitted, match="only reads"):
        removal.removal_draft(Copy(ana.community).replica, BEN)


def test_leaving_keeps_nothing_for_it_takes_nothing_back(ben: Copy) -> None:
    payload = revoked(removal.leave_draft(ben.replica))
    assert (payload.key, payload.rank, payload.keeps) == (BEN, 0, ())


def test_a_vote_is_among_equals_only(ana: Copy, ben: Copy) -> None:
    with pytest.raises(NotAdmitted, match="founders vote"):
        removal.vote_draft(ana.replica, BEN)


def test_a_grant_that_brings_back_keeps_what_is_held(ana: Copy, ben: Copy) -> None:
    draft = removal.return_draft(ana.replica, BEN, auth.MEMBER)
    payload = auth.read_payload(auth.GrantPayload, draft.payload)
    assert payload is not None
    heads = [head for head in ben.replica.heads() if head.device == BENS]
    assert (payload.root, payload.rank) == (BEN, auth.MEMBER)
    assert auth.references_of(payload.keeps) == tuple(heads)


def test_an_invite_is_taken_back_once_by_somebody_stronger(ana: Copy, ben: Copy) -> None:
    key = invite_key(SECRET).public
    payload = revoked(removal.withdrawal_draft(ana.replica, key))
    assert (payload.what, payload.key) == (1, key)
    with pytest.raises(NotAdmitted, match="stronger"):
        removal.withdrawal_draft(ben.replica, key)
    with pytest.raises(NotFound, match="no invite"):
        removal.withdrawal_draft(ana.replica, key_named("another").public)


def test_a_device_is_removed_with_what_is_held_of_it(ana: Copy, ben: Copy) -> None:
    draft = removal.device_removal_draft(ana.replica, BEN, BENS)
    payload = auth.read_payload(auth.DevRevokePayload, draft.payload)
    assert payload is not None
    assert (payload.root, payload.device, payload.certificate) == (BEN, BENS, b"")
    assert len(payload.keeps) == 2
    with pytest.raises(NotFound, match="no such device"):
        removal.device_removal_draft(ana.replica, BEN, key_named("another").public)
    with pytest.raises(NotAdmitted, match="24 words"):
        removal.device_removal_draft(ben.replica, BEN, BENS)


def test_the_words_remove_any_device_and_say_what_their_user_knew(ben: Copy) -> None:
    root = key_named("ben root")
    draft = removal.device_removal_by_words(ben.replica, root, BENS)
    payload = auth.read_payload(auth.DevRevokePayload, draft.payload)
    assert payload is not None
    assert payload.seen == tuple(ben.replica.graph.heads())
    keeps = auth.references_of(payload.keeps)
    message = auth.revocation_message(NONCE, BEN, BENS, payload.seen, keeps)
    assert verify(BEN, message, payload.certificate)


def test_only_a_removal_of_a_device_is_one_by_words(ben: Copy) -> None:
    draft = removal.device_removal_by_words(ben.replica, key_named("ben root"), BENS)
    held = genesis_of(ben)
    said = {
        kind: Operation(held.op_id, replace(held.core, kind=kind), b"", b"", draft.payload)
        for kind in auth.AUTH_KINDS
    }
    by_words = [kind for kind, op in said.items() if is_by_words(ben.replica.membership, op)]
    assert by_words == [auth.DEV_REVOKE]


def test_the_words_name_what_their_user_knew_by_the_heads_that_know_most(
    ben: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("p2pvalue_protocol.limits.SEEN_MAX", 1)
    genesis = genesis_of(ben)
    for number in range(6):  # heads that know of nothing but GENESIS
        ben.store_first(device_added(ben.community, genesis, f"stranger {number}"))
    heads = ben.replica.graph.heads()
    [knows_most] = [head for head in heads if ben.replica.graph.past_of(head).bit_count() > 2]
    assert knows_most != heads[0]
    draft = removal.device_removal_by_words(ben.replica, key_named("ben root"), BENS)
    payload = auth.read_payload(auth.DevRevokePayload, draft.payload)
    assert payload is not None
    assert payload.seen == (knows_most,)


def test_all_branches_of_a_log_are_kept_while_nothing_proves_the_fork(ana: Copy, ben: Copy) -> None:
    ana.take(by_hand(ben, "ben").run())
    branches = ana.replica.branches.of(BENS, CONTENT)
    assert len(branches) == 2
    kept = removal.keeps_for(ana.replica, root=BEN)
    assert {branch.head_id for branch in branches} < {k.op_id for k in kept.references}
    assert kept.left_out == ()


def test_heads_that_do_not_fit_are_named_and_no_log_loses_its_newest(
    ana: Copy, ben: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana.take(by_hand(ben, "ben").run())
    monkeypatch.setattr("p2pvalue_protocol.limits.KEEPS_MAX", 2)
    kept = removal.keeps_for(ana.replica, root=BEN)
    assert [k.log_class for k in kept.references] == [AUTH, CONTENT]
    (left_out,) = kept.left_out
    assert left_out.seq < kept.references[1].seq


def test_a_withdrawn_invite_is_not_withdrawn_again(ana: Copy) -> None:
    invited(ana)
    key = invite_key(SECRET).public
    ana.write(removal.withdrawal_draft(ana.replica, key))
    with pytest.raises(LocalProtocolError, match="already"):
        removal.withdrawal_draft(ana.replica, key)


def test_who_left_and_writes_on_as_if_she_had_not_can_be_put_out(ana: Copy, ben: Copy) -> None:
    [head] = [h for h in ben.replica.heads() if (h.device, h.log_class) == (BENS, CONTENT)]
    before_leaving = Chain(key_named("ben device"), ben.community, CONTENT, ben.log_of(head))
    done = len(before_leaving.operations)
    ben.write(removal.leave_draft(ben.replica))
    ben.give(ana)
    before_leaving.say("not gone")
    ana.take(before_leaving.run(done))
    assert ana.texts() == ["hello", "again", "not gone"]  # a leave takes nothing back
    ana.write(removal.removal_draft(ana.replica, BEN))
    before_leaving.say("still here")
    ana.take(before_leaving.run(done + 1))
    assert ana.texts() == ["hello", "again", "not gone"]
    with pytest.raises(NotFound):
        removal.removal_draft(ana.replica, BEN)


def test_who_comes_back_keeps_of_a_device_that_was_taken_from_her_what_was_kept_then(
    ana: Copy, ben: Copy
) -> None:
    ana.write(removal.device_removal_draft(ana.replica, BEN, BENS))
    kept = ana.replica.membership.keeps_of(BENS)
    assert kept
    assert ben.say("by a thief")
    ana.take(*ben.runs())
    ana.write(removal.removal_draft(ana.replica, BEN))
    draft = removal.return_draft(ana.replica, BEN, auth.MEMBER)
    grant = auth.read_payload(auth.GrantPayload, draft.payload)
    assert grant is not None
    assert auth.references_of(grant.keeps) == tuple(kept)


def test_who_comes_back_keeps_no_more_of_a_device_than_who_took_it_had_seen(
    ana: Copy, ben: Copy
) -> None:
    cem = joined(ana, "cem")
    root = key_named("cem root").public
    ana.write(Draft(auth.GRANT, b"", auth.grant_payload(root, auth.ADMIN)))
    ana.give(cem)
    [by_a_thief] = ben.say("by a thief")
    ana.take(*ben.runs())
    cem.write(removal.device_removal_draft(cem.replica, BEN, BENS))
    cem.give(ana)
    ana.write(removal.removal_draft(ana.replica, BEN))
    draft = removal.return_draft(ana.replica, BEN, auth.MEMBER)
    grant = auth.read_payload(auth.GrantPayload, draft.payload)
    assert grant is not None
    assert ana.replica.held(by_a_thief)
    assert grant.keeps
    assert by_a_thief not in auth.references_of(grant.keeps)


def test_whose_member_was_put_out_and_not_a_device_keeps_the_heads(ana: Copy, ben: Copy) -> None:
    heads = [head for head in ana.replica.heads() if head.device == BENS]
    ana.write(removal.removal_draft(ana.replica, BEN))
    grant = auth.read_payload(
        auth.GrantPayload, removal.return_draft(ana.replica, BEN, auth.MEMBER).payload
    )
    assert grant is not None
    assert auth.references_of(grant.keeps) == tuple(heads)


def test_who_is_no_member_has_nothing_to_leave(ana: Copy, ben: Copy) -> None:
    ana.write(removal.removal_draft(ana.replica, BEN))
    ana.give(ben)
    with pytest.raises(NotAdmitted, match="nothing to leave"):
        removal.leave_draft(ben.replica)


def test_who_is_not_stronger_brings_nobody_back(ana: Copy, ben: Copy) -> None:
    ana_root = key_named("ana root").public
    with pytest.raises(NotAdmitted, match="may not give that rank"):
        removal.return_draft(ben.replica, ana_root, auth.MEMBER)


def test_a_device_is_taken_away_once(ana: Copy, ben: Copy) -> None:
    ana.write(removal.device_removal_draft(ana.replica, BEN, BENS))
    with pytest.raises(LocalProtocolError, match="removed already"):
        removal.device_removal_draft(ana.replica, BEN, BENS)
