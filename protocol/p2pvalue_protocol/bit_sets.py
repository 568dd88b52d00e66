"""Sets of auth operations as the bits of whole numbers: questions about many answered at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator


def bits_of(found: int) -> Iterator[int]:
    """Yield the places of the bits of a set, ascending."""
    while found:
        lowest = found & -found
        yield lowest.bit_length() - 1
        found ^= lowest


class Answers:
    """What is known about a question with yes or no that is asked about one operation at a time."""

    __slots__ = ("asked", "yes")

    def __init__(self) -> None:
        self.asked = 0
        self.yes = 0

    def of(self, index: int, ask: Callable[[int], bool]) -> bool:
        """Return the answer about one operation, which is asked about once."""
        if not self.asked >> index & 1:
            if ask(index):
                self.yes |= 1 << index
            self.asked |= 1 << index
        return bool(self.yes >> index & 1)

    def among(self, found: int, ask: Callable[[int], bool]) -> int:
        """Return those of a set for which the answer is yes; each is asked about once for ever."""
        for index in bits_of(found & ~self.asked):
            self.of(index, ask)
        return found & self.yes

    def forget(self, found: int) -> None:
        """Ask about some operations anew."""
        self.asked &= ~found
        self.yes &= ~found
