"""What is told of logs: heads that are leaves, and runs that lead to them within every limit."""

from __future__ import annotations

import random

import msgspec
import pytest

from p2pvalue_protocol import limits
from p2pvalue_protocol.ids import CONTENT, Reference
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import chat, document
from p2pvalue_protocol.log import Run, encode_batch
from p2pvalue_protocol.past import OperationRow
from p2pvalue_protocol.serving import _ITEM_BYTES, runs_up_to
from tests.protocol.authoring import key_named
from tests.protocol.replicas import NOW_MS, Chain, Copy, frontier_of, joined


def content_head(copy: Copy) -> Reference:
    """The one head of the copy's own content log."""
    (head,) = [head for head in copy.replica.heads() if head.log_class == CONTENT]
    return head


def stretches(copy: Copy, head: Reference, bytes_max: int) -> list[list[Run]]:
    """What is served towards a head, call by call."""
    served = []
    seq: int | None = 0
    while seq is not None:
        runs, seq = copy.replica.runs(head.log_class, head.device, seq, head.op_id, bytes_max)
        assert runs
        served.append(runs)
    return served


def test_every_run_ends_in_a_signature_and_follows_the_one_before(ana: Copy) -> None:
    ana.say(*(f"{number}" for number in range(300)))
    ana.runs()
    served = [run for runs in stretches(ana, content_head(ana), 5_000) for run in runs]
    assert all(run.items[-1].signature for run in served)
    assert [run.first_seq for run in served] == [0, 64, 128, 192, 256]
    assert sum(len(run.items) for run in served) == 300


def test_large_budgets_make_long_runs_up_to_their_limit(ana: Copy) -> None:
    ana.say(*(f"{number}" for number in range(1_000)))
    ana.runs()
    (runs,) = stretches(ana, content_head(ana), 10**6)
    assert [len(run.items) for run in runs] == [256, 256, 256, 232]


def test_serving_may_begin_anywhere(ana: Copy) -> None:
    ana.say(*(f"{number}" for number in range(100)))
    ana.runs()
    head = content_head(ana)
    runs, rest = ana.replica.runs(CONTENT, head.device, 70, head.op_id, 10**6)
    assert rest is None
    assert (runs[0].first_seq, len(runs[0].items)) == (70, 30)
    assert runs[0].backlink == ana.log_of(head)[69].op_id


def test_a_head_that_moved_on_is_served_up_to_where_it_is_now(ana: Copy) -> None:
    ana.say("one")
    ana.runs()
    old = content_head(ana)
    ana.say("two")
    ana.runs()
    runs, _ = ana.replica.runs(CONTENT, old.device, 0, old.op_id, 10**6)
    assert len(runs[0].items) == 2


def test_unknown_heads_and_logs_are_not_served(ana: Copy) -> None:
    ana.say("one")
    ana.runs()
    head = content_head(ana)
    assert ana.replica.runs(CONTENT, b"x" * 32, 0, head.op_id, 10**6) == ([], None)
    assert ana.replica.runs(CONTENT, head.device, 5, head.op_id, 10**6) == ([], None)


def test_an_old_head_of_a_forked_log_is_not_guessed_at(ana: Copy) -> None:
    joined(ana, "eve")
    log = Chain(key_named("eve device"), ana.community)
    log.say("0", parents=frontier_of(ana))
    fork = log.branch(1)
    log.say("left")
    fork.say("right")
    ana.take(log.run(), fork.run())
    op_id = log.operations[0].op_id
    assert ana.replica.runs(CONTENT, log.key.public, 0, op_id, 10**6) == ([], None)


def test_the_largest_stretch_fits_one_frame_even_if_nothing_compresses(
    ana: Copy, rng: random.Random
) -> None:
    for size in (62_000, 1_000, 61_500, 33_000, 33_000, 500, 62_000):
        payload = document.encode_document_update(rng.randbytes(size), 1)
        ana.write(Draft(document.UPDATE_NUMBER, b"d" * 16, payload))
    ana.runs()
    for runs in stretches(ana, content_head(ana), 1):
        assert len(runs) == 1
        assert len(encode_batch(runs)) + 64 <= limits.FRAME_BYTES_MAX


