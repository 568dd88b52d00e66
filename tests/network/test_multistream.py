"""Agreeing on a protocol takes one round trip and bounded patience."""

from __future__ import annotations

from contextlib import suppress

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from p2pvalue.network.multistream import NegotiationFailed, answer, encode_varint, propose


class Pipe:
    """Bytes that were sent to us, and what we wrote."""

    def __init__(self, incoming: bytes = b"") -> None:
        self.incoming = bytearray(incoming)
        self.written = b""
        self.other = self

    async def read_exactly(self, size: int) -> bytes:
        while len(self.incoming) < size:
            await trio.lowlevel.checkpoint()
            if self.other is self:
                raise EOFError
        data = bytes(self.incoming[:size])
        del self.incoming[:size]
        return data

    async def write(self, data: bytes) -> None:
        self.written += data
        if self.other is not self:
            self.other.incoming += data


def lines(*texts: str) -> bytes:
    return b"".join(encode_varint(len(t) + 1) + t.encode() + b"\n" for t in texts)


async def test_both_sides_agree(nursery: trio.Nursery) -> None:
    a, b = Pipe(), Pipe()
    a.other, b.other = b, a
    nursery.start_soon(propose, a, "/x/1")
    assert await answer(b, {"/x/1", "/y/1"}) == "/x/1"


async def test_an_unknown_proposal_is_declined_and_the_next_is_heard() -> None:
    pipe = Pipe(lines("/multistream/1.0.0", "/no/1", "/x/1"))
    assert await answer(pipe, ["/x/1"]) == "/x/1"
    assert pipe.written == lines("/multistream/1.0.0", "na", "/x/1")


@pytest.mark.parametrize(
    "incoming",
    [
        lines("/other/1.0.0"),
        lines("/multistream/1.0.0", *["/no/1"] * 17),
        b"\xff\xff\xff\xff\x0f",
        b"\x00",
        encode_varint(513) + b"x" * 513,
        b"\x02xx",
    ],
    ids=["greeting", "too many", "huge length", "empty", "long line", "no line end"],
)
async def test_patience_ends(incoming: bytes) -> None:
    with pytest.raises(NegotiationFailed):
        await answer(Pipe(incoming), ["/x/1"])


async def test_a_refused_proposal_says_so() -> None:
    with pytest.raises(NegotiationFailed, match="does not speak /x/1"):
        await propose(Pipe(lines("/multistream/1.0.0", "na")), "/x/1")


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(incoming: bytes) -> None:
    async def run() -> None:
        with suppress(NegotiationFailed, EOFError):
            assert await answer(Pipe(incoming), ["/x/1"]) == "/x/1"

    trio.run(run)
