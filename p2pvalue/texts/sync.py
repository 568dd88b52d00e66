"""What editors ask of a document: how much it holds, and all that somebody lacks of it."""

from __future__ import annotations

import pycrdt

from p2pvalue.texts.shared import SharedDocument, contained

META_ROOT = "meta"


def state(document: SharedDocument) -> bytes:
    """Return the next clock of each client."""
    with contained():
        return bytes(document.doc.get_state())


def since(document: SharedDocument, held: bytes) -> bytes:
    """Return what somebody lacks who holds so much, as one update; and all that was ever deleted.

    `held` is a state that was read and written again: the library does not check it.
    """
    with contained():
        return bytes(document.doc.get_update(held))


def schema(document: SharedDocument) -> int:
    """Return which version of the shape's names the document uses, 1 unless it says so."""
    with contained():
        said = document.doc.get(META_ROOT, type=pycrdt.Map).get("schema")
    is_number = isinstance(said, int | float) and not isinstance(said, bool)
    return max(1, int(said)) if is_number and abs(said) < 2**31 else 1
