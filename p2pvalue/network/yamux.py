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

import struct
from collections import deque
from collections.abc import Callable

import trio
from trio.lowlevel import ParkingLot

PROTOCOL = "/yamux/1.0.0"
WINDOW_BYTES = 256 * 1024
OUTPUT_BYTES_MAX = 65_519  # of plaintext in one Noise message: what is written in one go

_HEADER = struct.Struct("!BBHII")
_DATA, _WINDOW, _PING, _GO_AWAY = range(4)
_SYN, _ACK, _FIN, _RST = 1, 2, 4, 8
_DATA_BYTES_MAX = OUTPUT_BYTES_MAX - _HEADER.size
_WRITERS_WAIT_ABOVE_BYTES = 512 * 1024
_REFUSED_STREAMS_MAX = 256
_OUTBOUND_STREAMS_MAX = 64
_FIN_LINGER_MAX, _ENDED_UNREAD_MAX = 32, 4  # streams, each of a window at most
_PINGS_REMEMBERED = 8


class SessionEnded(Exception):
    """The connection is over: closed by us, by the peer, or because the peer broke the protocol."""


class StreamEnded(Exception):
    """This stream is over, the connection may well live on."""


class Stream:
    """One stream of a session; made by `Session.open` or by the peer."""

    def __init__(self, session: Session, stream_number: int, *, initiated: bool) -> None:
        self.session = session
        self.number = stream_number
        self.initiated = initiated
        self.send_window = WINDOW_BYTES
        self._receive_window = WINDOW_BYTES
        self._consumed = 0
        self._inbox = bytearray()
        self._readers = ParkingLot()
        self._writers = ParkingLot()
        self._remote_finished = False
        self._finished = False
        self._queued_up_to = 0  # of all that the session was ever given to write, in bytes
        self.ended: str | None = None

    async def read(self, bytes_max: int = 65_536) -> bytes:
        """Return 1..bytes_max bytes, or b"" when the peer finished; raises StreamEnded.

        What came before the peer ended the stream is still there. Cancelling loses nothing.
        """
        while not self._inbox:
            if self.ended is not None:
                raise StreamEnded(self.ended)
            if self._remote_finished:
                return b""
            await self._readers.park()
        return self._taken(bytes_max)

    def _taken(self, bytes_max: int) -> bytes:
        data = bytes(self._inbox[:bytes_max])
        del self._inbox[:bytes_max]
        if self.ended is None:
            self.session.unread_bytes -= len(data)
            self._grant(len(data))
        return data

    async def read_exactly(self, size: int) -> bytes:
        """Return exactly `size` bytes; raises StreamEnded if the peer finishes earlier."""
        if len(self._inbox) >= size:
            return self._taken(size)
        parts = bytearray()
        while len(parts) < size:
            part = await self.read(size - len(parts))
            if not part:
                raise StreamEnded("the peer finished in the middle")
            parts += part
        return bytes(parts)

    async def write(self, data: bytes) -> None:
        """Queue all of `data`, at most half a window, or nothing; raises StreamEnded.

        Waits for the peer's credit and for the connection to drain. A peer that grants nothing for
        the session's `stall_s`, though all that was written has left, loses the stream.
        """
        if len(data) > WINDOW_BYTES // 2:
            raise ValueError(f"one write takes {WINDOW_BYTES // 2} bytes, not {len(data)}")
        await trio.lowlevel.checkpoint_if_cancelled()
        while not self.write_now(data):
            if self.ended is not None or self._finished:
                raise StreamEnded(self.ended or "already finished by us")
            await self._wait_for_room(len(data))

    def write_now(self, data: bytes) -> bool:
        """Queue all of `data` if the stream is open and has room, or nothing; return whether."""
        if self.ended is not None or self._finished:
            return False
        if self.send_window < len(data) or not self.session.has_room():
            return False
        self.send_window -= len(data)
        for start in range(0, len(data), _DATA_BYTES_MAX):
            chunk = data[start : start + _DATA_BYTES_MAX]
            self.session.queue(_DATA, 0, self.number, len(chunk), chunk)
        self._queued_up_to = self.session.queued_bytes
        return True

    async def _wait_for_room(self, size: int) -> None:
        """Wait until something changes; ends the stream if nothing does and the peer is why.

        On a narrow line what we wrote may take minutes to leave. Until then the peer cannot have
        read it, and as long as some of it leaves, the wait is the line's fault.
        """
        sent_bytes = self.session.sent_bytes
        is_for_credit = self.send_window < size
        with trio.move_on_after(self.session.stall_s) as waiting:
            await (self._writers if is_for_credit else self.session.writers).park()
        if not waiting.cancelled_caught:
            return
        is_stuck = self.session.sent_bytes <= sent_bytes
        if is_stuck or (is_for_credit and sent_bytes >= self._queued_up_to):
            self.reset("the peer did not read")

    def finish(self) -> None:
        """Tell the peer that nothing more comes; what it still sends is discarded unread.

        All its credit goes back: who waits for some could not send what tells it that nobody reads.
        """
        if self.ended is not None or self._finished:
            return
        self._finished = True
        self.session.queue(_WINDOW, _FIN, self.number, WINDOW_BYTES - self._receive_window)
        self._receive_window = WINDOW_BYTES
        self.session.unread_bytes -= len(self._inbox)
        self._inbox.clear()
        self._readers.unpark_all()
        if self._remote_finished:
            self.end("finished")
        else:
            self.session.linger(self)

    def reset(self, why: str) -> None:
        """End the stream at once, on both sides; what is queued is not sent any more."""
        if self.ended is None:
            self.session.drop_queued(self.number)
            self.session.queue(_WINDOW, _RST, self.number, 0)
            self.end(why)
            self._inbox.clear()

    def _grant(self, size: int) -> None:
        self._consumed += size
        if self._consumed >= WINDOW_BYTES // 2 and not self._remote_finished:
            self._receive_window += self._consumed
            self.session.queue(_WINDOW, 0, self.number, self._consumed)
            self._consumed = 0

    def end(self, why: str) -> None:
        self.ended = why
        self.session.forget(self)
        self._readers.unpark_all()
        self._writers.unpark_all()

    # What the session tells the stream.

    def accept_data(self, data: bytes) -> None:
        """Take what the peer sent; raises SessionEnded when it sent more than it was allowed."""
        self._receive_window -= len(data)
        if self._receive_window < 0 or self._remote_finished:
            raise SessionEnded("the peer sent more than its window")
        if self._finished:
            self.reset("nobody reads it any more")
            return
        self._inbox += data
        self.session.unread_bytes += len(data)
        self._readers.unpark_all()

    def accept_credit(self, size: int) -> None:
        self.send_window = min(self.send_window + size, 1 << 30)
        self._writers.unpark_all()

    def accept_flags(self, flags: int) -> None:
        if flags & _RST:
            self.session.drop_queued(self.number)
            self.end("reset by the peer")
        elif flags & _FIN:
            self._remote_finished = True
            self._readers.unpark_all()
            if self._finished:
                self.end("finished")


