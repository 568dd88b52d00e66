"""What would keep a reader for days is refused before she begins."""

from __future__ import annotations

import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import limits
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.proof.form import decode_proof
from p2pvalue_protocol.proof.replay import replay
from tests.needs.proofs import Pond, refusal_of, root
from tests.protocol.authoring import key_named


def takings(offer: Reference) -> dict[int, bytes]:
    """What can be said against Bea, or her device; whether it counts is not asked here."""
    bea, device = root("bea"), key_named("bea device").public
    other = Reference(offer.device, offer.log_class, offer.seq, bytes(32))
    return {
        auth.REVOKE: auth.revoke_payload(bea),
        auth.DEV_REVOKE: auth.dev_revoke_payload(bea, device),
        auth.FORK: auth.fork_payload(offer, other),
        auth.GRANT: auth.grant_payload(bea, auth.MEMBER, (offer,)),
    }


@pytest.mark.parametrize("kind", [auth.REVOKE, auth.DEV_REVOKE, auth.FORK, auth.GRANT])
def test_a_file_that_gives_and_takes_a_rank_without_end_is_refused_before_it_is_judged(
    kind: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether her words count is asked of all of these: a file of 6 kB kept a reader for 17 s."""
    pond = Pond(auth.READ_PUBLIC)
    offer = pond.offer("bea")
    for _ in range(5):
        pond.say("ana", Draft(kind, b"", takings(offer)[kind]))
        pond.say("ana", Draft(auth.GRANT, b"", auth.grant_payload(root("bea"), auth.MEMBER)))
    data = pond.file()
    operations = replay(decode_proof(data)).operations
    written = sum(op.core.device == offer.device for op in operations)
    given = 1 + sum(op.core.kind == auth.GRANT for op in operations)  # ADMIT
    others = sum(op.core.device != offer.device for op in operations)  # Ana's: one rank each
    monkeypatch.setattr(limits, "PROOF_JUDGEMENTS_MAX", written * (given + 5) + others)
    assert refusal_of(data) is None
    monkeypatch.setattr(limits, "PROOF_JUDGEMENTS_MAX", written * (given + 5) + others - 1)
    assert refusal_of(data) == Reason.OVER_LIMIT


def test_of_who_was_made_weaker_each_rank_given_is_judged_with_each_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pond = Pond(auth.READ_PUBLIC)
    offer = pond.offer("bea")
    for _ in range(5):
        pond.say("ana", Draft(auth.REVOKE, b"", auth.revoke_payload(root("bea"), auth.GUEST)))
        pond.say("ana", Draft(auth.GRANT, b"", auth.grant_payload(root("bea"), auth.MEMBER)))
    data = pond.file()
    operations = replay(decode_proof(data)).operations
    written = sum(op.core.device == offer.device for op in operations)
    others = len(operations) - written
    monkeypatch.setattr(limits, "PROOF_JUDGEMENTS_MAX", written * 6 * 5 + others)
    assert refusal_of(data) is None
    monkeypatch.setattr(limits, "PROOF_JUDGEMENTS_MAX", written * 6 * 5 + others - 1)
    assert refusal_of(data) == Reason.OVER_LIMIT


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (auth.VOTE, auth.vote_payload(root("dan"))),
        (auth.POLICY, auth.policy_payload(auth.JOIN_INVITE, auth.MEMBER, ())),
    ],
)
def test_votes_and_policies_at_each_frontier_are_pairs_to_be_judged_too(
    kind: int, payload: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which of them count may be asked wherever somebody wrote: 2 kB kept a reader for 6 s."""
    pond = Pond(auth.READ_PUBLIC)
    for _ in range(5):
        pond.say("ana", Draft(kind, b"", payload))
    data = pond.file()
    asked = len(replay(decode_proof(data)).operations) + sum(range(1, 6))
    monkeypatch.setattr(limits, "PROOF_JUDGEMENTS_MAX", asked)
    assert refusal_of(data) is None
    monkeypatch.setattr(limits, "PROOF_JUDGEMENTS_MAX", asked - 1)
    assert refusal_of(data) == Reason.OVER_LIMIT
