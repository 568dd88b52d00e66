"""Whose file is fetched next, of those that come by themselves: authors have turns.

Anybody can name files that nobody has, and as many as she likes. So it is always the turn of an
author of whom the fewest are under way. Whose files are sought in vain has a pause now and then,
longer each time; some new files of hers are tried all the same, and somebody new in touch ends it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from p2pvalue.node.blobs.blob_states import Author, BlobKey

IN_VAIN_MAX: Final = 64  # files of one author in a row
NEW_MAX: Final = 16  # files that are tried in a pause
PAUSE_S_MIN: Final = 60.0  # peers are asked again for what they had not within a minute
PAUSE_S_MAX: Final = 3_600.0


class _Queue:
    """The files of one author that are to be fetched."""

    def __init__(self) -> None:
        self.waiting: OrderedDict[BlobKey, None] = OrderedDict()
        self.new = 0  # how many of those waiting are new: the first
        self.new_left = NEW_MAX  # how many of them may be tried in this pause
        self.in_vain = 0  # in a row
        self.pause_s = PAUSE_S_MIN
        self.until_s = 0.0

    def is_ready(self, now_s: float) -> bool:
        """Return whether a file may be fetched: in a pause only a new one."""
        may = self.until_s <= now_s or min(self.new, self.new_left) > 0
        return may and bool(self.waiting)


class FetchTurns:
    """The queues of all authors; who had a turn last is the last of them."""

    def __init__(self) -> None:
        self._queues: OrderedDict[Author, _Queue] = OrderedDict()

    def add(self, author: Author, key: BlobKey, *, is_new: bool) -> None:
        """Let a file wait for its turn; a new one goes first, even in a pause."""
        queue = self._queues.setdefault(author, _Queue())
        queue.waiting[key] = None
        if is_new:
            queue.waiting.move_to_end(key, last=False)
            queue.new += 1

    def whose(self, running: Mapping[Author, int], now_s: float) -> Author | None:
        """Return whose turn it is, if anybody's; one pass over all authors."""
        ready = [author for author, queue in self._queues.items() if queue.is_ready(now_s)]
        return min(ready, key=lambda author: running.get(author, 0), default=None)

    def take(self, author: Author, now_s: float) -> BlobKey:
        """Take the next file of an author whose turn it is."""
        self._queues.move_to_end(author)
        queue = self._queues[author]
        queue.new = max(0, queue.new - 1)
        queue.new_left -= now_s < queue.until_s
        key, _ = queue.waiting.popitem(last=False)
        return key

    def wait(self, author: Author, now_s: float) -> None:
        """Give an author a pause, because there is no room for her files."""
        queue = self._queues[author]
        queue.new, queue.until_s = 0, now_s + PAUSE_S_MIN

    def in_vain(self, author: Author, key: BlobKey, now_s: float) -> None:
        """Note that nobody has a file; it has its turn again behind the author's others."""
        queue = self._queues.setdefault(author, _Queue())
        queue.waiting[key] = None
        queue.waiting.move_to_end(key)
        if now_s < queue.until_s:
            return  # begun before the pause, or new
        queue.in_vain += 1
        if queue.in_vain >= min(IN_VAIN_MAX, len(queue.waiting)):
            queue.in_vain, queue.new_left = 0, NEW_MAX
            queue.until_s = now_s + queue.pause_s
            queue.pause_s = min(2 * queue.pause_s, PAUSE_S_MAX)

    def came(self, author: Author) -> None:
        """Note that a file of an author is here."""
        queue = self._queues.get(author)
        if queue is None:
            return
        queue.in_vain, queue.until_s = 0, 0.0
        queue.pause_s = PAUSE_S_MIN
        if not queue.waiting:
            del self._queues[author]

    def met(self, community: bytes) -> None:
        """End all pauses of a community, for somebody new may have what was sought in vain."""
        for (of, _), queue in self._queues.items():
            if of == community:
                queue.in_vain, queue.until_s = 0, 0.0

    def forget(self, community: bytes) -> None:
        """Fetch nothing of a community any more."""
        for author in [author for author in self._queues if author[0] == community]:
            del self._queues[author]
