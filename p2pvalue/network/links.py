"""Frames on a stream: four bytes of length, big-endian, then so many bytes (spec: sync, frames)."""

from __future__ import annotations

from p2pvalue.network.interface import FRAME_BYTES_MAX, LinkClosed
from p2pvalue.network.yamux import Stream, StreamEnded
from p2pvalue_protocol.errors import LocalProtocolError

_LENGTH_BYTES = 4


class StreamLink:
    """A `Link` over one multiplexed stream."""

    def __init__(self, stream: Stream, *, peer_id: str, protocol: str) -> None:
        self._stream = stream
        self._received = bytearray()
        self._peer_id = peer_id
        self._protocol = protocol

    @property
    def peer_id(self) -> str:
        return self._peer_id

    @property
    def protocol(self) -> str:
        return self._protocol

    @property
    def initiated(self) -> bool:
        return self._stream.initiated

    async def send(self, frame: bytes) -> None:
        """Queue one frame whole, or nothing of it; raises LinkClosed."""
        check_frame(frame)
        try:
            await self._stream.write(len(frame).to_bytes(_LENGTH_BYTES, "big") + frame)
        except StreamEnded as ended:
            raise LinkClosed(str(ended)) from None

    async def receive(self) -> bytes:
        """Return the next frame; raises LinkClosed. Cancelling loses nothing."""
        await self._hold(_LENGTH_BYTES)
        size = int.from_bytes(self._received[:_LENGTH_BYTES], "big")
        if size > FRAME_BYTES_MAX:
            self._stream.reset("a frame is too long")
            raise LinkClosed(f"the peer announced a frame of {size} bytes")
        await self._hold(_LENGTH_BYTES + size)
        frame = bytes(self._received[_LENGTH_BYTES : _LENGTH_BYTES + size])
        del self._received[: _LENGTH_BYTES + size]
        return frame

    async def close(self) -> None:
        self._stream.finish()

    async def _hold(self, size: int) -> None:
        while len(self._received) < size:
            try:
                data = await self._stream.read()
            except StreamEnded as ended:
                raise LinkClosed(str(ended)) from None
            if not data:
                raise LinkClosed("the peer closed the link")
            self._received += data


def check_frame(frame: bytes) -> None:
    """Raise LocalProtocolError if a frame of ours is longer than any peer would take."""
    if len(frame) > FRAME_BYTES_MAX:
        raise LocalProtocolError(
            f"a frame holds at most {FRAME_BYTES_MAX} bytes, not {len(frame)}; send it in parts"
        )
