"""Yamux 1.0.0 (hashicorp/yamux, spec.md): many streams over one encrypted connection.

Written here rather than taken from the library because a muxer is where a peer's greed meets our
memory. What this one promises, and the tests attack:

* received bytes are bounded: the window is enforced, unread bytes and open streams are capped per
  connection, and a flood of openings ends the connection instead of starting tasks;
* a write is queued whole or not at all, so a cancelled caller cannot tear a frame;
* credit is granted per half window, not per read: half the work for a request and its answer.

A session is fed with bytes and hands out bytes; it touches no socket.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import trio
from trio.lowlevel import ParkingLot

from p2pvalue.network.yamux_frames import (
    ACK,
    DATA,
    GO_AWAY,
    HEADER,
    OUTPUT_BYTES_MAX,
    PING,
    RST,
    SYN,
    WINDOW,
    WINDOW_BYTES,
    SessionEnded,
    StreamEnded,
)
from p2pvalue.network.yamux_stream import Stream

__all__ = [
    "OUTPUT_BYTES_MAX",
    "PROTOCOL",
    "WINDOW_BYTES",
    "Session",
    "SessionEnded",
    "Stream",
    "StreamEnded",
]

PROTOCOL = "/yamux/1.0.0"
_WRITERS_WAIT_ABOVE_BYTES = 512 * 1024
_REFUSED_STREAMS_MAX = 256
_OUTBOUND_STREAMS_MAX = 64
_FIN_LINGER_MAX, _ENDED_UNREAD_MAX = 32, 4  # streams, each of a window at most
_PINGS_REMEMBERED = 8


class Session:
    """The streams of one connection; `dialed` says which side chose the odd stream numbers."""

    def __init__(
        self,
        *,
        dialed: bool,
        on_stream: Callable[[Stream], None],
        streams_inbound_max: int,
        unread_bytes_max: int,
        unsent_bytes_max: int,
        stall_s: float,
    ) -> None:
        self._next_number = 1 if dialed else 2
        self._dialed = dialed
        self._on_stream = on_stream
        self._streams_inbound_max = streams_inbound_max
        self._unread_bytes_max = unread_bytes_max
        self._unsent_bytes_max = unsent_bytes_max
        self._streams: dict[int, Stream] = {}
        self._lingering: deque[Stream] = deque()
        self._ended_unread: deque[Stream] = deque()
        self._inbound_count = 0
        self._refused_count = 0
        self._buffer = bytearray()
        self._output: deque[tuple[int, bytes]] = deque()  # stream number, frame
        self._urgent: deque[tuple[int, bytes]] = deque()
        self.queued_bytes = 0  # ever
        self.sent_bytes = 0  # of these, also what was dropped instead
        self._output_ready = ParkingLot()
        self._pongs: dict[int, trio.Event] = {}
        self._ping_number = 0
        self.writers = ParkingLot()
        self.stall_s = stall_s
        self.unread_bytes = 0
        self.ended: str | None = None

    @property
    def is_idle(self) -> bool:
        """True if no stream is open."""
        return not self._streams

    def open(self) -> Stream:
        """Return a new stream of ours; raises StreamEnded if too many are open."""
        if self.ended is not None:
            raise StreamEnded(self.ended)
        if len(self._streams) - self._inbound_count >= _OUTBOUND_STREAMS_MAX:
            raise StreamEnded("too many open streams to this peer")
        stream = Stream(self, self._next_number, initiated=True)
        self._next_number += 2
        self._streams[stream.number] = stream
        self.queue(WINDOW, SYN, stream.number, 0)
        return stream

    def ping(self) -> trio.Event:
        """Ask for a sign of life; the event is set when it comes."""
        self._ping_number = (self._ping_number + 1) & 0xFFFFFFFF
        event = self._pongs[self._ping_number] = trio.Event()
        self._pongs.pop(self._ping_number - _PINGS_REMEMBERED, None)
        self.queue(PING, SYN, 0, self._ping_number)
        return event

    def end(self, why: str) -> None:
        """End every stream; what is queued, then a goodbye, may still be written by `output`."""
        if self.ended is not None:
            return
        self.ended = why
        self._output.append((0, HEADER.pack(0, GO_AWAY, 0, 0, 0)))
        self.queued_bytes += HEADER.size
        for stream in list(self._streams.values()):
            stream.end(why)
        self._pongs.clear()
        self._output_ready.unpark_all()
        self.writers.unpark_all()

    def has_room(self) -> bool:
        """Return whether a stream may queue data, or should wait for the connection to drain."""
        return self._unsent_bytes < _WRITERS_WAIT_ABOVE_BYTES or self.ended is not None

    @property
    def _unsent_bytes(self) -> int:
        return self.queued_bytes - self.sent_bytes

    def queue(self, kind: int, flags: int, number: int, length: int, body: bytes = b"") -> None:
        """Queue one frame for the peer; ends the session when far too much is unsent.

        A sign of life overtakes data: on a narrow line it would come too late behind it.
        """
        if self.ended is not None:
            return
        line = self._urgent if kind == PING else self._output
        line.append((number, HEADER.pack(0, kind, flags, number, length) + body))
        self.queued_bytes += HEADER.size + len(body)
        self._output_ready.unpark_all()
        if self._unsent_bytes > self._unsent_bytes_max:
            self.end("the peer does not read what it asks for")

    def drop_queued(self, number: int) -> None:
        """Forget what waits to be written to a stream that is over: others wait behind it."""
        self.sent_bytes += sum(len(frame) for of, frame in self._output if of == number)
        self._output = deque(entry for entry in self._output if entry[0] != number)

    async def output(self) -> bytes:
        """Return the next bytes to write, at most one Noise message; raises SessionEnded."""
        while not self._output and not self._urgent:
            if self.ended is not None:
                raise SessionEnded(self.ended)
            await self._output_ready.park()
        parts, size = list[bytes](), 0
        for line in (self._urgent, self._output):
            while line and size + len(line[0][1]) <= OUTPUT_BYTES_MAX:
                parts.append(line.popleft()[1])
                size += len(parts[-1])
        self.sent_bytes += size
        if self._unsent_bytes < _WRITERS_WAIT_ABOVE_BYTES:
            self.writers.unpark_all()
        return b"".join(parts)

    def feed(self, data: bytes) -> None:
        """Take bytes from the peer; raises SessionEnded if the session is over or was broken."""
        if self.ended is not None:
            raise SessionEnded(self.ended)
        self._buffer += data
        at = 0
        while len(self._buffer) - at >= HEADER.size:
            version, kind, flags, number, length = HEADER.unpack_from(self._buffer, at)
            if version != 0 or kind > GO_AWAY:
                raise SessionEnded("not a yamux frame")
            body_size = length if kind == DATA else 0
            if body_size > WINDOW_BYTES:
                raise SessionEnded("the peer sent more than its window")
            if len(self._buffer) - at < HEADER.size + body_size:
                break
            at += HEADER.size
            body = bytes(self._buffer[at : at + body_size])
            at += body_size
            self._accept(kind, flags, number, length, body)
        del self._buffer[:at]

    def _accept(self, kind: int, flags: int, number: int, length: int, body: bytes) -> None:
        if self.ended is not None:
            return  # by what came before in the same piece
        if kind == GO_AWAY:
            raise SessionEnded("the peer said goodbye")
        if kind == PING:
            self._accept_ping(flags, length)
            return
        if flags & SYN and not self._accept_opening(number):
            return
        stream = self._streams.get(number)
        if stream is None:
            return  # ended by us a moment ago: the peer cannot know yet
        if kind == DATA and body:
            stream.accept_data(body)
            if self.unread_bytes > self._unread_bytes_max:
                stream.reset("too much unread on this connection")
                return
        elif kind == WINDOW and length:
            stream.accept_credit(length)
        stream.accept_flags(flags)

    def _accept_opening(self, number: int) -> bool:
        if number % 2 == int(self._dialed) or number == 0 or number in self._streams:
            raise SessionEnded("the peer opened a stream under a wrong number")
        if self._inbound_count >= self._streams_inbound_max:
            self._refused_count += 1
            if self._refused_count > _REFUSED_STREAMS_MAX:
                raise SessionEnded("the peer floods us with streams")
            self.queue(WINDOW, RST, number, 0)
            return False
        stream = Stream(self, number, initiated=False)
        self._streams[number] = stream
        self._inbound_count += 1
        self.queue(WINDOW, ACK, number, 0)
        self._on_stream(stream)
        return True

    def _accept_ping(self, flags: int, value: int) -> None:
        if flags & SYN:
            self.queue(PING, ACK, 0, value)
        elif (event := self._pongs.pop(value, None)) is not None:
            event.set()

    def linger(self, stream: Stream) -> None:
        """Keep a stream that only we finished; beyond a few, the oldest is reset."""
        self._lingering.append(stream)
        while len(self._lingering) > _FIN_LINGER_MAX:
            self._lingering.popleft().reset("finished long ago")

    def forget(self, stream: Stream) -> None:
        if self._streams.pop(stream.number, None) is not None and not stream.initiated:
            self._inbound_count -= 1
        self.unread_bytes -= stream.unread_bytes
        if stream.unread_bytes:  # its reader may be on the way
            self._ended_unread.append(stream)
        if len(self._ended_unread) > _ENDED_UNREAD_MAX:
            self._ended_unread.popleft().discard()
