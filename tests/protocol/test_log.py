"""Runs and batches: what a run leaves out is built again, and hostile bytes are refused."""

from __future__ import annotations

import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pvalue_protocol import limits
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.ids import AUTH, CONTENT, ZERO32, Reference
from p2pvalue_protocol.kinds import chat
from p2pvalue_protocol.log import Item, Run, decode_batch, encode_batch, operations_of
from p2pvalue_protocol.operation import decode_core
from tests.protocol.authoring import key_named
from tests.protocol.replicas import Chain, run_of

COMMUNITY = b"c" * 32


def written() -> Chain:
    """A log of three messages, the second with a parent."""
    log = Chain(key_named("device"), COMMUNITY)
    log.say("one")
    log.say("two", parents=[Reference(b"d" * 32, CONTENT, 3, b"i" * 32)], is_signed=False)
    log.say("three")
    return log


def refusal_of(run: Run) -> Reason:
    """Why a run cannot be what its author signed."""
    with pytest.raises(Refused) as refusal:
        operations_of(run, COMMUNITY)
    return refusal.value.reason


def batch_refusal_of(data: bytes) -> Reason:
    """Why bytes are no batch."""
    with pytest.raises(Refused) as refusal:
        decode_batch(data)
    return refusal.value.reason


def test_operations_come_out_of_a_run_as_they_went_in() -> None:
    log = written()
    assert operations_of(log.run(), COMMUNITY) == log.operations
    assert operations_of(log.run(1), COMMUNITY) == log.operations[1:]


def test_a_batch_comes_back_as_it_was() -> None:
    runs = [written().run(), written().run(2)]
    assert decode_batch(encode_batch(runs)) == runs


@pytest.mark.parametrize("size", [0, 1, 100, 1_000, 3_900, 4_100, 9_000])
def test_a_small_batch_comes_out_as_short_as_with_the_whole_window(size: int) -> None:
    words = b"".join(b"%d bread, %d roses " % (n, n % 7) for n in range(size))[:size]
    runs = [Run(COMMUNITY, CONTENT, 0, ZERO32, [Item(35, b"", [], 1, words, bytes(range(64)))])]
    batch = encode_batch(runs)
    assert decode_batch(batch) == runs
    assert len(batch) <= len(zlib.compress(zlib.decompress(batch), 1))


def test_a_batch_of_more_operations_than_any_frame_needs_is_refused() -> None:
    item = Item(66, b"", [], 1, b"", b"")
    few = limits.BATCH_OPERATIONS_MAX // limits.RUN_OPERATIONS_MAX
    run = Run(COMMUNITY, CONTENT, 0, ZERO32, [item] * limits.RUN_OPERATIONS_MAX)
    bomb = encode_batch([run] * (few + 1))
    assert len(bomb) < 2_000
    assert batch_refusal_of(bomb) is Reason.OVER_LIMIT
    assert len(decode_batch(encode_batch([run] * few))) == few


def test_a_run_of_more_than_256_operations_is_no_batch() -> None:
    item = Item(66, b"", [], 1, b"", b"")
    most, more = (
        encode_batch([Run(COMMUNITY, CONTENT, 0, ZERO32, [item] * count)])
        for count in (limits.RUN_OPERATIONS_MAX, limits.RUN_OPERATIONS_MAX + 1)
    )
    assert len(decode_batch(most)[0].items) == limits.RUN_OPERATIONS_MAX
    assert batch_refusal_of(more) is Reason.FRAME_INVALID


def test_a_batch_that_unfolds_to_more_than_a_mebibyte_is_refused() -> None:
    item = Item(35, b"", [], 1, bytes(limits.PAYLOAD_BYTES_MAX), b"")
    fits, bomb = (
        encode_batch([Run(bytes(32), CONTENT, 0, bytes(32), [item] * count)]) for count in (15, 16)
    )
    assert len(zlib.decompress(fits)) < limits.BATCH_BYTES_MAX < len(zlib.decompress(bomb))
    assert len(bomb) < 10_000
    assert len(decode_batch(fits)[0].items) == 15
    assert batch_refusal_of(bomb) is Reason.FRAME_INVALID


@pytest.mark.parametrize(
    "damage", [lambda d: d[:-1], lambda d: d + b"x", lambda d: b"", lambda d: d[1:]]
)
def test_damaged_bytes_are_no_batch(damage: object) -> None:
    assert callable(damage)
    assert batch_refusal_of(damage(encode_batch([written().run()]))) is Reason.FRAME_INVALID


