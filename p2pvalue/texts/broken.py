"""How a text fails."""

from __future__ import annotations


class TextBroken(Exception):
    """The text library failed on a replica, which must not be used any more."""

    def __init__(self, message: str, at: int | None = None) -> None:
        """`at` counts the updates of a batch before the one that made the library fail."""
        super().__init__(message)
        self.at = at


class WorkerLost(TextBroken):
    """The process that held a replica, and all others, has ended."""

    def __init__(self, message: str, *, is_ours: bool) -> None:
        """`is_ours` says that it ended over this very question, and not over another's."""
        super().__init__(message)
        self.is_ours = is_ours
