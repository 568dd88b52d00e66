"""Which blobs this node is fetching, and how far each is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import islice

import trio

from p2pvalue.node.blobs.blob_states import Author, BlobKey


class Fetch:
    """One blob of which chunks are missing here."""

    def __init__(self, author: Author, chunks: Iterable[bytes], missing: Iterable[bytes]) -> None:
        self.author = author
        self.chunks = list(chunks)
        self.missing = dict.fromkeys(missing)  # in their order
        self.peers: set[str] = set()  # that brought some of it
        self.users = 0  # who waits for it; without any it is fetched by itself
        self.failure = ""
        self.moved_s = trio.current_time()
        self.changed = trio.Event()

    @property
    def done(self) -> int:
        """How many of its chunks are here."""
        return len(self.chunks) - len(self.missing)

    def sought(self) -> Iterable[bytes]:
        """Return the chunks to be asked for: one, as long as nobody waits or had any."""
        return self.missing if self.users or self.peers else islice(self.missing, 1)

    def tell(self) -> None:
        """Wake who waits for it."""
        self.moved_s = trio.current_time()
        self.changed.set()
        self.changed = trio.Event()


class Fetches:
    """All blobs being fetched; those that somebody waits for first, then of each author one."""

    def __init__(self) -> None:
        self._running: dict[BlobKey, Fetch] = {}
        self._turns = 0
        self._last_turn: dict[Author, int] = {}

    def __len__(self) -> int:
        return len(self._running)

    def get(self, key: BlobKey) -> Fetch | None:
        """Return a blob's fetch, if there is one."""
        return self._running.get(key)

    def add(self, key: BlobKey, fetch: Fetch) -> None:
        """Begin to fetch a blob."""
        self._running[key] = fetch

    def end(self, key: BlobKey, failure: str = "") -> Fetch:
        """Fetch a blob no more that was being fetched; who waits for it is told why."""
        fetch = self._running.pop(key)
        self._turns += 1
        self._last_turn[fetch.author] = self._turns
        fetch.failure = failure
        fetch.tell()
        return fetch

    def end_all(self, community: bytes, failure: str) -> None:
        """Fetch nothing more of a community."""
        for key in [key for key in self._running if key[0] == community]:
            self.end(key, failure)

    def authors_of(self, community: bytes, chunk: bytes) -> set[Author]:
        """Return the authors of blobs that miss a chunk."""
        fetches = self._running.values()
        return {f.author for f in fetches if f.author[0] == community and chunk in f.missing}

    def came(self, community: bytes, chunk: bytes, peer_id: str) -> list[BlobKey]:
        """Note that a chunk is here; return the blobs that are complete with it."""
        complete = []
        for key, fetch in self._running.items():
            if key[0] == community and chunk in fetch.missing:
                del fetch.missing[chunk]
                fetch.peers.add(peer_id)
                fetch.tell()
                if not fetch.missing:
                    complete.append(key)
        return complete

    def wanted(self, community: bytes) -> tuple[bytes, ...]:
        """Return the chunks that are missing, in the order in which they shall be asked for.

        Of each author one blob, first of whom had none for longest, then of each another. One that
        nobody waits for is asked for by one chunk first, until somebody brings it.
        """
        before: Counter[Author] = Counter()
        ranked = []
        for fetch in (fetch for key, fetch in self._running.items() if key[0] == community):
            rank = -1 if fetch.users else before[fetch.author]
            ranked.append((rank, self._last_turn.get(fetch.author, 0), fetch))
            before[fetch.author] += not fetch.users
        ranked.sort(key=lambda item: item[:2])
        return tuple(dict.fromkeys(chunk for *_, fetch in ranked for chunk in fetch.sought()))

    def by_itself(self) -> Counter[Author]:
        """Return how many blobs of each author are being fetched that nobody waits for."""
        return Counter(fetch.author for fetch in self._running.values() if not fetch.users)

    def last_of(self, author: Author) -> BlobKey:
        """Return the blob of an author, begun last, that nobody waits for; there is one."""
        latest = reversed(self._running.items())
        return next(key for key, f in latest if f.author == author and not f.users)

    def seeking(self, community: bytes, chunk: bytes) -> list[BlobKey]:
        """Return the blobs that miss a chunk and that nobody waits for."""
        return [
            key
            for key, fetch in self._running.items()
            if key[0] == community and not fetch.users and chunk in fetch.missing
        ]

    def missing_count(self, author: Author | None = None) -> int:
        """Return how many chunks are still to come, of one author or of all."""
        fetches = self._running.values()
        return sum(len(fetch.missing) for fetch in fetches if author in (None, fetch.author))

    def chunks_in_use(self) -> set[bytes]:
        """Return all chunks of the blobs being fetched."""
        return {chunk for fetch in self._running.values() for chunk in fetch.chunks}

    def stuck(self, before_s: float) -> list[BlobKey]:
        """Return the blobs that nobody waits for and of which nothing came since `before_s`."""
        return [
            key
            for key, fetch in self._running.items()
            if not fetch.users and fetch.moved_s < before_s
        ]
