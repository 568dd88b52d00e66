"""Chunks are asked of one peer at a time, among those that are in touch."""

from __future__ import annotations

from p2pvalue_protocol.fetching import Fetching

GARDEN = b"g" * 32
CHUNKS = [bytes([number]) * 32 for number in range(3)]


class Peer:
    """Somebody who may have any chunk."""

    def may_bring(self, chunk: bytes) -> bool:
        """Return True."""
        return True


def test_a_peer_that_is_gone_is_asked_no_more_however_often_it_goes() -> None:
    fetching, peer, other = Fetching(), Peer(), Peer()
    fetching.join(GARDEN, peer)
    fetching.join(GARDEN, other)
    for _ in range(2):
        fetching.leave(GARDEN, peer)
        assert not fetching.is_nowhere(GARDEN, b"c" * 32), "the other may have it"
    fetching.leave(GARDEN, other)
    assert fetching.is_nowhere(GARDEN, b"c" * 32)


def test_what_is_wanted_still_is_asked_of_no_other() -> None:
    fetching, one, other = Fetching(), Peer(), Peer()
    fetching.want(GARDEN, CHUNKS[:2])
    assert fetching.take(GARDEN, one, 1, ()) == CHUNKS[:1]
    fetching.want(GARDEN, CHUNKS)
    assert fetching.take(GARDEN, other, 3, ()) == CHUNKS[1:]


def test_a_chunk_comes_once() -> None:
    fetching = Fetching()
    fetching.want(GARDEN, CHUNKS[:1])
    assert fetching.came(GARDEN, CHUNKS[0])
    assert not fetching.came(GARDEN, CHUNKS[0])
