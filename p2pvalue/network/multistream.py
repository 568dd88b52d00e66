"""multistream-select 1.0: agree with a peer on the protocol of a connection or a stream.

Our proposal goes out together with the greeting, so agreeing costs one round trip. A peer may write
no more than a few short lines before we give up on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Container

GREETING = "/multistream/1.0.0"
_NOT_AVAILABLE = "na"
_LINE_BYTES_MAX = 512
_LINES_MAX = 16


class NegotiationFailed(Exception):
    """No protocol was agreed on; the connection or stream is of no use."""


class ByteStream(Protocol):
    """What negotiation needs of a connection or a stream."""

    async def read_exactly(self, size: int) -> bytes: ...

    async def write(self, data: bytes) -> None: ...


async def propose(stream: ByteStream, protocol: str) -> None:
    """Return when the peer agreed to `protocol`; raises NegotiationFailed."""
    await stream.write(_encode(GREETING) + _encode(protocol))
    if await _read_line(stream) != GREETING:
        raise NegotiationFailed("the peer does not speak multistream-select")
    if await _read_line(stream) != protocol:
        raise NegotiationFailed(f"the peer does not speak {protocol}")


async def answer(stream: ByteStream, supported: Container[str]) -> str:
    """Return the first supported protocol that the peer proposes; raises NegotiationFailed."""
    await stream.write(_encode(GREETING))
    if await _read_line(stream) != GREETING:
        raise NegotiationFailed("the peer does not speak multistream-select")
    for _ in range(_LINES_MAX):
        proposed = await _read_line(stream)
        if proposed in supported:
            await stream.write(_encode(proposed))
            return proposed
        await stream.write(_encode(_NOT_AVAILABLE))
    raise NegotiationFailed("the peer proposed nothing that we speak")


def _encode(line: str) -> bytes:
    data = line.encode() + b"\n"
    return encode_varint(len(data)) + data


async def _read_line(stream: ByteStream) -> str:
    size = 0
    for shift in (0, 7):
        byte = (await stream.read_exactly(1))[0]
        size |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
    else:
        raise NegotiationFailed("a line is too long")
    if not 0 < size <= _LINE_BYTES_MAX:
        raise NegotiationFailed("a line is too long")
    line = await stream.read_exactly(size)
    if not line.endswith(b"\n"):
        raise NegotiationFailed("a line does not end")
    return line[:-1].decode("utf-8", errors="replace")


def encode_varint(number: int) -> bytes:
    """Return a non-negative number as an unsigned LEB128 varint (multiformats, unsigned-varint)."""
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
