"""What a peer asked for is put into frames that are well filled, and is read about once."""

from __future__ import annotations

import msgspec
import pytest

from p2pvalue_protocol import frames as f
from p2pvalue_protocol import limits
from p2pvalue_protocol.access import EVERYTHING, Scope
from p2pvalue_protocol.ids import AUTH, CONTENT, Reference
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import chat, document
from p2pvalue_protocol.log import decode_batch
from p2pvalue_protocol.past import OperationRow
from p2pvalue_protocol.supply import Supply
from tests.protocol.replicas import NOW_MS, Copy, founded
from tests.protocol.sealed import sealed_community


def read_by(copy: Copy) -> list[OperationRow]:
    """The list to which every operation is added that a copy reads from its store from now on."""
    past = copy.store.past(copy.community)
    read, found = past.operations, list[OperationRow]()

    def noted(log: int, first_seq: int, count: int) -> list[OperationRow]:
        rows = read(log, first_seq, count)
        found.extend(rows)
        return rows

    past.operations = noted  # type: ignore[method-assign]  # notes, then answers
    return found


def supplied(copy: Copy, ack_after_ms: int = 0) -> list[f.Ops]:
    """The frames that bring somebody the copy's own content log."""
    supply = Supply(copy.replica, lambda: EVERYTHING)
    supply.want(
        f.Want(head.device, head.log_class, 0, head.seq, head.op_id)
        for head in copy.replica.heads()
        if head.log_class == CONTENT
    )
    frames = []
    while supply.has_work:
        frames.append(supply.next_frame(NOW_MS))
        supply.acked(NOW_MS + ack_after_ms)
    return frames


def count_in(frame: f.Ops) -> int:
    return sum(len(run.items) for run in decode_batch(frame.batch))


def test_sealed_operations_fill_frames_though_they_do_not_compress_and_are_read_once() -> None:
    ana = sealed_community()
    for _ in range(6):
        ana.write(*[Draft(chat.NUMBER, b"", chat.encode_chat_message("m" * 200))] * 500)
    ana.runs()
    read = read_by(ana)
    frames = supplied(ana)
    assert sum(map(count_in, frames)) == 3_001
    assert 3_001 <= len(read) < 1.3 * 3_001
    assert all(len(frame.batch) > 0.7 * limits.FRAME_BYTES_MAX for frame in frames[3:-1])


def test_frames_begin_small_and_grow_only_where_they_are_acknowledged_at_once() -> None:
    ana = sealed_community()
    for _ in range(8):
        ana.write(*[Draft(chat.NUMBER, b"", chat.encode_chat_message("m"))] * 500)
    ana.runs()
    of_quick, of_usual, of_slow = (
        [len(frame.batch) for frame in supplied(ana, ack_after_ms)]
        for ack_after_ms in (0, 2_000, 5_000)
    )
    first_bytes = of_quick[0]
    assert first_bytes < limits.FRAME_BYTES_MAX / 4
    assert max(of_quick) > 0.7 * limits.FRAME_BYTES_MAX
    assert max(of_usual) < 2 * first_bytes
    # One signed stretch of 64 operations goes whole, however small frames should be.
    assert max(of_slow[1:]) < max(of_usual)


def test_frames_for_the_slow_still_hold_two_kibibytes() -> None:
    ana = sealed_community()
    for _ in range(300):
        ana.say("m" * 100)
        ana.runs()  # signs each by itself
    frames = supplied(ana, ack_after_ms=5_000)
    assert sum(map(count_in, frames)) == 301
    late = [len(frame.batch) for frame in frames[8:-1]]
    assert min(late) > 1_024
    assert max(late) < 3 * 1_024


def test_frames_for_the_slow_shrink_by_half_each_time() -> None:
    ana = sealed_community()
    for _ in range(300):
        ana.say("m" * 100)
        ana.runs()  # signs each by itself
    sizes = [len(frame.batch) for frame in supplied(ana, ack_after_ms=5_000)]
    assert [round(size / 2_048) for size in sizes[1:4]] == [2, 1, 1]


def test_a_frame_answers_so_many_wants_at_most() -> None:
    supply = Supply(founded().replica, lambda: EVERYTHING)
    unknown = f.Want(bytes(32), CONTENT, 0, 0, bytes(32))
    supply.want([unknown] * (limits.WANTS_PER_FRAME_MAX + 1))
    assert [supply.next_frame(NOW_MS).finished for _ in range(2)] == [limits.WANTS_PER_FRAME_MAX, 1]


def test_what_compresses_well_is_sent_in_large_batches_again_after_something_that_does_not() -> (
    None
):
    ana = founded()
    letters = "".join(chr(0x4E00 + number * 7_919 % 20_000) for number in range(5_400))
    for text in (*[letters] * 8, *["again and again " * 10] * 4_000):
        ana.write(
            Draft(
                document.UPDATE_NUMBER, b"d" * 16, document.encode_document_update(text.encode(), 1)
            )
        )
    ana.runs()
    counts = [count_in(frame) for frame in supplied(ana)]
    assert sum(counts) == 4_008
    assert max(counts) * 320 > 0.8 * limits.BATCH_BYTES_TARGET


def test_who_may_see_some_heads_is_given_these_and_no_other() -> None:
    ana = founded()
    ana.say("one", "two")
    ana.runs()
    auth_head, content_head = sorted(ana.replica.heads(), key=lambda head: head.log_class)

    def given(*shown: Reference) -> list[int]:
        supply = Supply(ana.replica, lambda: Scope((AUTH, CONTENT), shown))
        supply.want(
            f.Want(head.device, head.log_class, 0, head.seq, head.op_id)
            for head in (auth_head, content_head)
        )
        frame = supply.next_frame(NOW_MS)
        assert frame.finished == 2
        return [run.log_class for run in decode_batch(frame.batch)]

    assert given(auth_head, content_head) == [AUTH, CONTENT]
    assert given(auth_head) == [AUTH]
    assert given(msgspec.structs.replace(content_head, op_id=bytes(32))) == []


def test_a_stretch_that_no_frame_carries_ends_its_want_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ana = founded()
    ana.say("".join(chr(0x4E00 + number * 7_919 % 20_000) for number in range(1_500)))
    ana.runs()
    monkeypatch.setattr(limits, "FRAME_BYTES_MAX", 1_000)
    supply = Supply(ana.replica, lambda: EVERYTHING)
    heads = sorted(ana.replica.heads(), key=lambda head: -head.log_class)
    supply.want(f.Want(h.device, h.log_class, 0, h.seq, h.op_id) for h in heads)
    first, second = supply.next_frame(NOW_MS), supply.next_frame(NOW_MS)
    assert (first.finished, decode_batch(first.batch)) == (1, [])
    assert [run.log_class for run in decode_batch(second.batch)] == [AUTH]
    assert not supply.has_work
