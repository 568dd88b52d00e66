"""Who makes an epoch, what its parts and wraps are worth, and which is written under."""

from __future__ import annotations

import itertools
import random

import pytest

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import limits
from p2pvalue_protocol.encoding import PayloadInvalid, encode
from p2pvalue_protocol.epoch_records import EpochRecord, EpochRecords, parts_of
from p2pvalue_protocol.ids import AUTH
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import epoch as kind
from p2pvalue_protocol.kinds.epoch import SEALS_PER_PART, Epoch, Wrap, decode_epoch, encode_epoch
from p2pvalue_protocol.rotation import epoch_drafts
from p2pvalue_protocol.sealing import (
    SALT_BYTES,
    SEAL_BYTES,
    commitment_of,
    seal_secret,
    topic_secret_of,
    wrap_secret,
)
from tests.protocol.authoring import key_named
from tests.protocol.replicas import (
    NOW_MS,
    Chain,
    Copy,
    admitted,
    frontier_of,
    joined,
    newcomer,
    said,
)
from tests.protocol.sealed import epochs_of, sealed_community


def drafts_of(copy: Copy) -> list[Draft]:
    """The parts of an epoch that a copy would make now."""
    copy.replica.begin()
    return epoch_drafts(copy.replica)


def test_a_guest_makes_no_epoch_however_well_she_seals() -> None:
    ana = sealed_community()
    ben = joined(ana, "ben")
    [draft] = drafts_of(ben)
    log = Chain(key_named("ben device"), ana.community)
    as_member = log.add(draft.payload, kind=kind.NUMBER, parents=frontier_of(ana))
    member_side = newcomer(ana)
    member_side.take(*ana.runs(), log.run())
    assert as_member.op_id in epochs_of(member_side)
    root = key_named("ben root").public
    ana.write(Draft(auth.REVOKE, b"", auth.revoke_payload(root, auth.GUEST)))
    ana.give(ben)
    [draft] = drafts_of(ben)
    log = Chain(key_named("ben device"), ana.community)
    as_guest = log.add(draft.payload, kind=kind.NUMBER, parents=frontier_of(ana))
    ana.take(log.run())
    assert ana.replica.held(as_guest.reference)
    assert as_guest.op_id not in epochs_of(ana)


def part(commitment: int, number: int, count: int) -> bytes:
    seals = bytes(SEAL_BYTES * (SEALS_PER_PART if number < count - 1 else 1))
    return encode_epoch(Epoch(bytes([commitment]) * 32, seals, number, count))


@pytest.mark.parametrize(
    ("earlier", "is_whole"),
    [
        ([part(1, 0, 3), part(1, 1, 3)], True),
        ([part(1, 1, 3), part(1, 0, 3)], False),
        ([part(1, 0, 3), part(1, 0, 3)], False),
        ([part(2, 0, 3), part(1, 1, 3)], False),
        ([part(1, 0, 4), part(1, 1, 3)], False),
        ([part(1, 1, 3)], False),
        ([b"no epoch", part(1, 1, 3)], False),
    ],
    ids=["whole", "swapped", "twice", "two secrets", "two counts", "one missing", "garbage"],
)
def test_an_epoch_is_all_parts_of_one_commitment_in_their_order(
    earlier: list[bytes], is_whole: bool
) -> None:
    found = parts_of(part(1, 2, 3), lambda count: earlier[-count:] if count else [])
    assert [p.part for p in found] == ([0, 1, 2] if is_whole else [])


def record(name: int, *wrapped: int, device: int = 1) -> EpochRecord:
    wraps = tuple(Wrap(bytes([older]) * 32, bytes(SALT_BYTES), bytes(48)) for older in wrapped)
    return EpochRecord(bytes([name]) * 32, bytes([device]) * 32, 1, 1, bytes(32), (), wraps)


def test_an_epoch_is_one_deeper_than_the_deepest_that_it_wraps_in_any_order() -> None:
    made = [record(9), record(8, 9), record(7, 8, 9), record(6, 9), record(5, 7, 6), record(4)]
    for order in itertools.permutations(made):
        records = EpochRecords(())
        for one in order:
            records.insert(one)
        names = [found.epoch[0] for found in records.deepest_first()]
        assert names == [5, 7, 6, 8, 4, 9]


