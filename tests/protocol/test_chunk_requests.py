"""Chunks of blobs come from whoever has them, one peer after the other, and never as a surprise."""

from __future__ import annotations

import pytest

from p2pvalue_protocol import frames as f
from p2pvalue_protocol import inputs as i
from p2pvalue_protocol import limits
from p2pvalue_protocol.auth_payloads import READ_PUBLIC
from p2pvalue_protocol.chunk_requests import ChunkRequests, ChunkSupply
from p2pvalue_protocol.effects import ChunkAsked, ChunkNowhere
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.fetching import Fetching
from tests.protocol.chunk_link import (
    BY_NAME,
    CHUNKS,
    GARDEN,
    SEALED,
    ChunkLink,
    asked,
    fetching_of,
    give,
    members,
    met,
    took,
)
from tests.protocol.desk import Computer
from tests.protocol.meeting import NOW_MS, Community


def test_a_member_gets_the_chunks_that_it_wants_in_their_order() -> None:
    link = members()
    link.want(0, CHUNKS)
    link.carry()
    assert link.brought(0) == CHUNKS
    assert not link.closed
    assert link.brought(1) == []


def test_more_and_more_are_under_way_while_they_come_at_once_and_one_when_they_do_not() -> None:
    link = members()
    link.want(0, CHUNKS)
    link.settle()
    assert asked(link, 0) == CHUNKS[:1]
    link.carry()
    requests = ChunkRequests(GARDEN, fetching_of(CHUNKS), lambda: True)
    assert under_way(requests, 0) == 1
    for after_ms in (999, 0) * 6:
        took(requests, after_ms)
    assert under_way(requests, 999) == limits.CHUNKS_UNDER_WAY_MAX
    took(requests, 3_000)
    assert under_way(requests, 3_000) == limits.CHUNKS_UNDER_WAY_MAX - 1


def under_way(requests: ChunkRequests, now_ms: int) -> int:
    """Ask for what there is room for; return how many chunks are under way."""
    requests.next_frames(NOW_MS + now_ms)
    return len(requests._asked)


def test_a_chunk_that_comes_after_it_is_wanted_no_more_is_not_kept() -> None:
    link = members()
    link.want(0, CHUNKS[:2])
    link.want(0, CHUNKS[1:2])
    link.carry()
    assert link.brought(0) == CHUNKS[1:2]


def test_who_has_it_not_is_asked_once_and_again_after_the_next_comparison() -> None:
    link = members()
    link.held[1].clear()
    link.want(0, CHUNKS[:3])
    link.carry()
    assert sorted(asked(link, 0)) == sorted(CHUNKS[:3])
    link.held[1].update(BY_NAME)
    link.now_ms += 1_000
    link.act(0, link.sessions[0].wakeup)
    link.carry()
    assert link.brought(0) == []
    link.now_ms += limits.HEADS_EVERY_MS_MAX
    link.act(0, link.sessions[0].wakeup)
    link.carry()
    assert sorted(link.brought(0)) == sorted(CHUNKS[:3])


def test_no_more_are_asked_in_vain_than_a_peer_is_asked_and_the_rest_comes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "CHUNKS_IN_VAIN_MAX", 3)
    requests = ChunkRequests(GARDEN, fetching_of(CHUNKS[:5]), lambda: True)
    assert in_vain(requests) == CHUNKS[:3]
    requests.ask_again()
    assert in_vain(requests) == CHUNKS[3:5]
    requests.ask_again()
    assert in_vain(requests) == CHUNKS[:3]


def in_vain(requests: ChunkRequests) -> list[bytes]:
    """Let a peer that has nothing be asked as long as it is."""
    found: list[bytes] = []
    while frames := requests.next_frames(NOW_MS):
        for frame in frames:
            assert isinstance(frame, f.ChunksWanted)
            found += frame.chunks
            for _ in frame.chunks:
                requests.take(f.Chunk(b""), NOW_MS)
    return found


def test_what_one_peer_owes_or_has_not_another_is_asked_for() -> None:
    fetching = fetching_of(CHUNKS[:2])
    first, second = (ChunkRequests(GARDEN, fetching, lambda: True) for _ in range(2))
    assert first.next_frames(NOW_MS) == [f.ChunksWanted(CHUNKS[:1])]
    assert second.next_frames(NOW_MS) == [f.ChunksWanted(CHUNKS[1:2])]
    assert fetching.take_news()
    assert not fetching.take_news()
    first.take(f.Chunk(b""), NOW_MS)
    assert fetching.take_news()
    second.take(f.Chunk(SEALED[1]), NOW_MS)
    assert second.next_frames(NOW_MS) == [f.ChunksWanted(CHUNKS[:1])]
    second.end()
    assert fetching.take_news()
    assert fetching.take(GARDEN, first, 9, ()) == CHUNKS[:1]


