"""Who makes epochs and when, and what the removed can read of what comes after."""

from __future__ import annotations

import random

import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.ids import CONTENT
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import epoch as kind
from p2pvalue_protocol.kinds.epoch import Epoch, Wrap, decode_epoch, encode_epoch
from p2pvalue_protocol.operation import decode_core
from p2pvalue_protocol.rotation import (
    epoch_drafts,
)
from p2pvalue_protocol.sealing import SEAL_BYTES
from tests.protocol.authoring import key_named
from tests.protocol.replicas import NOW_MS, Copy, admitted, founded, joined, said
from tests.protocol.sealed import epochs_of, removed, sealed_community

DAY_MS = 24 * 3_600 * 1_000


def payload_bytes(copy: Copy) -> bytes:
    """Every payload of every operation stored, one after the other."""
    rows = copy.store.operations_in_order(copy.community)
    return b"".join(row.payload or b"" for row in rows)


def test_a_community_for_members_begins_with_an_epoch_and_a_public_one_has_none() -> None:
    ana = sealed_community()
    [epoch] = epochs_of(ana)
    assert ana.replica.epochs.holds(epoch)
    assert epochs_of(founded("ana")) == []


def test_what_is_written_is_nowhere_in_the_operations_stored() -> None:
    ana = sealed_community()
    ana.say("what nobody else may read")
    assert ana.texts() == ["what nobody else may read"]
    assert b"nobody" not in payload_bytes(ana)
    clear = founded("ana")
    clear.say("what nobody else may read")
    assert b"nobody" in payload_bytes(clear)


def test_a_newcomer_with_the_secrets_reads_what_was_written_before() -> None:
    ana = sealed_community()
    ana.say("before")
    ben = joined(ana, "ben")
    assert ben.texts() == ["before"]
    ben.say("after")
    ben.give(ana)
    assert ana.texts() == ["before", "after"]
    assert ana.seen() == ben.seen()
    assert len(epochs_of(ana)) == 1  # nobody had to make another


def test_who_lacks_the_secret_holds_all_and_sees_it_when_the_secret_comes() -> None:
    ana = sealed_community()
    ana.say("one", "two")
    admitted(ana, "ben")
    ben = Copy(ana.community, key_named("ben device"), name="ben")
    ana.give(ben)
    assert ben.texts() == []
    assert ben.replica.sealed_count == 2
    assert ben.replica.heads() == ana.replica.heads()
    assert ben.replica.epochs.missing() == epochs_of(ana)
    ben.restart()
    assert ben.replica.sealed_count == 2
    ben.learn(ana)
    ben.settle()
    assert ben.texts() == ["one", "two"]
    assert ben.replica.sealed_count == 0
    assert ben.seen() == ana.seen()
    ben.restart()
    assert ben.texts() == ["one", "two"]


def test_a_secret_that_the_epoch_does_not_commit_to_is_not_taken() -> None:
    ana = sealed_community()
    admitted(ana, "ben")
    ben = Copy(ana.community, key_named("ben device"), name="ben")
    [epoch] = epochs_of(ana)
    assert ben.replica.learn([(epoch, b"garbage, given before it came!!!")]) == 1
    ana.give(ben)
    assert not ben.replica.epochs.holds(epoch)
    assert ben.replica.learn([(epoch, bytes(32))]) == 0
    ben.learn(ana)
    assert ben.replica.epochs.holds(epoch)


def test_removing_somebody_makes_an_epoch_in_the_same_input() -> None:
    ana = sealed_community()
    ben = joined(ana, "ben")
    first = epochs_of(ana)
    removed(ana, "ben")
    newest, *older = epochs_of(ana)
    assert older == first
    ana.say("without ben")
    reference = ana.replica.heads()[-1]
    [last] = [op for op in ana.log_of(reference) if op.op_id == reference.op_id]
    assert last.core.epoch == newest
    ana.give(ben)
    assert ben.replica.heads() == ana.replica.heads()
    assert ben.texts() == []


def test_the_removed_with_all_their_secrets_read_nothing_by_who_knows_of_it() -> None:
    ana = sealed_community()
    ben, cia = joined(ana, "ben"), joined(ana, "cia")
    ana.say("while ben was here")
    ana.give(ben, cia)
    removed(ana, "ben")
    ana.give(cia)
    cia.say("by cia")
    cia.give(ana)
    ana.say("by ana")
    ana.give(ben, cia)
    assert ana.texts() == cia.texts() == ["while ben was here", "by cia", "by ana"]
    assert ben.texts() == ["while ben was here"]
    assert ben.replica.sealed_count == 0  # it waits for nothing: it may not have the key
    assert ana.replica.epochs.secrets_for(key_named("ben device").public) == []
    [newest, _] = epochs_of(ben)
    assert not ben.replica.epochs.holds(newest)


