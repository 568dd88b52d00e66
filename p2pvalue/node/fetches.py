"""Which blobs this node is fetching, and how far each is."""

from __future__ import annotations

from collections.abc import Iterable

import trio

from p2pvalue.node.blob_states import BlobKey


class Fetch:
    """One blob of which chunks are missing here."""

    def __init__(self, chunks: Iterable[bytes], missing: Iterable[bytes]) -> None:
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

    def tell(self) -> None:
        """Wake who waits for it."""
        self.moved_s = trio.current_time()
        self.changed.set()
        self.changed = trio.Event()


class Fetches:
    """All blobs being fetched; those that somebody waits for are asked for first."""

    def __init__(self) -> None:
        self._running: dict[BlobKey, Fetch] = {}

    def __len__(self) -> int:
        return len(self._running)

    def get(self, key: BlobKey) -> Fetch | None:
        """Return a blob's fetch, if there is one."""
        return self._running.get(key)

    def add(self, key: BlobKey, fetch: Fetch) -> None:
        """Begin to fetch a blob."""
        self._running[key] = fetch

    def end(self, key: BlobKey, failure: str = "") -> None:
        """Fetch a blob no more; who waits for it is told why."""
        fetch = self._running.pop(key, None)
        if fetch is not None:
            fetch.failure = failure
            fetch.tell()

    def end_all(self, community: bytes, failure: str) -> None:
        """Fetch nothing more of a community."""
        for key in [key for key in self._running if key[0] == community]:
            self.end(key, failure)

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
        """Return the chunks that are missing, in the order in which they shall be asked for."""
        running = [(key, f) for key, f in self._running.items() if key[0] == community]
        running.sort(key=lambda item: not item[1].users)
        return tuple(dict.fromkeys(chunk for _, fetch in running for chunk in fetch.missing))

    def missing_count(self) -> int:
        """Return how many chunks are still to come."""
        return sum(len(fetch.missing) for fetch in self._running.values())

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
