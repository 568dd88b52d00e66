"""Targets for what arrives on a connection before the core sees a frame.

What can wait for more bytes is driven by hand: the coroutines here wait for nothing, because the
stream under them has either the bytes or an end.
"""

from __future__ import annotations

from collections.abc import Coroutine
from contextlib import suppress
from random import Random
from typing import Any, cast

from p2pvalue.network.interface import FRAME_BYTES_MAX, LinkClosed
from p2pvalue.network.links import StreamLink
from p2pvalue.network.multistream import GREETING, NegotiationFailed, answer, propose
from p2pvalue.network.yamux import WINDOW_BYTES, Session, SessionEnded, Stream, StreamEnded
from tests.fuzz.target import Budget, Target

P = "p2pvalue.network"
_UNREAD_BYTES_MAX = WINDOW_BYTES
_UNSENT_BYTES_MAX = 4_096
_STREAMS_MAX = 4


def run_through(step: Coroutine[Any, Any, Any]) -> Any:
    """Return what a coroutine returns that never has to wait."""
    try:
        step.send(None)
    except StopIteration as stopped:
        return stopped.value
    step.close()
    raise AssertionError("it waits for something")


# --- yamux


class _Side:
    """A session under attack, with what it did about each stream."""

    def __init__(self) -> None:
        self.opened: list[Stream] = []
        self.session = Session(
            dialed=False,
            on_stream=self.opened.append,
            streams_inbound_max=_STREAMS_MAX,
            unread_bytes_max=_UNREAD_BYTES_MAX,
            unsent_bytes_max=_UNSENT_BYTES_MAX,
            stall_s=1,
        )
        self.ours = self.session.open()
        self.session.ping()
        self.end: str | None = None

    def feed(self, data: bytes) -> None:
        if self.end is None:
            try:
                self.session.feed(data)
            except SessionEnded as ended:
                self.end = str(ended)

    def outcome(self) -> tuple[object, ...]:
        session, streams = self.session, [self.ours, *self.opened]
        assert 0 <= session.unread_bytes <= _UNREAD_BYTES_MAX
        live = sum(stream.unread_bytes for stream in streams if stream.ended is None)
        assert live == session.unread_bytes
        held = sum(stream.unread_bytes for stream in streams)
        assert held <= 5 * WINDOW_BYTES, "streams that are over hold more than a peer may leave"
        assert len(session._streams) <= _STREAMS_MAX + 1
        assert session._inbound_count == sum(not s.initiated for s in session._streams.values())
        if self.end is None:
            windows = [stream._receive_window for stream in streams if stream.ended is None]
            assert all(0 <= window <= WINDOW_BYTES for window in windows)
        ends = [(stream.number, stream.ended, bytes(stream._inbox)) for stream in streams]
        return self.end, session.ended, list(session._output), ends


def _yamux(data: bytes) -> bool:
    """Feed bytes whole, and in pieces: how they arrive must not matter."""
    whole, pieces = _Side(), _Side()
    whole.feed(data)
    rng = Random(len(data))
    at = 0
    while at < len(data):
        size = rng.choice((1, 11, 12, 13, 500))
        pieces.feed(data[at : at + size])
        at += size
    if whole.session.ended is None:  # else what came after the end was not looked at
        assert whole.outcome() == pieces.outcome()
    whole.session.end("the end")
    assert whole.session.unread_bytes == 0
    assert whole.session.is_idle
    return whole.end is None


def _yamux_frames() -> list[bytes]:
    def frame(kind: int, flags: int, number: int, length: int, body: bytes = b"") -> bytes:
        head = bytes([0, kind]) + flags.to_bytes(2, "big") + number.to_bytes(4, "big")
        return head + length.to_bytes(4, "big") + body

    opening = frame(1, 1, 1, 0)
    data = frame(0, 0, 1, 5, b"hello")
    return [
        opening + data + frame(1, 4, 1, 0),
        frame(0, 1, 1, 5, b"hello") + frame(0, 8, 1, 0),
        frame(1, 2, 2, 0) + frame(0, 0, 2, 3, b"abc") + frame(1, 0, 2, 2**32 - 1),
        frame(2, 1, 0, 7) + frame(2, 2, 0, 1) + frame(2, 2, 0, 9),
        b"".join(frame(1, 1, number, 0) for number in range(1, 600, 2)),
        frame(2, 1, 0, 1) * 500,
        opening + frame(0, 0, 1, WINDOW_BYTES + 1),
        opening + frame(0, 0, 1, WINDOW_BYTES, bytes(WINDOW_BYTES)) + data,
        frame(3, 0, 0, 0) + opening,
        b"".join(
            frame(1, 1, number, 0)
            + frame(0, 0, number, 90_000, bytes(90_000))
            + frame(1, 8, number, 0)
            for number in (1, 3, 5)
        ),
        b"GET / HTTP/1.1\r\n\r\n",
    ]


# --- what is said on a stream


class Script:
    """A stream that holds the bytes of a peer, then ends."""

    initiated = False

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self.written = 0
        self.ended: str | None = None

    async def read(self, bytes_max: int = 65_536) -> bytes:
        taken = self._data[self._at : self._at + bytes_max]
        self._at += len(taken)
        return taken

    async def read_exactly(self, size: int) -> bytes:
        taken = await self.read(size)
        if len(taken) < size:
            raise StreamEnded("the peer finished in the middle")
        return taken

    async def write(self, data: bytes) -> None:
        self.written += len(data)

    def reset(self, why: str) -> None:
        self.ended = why


def _multistream(data: bytes) -> bool:
    script = Script(data)
    with suppress(NegotiationFailed, StreamEnded):
        run_through(propose(Script(data), "/a/1"))
    try:
        agreed = run_through(answer(script, ("/a/1", "/b/1")))
    except (NegotiationFailed, StreamEnded):
        agreed = None
    assert script.written <= 20 * (len(data) + 1), "the answer is much longer than the question"
    return agreed is not None


def _negotiations() -> list[bytes]:
    def line(text: str) -> bytes:
        return bytes([len(text) + 1]) + text.encode() + b"\n"

    hello = line(GREETING)
    return [hello + line("/a/1"), hello + line("/c/1") * 3 + line("/b/1"), hello + line("na") * 20]


def _frames(data: bytes) -> bool:
    """Read a stream as frames, each of four bytes of length and so many more."""
    script = Script(data)
    link = StreamLink(cast("Stream", script), peer_id="peer", protocol="/p")
    found = []
    with suppress(LinkClosed):
        while True:
            found.append(run_through(link.receive()))
    shown = b"".join(len(frame).to_bytes(4, "big") + frame for frame in found)
    assert data.startswith(shown)
    assert all(len(frame) <= FRAME_BYTES_MAX for frame in found)
    return bool(found)


STREAMS = (
    Target(
        name="yamux",
        run=_yamux,
        seeds=_yamux_frames,
        covers=(f"{P}.yamux",),
        bytes_max=8 * WINDOW_BYTES,
        budget=Budget(units=30, memory_bytes=4 << 20),
    ),
    Target(
        name="multistream",
        run=_multistream,
        seeds=_negotiations,
        covers=(f"{P}.multistream",),
    ),
    Target(
        name="link-frames",
        run=_frames,
        seeds=lambda: [b"\x00\x00\x00\x05hello" * 3, b"\xff" * 4, b"\x00\x01\x20\x01" + bytes(9)],
        covers=(f"{P}.links",),
        bytes_max=2 * FRAME_BYTES_MAX,
    ),
)
