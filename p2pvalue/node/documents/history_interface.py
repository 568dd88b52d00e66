"""What callers can ask about the past of documents: the room of a community, by name."""

from __future__ import annotations

from typing import Protocol

from p2pvalue import past_types as pt
from p2pvalue import types as t


class HistoryInterface(Protocol):
    """The past of documents; a version is ids of edits, or their first digits, joined by "+"."""

    async def edits(self, reference: str, limit: int) -> pt.HistoryView: ...
    async def at(self, reference: str, version: str) -> t.TextView: ...
    async def blame(self, reference: str, version: str, *, deleted: bool) -> pt.BlameView:
        """Return who wrote each run of the text, of the text as it is if `version` is empty."""
        ...

    async def restore(self, reference: str, version: str) -> t.TextView: ...
    async def undo(self, reference: str) -> pt.TurnView: ...
    async def redo(self, reference: str) -> pt.TurnView: ...