def test_serving_reads_no_more_than_it_serves_of_large_operations(ana: Copy) -> None:
    payload = document.encode_document_update(b"u" * 60_000, 1)
    ana.write(*[Draft(document.UPDATE_NUMBER, b"d" * 16, payload)] * 300)
    ana.runs()
    head = content_head(ana)
    past = ana.store.past(ana.community)
    read = past.operations
    counts = []

    def counted(log: int, first_seq: int, count: int) -> list[OperationRow]:
        rows = read(log, first_seq, count)
        counts.append(len(rows))
        return rows

    past.operations = counted  # type: ignore[method-assign]  # counts, then reads
    ana.replica.runs(CONTENT, head.device, 0, head.op_id, limits.BATCH_BYTES_TARGET)
    assert 0 < sum(counts) <= 64


def test_heads_ascend_and_are_the_same_list_until_one_moves(ana: Copy) -> None:
    joined(ana, "ben")
    ana.say("one")
    heads = ana.replica.heads()
    assert heads == sorted(heads, key=lambda head: (head.device, head.log_class, head.op_id))
    assert ana.replica.heads() is heads
    version = ana.replica.heads_version
    ana.say("two", now_ms=NOW_MS + 1)
    assert ana.replica.heads_version > version
    assert ana.replica.heads() != heads


@pytest.mark.parametrize("from_seq", [0, 1, 63, 64, 100])
def test_what_fits_is_told_at_once_wherever_it_begins(ana: Copy, from_seq: int) -> None:
    ana.write(*[Draft(chat.NUMBER, b"", chat.encode_chat_message("m"))] * 1_000)
    ana.runs()
    head = content_head(ana)
    runs, rest = ana.replica.runs(CONTENT, head.device, from_seq, head.op_id, 1 << 20)
    assert rest is None
    assert sum(len(run.items) for run in runs) == head.seq + 1 - from_seq


def test_nothing_leads_up_to_what_is_not_held_or_lies_behind(ana: Copy) -> None:
    ana.say("one", "two")
    ana.runs()
    head = content_head(ana)
    branches = ana.replica.branches
    (run,), rest = runs_up_to(branches, head, 0, 10**6)
    assert (len(run.items), rest) == (2, None)
    assert runs_up_to(branches, head, head.seq, 10**6)[0]
    assert runs_up_to(branches, head, head.seq + 1, 10**6) == ([], None)
    assert runs_up_to(branches, msgspec.structs.replace(head, op_id=bytes(32)), 0, 10**6) == (
        [],
        None,
    )


def test_a_head_that_moved_on_is_what_a_peer_is_given_who_wants_the_old_one(ana: Copy) -> None:
    ana.say("one")
    ana.runs()
    old = content_head(ana)
    ana.say("two")
    ana.runs()
    runs, _ = ana.replica.runs_wanted(old, 0, 10**6)
    assert sum(len(run.items) for run in runs) == old.seq + 2


@pytest.mark.parametrize("bytes_max", [1, 9_000, 20_000, 41_000, 80_000, 200_000])
def test_what_is_served_at_once_is_no_larger_than_asked_for_but_for_one_stretch(
    ana: Copy, rng: random.Random, bytes_max: int
) -> None:
    sizes = [rng.choice((10, 900, 9_000, 14_000)) for _ in range(90)]
    for size in sizes:
        update = document.encode_document_update(bytes(size), 1)
        ana.write(Draft(document.UPDATE_NUMBER, b"d" * 16, update))
    ana.runs()
    head = content_head(ana)
    served, seq = 0, 0
    while True:
        runs, rest = ana.replica.runs(CONTENT, head.device, seq, head.op_id, bytes_max)
        items = [item for run in runs for item in run.items]
        signed = [number for number, item in enumerate(items, 1) if item.signature]
        assert signed[-1] == len(items)
        first = runs[0].items
        size = sum(len(item.payload) + _ITEM_BYTES for item in first)
        assert size <= bytes_max or signed[0] == len(first)
        served += len(items)
        if rest is None:
            break
        assert rest == seq + len(items)
        seq = rest
    assert served == head.seq + 1