def test_who_is_let_in_again_asks_for_the_keys_and_reads_what_was_missed() -> None:
    ana = sealed_community()
    ben = joined(ana, "ben")
    removed(ana, "ben")
    ana.say("without ben")
    grant = auth.grant_payload(key_named("ben root").public, auth.MEMBER)
    ana.write(Draft(auth.GRANT, b"", grant))
    ana.say("ben is back")
    ana.give(ben)
    wanted = ben.replica.epochs.missing()
    assert wanted == epochs_of(ana)[:1]
    assert ben.replica.sealed_count == 2
    keys = ana.replica.epochs.secrets_for(key_named("ben device").public, wanted)
    ben.replica.begin()
    assert ben.replica.learn((key.record.epoch, key.secret) for key in keys) == 1
    ben.commit()
    ben.settle()
    assert ben.texts() == ["without ben", "ben is back"]


def test_a_demotion_leaves_the_keys_as_they_are() -> None:
    ana = sealed_community()
    joined(ana, "ben")
    root = key_named("ben root").public
    ana.write(Draft(auth.REVOKE, b"", auth.revoke_payload(root, auth.GUEST)))
    assert len(epochs_of(ana)) == 1
    assert ana.replica.epochs.usable()


def test_seals_of_garbage_stop_nobody() -> None:
    ana = sealed_community()
    ben, eve = joined(ana, "ben"), joined(ana, "eve")
    eve.replica.begin()
    drafts = epoch_drafts(eve.replica)
    part = decode_epoch(drafts[0].payload)
    spoilt = encode_epoch(Epoch(part.commitment, bytes(len(part.seals)), wraps=part.wraps))
    eve.replica.write([Draft(kind.NUMBER, b"", spoilt)], NOW_MS)
    eve.commit()
    [garbage, first] = epochs_of(eve)
    eve.give(ana, ben)
    assert epochs_of(ben) == [garbage, first]
    assert ben.replica.epochs.missing() == [garbage]
    ben.say("under the epoch whose key I have")
    ben.give(ana)
    assert ana.texts() == ["under the epoch whose key I have"]
    ana.say("answered")
    ana.give(ben)
    assert ben.texts() == ["under the epoch whose key I have", "answered"]


def test_a_wrap_of_garbage_hides_no_older_epoch_from_newcomers() -> None:
    ana = sealed_community()
    eve = joined(ana, "eve")
    eve.replica.begin()
    drafts = epoch_drafts(eve.replica)
    part = decode_epoch(drafts[0].payload)
    [wrap] = part.wraps
    bent = Wrap(wrap.epoch, wrap.salt, bytes(len(wrap.wrapped)))
    payload = encode_epoch(Epoch(part.commitment, part.seals, wraps=(bent,)))
    eve.replica.write([Draft(kind.NUMBER, b"", payload)], NOW_MS)
    eve.commit()
    eve.give(ana)
    [newest, first] = epochs_of(ana)
    assert [key.record.epoch for key in ana.replica.epochs.unwrapped()] == [newest, first]
    ana.replica.begin()
    ana.replica.renew(NOW_MS)
    ana.commit()
    [handed] = ana.replica.epochs.unwrapped()
    ben = Copy(ana.community, key_named("ben device"), name="ben")
    admitted(ana, "ben")
    ben.replica.begin()
    ben.replica.learn([(handed.record.epoch, handed.secret)])
    ben.commit()
    ana.give(ben)
    assert all(ben.replica.epochs.holds(epoch) for epoch in epochs_of(ana))


def test_two_epochs_made_at_once_converge_on_one() -> None:
    ana = sealed_community()
    ben, cia, dan = (joined(ana, name) for name in ("ben", "cia", "dan"))
    ana.give(ben, cia, dan)
    root = key_named("dan root").public
    ana.write(Draft(auth.REVOKE, b"", auth.revoke_payload(root)))
    makers = [ben, cia]
    [removal] = [h for h in ana.replica.heads() if h.device == ana.replica.device][:1]
    runs = [run for run in ana.runs() if run.log_class != CONTENT]
    for maker in makers:
        maker.take(*runs)
        assert maker.replica.held(removal)
        assert maker.replica.epochs.usable() == []
        maker.say(f"by {maker.name}")  # it needs an epoch, and makes it
    for giver in (ben, cia, ana):
        giver.give(*[other for other in (ana, ben, cia) if other is not giver])
    for giver in (ben, cia, ana):
        giver.give(*[other for other in (ana, ben, cia) if other is not giver])
    best = {copy.replica.epochs.usable()[0].epoch for copy in (ana, ben, cia)}
    assert len(epochs_of(ana)) == 4
    assert best == {min(record.epoch for record in ana.replica.epochs.usable())}
    assert ana.texts() == ben.texts() == cia.texts()
    assert len(ana.texts()) == 2
    before = epochs_of(ana)
    ben.say("again")
    assert epochs_of(ben) == before


