"""Two nodes whose shells have chunks of blobs, and one side of that alone."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from p2pvalue_protocol import frames as f
from p2pvalue_protocol.chunk_requests import ChunkRequests
from p2pvalue_protocol.chunks import chunk_hash
from p2pvalue_protocol.effects import ChunkAsked, ChunkBrought
from p2pvalue_protocol.fetching import Fetching
from tests.protocol.meeting import NOW_MS, Community, Link, Node

SEALED = [bytes([number]) * 1_000 for number in range(1, 60)]
CHUNKS = [chunk_hash(sealed) for sealed in SEALED]
BY_NAME = dict(zip(CHUNKS, SEALED, strict=True))
GARDEN = b"g" * 32


class ChunkLink(Link):
    """A link whose shells have chunks: each side those in `held`."""

    held: tuple[dict[bytes, bytes], dict[bytes, bytes]] = ({}, {})
    reads = 0

    def want(self, side: int, chunks: Iterable[bytes]) -> None:
        """Let a node want chunks, and ask for them."""
        self.nodes[side].fetching.want(self.nodes[side].replica.community, chunks)
        self.act(side, self.sessions[side].fetch)

    def carry(self) -> None:
        """Deliver everything, and do what the shells would."""
        self.settle()
        while any(self._serve(side) for side in (0, 1)):
            self.settle()

    def _serve(self, side: int) -> bool:
        asked = [told for told in self.told[side] if isinstance(told, ChunkAsked)]
        self.told[side][:] = [told for told in self.told[side] if told not in asked]
        for told in asked:
            self.reads += 1
            sealed = self.held[side].get(told.chunk, b"")
            self.act(side, partial(self.sessions[side].chunk_read, sealed))
        return bool(asked)

    def brought(self, side: int) -> list[bytes]:
        """The chunks that a node got, in this order."""
        told = [told for told in self.told[side] if isinstance(told, ChunkBrought)]
        assert all(chunk_hash(came.sealed) == came.chunk for came in told)
        return [came.chunk for came in told]


def met(first: Node, second: Node) -> ChunkLink:
    link = ChunkLink(first, second)
    link.held = ({}, dict(BY_NAME))
    link.settle()
    return link


def members() -> ChunkLink:
    """Ada and ben, who know each other and have the same operations; ben has all chunks."""
    community = Community("ada", "ben")
    return met(community.node("ada"), community.node("ben"))


def give(link: ChunkLink, side: int, frame: f.Frame) -> None:
    """Bring one side a frame that the other never meant to send."""
    link.wires[1 - side].append(f.encode_frame(frame))
    link.deliver(1 - side)


def asked(link: ChunkLink, side: int) -> list[bytes]:
    frames = map(f.decode_frame, link.sent[side])
    return [c for frame in frames if isinstance(frame, f.ChunksWanted) for c in frame.chunks]


def fetching_of(chunks: list[bytes]) -> Fetching:
    fetching = Fetching()
    fetching.want(GARDEN, chunks)
    return fetching


def took(requests: ChunkRequests, after_ms: int) -> None:
    """Let the oldest chunk under way come so long after it was asked for, as if that was at 0."""
    requests.next_frames(NOW_MS)
    chunk, _ = requests._asked[0]
    requests.take(f.Chunk(BY_NAME[chunk]), NOW_MS + after_ms)
