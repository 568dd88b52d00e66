"""Where the updates are that heads name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from p2pvalue_protocol.documents.known import Foreign
from p2pvalue_protocol.documents.strands import Branch

_FOUND_MAX: Final = 256


class Finder:
    """Finds the judged updates of a document's branches by their ids."""

    def __init__(self, branches: dict[int, Branch]) -> None:
        self._branches = branches
        self._found: dict[bytes, tuple[Branch, int]] = {}

    def note(self, op_id: bytes, branch: Branch, place: int) -> None:
        """Note where an update is that is judged now: most heads name one of the newest."""
        if len(self._found) >= _FOUND_MAX:
            del self._found[next(iter(self._found))]
        self._found[op_id] = branch, place

    def find(self, op_id: bytes) -> tuple[Branch, int]:
        """Return an update's branch and place there; raises KeyError if it is not judged.

        What is long past, or not there, takes 1 µs per 1,000 updates.
        """
        found = self._found.get(op_id)
        if found is not None:
            return found
        for branch in self._branches.values():
            place = branch.ids.find(op_id)
            if place is not None:
                self.note(op_id, branch, place)
                return branch, place
        raise KeyError(op_id)

    def joined(self, branch: Branch, heads: Iterable[bytes]) -> Foreign:
        """Return what a branch knows of others with these heads, all judged."""
        joined = dict(branch.foreign)
        for other, place in map(self.find, heads):
            for number, count in (*other.known_at(place).items(), (other.number, place + 1)):
                if number != branch.number and joined.get(number, 0) < count:
                    joined[number] = count
        return joined
