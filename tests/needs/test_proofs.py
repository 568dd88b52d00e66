"""What a file about a need proves to a stranger, and what she refuses or is told of."""

from __future__ import annotations

from functools import partial
from random import Random

import msgspec
import pytest

from p2pvalue_protocol import aead, limits, sealing
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.errors import Reason
from p2pvalue_protocol.ids import CONTENT, payload_hash_of, subject_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import chat, close, need, pledge
from p2pvalue_protocol.proof import making
from p2pvalue_protocol.proof.form import ProofForm, decode_proof
from p2pvalue_protocol.proof.reading import read_proof
from p2pvalue_protocol.proof.replay import replay
from tests.needs.proofs import (
    TERMS,
    Pond,
    dug,
    edited,
    outcome_of,
    places_of,
    refusal_of,
    repacked,
    root,
    unpacked,
    with_item,
    without_words,
)
from tests.protocol.authoring import key_named, signed
from tests.protocol.replicas import genesis_of, run_of, said

BOTH = pytest.mark.parametrize("read", [auth.READ_PUBLIC, auth.READ_MEMBERS])


# --- what it proves


@BOTH
def test_a_stranger_sees_who_pledged_what_was_triggered_and_what_was_confirmed(read: int) -> None:
    proven = read_proof(dug(read))
    assert proven.state.title == "Dig the pond behind the shed"
    assert proven.standing.state == "in-progress"
    found = [
        (p.offer.member, p.state, p.word and p.word.delivered) for p in proven.standing.pledges
    ]
    assert found == [(root("bea"), "confirmed", 60), (root("carl"), "binding", 0)]
    assert proven.names == {root(name.lower()): name for name in ("Ana", "Bea", "Carl")}
    assert proven.not_shown.is_whole
    assert proven.not_shown.pledges == 0


def test_the_file_names_the_community_and_who_founded_it() -> None:
    pond = Pond()
    proven = read_proof(pond.file())
    assert proven.community == pond.ana.community
    assert proven.founders == (root("ana"),)


def test_what_else_was_said_is_not_in_the_file() -> None:
    pond = Pond(auth.READ_PUBLIC)
    pond.say("bea", said("I hate ponds"))
    other = need.encode_need("A secret shed", [need.NeedLine("hours", "minute", 0, 1)])
    pond.say("carl", Draft(need.NUMBER, b"", other))
    pond.offer("bea")
    plain = unpacked(pond.file())
    assert b"Dig the pond" in plain
    assert b"I hate ponds" not in plain
    assert b"A secret shed" not in plain


def test_the_key_in_the_file_opens_that_payload_alone() -> None:
    form = decode_proof(dug())
    found = replay(form).operations
    shown = [(item.key, op) for item, op in zip(form.items, found, strict=True) if item.key]
    keys = {key for key, _ in shown}
    assert len(keys) == len(shown)
    for key, op in shown:
        assert op.payload is not None
        assert sealing.open_with_key(key, op.core, op.payload) is not None
        others = [other for other in keys if other != key]
        assert not any(sealing.open_with_key(k, op.core, op.payload) for k in others)


def test_two_files_with_the_same_words_have_the_same_digest_and_a_further_word_changes_it() -> None:
    pond = Pond()
    pond.offer("bea")
    before = read_proof(pond.file("ana")).digest
    assert read_proof(pond.file("carl")).digest == before
    pond.say("carl", said("hello"))
    assert read_proof(pond.file("ana")).digest == before
    pond.offer("carl")
    assert read_proof(pond.file("ana")).digest != before


def test_a_pledge_of_who_was_put_out_is_shown_and_does_not_count() -> None:
    pond = Pond()
    offer = pond.offer("bea")
    revoke = auth.revoke_payload(root("bea"))
    pond.say("ana", Draft(auth.REVOKE, b"", revoke))
    proven = read_proof(pond.file())
    assert [act.is_hidden for act in proven.acts] == [True]
    assert proven.standing.pledges == ()
    assert offer.op_id == proven.acts[0].order.op_id


def test_a_file_that_keeps_a_removal_back_has_another_digest_than_one_that_shows_it() -> None:
    """Who leaves it out tells another outcome by the same words: that is what digests are for."""
    pond = Pond()
    pond.offer("bea")
    before = read_proof(pond.file())
    pond.say("ana", Draft(auth.REVOKE, b"", auth.revoke_payload(root("bea"))))
    after = read_proof(pond.file())
    assert [act.name for act in after.acts] == [act.name for act in before.acts]
    assert (len(before.standing.pledges), len(after.standing.pledges)) == (1, 0)
    assert before.not_shown.is_whole
    assert after.digest != before.digest


# --- what is changed


