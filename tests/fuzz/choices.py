"""Bytes read as a program: each choice takes some; when none are left, all choices are the first.

So every byte string means something, a shorter one means less, and a mutation of one choice leaves
the choices around it as they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Choices:
    """Choices that a byte string makes, in order."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def is_spent(self) -> bool:
        """Whether every byte has been used."""
        return self._at >= len(self._data)

    def take(self, size: int) -> bytes:
        """The next bytes, fewer at the end."""
        taken = self._data[self._at : self._at + size]
        self._at += size
        return taken

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._data))

    def number(self, below: int) -> int:
        """A number from 0, of one byte or as many as are needed."""
        size = max(1, ((below - 1).bit_length() + 7) // 8)
        return int.from_bytes(self.take(size), "big") % below

    def pick(self, options: Sequence[T]) -> T:
        """One of the options."""
        return options[self.number(len(options))]

    def some(self, options: Sequence[T], count_max: int) -> list[T]:
        """Some of the options, perhaps none, perhaps one twice."""
        return [self.pick(options) for _ in range(self.number(count_max + 1) if options else 0)]

    def piece(self) -> bytes:
        """Bytes of a length that the program says, mostly short."""
        size = self.number(256)
        return self.take(size if size < 250 else self.number(1 << 16))