def test_a_guest_waits_until_the_keys_are_renewed() -> None:
    ana = sealed_community()
    ben = joined(ana, "ben")
    root = key_named("ben root").public
    ana.write(Draft(auth.REVOKE, b"", auth.revoke_payload(root, auth.GUEST)))
    cia = joined(ana, "cia")
    ana.give(ben, cia)
    removed(ana, "cia")
    ben.take(*[run for run in ana.runs() if run.log_class != CONTENT])
    with pytest.raises(LocalProtocolError, match="keys of this community are being renewed"):
        ben.say("too early")
    ana.give(ben)
    ben.say("now")
    assert ben.texts() == ["now"]


def test_a_part_of_the_members_has_an_epoch_of_its_own() -> None:
    ana = sealed_community()
    ben, cia = joined(ana, "ben"), joined(ana, "cia")
    ana.give(ben, cia)
    audience = tuple(sorted(key_named(f"{name} root").public for name in ("ana", "ben")))
    ana.write(said("for ben")._replace(audience=audience))
    ana.write(said("for ben too")._replace(audience=audience))
    ana.say("for all")
    ana.give(ben, cia)
    assert ben.texts() == ["for ben", "for ben too", "for all"]
    assert cia.texts() == ["for all"]
    assert cia.replica.sealed_count == 0
    assert cia.replica.epochs.missing() == []
    own = [record for record in ana.replica.epochs.records.deepest_first() if record.audience]
    assert len(own) == 1
    assert ana.replica.epochs.secrets_for(key_named("cia device").public, [own[0].epoch]) == []
    assert len(ana.replica.epochs.secrets_for(key_named("ben device").public)) == 2
    cia_secrets = ana.replica.epochs.unwrapped()
    assert own[0].epoch not in [key.record.epoch for key in cia_secrets]


@pytest.mark.parametrize("names", [["ben"], ["ana", "sue"], ["zoe", "ana"]])
def test_an_audience_is_members_and_its_author_among_them(names: list[str]) -> None:
    ana = sealed_community()
    joined(ana, "ben")
    before = ana.replica.heads()
    audience = tuple(key_named(f"{name} root").public for name in names)
    with pytest.raises(LocalProtocolError, match="and you among them"):
        ana.write(said("to whom?")._replace(audience=audience))
    clear = founded("ana")
    with pytest.raises(LocalProtocolError, match="for sealed content only"):
        clear.write(said("to whom?")._replace(audience=audience))
    assert ana.replica.heads() == before


def test_what_somebody_reads_survives_a_rebuild() -> None:
    ana = sealed_community()
    joined(ana, "ben")
    ana.say("before")
    removed(ana, "ben")
    ana.say("after")
    seen, epochs = ana.seen(), epochs_of(ana)
    ana.store.clear_views(ana.community)
    ana.restart()
    ana.settle()
    assert ana.seen() == seen
    assert ana.texts() == ["before", "after"]
    assert epochs_of(ana) == epochs


def test_an_epoch_for_others_than_those_who_are_live_is_none() -> None:
    ana = sealed_community()
    ben = joined(ana, "ben")
    before = epochs_of(ben)
    for count in (0, 1, 3):
        payload = encode_epoch(Epoch(bytes([count]) * 32, bytes(SEAL_BYTES * max(count, 1))))
        if count:
            ben.write(Draft(kind.NUMBER, b"", payload))
    assert epochs_of(ben) == before
    payload = encode_epoch(Epoch(bytes(32), bytes(SEAL_BYTES * 2)))
    ben.write(Draft(kind.NUMBER, b"", payload))
    assert len(epochs_of(ben)) == len(before) + 1


def test_every_content_operation_of_members_names_an_epoch_of_its_past() -> None:
    ana = sealed_community()
    rng = random.Random(1)
    ben = joined(ana, "ben")
    for _ in range(10):
        writer, other = rng.sample([ana, ben], 2)
        writer.say(f"{rng.random()}")
        writer.give(other)
    for row in ana.store.operations_in_order(ana.community):
        core = decode_core(row.core)
        assert bool(core.epoch) == (core.kind == 35)
