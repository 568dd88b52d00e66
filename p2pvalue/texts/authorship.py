"""Who wrote what: a document's updates applied one by one, noting which edit each is part of."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final
from weakref import WeakKeyDictionary

import pycrdt

from p2pvalue.texts.attribution import Attribution, Run
from p2pvalue.texts.difference import edits_between
from p2pvalue.texts.edits import Edit
from p2pvalue.texts.shared import SharedDocument, contained

_followed: Final[WeakKeyDictionary[SharedDocument, Attribution]] = WeakKeyDictionary()


def apply_by_edit(document: SharedDocument, updates: list[tuple[int, bool, bytes]]) -> None:
    """Take in verified updates in order; ~50 µs for a few keys.

    Each with the number of its edit and whether that takes back or does again, as `Attribution`
    wants them. All of the document must have come so. In a rich document, who wrote what is told by
    the differences of its Markdown, one for each edit: up to a second each. Raises TextBroken.
    """
    attribution = _followed.setdefault(document, Attribution())
    if isinstance(document.content, pycrdt.Text):
        _apply_to_text(document, document.content, attribution, updates)
        return
    for (number, is_return), group in groupby(updates, lambda update: update[:2]):
        before = document.text
        document.apply([update for _, _, update in group])
        delta = _delta(before, edits_between(before, document.text))
        attribution.change(delta, number, is_return=is_return)


def _apply_to_text(
    document: SharedDocument,
    text: pycrdt.Text,
    attribution: Attribution,
    updates: list[tuple[int, bool, bytes]],
) -> None:
    document.touch()
    deltas: list[Any] = []

    def hear(event: Any) -> None:
        deltas.append(event.delta)

    with contained():
        subscription = text.observe(hear)
        try:
            for number, is_return, update in updates:
                document.doc.apply_update(update)
                for delta in deltas:
                    attribution.change(delta, number, is_return=is_return)
                deltas.clear()
        finally:
            text.unobserve(subscription)


def _delta(text: str, edits: list[Edit]) -> Iterator[dict[str, Any]]:
    """Yield edits of a text, which stand in its order, as the library tells a change."""
    at = moved = 0
    for position, deleted, inserted in edits:
        start = position - moved
        yield {"retain": len(text[at:start].encode())}
        if deleted:
            yield {"delete": len(text[start : start + deleted].encode())}
        if inserted:
            yield {"insert": inserted}
        at = start + deleted
        moved += len(inserted) - deleted


def runs_by_edit(document: SharedDocument, deleted: bool) -> list[Run]:
    """Return the runs of what came by `apply_by_edit`, with what was deleted if asked for."""
    return list(_attribution(document).runs(deleted=deleted))


def edits_turning(document: SharedDocument, number: int, is_again: bool) -> list[Edit]:
    """Return what takes back an edit of what came by `apply_by_edit`, or does it again."""
    return _attribution(document).turned(number, is_again=is_again)


def _attribution(document: SharedDocument) -> Attribution:
    return _followed.get(document) or Attribution()