@given(st.binary(max_size=200) | st.binary(max_size=200).map(zlib.compress))
def test_whatever_bytes_come_only_a_refusal_leaves(data: bytes) -> None:
    try:
        runs = decode_batch(data)
    except Refused:
        return
    assert all(run.items for run in runs)


@given(
    st.builds(
        Run,
        st.just(b"d" * 32),
        st.sampled_from([AUTH, CONTENT]),
        st.sampled_from([0, 1, limits.SEQ_MAX]),
        st.sampled_from([ZERO32, b"b" * 32]),
        st.lists(
            st.builds(
                Item,
                st.integers(0, 255),
                st.binary(max_size=16),
                st.just([]),
                st.integers(0, limits.TIME_MS_MAX),
                st.binary(max_size=3),
                st.sampled_from([b"", b"s" * 64]),
            ),
            min_size=1,
            max_size=3,
        ),
    )
)
def test_whatever_a_run_says_only_a_refusal_leaves(run: Run) -> None:
    try:
        operations = operations_of(run, COMMUNITY)
    except Refused:
        return
    assert all(decode_core(op.core_bytes) == op.core for op in operations)
    assert {op.core.log_class for op in operations} == {run.log_class}


def test_a_run_beyond_the_last_seq_is_refused() -> None:
    run = msgspec.structs.replace(written().run(1), first_seq=limits.SEQ_MAX)
    assert refusal_of(run) is Reason.FRAME_INVALID


def test_a_run_is_of_one_class() -> None:
    run = msgspec.structs.replace(written().run(), log_class=AUTH)
    assert refusal_of(run) is Reason.FRAME_INVALID


def test_a_first_run_has_no_backlink_and_others_have_one() -> None:
    run = written().run()
    assert refusal_of(msgspec.structs.replace(run, first_seq=1)) is Reason.BACKLINK_MISMATCH
    later = written().run(1)
    assert refusal_of(msgspec.structs.replace(later, first_seq=0)) is Reason.BACKLINK_MISMATCH


def test_whatever_is_changed_in_a_run_changes_the_ids() -> None:
    run = written().run()
    last = written().operations[-1].op_id
    payload = chat.encode_chat_message("lie")
    changed = [
        msgspec.structs.replace(
            run, items=[msgspec.structs.replace(item, **change), *run.items[1:]]
        )
        for item in run.items[:1]
        for change in ({"payload": payload}, {"time": 5}, {"kind": 36}, {"subject": bytes(16)})
    ]
    assert all(operations_of(other, COMMUNITY)[-1].op_id != last for other in changed)
    assert operations_of(run, b"o" * 32)[-1].op_id != last
    assert run_of(operations_of(run, COMMUNITY)) == run


def test_a_core_that_a_run_implies_has_at_most_1_kib_whatever_its_fields_hold() -> None:
    log = Chain(key_named("ana device"), bytes(32))
    most = limits.SEQ_MAX
    parents = [Reference(bytes([n]) * 32, CONTENT, most, bytes([n]) * 32) for n in range(10)]
    log.say("one", parents=parents, time=limits.TIME_MS_MAX)
    fullest = msgspec.structs.replace(
        log.run().items[0], kind=255, subject=b"s" * 16, epoch=b"e" * 32, payload=bytes(65_536)
    )
    run = Run(log.key.public, CONTENT, most, b"b" * 32, [fullest])
    assert 1_000 < len(operations_of(run, bytes(32))[0].core_bytes) <= limits.CORE_BYTES_MAX


def test_what_many_peers_want_is_packed_once_if_it_is_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    packed: list[int] = []
    compressor = zlib.compressobj

    def counting(level: int, method: int, window_bits: int, memory_level: int) -> object:
        packed.append(window_bits)
        return compressor(level, method, window_bits, memory_level)

    monkeypatch.setattr(zlib, "compressobj", counting)
    log = Chain(key_named("packed once"), COMMUNITY)
    log.say("news")
    short = [log.run()]
    assert encode_batch(short) == encode_batch(short)
    assert len(packed) == 1
    log.say("x" * 5_000)
    assert encode_batch([log.run()]) == encode_batch([log.run()])
    assert len(packed) == 3
