"""What a file holds of logs that fork, that wait for something, or that were kept."""

from __future__ import annotations

import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import limits
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.ids import CONTENT, Reference
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import need, pledge
from p2pvalue_protocol.operation import Operation
from p2pvalue_protocol.proof.form import decode_proof
from p2pvalue_protocol.proof.reading import read_proof
from tests.needs.proofs import TERMS, Pond, root
from tests.protocol.authoring import key_named
from tests.protocol.replicas import Chain, joined

BEAS = key_named("bea device").public
NOWHERE = Reference(BEAS, CONTENT, 7, b"?" * 32)  # nobody ever wrote it


def beas_log(pond: Pond) -> Chain:
    """Bea's content log as everybody has it."""
    (head,) = (h for h in pond.ana.replica.heads() if (h.device, h.log_class) == (BEAS, CONTENT))
    return Chain(key_named("bea device"), pond.ana.community, CONTENT, pond.ana.log_of(head))


def offered(log: Chain, pond: Pond, *parents: Reference) -> Operation:
    payload = pledge.encode_pledge(pond.subject, TERMS, 0, 60)
    pond.now_ms += 10
    return log.add(payload, kind=pledge.NUMBER, parents=parents, time=pond.now_ms)


def put_out(pond: Pond, *kept: Operation) -> None:
    keeps = tuple(op.reference for op in kept)
    pond.say("ana", Draft(auth.REVOKE, b"", auth.revoke_payload(root("bea"), keeps=keeps)))


@pytest.fixture
def pond() -> Pond:
    return Pond(auth.READ_PUBLIC)


def test_an_offer_in_either_branch_of_a_log_is_shown_with_what_it_branches_off(pond: Pond) -> None:
    log = beas_log(pond)
    other = log.branch(len(log.operations))
    one, two = offered(log, pond), offered(other, pond, pond.ana.replica.heads()[0])
    pond.ana.take(log.run())
    pond.ana.take(other.run())
    proven = read_proof(pond.file())
    assert {act.order.op_id for act in proven.acts} == {one.op_id, two.op_id}


def test_what_was_kept_of_a_branch_that_waits_is_in_the_file_though_nothing_of_it_counts(
    pond: Pond,
) -> None:
    log = beas_log(pond)
    other = log.branch(len(log.operations))
    offer, waiting = offered(log, pond), offered(other, pond, NOWHERE)
    pond.ana.take(log.run())
    pond.ana.take(other.run())
    put_out(pond, offer, waiting)
    data = pond.file()
    proven = read_proof(data)
    assert [act.order.op_id for act in proven.acts] == [offer.op_id]
    assert [len(log.tail) for log in decode_proof(data).logs if log.tail] == [1]
    assert proven.not_shown.is_whole


def test_what_was_kept_of_a_branch_of_what_waits_itself_is_told_to_be_missing(pond: Pond) -> None:
    log = beas_log(pond)
    offer = offered(log, pond)
    offered(log, pond, NOWHERE)
    other = log.branch(len(log.operations))
    offered(log, pond)
    kept = offered(other, pond, NOWHERE)
    pond.ana.take(log.run())
    pond.ana.take(other.run())
    put_out(pond, offer, kept)
    proven = read_proof(pond.file())
    assert [act.order.op_id for act in proven.acts] == [offer.op_id]
    assert proven.not_shown.kept == 1
    assert not proven.not_shown.is_whole


def test_what_was_kept_of_a_log_that_never_began_to_count_is_in_the_file(pond: Pond) -> None:
    pond.copies["dan"] = joined(pond.ana, "dan")
    log, other = (Chain(key_named("dan device"), pond.ana.community) for _ in range(2))
    offer = offered(log, pond, *pond.ana.replica.heads())
    waiting = offered(other, pond, NOWHERE)
    pond.ana.take(log.run())
    pond.ana.take(other.run())
    keeps = tuple(sorted((offer.reference, waiting.reference)))
    pond.say("ana", Draft(auth.REVOKE, b"", auth.revoke_payload(root("dan"), keeps=keeps)))
    proven = read_proof(pond.file())
    assert [act.order.op_id for act in proven.acts] == [offer.op_id]
    assert proven.not_shown.is_whole


def test_a_change_that_nobody_can_open_is_in_the_file_without_words_and_told() -> None:
    pond = Pond()
    offer = pond.offer("bea")
    log = beas_log(pond)
    noise = bytes(range(96))
    change = log.add(
        noise, kind=need.NUMBER, subject=pond.subject, epoch=log.operations[-1].core.epoch
    )
    pond.ana.take(log.run())
    assert pond.ana.replica.epochs.open(change.core, noise) is None
    pond.close(offer)  # which knows of the change
    proven = read_proof(pond.file())
    assert proven.state.title == "Dig the pond"
    assert proven.not_shown.changes == (change.op_id,)


def test_more_than_a_file_holds_is_told_to_who_makes_one(
    pond: Pond, monkeypatch: pytest.MonkeyPatch
) -> None:
    pond.offer("bea")
    items = len(decode_proof(pond.file()).items)
    monkeypatch.setattr(limits, "PROOF_OPERATIONS_MAX", items)
    assert read_proof(pond.file())
    monkeypatch.setattr(limits, "PROOF_OPERATIONS_MAX", items - 1)
    with pytest.raises(LocalProtocolError, match="by members only"):
        pond.file()