class Session:
    """The streams of one connection; `dialed` says which side chose the odd stream numbers."""

    def __init__(
        self, *, dialed: bool, on_stream: Callable[[Stream], None], streams_inbound_max: int,
        unread_bytes_max: int, unsent_bytes_max: int, stall_s: float,
    ) -> None:  # fmt: skip
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
        self.queue(_WINDOW, _SYN, stream.number, 0)
        return stream

    def ping(self) -> trio.Event:
        """Ask for a sign of life; the event is set when it comes."""
        self._ping_number = (self._ping_number + 1) & 0xFFFFFFFF
        event = self._pongs[self._ping_number] = trio.Event()
        self._pongs.pop(self._ping_number - _PINGS_REMEMBERED, None)
        self.queue(_PING, _SYN, 0, self._ping_number)
        return event

    def end(self, why: str) -> None:
        """End every stream; what is queued, then a goodbye, may still be written by `output`."""
        if self.ended is not None:
            return
        self.ended = why
        self._output.append((0, _HEADER.pack(0, _GO_AWAY, 0, 0, 0)))
        self.queued_bytes += _HEADER.size
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
        line = self._urgent if kind == _PING else self._output
        line.append((number, _HEADER.pack(0, kind, flags, number, length) + body))
        self.queued_bytes += _HEADER.size + len(body)
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
        while len(self._buffer) - at >= _HEADER.size:
            version, kind, flags, number, length = _HEADER.unpack_from(self._buffer, at)
            if version != 0 or kind > _GO_AWAY:
                raise SessionEnded("not a yamux frame")
            body_size = length if kind == _DATA else 0
            if body_size > WINDOW_BYTES:
                raise SessionEnded("the peer sent more than its window")
            if len(self._buffer) - at < _HEADER.size + body_size:
                break
            at += _HEADER.size
            body = bytes(self._buffer[at : at + body_size])
            at += body_size
            self._accept(kind, flags, number, length, body)
        del self._buffer[:at]

    def _accept(self, kind: int, flags: int, number: int, length: int, body: bytes) -> None:
        if self.ended is not None:
            return  # by what came before in the same piece
        if kind == _GO_AWAY:
            raise SessionEnded("the peer said goodbye")
        if kind == _PING:
            self._accept_ping(flags, length)
            return
        if flags & _SYN and not self._accept_opening(number):
            return
        stream = self._streams.get(number)
        if stream is None:
            return  # ended by us a moment ago: the peer cannot know yet
        if kind == _DATA and body:
            stream.accept_data(body)
            if self.unread_bytes > self._unread_bytes_max:
                stream.reset("too much unread on this connection")
                return
        elif kind == _WINDOW and length:
            stream.accept_credit(length)
        stream.accept_flags(flags)

    def _accept_opening(self, number: int) -> bool:
        if number % 2 == int(self._dialed) or number == 0 or number in self._streams:
            raise SessionEnded("the peer opened a stream under a wrong number")
        if self._inbound_count >= self._streams_inbound_max:
            self._refused_count += 1
            if self._refused_count > _REFUSED_STREAMS_MAX:
                raise SessionEnded("the peer floods us with streams")
            self.queue(_WINDOW, _RST, number, 0)
            return False
        stream = Stream(self, number, initiated=False)
        self._streams[number] = stream
        self._inbound_count += 1
        self.queue(_WINDOW, _ACK, number, 0)
        self._on_stream(stream)
        return True

    def _accept_ping(self, flags: int, value: int) -> None:
        if flags & _SYN:
            self.queue(_PING, _ACK, 0, value)
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
        self.unread_bytes -= len(stream._inbox)
        if stream._inbox:  # its reader may be on the way
            self._ended_unread.append(stream)
        if len(self._ended_unread) > _ENDED_UNREAD_MAX:
            self._ended_unread.popleft()._inbox.clear()
