"""Work that may take long, in steps: who does it can let others have their turn between two.

A step takes some milliseconds at most. Until all are done, what is worked on is not to be touched;
who gives up before has to throw it away.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias, TypeVar

T = TypeVar("T")

Steps: TypeAlias = Generator[None, None, T]


def finish(steps: Steps[T]) -> T:
    """Do all steps in one go; return what comes of them."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            found: T = done.value
            return found