def test_other_words_are_refused_whoever_has_the_key() -> None:
    """A payload is named by its hash in the core, and the core by the signature."""
    data = dug()
    form = decode_proof(data)
    found = replay(form).operations
    place = places_of(form, pledge.NUMBER)[0]
    item, op = form.items[place], found[place]
    assert op.payload is not None
    words = pledge.encode_pledge(form.need, bytes(16), 0, 599)
    salt = op.payload[: sealing.SALT_BYTES]
    forged = salt + aead.encrypt(item.key, sealing.pad(words), sealing._head_of(op.core))
    assert sealing.open_with_key(item.key, op.core, forged) == words
    assert payload_hash_of(forged) != op.core.payload_hash
    assert refusal_of(edited(data, lambda f: with_item(f, place, payload=forged))) == (
        Reason.SIGNATURE_INVALID
    )


def test_a_key_that_does_not_open_is_refused() -> None:
    data = dug()
    place = places_of(decode_proof(data), pledge.NUMBER)[0]
    for key in (bytes(32), b"", bytes(31)):
        forged = edited(data, partial(with_item, place=place, key=key))
        assert refusal_of(forged) == Reason.PROOF_INVALID


@BOTH
def test_no_operation_can_be_changed_or_left_out(read: int) -> None:
    data = dug(read)
    form = decode_proof(data)
    for place, item in enumerate(form.items):
        later = edited(data, partial(with_item, place=place, time=item.time + 1))
        assert refusal_of(later) is not None
        assert refusal_of(edited(data, partial(without, place=place))) is not None


def without(form: ProofForm, place: int) -> ProofForm:
    """A form without an item; those behind it name what they named, as far as it is there."""

    def moved(named: int) -> int:
        return named - (named > place)

    items = [
        msgspec.structs.replace(
            item,
            parents=[moved(parent) for parent in item.parents if parent != place],
            epoch=moved(item.epoch - 1) + 1 if item.epoch else 0,
        )
        for number, item in enumerate(form.items)
        if number != place
    ]
    return msgspec.structs.replace(form, items=items)


@BOTH
def test_a_file_that_is_cut_or_flipped_is_refused_or_says_the_same(read: int, rng: Random) -> None:
    data = dug(read)
    honest = outcome_of(read_proof(data))
    for _ in range(60):
        assert refusal_of(data[: rng.randrange(len(data))]) is not None
        at = rng.randrange(len(data))
        flipped = data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
        if refusal_of(flipped) is None:
            assert outcome_of(read_proof(flipped)) == honest
    plain = unpacked(data)
    for _ in range(120):
        at = rng.randrange(len(plain))
        flipped = plain[:at] + bytes([plain[at] ^ 1 << rng.randrange(8)]) + plain[at + 1 :]
        assert refusal_of(repacked(flipped)) is not None


# --- what is left out


@BOTH
def test_words_that_are_not_shown_are_told_or_refused(read: int) -> None:
    data = dug(read)
    form, told = decode_proof(data), []
    for place, item in enumerate(form.items):
        if item.kind not in (need.NUMBER, pledge.NUMBER, close.NUMBER):
            continue  # without her profile a member has no name
        hidden = without_words(data, place)
        if refusal_of(hidden) is not None:
            told.append("refused")
            continue
        not_shown = read_proof(hidden).not_shown
        told.append(f"{len(not_shown.changes)} {not_shown.named} {not_shown.pledges}")
    assert told == ["refused", "0 1 1", "0 1 1", "1 0 0", "0 0 1", "0 0 1", "0 0 1"]


def test_a_change_that_is_not_shown_is_told_with_its_operation() -> None:
    pond = Pond()
    changed = pond.change("Dig two ponds")
    data = pond.file()
    place = places_of(decode_proof(data), need.NUMBER)[1]
    hidden = without_words(data, place)
    proven = read_proof(hidden)
    assert proven.state.title == "Dig the pond"
    assert proven.not_shown.changes == (changed.op_id,)
    assert not proven.not_shown.is_whole


def test_pledges_to_other_needs_are_counted_for_nobody_can_tell_them_apart() -> None:
    pond = Pond()
    other = need.encode_need("A shed", [need.NeedLine("hours", "minute", 0, 1)])
    shed = subject_of(pond.say("carl", Draft(need.NUMBER, b"", other)).op_id)
    to_shed = pledge.encode_pledge(shed, bytes(16), 0, 1)
    pond.say("bea", Draft(pledge.NUMBER, b"", to_shed))
    pond.offer("bea")
    proven = read_proof(pond.file())
    assert proven.not_shown.pledges == 1
    assert proven.not_shown.is_whole


def test_what_was_kept_of_who_was_put_out_counts_and_is_missed_where_it_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pond = Pond()
    pond.offer("bea")
    last = pond.say("bea", said("bye"))
    revoke = auth.revoke_payload(root("bea"), keeps=(last,))
    pond.say("ana", Draft(auth.REVOKE, b"", revoke))
    proven = read_proof(pond.file())
    assert [p.state for p in proven.standing.pledges] == ["offered"]
    assert proven.not_shown.is_whole
    monkeypatch.setattr(making.Making, "_deciding", lambda making, devices: [])
    proven = read_proof(pond.file())
    assert proven.standing.pledges == ()
    assert proven.not_shown.kept == 1
    assert not proven.not_shown.is_whole


