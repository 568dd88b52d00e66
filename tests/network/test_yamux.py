"""The muxer keeps its promises towards a peer that does not."""

from __future__ import annotations

import random
import struct
from contextlib import suppress

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from p2pvalue.network.yamux import (
    OUTPUT_BYTES_MAX,
    WINDOW_BYTES,
    Session,
    SessionEnded,
    Stream,
    StreamEnded,
)
from tests.patience import WAIT_S

DATA, WINDOW, PING, GO_AWAY = range(4)
SYN, ACK, FIN, RST = 1, 2, 4, 8


def session(*, dialed: bool, opened: list[Stream] | None = None, unsent: int = 1 << 22) -> Session:
    return Session(
        dialed=dialed,
        on_stream=(opened if opened is not None else []).append,
        streams_inbound_max=4,
        unread_bytes_max=300_000,
        unsent_bytes_max=unsent,
        stall_s=WAIT_S,
    )


def frame(kind: int, flags: int, number: int, length: int, body: bytes = b"") -> bytes:
    return struct.pack("!BBHII", 0, kind, flags, number, length) + body


async def carry(source: Session, target: Session) -> None:
    """Move bytes from one session to the other until cancelled."""
    with suppress(SessionEnded):
        while True:
            target.feed(await source.output())


async def pair(nursery: trio.Nursery) -> tuple[Session, Session, list[Stream]]:
    opened: list[Stream] = []
    a, b = session(dialed=True), session(dialed=False, opened=opened)
    nursery.start_soon(carry, a, b)
    nursery.start_soon(carry, b, a)
    return a, b, opened


async def test_bytes_arrive_whole_and_in_order(nursery: trio.Nursery, rng: random.Random) -> None:
    a, _, opened = await pair(nursery)
    stream = a.open()
    sent = [rng.randbytes(rng.choice((1, 100, 65_519, 65_520, 120_000))) for _ in range(40)]

    async def send() -> None:
        for data in sent:
            await stream.write(data)
        stream.finish()

    nursery.start_soon(send)
    await trio.testing.wait_all_tasks_blocked()
    received = bytearray()
    while part := await opened[0].read(rng.randrange(1, 70_000)):
        received += part
    assert bytes(received) == b"".join(sent)


