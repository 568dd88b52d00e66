"""Chunks of blobs between two peers: asking for them, and giving them (spec: sync, "Chunks").

The core holds no chunk: what a peer asks for is asked of the shell, one at a time and only while no
operation waits to be sent; what it brings is checked and handed to the shell.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from p2pvalue_protocol import frames as f
from p2pvalue_protocol import limits
from p2pvalue_protocol.chunks import chunk_hash
from p2pvalue_protocol.effects import ChunkAsked, ChunkBrought, ChunkNowhere, Effect, SendFrame
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.fetching import Fetching

# On a narrow line a few chunks would keep operations waiting: one at a time is asked for, then more
# as long as each comes at once.
_QUICK_MS = 1_000


class ChunkRequests:
    """What we asked of one peer."""

    def __init__(self, community: bytes, fetching: Fetching, may_ask: Callable[[], bool]) -> None:
        """`may_ask` says whether the peer is somebody to be asked, now."""
        self._community = community
        self._fetching = fetching
        self._may_ask = may_ask
        self._asked: deque[tuple[bytes, int]] = deque()  # chunk, when it was asked for
        self._vain: set[bytes] = set()
        self._vain_left = limits.CHUNKS_IN_VAIN_MAX
        self._under_way_max = 1
        self._alive_ms = 0
        fetching.join(community, self)

    @property
    def due_ms(self) -> int | None:
        """Until when the peer must send something; None if it owes no chunk."""
        return self._alive_ms + limits.REPLY_MS_MAX if self._asked else None

    def set_back(self, by_ms: int) -> None:
        """Wait no longer, now that our clock was set back by so much."""
        self._alive_ms -= by_ms
        self._asked = deque((chunk, asked_ms - by_ms) for chunk, asked_ms in self._asked)

    def is_alive(self, now_ms: int) -> None:
        """Note that the peer brought what was missing here: operations go before chunks."""
        self._alive_ms = now_ms

    def ask_again(self) -> None:
        """Begin a new interval: what the peer did not have it may have now.

        If all could be asked for in the last one; else the rest comes first.
        """
        if self._vain_left > 0:
            self._vain.clear()
        self._vain_left = limits.CHUNKS_IN_VAIN_MAX

    def may_bring(self, chunk: bytes) -> bool:
        """Return whether the peer may be asked, and has not said that the chunk is not there."""
        return chunk not in self._vain and self._may_ask()

    def next_frames(self, now_ms: int) -> list[f.Frame]:
        """Return the next question, if there is room for one and something to ask for.

        What the peer owes for 10 s while it brings operations, others may be asked for.
        """
        late = [chunk for chunk, at_ms in self._asked if now_ms - at_ms >= limits.REPLY_MS_MAX]
        self._fetching.give_back(self._community, self, late)
        count = min(self._under_way_max - len(self._asked), self._vain_left)
        if count <= 0 or not self._may_ask():
            return []
        without = self._vain.union(chunk for chunk, _ in self._asked)
        chunks = self._fetching.take(self._community, self, count, without)
        if not chunks:
            return []
        if not self._asked:
            self._alive_ms = now_ms
        self._asked.extend((chunk, now_ms) for chunk in chunks)
        return [f.ChunksWanted(chunks)]

    def take(self, frame: f.Chunk, now_ms: int) -> tuple[bytes, bytes] | None:
        """Return (hash, sealed chunk) of what came and is still wanted.

        The chunk is empty if no peer in touch has it.

        Raises Refused(unasked) for anything but the next that was asked for.
        """
        if not self._asked:
            raise Refused(Reason.UNASKED)
        chunk, asked_ms = self._asked[0]
        if frame.sealed and chunk_hash(frame.sealed) != chunk:
            raise Refused(Reason.UNASKED)
        self._asked.popleft()
        self._alive_ms = now_ms
        if not frame.sealed:
            self._vain.add(chunk)
            self._vain_left -= 1
            self._fetching.give_back(self._community, self, [chunk])
            return (chunk, b"") if self._fetching.is_nowhere(self._community, chunk) else None
        is_quick = now_ms - asked_ms < _QUICK_MS
        most = self._under_way_max + 1 if is_quick else 1
        self._under_way_max = min(most, limits.CHUNKS_UNDER_WAY_MAX)
        was_wanted = self._fetching.came(self._community, chunk)
        return (chunk, frame.sealed) if was_wanted else None

    def end(self) -> None:
        """Let other peers be asked for what this one owes."""
        self._fetching.give_back(self._community, self, [chunk for chunk, _ in self._asked])
        self._asked.clear()
        self._fetching.leave(self._community, self)


class ChunkSupply:
    """What one peer asked of us, answered in its order."""

    def __init__(self, may_give: Callable[[], bool]) -> None:
        """`may_give` says whether the peer may have chunks, now."""
        self._may_give = may_give
        self._queue: deque[bytes] = deque()
        self._is_reading = False

    def want(self, chunks: Sequence[bytes]) -> None:
        """Queue what a peer wants; raises Refused(over-limit) for more than may be under way."""
        self._queue.extend(chunks)
        if len(self._queue) > limits.CHUNKS_QUEUED_MAX:
            raise Refused(Reason.OVER_LIMIT)

    def next_to_read(self) -> bytes | None:
        """Return the chunk that the shell is to read, None while it reads one or nothing waits."""
        if self._is_reading or not self._queue or not self._may_give():
            return None
        self._is_reading = True
        return self._queue[0]

    def refusals(self) -> list[f.Frame]:
        """Return the answers to a peer that may have nothing; the disk is left alone."""
        if self._is_reading or not self._queue or self._may_give():
            return []
        count = len(self._queue)
        self._queue.clear()
        return [f.Chunk(b"")] * count

    def was_read(self, sealed: bytes) -> list[f.Frame]:
        """Return the answer to the oldest want, now that it was read; empty: it is not here."""
        if not self._is_reading:
            return []
        self._is_reading = False
        self._queue.popleft()
        return [f.Chunk(sealed if self._may_give() else b"")]


class ChunkExchange:
    """Both directions on one link."""

    def __init__(
        self,
        requests: ChunkRequests,
        supply: ChunkSupply,
        session: int,
        community: bytes,
        peer_id: str,
    ) -> None:
        self._requests = requests
        self._supply = supply
        self._session = session
        self._community = community
        self._peer_id = peer_id
        self.is_alive = requests.is_alive
        self.ask_again = requests.ask_again
        self.set_back = requests.set_back
        self.end = requests.end

    @property
    def due_ms(self) -> int | None:
        """Until when the peer must send something; None if it owes no chunk."""
        return self._requests.due_ms

    def receive(self, frame: f.ChunksWanted | f.Chunk, now_ms: int) -> list[Effect]:
        """Take a frame about chunks; raises Refused."""
        if isinstance(frame, f.ChunksWanted):
            self._supply.want(frame.chunks)
            return []
        came = self._requests.take(frame, now_ms)
        if came is None:
            return []
        chunk, sealed = came
        if not sealed:
            return [ChunkNowhere(self._community, chunk)]
        return [ChunkBrought(self._community, chunk, sealed, self._peer_id)]

    def go_on(self, now_ms: int, *, may_read: bool) -> list[Effect]:
        """Ask for what is wanted; answer, or if `may_read` let read, what the peer wants."""
        frames = [*self._requests.next_frames(now_ms), *self._supply.refusals()]
        chunk = self._supply.next_to_read() if may_read else None
        asked = [] if chunk is None else [ChunkAsked(self._session, self._community, chunk)]
        return [*self._sent(frames), *asked]

    def was_read(self, sealed: bytes) -> list[Effect]:
        """Answer the oldest want with what was read of it."""
        return self._sent(self._supply.was_read(sealed))

    def _sent(self, frames: Sequence[f.Frame]) -> list[Effect]:
        return [SendFrame(self._session, f.encode_frame(frame)) for frame in frames]
