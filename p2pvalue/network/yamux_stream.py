"""One stream of a Yamux session: bytes both ways, each within the credit that its reader gave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio
from trio.lowlevel import ParkingLot

from p2pvalue.network.yamux_frames import (
    DATA,
    DATA_BYTES_MAX,
    FIN,
    RST,
    WINDOW,
    WINDOW_BYTES,
    SessionEnded,
    StreamEnded,
)

if TYPE_CHECKING:
    from p2pvalue.network.yamux import Session


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
        for start in range(0, len(data), DATA_BYTES_MAX):
            chunk = data[start : start + DATA_BYTES_MAX]
            self.session.queue(DATA, 0, self.number, len(chunk), chunk)
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
        self.session.queue(WINDOW, FIN, self.number, WINDOW_BYTES - self._receive_window)
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
            self.session.queue(WINDOW, RST, self.number, 0)
            self.end(why)
            self._inbox.clear()

    def _grant(self, size: int) -> None:
        self._consumed += size
        if self._consumed >= WINDOW_BYTES // 2 and not self._remote_finished:
            self._receive_window += self._consumed
            self.session.queue(WINDOW, 0, self.number, self._consumed)
            self._consumed = 0

    def end(self, why: str) -> None:
        self.ended = why
        self.session.forget(self)
        self._readers.unpark_all()
        self._writers.unpark_all()

    # What the session asks of the stream, and tells it.

    @property
    def unread_bytes(self) -> int:
        """How much came that nobody read yet; also when the stream is over."""
        return len(self._inbox)

    def discard(self) -> None:
        """Forget what nobody read."""
        self._inbox.clear()

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
        if flags & RST:
            self.session.drop_queued(self.number)
            self.end("reset by the peer")
        elif flags & FIN:
            self._remote_finished = True
            self._readers.unpark_all()
            if self._finished:
                self.end("finished")