async def test_a_cancelled_write_queues_nothing(nursery: trio.Nursery) -> None:
    a, _, opened = await pair(nursery)
    stream = a.open()
    await stream.write(bytes(WINDOW_BYTES // 2))
    await stream.write(bytes(WINDOW_BYTES // 2))
    with trio.CancelScope() as scope:
        scope.cancel()
        await stream.write(b"never")
    assert scope.cancelled_caught
    await trio.testing.wait_all_tasks_blocked()
    assert await opened[0].read_exactly(WINDOW_BYTES) == bytes(WINDOW_BYTES)
    await stream.write(b"next")
    assert await opened[0].read_exactly(4) == b"next"


async def test_a_write_without_credit_ends_the_stream_and_spares_the_session(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    a, _, opened = await pair(nursery)
    stream = a.open()
    for _ in range(2):
        await stream.write(bytes(WINDOW_BYTES // 2))
    with pytest.raises(StreamEnded):
        await stream.write(b"one more")
    other = a.open()
    await other.write(b"alive")
    await trio.testing.wait_all_tasks_blocked()
    assert await opened[1].read() == b"alive"


async def test_what_would_have_to_wait_is_not_written_now() -> None:
    opened: list[Stream] = []
    a, b = session(dialed=True), session(dialed=False, opened=opened)
    stream = a.open()
    half = bytes(WINDOW_BYTES // 2)
    assert [stream.write_now(half) for _ in range(3)] == [True, True, False]
    assert not stream.write_now(b"x")
    while a._output:
        b.feed(await a.output())
    await opened[0].read(WINDOW_BYTES)
    a.feed(await b.output())
    assert stream.write_now(b"x")
    stream.reset("enough")
    assert not stream.write_now(b"x")


async def test_a_narrow_line_is_no_stall_but_a_peer_that_does_not_read_is(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    a = session(dialed=True)
    stream = a.open()
    for _ in range(8):
        await stream.write(bytes(WINDOW_BYTES // 8))
    taken = 0

    async def drain_slowly() -> None:
        nonlocal taken
        while taken < WINDOW_BYTES:
            taken += len(await a.output())
            with trio.move_on_after(a.stall_s * 0.9):
                await trio.sleep_forever()

    nursery.start_soon(drain_slowly)
    begun_s = trio.current_time()
    with pytest.raises(StreamEnded, match="did not read"):
        await stream.write(b"one more")
    assert taken >= WINDOW_BYTES
    waited_s = trio.current_time() - begun_s
    assert waited_s > 3 * a.stall_s


async def test_a_sign_of_life_overtakes_data() -> None:
    a = session(dialed=True)
    await a.open().write(bytes(100_000))
    a.ping()
    a.feed(frame(PING, SYN, 0, 7))
    assert (await a.output()).startswith(frame(PING, SYN, 0, 1) + frame(PING, ACK, 0, 7))


async def test_what_waits_for_a_stream_that_ended_is_not_sent() -> None:
    for reset_by_peer in (True, False):
        a = session(dialed=True)
        lost, kept = a.open(), a.open()
        await lost.write(bytes(100_000))
        await kept.write(b"kept")
        if reset_by_peer:
            a.feed(frame(WINDOW, RST, lost.number, 0))
        else:
            lost.reset("given up")
        rest = b"" if reset_by_peer else frame(WINDOW, RST, lost.number, 0)
        opening = frame(WINDOW, SYN, kept.number, 0)
        assert await a.output() == opening + frame(DATA, 0, kept.number, 4, b"kept") + rest


async def test_who_sends_what_nobody_reads_any_more_is_told() -> None:
    opened: list[Stream] = []
    b = session(dialed=False, opened=opened)
    b.feed(frame(WINDOW, SYN, 1, 0))
    opened[0].finish()
    await b.output()
    b.feed(frame(DATA, 0, 1, 4, b"late"))
    assert await b.output() == frame(WINDOW, RST, 1, 0)


async def test_who_waits_for_credit_is_told_that_nobody_reads_any_more(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    a, _, opened = await pair(nursery)
    stream = a.open()
    for _ in range(2):
        await stream.write(bytes(WINDOW_BYTES // 2))
    await trio.testing.wait_all_tasks_blocked()
    opened[0].finish()
    await stream.write(b"late")
    await trio.testing.wait_all_tasks_blocked()
    assert stream.ended == "reset by the peer"


async def test_what_was_read_and_what_will_not_be_is_credited_at_the_end() -> None:
    opened: list[Stream] = []
    b = session(dialed=False, opened=opened)
    b.feed(frame(WINDOW, SYN, 1, 0) + frame(DATA, 0, 1, 200_000, bytes(200_000)))
    await opened[0].read_exactly(1_000)
    opened[0].finish()
    assert await b.output() == frame(WINDOW, ACK, 1, 0) + frame(WINDOW, FIN, 1, 200_000)
    b.feed(frame(DATA, 0, 1, WINDOW_BYTES, bytes(WINDOW_BYTES)))
    assert await b.output() == frame(WINDOW, RST, 1, 0)


async def test_what_came_before_the_peer_ended_the_stream_can_be_read() -> None:
    opened: list[Stream] = []
    b = session(dialed=False, opened=opened)
    b.feed(frame(WINDOW, SYN, 1, 0) + frame(DATA, 0, 1, 4, b"last") + frame(WINDOW, RST, 1, 0))
    assert await opened[0].read() == b"last"
    assert b.unread_bytes == 0
    with pytest.raises(StreamEnded, match="reset"):
        await opened[0].read()


def test_streams_that_ended_unread_hold_no_more_than_four_windows() -> None:
    opened: list[Stream] = []
    b = session(dialed=False, opened=opened)
    for number in range(1, 41, 2):
        b.feed(frame(WINDOW, SYN, number, 0))
        b.feed(frame(DATA, 0, number, WINDOW_BYTES, bytes(WINDOW_BYTES)))
        b.feed(frame(WINDOW, RST, number, 0))
    assert len(opened) == 20
    assert sum(stream.unread_bytes for stream in opened) <= 4 * WINDOW_BYTES


async def test_credit_comes_once_per_half_window() -> None:
    opened: list[Stream] = []
    b = session(dialed=False, opened=opened)
    b.feed(frame(WINDOW, SYN, 1, 0) + frame(DATA, 0, 1, 200_000, bytes(200_000)))
    assert await b.output() == frame(WINDOW, ACK, 1, 0)
    for _ in range(131):
        await opened[0].read_exactly(1000)
    await opened[0].read_exactly(1000)
    assert await b.output() == frame(WINDOW, 0, 1, 132_000)


@pytest.mark.parametrize(
    "raw",
    [
        frame(DATA, 0, 1, 0)[:0] + b"\x01" + bytes(11),
        frame(4, 0, 1, 0),
        frame(WINDOW, SYN, 2, 0),
        frame(WINDOW, SYN, 0, 0),
        frame(WINDOW, SYN, 1, 0) * 2,
        frame(GO_AWAY, 0, 0, 0),
        frame(DATA, SYN, 1, WINDOW_BYTES + 1),
        frame(WINDOW, SYN, 1, 0) + frame(DATA, 0, 1, 150_000, bytes(150_000)) * 2,
        frame(WINDOW, SYN | FIN, 1, 0) + frame(DATA, 0, 1, 1, b"x"),
    ],
    ids=[
        "version", "kind", "even number", "number 0", "number twice", "goodbye",
        "longer than the window", "more than the window", "data after the end",
    ],
)  # fmt: skip
def test_a_broken_rule_ends_the_session(raw: bytes) -> None:
    with pytest.raises(SessionEnded):
        session(dialed=False).feed(raw)


def test_openings_beyond_the_cap_are_refused_and_a_flood_ends_the_session() -> None:
    opened: list[Stream] = []
    b = session(dialed=False, opened=opened)
    for number in range(1, 401, 2):
        b.feed(frame(WINDOW, SYN, number, 0))
    assert len(opened) == 4
    flood = b"".join(frame(WINDOW, SYN, number, 0) for number in range(401, 1001, 2))
    with pytest.raises(SessionEnded):
        b.feed(flood)


def test_a_place_is_free_again_when_a_stream_ends() -> None:
    opened: list[Stream] = []
    b = session(dialed=False, opened=opened)
    for number in range(1, 101, 2):
        b.feed(frame(WINDOW, SYN, number, 0) + frame(WINDOW, RST, number, 0))
    assert len(opened) == 50


async def test_a_peer_that_never_finishes_does_not_use_up_our_streams() -> None:
    a = session(dialed=True)
    for _ in range(200):
        a.open().finish()
    assert len(a._streams) <= 33


def test_we_open_no_more_than_64_streams_to_a_peer() -> None:
    a = session(dialed=True)
    opened = [a.open() for _ in range(64)]
    with pytest.raises(StreamEnded):
        a.open()
    opened[0].reset("done")
    a.open()


def test_pings_that_nobody_answers_are_not_remembered_for_ever() -> None:
    a = session(dialed=True)
    for _ in range(100):
        a.ping()
    assert len(a._pongs) == 8


def test_unread_bytes_are_bounded_over_all_streams() -> None:
    opened: list[Stream] = []
    b = session(dialed=False, opened=opened)
    for number in (1, 3, 5):
        b.feed(frame(WINDOW, SYN, number, 0) + frame(DATA, 0, number, 150_000, bytes(150_000)))
    assert [stream.ended is None for stream in opened] == [True, True, False]
    assert b.unread_bytes == 300_000
    opened[0].finish()
    assert b.unread_bytes == 150_000


def test_who_makes_us_answer_without_reading_is_disconnected() -> None:
    b = session(dialed=False, unsent=10_000)
    b.feed(b"".join(frame(PING, SYN, 0, number) for number in range(2000)))
    with pytest.raises(SessionEnded):
        b.feed(b"")


def test_what_arrives_in_one_piece_with_the_end_of_a_session_opens_nothing() -> None:
    opened: list[Stream] = []
    b = session(dialed=False, opened=opened, unsent=100)
    b.feed(frame(PING, SYN, 0, 1) * 10 + frame(WINDOW, SYN, 1, 0))
    assert b.ended is not None
    assert opened == []
    assert b.is_idle


async def test_output_fits_one_message_and_ends_with_a_goodbye() -> None:
    a = session(dialed=True)
    stream = a.open()
    for _ in range(2):
        await stream.write(bytes(100_000))
    a.end("test")
    parts: list[bytes] = []
    with suppress(SessionEnded):
        while True:
            parts.append(await a.output())
    assert max(map(len, parts)) <= OUTPUT_BYTES_MAX
    assert sum(map(len, parts)) > 200_000
    assert parts[-1].endswith(frame(GO_AWAY, 0, 0, 0))


async def test_the_end_of_a_session_wakes_readers_and_writers(nursery: trio.Nursery) -> None:
    a, _, _ = await pair(nursery)
    stream = a.open()
    woken: list[str] = []

    async def read() -> None:
        with pytest.raises(StreamEnded):
            await stream.read()
        woken.append("reader")

    nursery.start_soon(read)
    await trio.testing.wait_all_tasks_blocked()
    a.end("test")
    await trio.testing.wait_all_tasks_blocked()
    assert woken == ["reader"]
    with pytest.raises(StreamEnded):
        a.open()


@given(st.lists(st.binary(max_size=64), max_size=20), st.booleans())
def test_no_bytes_raise_anything_else(pieces: list[bytes], dialed: bool) -> None:
    b = session(dialed=dialed)
    with suppress(SessionEnded):
        for piece in pieces:
            b.feed(piece)
        assert b.ended is None


frames = st.builds(
    lambda kind, flags, number, body: frame(
        kind, flags, number, len(body) if kind == DATA else number, body if kind == DATA else b""
    ),
    st.integers(0, 4), st.integers(0, 15), st.integers(0, 9), st.binary(max_size=50),
)  # fmt: skip


@given(st.lists(frames, max_size=60))
def test_no_frames_raise_anything_else_and_the_books_stay_right(raw: list[bytes]) -> None:
    opened: list[Stream] = []
    b = session(dialed=False, opened=opened)
    try:
        for piece in raw:
            b.feed(piece)
    except SessionEnded:
        b.end("broken")
    live = [stream for stream in opened if stream.ended is None]
    assert b.unread_bytes == sum(stream.unread_bytes for stream in live)
    assert b._inbound_count == len(live)
