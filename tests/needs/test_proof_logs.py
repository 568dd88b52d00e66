"""What a file holds of logs that fork, that wait for something, or that were kept."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature

import msgspec
import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import limits
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.errors import LocalProtocolError, Reason
from p2pvalue_protocol.ids import AUTH, CONTENT, Reference
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import need, pledge
from p2pvalue_protocol.operation import KIND_AUTH_MAX, Operation
from p2pvalue_protocol.past import Past
from p2pvalue_protocol.proof import replay
from p2pvalue_protocol.proof.form import ProofForm, decode_proof
from p2pvalue_protocol.proof.reading import read_proof
from tests.needs.proofs import TERMS, Pond, dug, edited, places_of, refusal_of, root, with_item
from tests.protocol.authoring import key_named
from tests.protocol.replicas import Chain, auth_log, joined, run_of

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


def forked_and_kept(pond: Pond) -> tuple[Operation, Operation]:
    """An offer of Bea's, and one in a branch that waits for ever; Ana keeps both, and not Bea."""
    log = beas_log(pond)
    other = log.branch(len(log.operations))
    offer, waiting = offered(log, pond), offered(other, pond, NOWHERE)
    pond.ana.take(log.run())
    pond.ana.take(other.run())
    put_out(pond, offer, waiting)
    return offer, waiting


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
    offer, _ = forked_and_kept(pond)
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


def test_what_was_kept_of_an_auth_log_and_waits_is_told_to_be_missing(pond: Pond) -> None:
    offer = pond.offer("bea")
    nowhere = Reference(BEAS, AUTH, 7, b"?" * 32)
    waiting = auth_log(pond.ana, "bea").add(b"", kind=auth.AUTH_SEEN, parents=[nowhere])
    pond.ana.take(run_of([waiting]))
    keeps = tuple(sorted((offer, waiting.reference)))
    pond.say("ana", Draft(auth.REVOKE, b"", auth.revoke_payload(root("bea"), keeps=keeps)))
    proven = read_proof(pond.file())
    assert [act.order.op_id for act in proven.acts] == [offer.op_id]
    assert proven.not_shown.kept == 1


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


def test_a_file_is_judged_as_if_nothing_was_held_before() -> None:
    for name, asked in vars(Past).items():
        if not name.startswith("_"):
            arguments = [None] * (len(signature(asked).parameters) - 1)
            assert not list(getattr(replay.NoPast(), name)(*arguments) or ()), name


# --- what whoever has all the keys could write


def with_log(form: ProofForm, place: int, **changes: object) -> ProofForm:
    logs = list(form.logs)
    logs[place] = msgspec.structs.replace(logs[place], **changes)
    return msgspec.structs.replace(form, logs=logs)


def with_operation_twice(form: ProofForm) -> ProofForm:
    """The founding once more, in a log of its own."""
    again = msgspec.structs.replace(form.items[0], log=len(form.logs))
    logs = [*form.logs, form.logs[form.items[0].log]]
    return msgspec.structs.replace(form, logs=logs, items=[*form.items, again])


def with_other_class(form: ProofForm) -> ProofForm:
    log = form.items[places_of(form, pledge.NUMBER)[0]].log
    return with_log(form, log, log_class=AUTH)


def with_kind_of_later(form: ProofForm) -> ProofForm:
    """An operation that decides who may do what, of a kind that no version has yet."""
    last = max(place for place, item in enumerate(form.items) if item.kind <= KIND_AUTH_MAX)
    return with_item(form, last, kind=KIND_AUTH_MAX)


def with_founding_unread(form: ProofForm) -> ProofForm:
    return with_item(form, 0, payload=b"?")


def with_no_such_log(form: ProofForm) -> ProofForm:
    return with_item(form, len(form.items) - 1, log=len(form.logs))


def with_device_unread(form: ProofForm) -> ProofForm:
    return with_item(form, places_of(form, auth.DEV_ADD)[0], payload=b"?")


def with_founding_for_an_epoch(form: ProofForm) -> ProofForm:
    return with_item(form, places_of(form, pledge.NUMBER)[0], epoch=1)


def with_other_base(form: ProofForm) -> ProofForm:
    """Bea's words, which begin after what Ana said."""
    place = places_of(form, pledge.NUMBER)[0]
    return with_log(form, form.items[place].log, base=1)


def with_first_of_many(form: ProofForm) -> ProofForm:
    """More branches of one log than anybody holds, each with other words."""
    place = places_of(form, pledge.NUMBER)[0]
    item, count = form.items[place], limits.BRANCHES_PER_LOG_MAX
    logs = [form.logs[item.log]] * count
    items = [
        msgspec.structs.replace(item, log=len(form.logs) + n, time=item.time + n)
        for n in range(count)
    ]
    return msgspec.structs.replace(form, logs=[*form.logs, *logs], items=[*form.items, *items])


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (with_operation_twice, Reason.PROOF_INVALID),
        (with_other_class, Reason.PROOF_INVALID),
        (with_kind_of_later, Reason.UNSUPPORTED_VERSION),
        (with_founding_unread, Reason.PROOF_INVALID),
        (with_no_such_log, Reason.PROOF_INVALID),
        (with_device_unread, Reason.PROOF_INVALID),
        (with_founding_for_an_epoch, Reason.EPOCH_INVALID),
        (with_other_base, Reason.PROOF_INVALID),
        (with_first_of_many, Reason.OVER_LIMIT),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_no_log_can_hold_is_refused_also_if_all_of_it_is_signed(
    edit: Callable[[ProofForm], ProofForm], reason: Reason, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "verify", lambda *signed: True)
    data = dug(auth.READ_PUBLIC)
    assert refusal_of(data) is None
    assert refusal_of(edited(data, edit)) == reason


def test_what_follows_in_a_log_follows_its_last_operation_in_the_file(pond: Pond) -> None:
    _, waiting = forked_and_kept(pond)
    data = pond.file()
    (place,) = (n for n, log in enumerate(decode_proof(data).logs) if log.tail)
    strange = encode(msgspec.structs.replace(waiting.core, seq=waiting.core.seq + 1))
    forged = edited(data, lambda form: with_log(form, place, tail=[strange]))
    assert refusal_of(forged) == Reason.BACKLINK_MISMATCH
