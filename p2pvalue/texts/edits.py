"""Edits of a text by position, which counts code points."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from p2pvalue_protocol.errors import LocalProtocolError

# A burst is one transaction and one operation; these keep its update below a payload's size.
BURST_COST_MAX: Final = 56_000
BURST_CHARACTERS_MAX: Final = 8_192  # at most 16,384 UTF-16 units in one block
DELETED_AT_ONCE_MAX: Final = 2_048
_EDIT_COST: Final = 40  # a block's head with two references
_DELETED_COST: Final = 8  # a character deleted may be a range of its own


class Edit(NamedTuple):
    """At `position`, `deleted` code points go and `inserted` comes."""

    position: int
    deleted: int
    inserted: str


def check_edits(length: int, edits: Iterable[Edit]) -> None:
    """Raise LocalProtocolError unless the edits fit a text of `length` code points."""
    for position, deleted, inserted in edits:
        if position < 0 or deleted < 0 or position + deleted > length:
            raise LocalProtocolError(
                f"an edit at {position} that deletes {deleted} does not fit a text of {length}"
                " characters: read the text again and count in code points"
            )
        try:
            inserted.encode()
        except UnicodeEncodeError:
            raise LocalProtocolError(
                "the text holds half a character (a lone surrogate): type it again"
            ) from None
        length += len(inserted) - deleted


def edited(text: str, edits: Iterable[Edit]) -> str:
    """Return the text after edits that fit it."""
    for position, deleted, inserted in edits:
        text = text[:position] + inserted + text[position + deleted :]
    return text


def in_bursts(edits: Iterable[Edit]) -> Iterator[list[Edit]]:
    """Yield the same edits in groups, large ones cut, each small enough for one operation."""
    burst: list[Edit] = []
    cost = characters = 0
    for piece in _in_pieces(edits):
        size = len(piece.inserted.encode()) + _EDIT_COST + _DELETED_COST * piece.deleted
        length = len(piece.inserted)
        if burst and (cost + size > BURST_COST_MAX or characters + length > BURST_CHARACTERS_MAX):
            yield burst
            burst, cost, characters = [], 0, 0
        burst.append(piece)
        cost += size
        characters += length
    if burst:
        yield burst


def _in_pieces(edits: Iterable[Edit]) -> Iterator[Edit]:
    for position, deleted, inserted in edits:
        while deleted > DELETED_AT_ONCE_MAX:
            yield Edit(position, DELETED_AT_ONCE_MAX, "")
            deleted -= DELETED_AT_ONCE_MAX
        first, rest = inserted[:BURST_CHARACTERS_MAX], inserted[BURST_CHARACTERS_MAX:]
        if deleted or first:
            yield Edit(position, deleted, first)
        for start in range(0, len(rest), BURST_CHARACTERS_MAX):
            piece = rest[start : start + BURST_CHARACTERS_MAX]
            yield Edit(position + len(first) + start, 0, piece)