@pytest.mark.parametrize("seed", range(20))
def test_whatever_wraps_what_depths_are_the_same_in_any_order_of_arrival(seed: int) -> None:
    rng = random.Random(seed)
    count = rng.randint(5, 30)
    wrapped = [rng.sample(range(number), rng.randint(0, min(number, 4))) for number in range(count)]
    depths: list[int] = []
    for below in wrapped:
        depths.append(1 + max((depths[number] for number in below), default=0))
    records = EpochRecords(())
    for number in rng.sample(range(count), count):
        records.insert(record(number, *wrapped[number]))
    expected = sorted(range(count), key=lambda number: (-depths[number], number))
    assert [found.epoch[0] for found in records.deepest_first()] == expected


def test_a_wrap_of_another_secret_opens_nothing() -> None:
    ana = sealed_community()
    eve = joined(ana, "eve")
    [older] = epochs_of(eve)
    secret, salt = b"n" * 32, bytes(SALT_BYTES)
    commitment = commitment_of(ana.community, secret)
    seals = [
        seal_secret(ana.community, commitment, to.device, to.prekey, secret, b"e" * 32)
        for to in eve.replica.epochs.recipients()
    ]
    lie = wrap_secret(ana.community, secret, older, b"l" * 32, salt)
    payload = encode_epoch(Epoch(commitment, b"".join(seals), wraps=(Wrap(older, salt, lie),)))
    [newest] = eve.write(Draft(kind.NUMBER, b"", payload))
    eve.give(ana)
    admitted(ana, "ben")
    ben = Copy(ana.community, key_named("ben device"), name="ben")
    ben.replica.begin()
    ben.replica.learn([(newest.op_id, secret)])
    ben.commit()
    ana.give(ben)
    assert ben.replica.epochs.holds(newest.op_id)
    assert not ben.replica.epochs.holds(older)
    assert older in ben.replica.epochs.missing()


def test_one_secret_opens_all_older_ones_through_each_other() -> None:
    ana = sealed_community()
    admitted(ana, "ben")
    for _ in range(3):
        ana.replica.begin()
        ana.replica.renew(NOW_MS)
        ana.commit()
    ben = Copy(ana.community, key_named("ben device"), name="ben who lost his prekey")
    ana.give(ben)
    newest, *older = epochs_of(ana)
    assert ben.replica.epochs.missing() == [newest, *older]
    secret = ana.replica.epochs.unwrapped()[0].secret
    ben.replica.begin()
    assert ben.replica.learn([(newest, secret)]) == 1
    ben.commit()
    assert ben.replica.epochs.missing() == []
    ben.restart()
    assert ben.replica.epochs.missing() == []


def test_nobody_wraps_the_secret_of_an_audience() -> None:
    ana = sealed_community()
    ben = joined(ana, "ben")
    audience = tuple(sorted(key_named(f"{name} root").public for name in ("ana", "ben")))
    ana.write(said("for two")._replace(audience=audience))
    ana.give(ben)
    for copy in (ana, ben):
        [own] = copy.replica.epochs.usable(audience)
        assert copy.replica.epochs.holds(own.epoch)
        [draft] = drafts_of(copy)
        assert own.epoch not in [wrap.epoch for wrap in decode_epoch(draft.payload).wraps]
        assert own.epoch not in [key.record.epoch for key in copy.replica.epochs.unwrapped()]
        secret = copy.replica.epochs.current(NOW_MS, audience)
        assert secret is not None
        assert topic_secret_of(secret.secret) not in copy.replica.topic_secrets


def test_an_epoch_from_far_ahead_is_not_written_under() -> None:
    ana = sealed_community()
    [first] = epochs_of(ana)
    ahead_ms = NOW_MS + 10 * 60_000
    ana.replica.begin()
    ana.replica.renew(ahead_ms)
    ana.commit()
    epochs = ana.replica.epochs
    [newest] = [epoch for epoch in epochs_of(ana) if epoch != first]
    for latest_ms, expected in ((ahead_ms, newest), (ahead_ms - 1, first), (1, None)):
        key = epochs.current(latest_ms)
        assert (key.record.epoch if key is not None else None) == expected