def test_that_nobody_in_touch_has_a_chunk_is_told_when_the_last_has_said_so() -> None:
    fetching = fetching_of(CHUNKS[:1])
    may_second = [True]
    first = ChunkRequests(GARDEN, fetching, lambda: True)
    second = ChunkRequests(GARDEN, fetching, lambda: may_second[0])
    stranger = ChunkRequests(GARDEN, fetching, lambda: False)
    assert stranger.next_frames(NOW_MS) == []
    asked_of(first)
    assert first.take(f.Chunk(b""), NOW_MS) is None
    asked_of(second)
    assert second.take(f.Chunk(b""), NOW_MS) == (CHUNKS[0], b"")
    second.ask_again()
    asked_of(second)
    second.take(f.Chunk(b""), NOW_MS)
    first.ask_again()
    asked_of(first)
    may_second[0] = False
    assert first.take(f.Chunk(b""), NOW_MS) == (CHUNKS[0], b"")
    third = ChunkRequests(GARDEN, fetching, lambda: True)
    first.ask_again()
    asked_of(first)
    assert first.take(f.Chunk(b""), NOW_MS) is None
    third.end()
    first.ask_again()
    asked_of(first)
    assert first.take(f.Chunk(b""), NOW_MS) == (CHUNKS[0], b"")


def asked_of(requests: ChunkRequests) -> None:
    assert requests.next_frames(NOW_MS) == [f.ChunksWanted(CHUNKS[:1])]


def test_a_shell_is_told_what_its_only_peer_has_not() -> None:
    link = members()
    link.held[1].clear()
    link.want(0, CHUNKS[:2])
    link.carry()
    garden = link.nodes[0].replica.community
    assert [t for t in link.told[0] if isinstance(t, ChunkNowhere)] == [
        ChunkNowhere(garden, chunk) for chunk in CHUNKS[:2]
    ]


def test_wrong_bytes_end_the_session_and_another_peer_is_asked() -> None:
    link = members()
    link.want(0, CHUNKS[:1])
    give(link, 0, f.Chunk(SEALED[1]))
    assert link.closed == [("ada", Reason.UNASKED)]
    assert link.brought(0) == []
    link.cut()
    assert link.nodes[0].fetching.take(link.nodes[0].replica.community, 0, 9, ()) == CHUNKS[:1]


def test_a_chunk_that_nobody_asked_for_ends_the_session() -> None:
    link = members()
    give(link, 0, f.Chunk(SEALED[0]))
    assert link.closed == [("ada", Reason.UNASKED)]


