"""Which chunks of blobs this node wants, and which session asked for each (spec: sync, "Chunks").

All sessions of a node share this, so that each chunk is asked of one peer at a time, and of the
next one when that has not got it or is gone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol


class Asker(Protocol):
    """What is asked of one peer."""

    def may_bring(self, chunk: bytes) -> bool:
        """Return whether the peer may be asked, and has not said that the chunk is not there."""
        ...


class Fetching:
    """The chunks wanted of every community, in the order in which they are asked for."""

    def __init__(self) -> None:
        self._wanted: dict[bytes, dict[bytes, object | None]] = {}  # chunk -> who asked, if any
        self._askers: dict[bytes, list[Asker]] = {}
        self._has_news = False

    def join(self, community: bytes, asker: Asker) -> None:
        """Note a peer that may have chunks of a community."""
        self._askers.setdefault(community, []).append(asker)

    def leave(self, community: bytes, asker: Asker) -> None:
        """Note that a peer is gone."""
        if asker in self._askers.get(community, ()):
            self._askers[community].remove(asker)

    def is_nowhere(self, community: bytes, chunk: bytes) -> bool:
        """Return whether all peers in touch that may be asked said that they have it not."""
        return not any(asker.may_bring(chunk) for asker in self._askers.get(community, ()))

    def want(self, community: bytes, chunks: Iterable[bytes]) -> None:
        """Want these of a community, and no others any more."""
        before = self._wanted.get(community, {})
        self._wanted[community] = {chunk: before.get(chunk) for chunk in chunks}
        self._has_news = True

    def take(
        self, community: bytes, session: object, count: int, without: Collection[bytes]
    ) -> list[bytes]:
        """Return up to `count` chunks that nobody has asked for; they are the session's now."""
        found: list[bytes] = []
        wanted = self._wanted.get(community, {})
        for chunk, asker in wanted.items():
            if len(found) >= count:
                break
            if asker is None and chunk not in without:
                found.append(chunk)
        for chunk in found:
            wanted[chunk] = session
        return found

    def came(self, community: bytes, chunk: bytes) -> bool:
        """Note that a chunk is here; return whether it was still wanted."""
        wanted = self._wanted.get(community, {})
        was_wanted = chunk in wanted
        wanted.pop(chunk, None)
        return was_wanted

    def give_back(self, community: bytes, session: object, chunks: Iterable[bytes]) -> None:
        """Let others ask for what this session asked for in vain."""
        wanted = self._wanted.get(community, {})
        for chunk in chunks:
            if wanted.get(chunk) is session:
                wanted[chunk] = None
                self._has_news = True

    def take_news(self) -> bool:
        """Return whether there is something to ask for since the last call."""
        had_news, self._has_news = self._has_news, False
        return had_news
