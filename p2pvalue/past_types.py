"""What is told about the past of a document."""

from __future__ import annotations

from p2pvalue.types import Value


class EditView(Value, frozen=True, kw_only=True):
    """What one person did to a document in one go; `version` is the text as she then saw it.

    Letters are Unicode code points. `undoes` is the version of the edit that this one took back.
    """

    version: str
    member: str
    since: int
    time: int
    updates: int
    inserted: int
    deleted: int
    undoes: str = ""
    is_taken_back: bool = False


class HistoryView(Value, frozen=True, kw_only=True):
    """The newest edits of a document, newest last, and how many are `earlier`."""

    document: str
    title: str
    version: str  # of the text as it is now: ids joined by "+"
    earlier: int
    edits: list[EditView]


class RunView(Value, frozen=True, kw_only=True):
    """Letters in a row that one edit wrote, `version`, and another deleted, if any."""

    text: str
    member: str
    version: str
    time: int
    deleted_by: str = ""
    deleted_in: str = ""
    deleted_time: int = 0


class BlameView(Value, frozen=True, kw_only=True):
    """A text by who wrote what."""

    document: str
    title: str
    version: str
    runs: list[RunView]


class TurnView(Value, frozen=True, kw_only=True):
    """The edit that was taken back, or done again, and how the text changed by that."""

    document: str
    title: str
    edit: EditView
    inserted: int
    deleted: int
