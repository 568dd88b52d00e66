"""Who owes a chunk keeps it from nobody, whatever else she brings."""

from __future__ import annotations

from p2pvalue_protocol import frames as f
from p2pvalue_protocol import limits
from p2pvalue_protocol.chunk_requests import ChunkRequests
from p2pvalue_protocol.ids import CONTENT
from p2pvalue_protocol.log import encode_batch
from tests.protocol.authoring import key_named
from tests.protocol.chunk_link import (
    CHUNKS,
    GARDEN,
    SEALED,
    fetching_of,
    give,
    members,
    took,
)
from tests.protocol.meeting import NOW_MS


def test_frames_that_bring_nothing_do_not_keep_alive_who_owes_a_chunk() -> None:
    link = members()
    link.want(0, CHUNKS[:1])
    link.settle()
    nowhere = f.HeadEntry(key_named("ben device").public, CONTENT, 9, bytes(32))
    link.now_ms += limits.REPLY_MS_MAX - 1
    give(link, 0, f.Heads(bytes(16), 0, [nowhere]))
    assert isinstance(f.decode_frame(link.wires[0].pop()), f.Wants)
    give(link, 0, f.Ops(1, encode_batch([])))
    link.now_ms += 1
    link.act(0, link.sessions[0].wakeup)
    assert link.closed == [("ada", None)]


def test_who_brings_words_and_no_chunk_keeps_it_from_nobody() -> None:
    fetching = fetching_of(CHUNKS[:2])
    silent, other = (ChunkRequests(GARDEN, fetching, lambda: True) for _ in range(2))
    took(silent, 0)  # so two may be under way
    assert silent.next_frames(NOW_MS) == [f.ChunksWanted(CHUNKS[1:2])]
    assert fetching.take_news()
    silent.is_alive(NOW_MS + limits.REPLY_MS_MAX - 1)
    assert silent.next_frames(NOW_MS + limits.REPLY_MS_MAX - 1) == []
    assert not fetching.take_news()
    late_ms = NOW_MS + limits.REPLY_MS_MAX
    assert silent.next_frames(late_ms) == []
    assert fetching.take_news()
    assert other.next_frames(late_ms) == [f.ChunksWanted(CHUNKS[1:2])]
    assert silent.next_frames(late_ms) == []
    assert not fetching.take_news()
    assert other.take(f.Chunk(SEALED[1]), late_ms) == (CHUNKS[1], SEALED[1])
    assert silent.take(f.Chunk(SEALED[1]), late_ms) is None