def test_few_secrets_are_kept_whose_epochs_are_still_to_come() -> None:
    epochs = sealed_community().replica.epochs
    names = [number.to_bytes(32, "big") for number in range(limits.EPOCHS_EARLY_MAX)]
    assert all(epochs.learn(name, b"s" * 32) for name in names)
    assert not epochs.learn(b"one too many".ljust(32), b"s" * 32)
    assert [epoch for epoch, _ in epochs.early()] == names


def test_few_audiences_are_remembered_with_their_usable_epochs() -> None:
    epochs = sealed_community().replica.epochs
    for number in range(2 * limits.AUDIENCES_KEPT_MAX):
        assert epochs.usable((number.to_bytes(32, "big"),)) == []
        assert len(epochs._usable) <= limits.AUDIENCES_KEPT_MAX
    assert len(epochs.usable()) == 1


@pytest.mark.parametrize("guess", [bytes([number]) * 32 for number in range(8)])
def test_a_secret_that_came_early_is_worth_nothing_if_its_epoch_says_otherwise(
    guess: bytes,
) -> None:
    ana = sealed_community()
    [epoch] = epochs_of(ana)
    admitted(ana, "ben")
    ben = Copy(ana.community, key_named("ben device"), name="ben")
    ben.replica.begin()
    assert ben.replica.learn([(epoch, guess)]) == 1
    ben.commit()
    ana.give(ben)
    assert epochs_of(ben) == [epoch]
    for _ in range(2):
        assert not ben.replica.epochs.holds(epoch)
        ben.restart()
    ben.learn(ana)
    assert ben.replica.epochs.holds(epoch)


def test_an_epoch_that_comes_after_one_that_wraps_it_is_opened_by_that() -> None:
    ana = sealed_community()
    ben = joined(ana, "ben")
    admitted(ana, "cia")
    ana.give(ben)
    [older] = epochs_of(ana)
    [draft] = drafts_of(ben)
    log = Chain(key_named("ben device"), ana.community)
    auth_heads = [head for head in frontier_of(ana) if head.log_class == AUTH]
    newer = log.add(draft.payload, kind=kind.NUMBER, parents=auth_heads, time=NOW_MS + 1)
    cia = Copy(ana.community, key_named("cia device"), name="cia")
    runs = ana.runs()
    cia.take(*(run for run in runs if run.log_class == AUTH))
    cia.take(log.run())
    cia.settle()
    assert cia.replica.epochs.holds(newer.op_id)
    assert not cia.replica.epochs.holds(older)
    cia.take(*runs)
    assert cia.replica.epochs.holds(older)


def test_what_wraps_an_epoch_is_found_with_its_own_wrap_alone() -> None:
    names = [bytes([number]) * 32 for number in range(3)]
    wraps = tuple(Wrap(name, bytes(SALT_BYTES), name + bytes(16)) for name in names[:2])
    records = EpochRecords([])
    for number, wrapped in enumerate(((), (), wraps)):
        records.insert(EpochRecord(names[number], bytes(32), number, 1, bytes(32), (), wrapped))
    for name, wrap in zip(names, wraps, strict=False):
        assert [(found.epoch, held) for found, held in records.wrapping(name)] == [(names[2], wrap)]
    assert records.wrapping(names[2]) == []


def audience_of(count: int) -> Epoch:
    audience = tuple(number.to_bytes(32, "big") for number in range(count))
    return Epoch(bytes(32), bytes(SEAL_BYTES), audience=audience)


@pytest.mark.parametrize(
    ("epoch", "is_valid"),
    [
        (Epoch(bytes(32), bytes(SEAL_BYTES)), True),
        (Epoch(bytes(32), bytes(SEAL_BYTES), -1, 1), False),
        (audience_of(256), True),
        (audience_of(257), False),
    ],
    ids=["one part", "part -1", "256 members", "257 members"],
)
def test_an_epoch_has_parts_from_zero_and_an_audience_of_256(epoch: Epoch, is_valid: bool) -> None:
    data = encode(epoch)
    if is_valid:
        assert decode_epoch(data) == epoch
    else:
        with pytest.raises(PayloadInvalid):
            decode_epoch(data)