# --- what is no proof


def test_other_files_are_refused() -> None:
    data = dug()
    assert refusal_of(b"") == Reason.PROOF_INVALID
    assert refusal_of(b"# A page\n") == Reason.PROOF_INVALID
    assert refusal_of(data.replace(b"proof 1\n", b"proof 2\n", 1)) == Reason.UNSUPPORTED_VERSION
    assert refusal_of(data + b"?") == Reason.PROOF_INVALID
    assert refusal_of(repacked(unpacked(data) + b"\x00")) == Reason.NOT_CANONICAL


def test_a_file_in_which_the_need_does_not_stand_is_refused() -> None:
    strange = edited(dug(), lambda f: msgspec.structs.replace(f, need=bytes(16)))
    assert refusal_of(strange) == Reason.PROOF_INVALID


def test_a_file_without_its_genesis_first_is_refused() -> None:
    assert genesis_of(Pond().ana).core.kind == auth.GENESIS
    data = dug()
    form = decode_proof(data)
    swapped = [form.items[1], form.items[0], *form.items[2:]]
    forged = edited(data, lambda f: msgspec.structs.replace(f, items=swapped))
    assert refusal_of(forged) == Reason.PROOF_INVALID


def test_a_file_shows_the_words_of_its_own_kinds_alone() -> None:
    pond = Pond(auth.READ_PUBLIC)
    pond.say("bea", said("I hate ponds"))
    pond.offer("bea")
    data = pond.file()
    place = places_of(decode_proof(data), chat.NUMBER)[0]
    words = chat.encode_chat_message("I hate ponds")
    shown = edited(data, lambda f: with_item(f, place, withheld=0, payload=words))
    assert refusal_of(shown) == Reason.PROOF_INVALID


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ("PROOF_BYTES_MAX", Reason.TOO_LONG),
        ("PROOF_PLAIN_BYTES_MAX", Reason.TOO_LONG),
        ("PROOF_OPERATIONS_MAX", Reason.OVER_LIMIT),
        ("PROOF_AUTH_OPERATIONS_MAX", Reason.OVER_LIMIT),
        ("PROOF_FRONTIERS_MAX", Reason.OVER_LIMIT),
    ],
)
def test_a_file_takes_a_bounded_memory(
    limit: str, reason: Reason, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = dug()
    form = decode_proof(data)
    found = replay(form)
    graph = found.ladder.graph
    size = {
        "PROOF_BYTES_MAX": len(data),
        "PROOF_PLAIN_BYTES_MAX": len(unpacked(data)),
        "PROOF_OPERATIONS_MAX": len(form.items),
        "PROOF_AUTH_OPERATIONS_MAX": len(graph),
        "PROOF_FRONTIERS_MAX": sum(len(graph.members_of(f)) for f in set(found.frontiers)),
    }[limit]
    monkeypatch.setattr(limits, limit, size)
    assert refusal_of(data) is None
    monkeypatch.setattr(limits, limit, size - 1)
    assert refusal_of(data) == reason


def test_an_epoch_that_is_named_by_its_field_alone_is_in_the_file() -> None:
    """Nothing else in the file leads to it: whoever names it may not name its place."""
    pond = Pond()
    pond.ana.replica.begin()
    pond.ana.replica.renew(pond.now_ms + 100)
    pond.ana.commit()
    key = pond.ana.replica.epochs.current(pond.now_ms + 200)
    assert key is not None
    heads = [h for h in pond.ana.replica.heads() if h.log_class == CONTENT]
    [head] = [h for h in heads if h.device == key_named("bea device").public]
    before = pond.ana.log_of(head)
    words = pledge.encode_pledge(pond.subject, TERMS, 0, 60)
    bare = msgspec.structs.replace(
        before[-1].core,
        seq=head.seq + 1,
        backlink=head.op_id,
        kind=pledge.NUMBER,
        subject=b"",
        parents=(),
        time=pond.now_ms + 1_000,
        epoch=key.record.epoch,
    )
    payload = sealing.seal_payload(key.secret, bare, words, bytes(24))
    core = msgspec.structs.replace(
        bare, payload_size=len(payload), payload_hash=payload_hash_of(payload)
    )
    offer = signed(core, payload, key_named("bea device"))
    pond.ana.take(run_of([*before, offer]), now_ms=pond.now_ms + 2_000)
    proven = read_proof(pond.file())
    assert [act.order.op_id for act in proven.acts] == [offer.op_id]
    assert proven.acts[0].member == root("bea")
