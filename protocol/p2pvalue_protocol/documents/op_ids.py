"""The ids of a branch's updates: four bytes of each are kept, and whoever stores them has the rest.

A head names an update by its id. Where the bytes that are kept are those of a head, the whole id is
asked for and compared, so that nobody gains by finding two ids that begin alike.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import Final

MARK_BYTES: Final = 4

IdOf = Callable[[int, int], bytes]
"""By the number of a branch and a seq in it, the id of an update that is stored."""


class OpIds:
    """The ids and seqs of one branch's updates, in its order; 12 bytes of memory each."""

    __slots__ = ("_anchors", "_id_of", "_newest", "_number", "_unstored", "marks", "seqs")

    def __init__(
        self, number: int, id_of: IdOf, seqs: Iterable[int] = (), marks: bytes = b""
    ) -> None:
        """Begin with the ids of those seqs, of which `marks` are the first bytes."""
        self.seqs = array("Q", seqs)
        self.marks = bytearray(marks)
        self._number = number
        self._id_of = id_of
        self._newest = b""  # of the last one; empty if it must be asked for
        self._unstored: dict[int, bytes] = {}
        self._anchors: dict[int, bytes] = {}

    def __len__(self) -> int:
        return len(self.seqs)

    def append(self, op_id: bytes, seq: int, *, is_stored: bool) -> None:
        """Add the next one; nobody is asked for one that is not stored until `identify`."""
        if not is_stored:
            self._unstored[len(self.seqs)] = op_id
        self.seqs.append(seq)
        self.marks += op_id[:MARK_BYTES]
        self._newest = op_id

    def identify(self, made_up: bytes, op_id: bytes, seq: int) -> None:
        """Give one that was not stored the id and seq that it is stored with."""
        place = next(place for place, known in self._unstored.items() if known == made_up)
        del self._unstored[place]
        self.seqs[place] = seq
        self.marks[MARK_BYTES * place : MARK_BYTES * (place + 1)] = op_id[:MARK_BYTES]
        self._anchors.pop(place, None)
        if self._newest == made_up:
            self._newest = op_id

    def __getitem__(self, place: int) -> bytes:
        """Return the id at a place; most are asked for."""
        if place == len(self.seqs) - 1 and self._newest:
            return self._newest
        return self._unstored.get(place) or self._id_of(self._number, self.seqs[place])

    def anchor(self, place: int) -> bytes:
        """Return the id at a place, and keep it: it is asked for again and again."""
        op_id = self._anchors.get(place)
        if op_id is None:
            op_id = self._anchors[place] = self[place]
        return op_id

    def find(self, op_id: bytes) -> int | None:
        """Return the place of an id; None if it is not there. O(n), a nanosecond each."""
        end = len(self.marks)
        while (at := self.marks.rfind(op_id[:MARK_BYTES], 0, end)) >= 0:
            place, beside = divmod(at, MARK_BYTES)
            if not beside and self[place] == op_id:
                return place
            end = at + MARK_BYTES - 1
        return None

    def place_of(self, seq: int) -> int:
        """Return the place of a seq; KeyError if there is none."""
        place = bisect_left(self.seqs, seq)
        if place == len(self.seqs) or self.seqs[place] != seq:
            raise KeyError(seq)
        return place

    def count_to(self, seq: int) -> int:
        """Return how many there are up to a seq."""
        return bisect_left(self.seqs, seq + 1)
