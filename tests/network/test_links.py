"""Frames on a stream: what is announced too long ends the link before it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from p2pvalue.network.interface import FRAME_BYTES_MAX, LinkClosed
from p2pvalue.network.links import StreamLink

if TYPE_CHECKING:
    from p2pvalue.network.yamux import Stream


class Line:
    """A stream on which a peer sends a length, and then bytes without end."""

    def __init__(self, size: int) -> None:
        self._pieces = [size.to_bytes(4, "big")]
        self.reads = 0
        self.reset_by = ""

    async def read(self) -> bytes:
        self.reads += 1
        return self._pieces.pop() if self._pieces else bytes(65_536)

    def reset(self, why: str) -> None:
        self.reset_by = why


def link_over(line: Line) -> StreamLink:
    return StreamLink(cast("Stream", line), peer_id="a-peer", protocol="a-protocol")


async def test_a_frame_that_is_too_long_ends_the_link_at_its_length() -> None:
    line = Line(FRAME_BYTES_MAX + 1)
    with pytest.raises(LinkClosed):
        await link_over(line).receive()
    assert (line.reads, line.reset_by) == (1, "a frame is too long")


async def test_the_longest_frame_is_read_whole() -> None:
    assert await link_over(Line(FRAME_BYTES_MAX)).receive() == bytes(FRAME_BYTES_MAX)