def test_who_asks_without_taking_answers_is_left() -> None:
    link = members()
    wanted = f.ChunksWanted(CHUNKS[: limits.CHUNKS_PER_FRAME_MAX])
    for _ in range(limits.CHUNKS_QUEUED_MAX // limits.CHUNKS_PER_FRAME_MAX):
        give(link, 1, wanted)
    assert not link.closed
    give(link, 1, wanted)
    assert link.closed == [("ben", Reason.OVER_LIMIT)]


def test_one_chunk_is_read_at_a_time() -> None:
    link = members()
    give(link, 1, f.ChunksWanted(CHUNKS[:5]))
    assert link.told[1] == [ChunkAsked(1, link.nodes[1].replica.community, CHUNKS[0])]


def test_who_owes_a_chunk_and_brings_nothing_for_ten_seconds_is_left() -> None:
    link = members()
    link.want(0, CHUNKS[:1])
    link.settle()
    assert link.sessions[0].next_wakeup_ms() == link.now_ms + limits.REPLY_MS_MAX
    link.now_ms += limits.REPLY_MS_MAX - 1
    link.act(0, link.sessions[0].wakeup)
    assert not link.closed
    link.now_ms += 1
    link.act(0, link.sessions[0].wakeup)
    assert link.closed == [("ada", None)]


def test_operations_keep_alive_who_owes_a_chunk() -> None:
    link = members()
    link.want(0, CHUNKS[:1])
    link.settle()
    link.now_ms += limits.REPLY_MS_MAX - 1
    link.nodes[1].say("something new", now_ms=link.now_ms)
    link.poke(1)
    link.settle()
    link.now_ms += limits.REPLY_MS_MAX - 1
    link.act(0, link.sessions[0].wakeup)
    assert not link.closed


def test_operations_go_before_chunks() -> None:
    link = members()
    ben = link.nodes[1]
    references = ben.say("much to say", times=300)
    head = references[-1]
    ben.runs()  # signs it
    want = f.Want(head.device, head.log_class, 0, head.seq, head.op_id)
    give(link, 1, f.ChunksWanted(CHUNKS[:1]))
    assert [type(told) for told in link.told[1]] == [ChunkAsked]
    link.told[1].clear()
    give(link, 1, f.Wants([want]))
    link.act(1, lambda now: link.sessions[1].chunk_read(SEALED[0], now))
    give(link, 1, f.ChunksWanted(CHUNKS[1:2]))
    sent = [type(f.decode_frame(frame)) for frame in link.wires[1]]
    assert f.Ops in sent
    assert link.told[1] == []  # as long as operations wait, no other chunk is read


def strangers(name: str, *, is_public: bool) -> ChunkLink:
    """A link to ben, who has all chunks, from somebody who is no member."""
    community = Community("ben", **({"read": READ_PUBLIC} if is_public else {}))
    return met(community.node(name), community.node("ben"))


def test_who_is_no_member_gets_nothing_and_the_disk_is_left_alone() -> None:
    link = strangers("eve", is_public=False)
    give(link, 1, f.ChunksWanted(CHUNKS[:2]))
    link.carry()
    assert not any(isinstance(told, ChunkAsked) for told in link.told[1])
    assert link.reads == 0
    answers = [f.decode_frame(frame) for frame in link.sent[1]]
    assert answers.count(f.Chunk(b"")) == 2


def test_who_is_no_member_is_not_asked() -> None:
    link = strangers("eve", is_public=False)
    link.want(1, CHUNKS[:1])
    assert asked(link, 1) == []


def test_in_a_public_community_anybody_gets_them_and_is_asked() -> None:
    link = strangers("eve", is_public=True)
    link.want(0, CHUNKS[:2])
    link.carry()
    assert link.brought(0) == CHUNKS[:2]
    link.held[0].update(BY_NAME)
    link.want(1, CHUNKS[2:3])
    link.carry()
    assert link.brought(1) == CHUNKS[2:3]


def test_who_lost_her_standing_while_a_chunk_is_read_gets_nothing() -> None:
    may = [True]
    supply = ChunkSupply(lambda: may[0])
    supply.want(CHUNKS[:2])
    assert supply.next_to_read() == CHUNKS[0]
    may[0] = False
    assert supply.was_read(SEALED[0]) == [f.Chunk(b"")]
    assert supply.next_to_read() is None
    assert supply.refusals() == [f.Chunk(b"")]
    assert supply.was_read(SEALED[1]) == []


def test_a_frame_of_chunks_before_the_handshake_is_over_ends_the_link() -> None:
    community = Community("ada", "ben")
    link = ChunkLink(community.node("ada"), community.node("ben"))
    link.wires[0].clear()
    give(link, 1, f.ChunksWanted(CHUNKS[:1]))
    assert link.closed == [("ben", Reason.FRAME_INVALID)]


def test_a_chunk_may_be_as_large_as_a_full_one_sealed_and_no_larger() -> None:
    assert len(f.encode_frame(f.Chunk(bytes(65_552)))) <= limits.FRAME_BYTES_MAX
    with pytest.raises(Refused):
        f.decode_frame(f.encode_frame(f.Chunk(bytes(65_553))))


def test_an_answer_for_a_session_that_ended_goes_nowhere() -> None:
    ana = Computer("ana", "ana")
    garden = ana.found("garden")
    assert ana.handle(i.Fetch(garden, tuple(CHUNKS[:2]))) == []
    assert ana.handle(i.ChunkRead(7, SEALED[0])) == []


def test_nothing_is_fetched_on_a_link_that_nobody_has_answered_or_that_is_over() -> None:
    community = Community("ada", "ben")
    link = ChunkLink(community.node("ada"), community.node("ben"))
    session = link.sessions[0]
    assert session.fetch(NOW_MS) == session.chunk_read(SEALED[0], NOW_MS) == []
    link.settle()
    session.receive(b"no frame", NOW_MS)
    link.nodes[0].fetching.want(community.community, CHUNKS[:1])
    assert session.fetch(NOW_MS) == session.chunk_read(SEALED[0], NOW_MS) == []


def test_who_gives_back_a_chunk_that_another_was_asked_for_takes_nothing_from_it() -> None:
    fetching, one, other = Fetching(), object(), object()
    fetching.want(GARDEN, CHUNKS[:2])
    assert fetching.take(GARDEN, one, 1, ()) == CHUNKS[:1]
    assert fetching.take_news()
    fetching.give_back(GARDEN, other, CHUNKS[:2])
    assert not fetching.take_news()
    assert fetching.take(GARDEN, other, 2, ()) == CHUNKS[1:2]
    fetching.give_back(GARDEN, one, CHUNKS[:2])
    assert fetching.take_news()
    assert fetching.take(GARDEN, other, 2, ()) == CHUNKS[:1]
