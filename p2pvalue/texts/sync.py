"""What editors ask of a document: how much it holds, and all that somebody lacks of it."""

from __future__ import annotations

from typing import Final

import pycrdt

from p2pvalue.texts.shared import SharedDocument, contained
from p2pvalue_protocol.documents.state_form import read_state
from p2pvalue_protocol.documents.verdict import UpdateInvalid

META_ROOT: Final = "meta"
VERSIONS_MAX: Final = 2**31


def state(document: SharedDocument) -> bytes:
    """Return the next clock of each client."""
    with contained():
        return bytes(document.doc.get_state())


def since(document: SharedDocument, held: bytes) -> bytes:
    """Return what somebody lacks who holds so much, as one update; and all that was ever deleted.

    Empty if `held` is no state: the library does not check it.
    """
    try:
        read_state(held)
    except UpdateInvalid:
        return b""
    with contained():
        return bytes(document.doc.get_update(held))


def schema(document: SharedDocument) -> int:
    """Return the least version of the shape's names that knows all that the document uses.

    That is what it says of itself, 1 if it says nothing, or more if it uses what that one lacks.
    """
    from p2pvalue.texts.schema import NEWEST  # noqa: PLC0415 - few processes need it

    with contained():
        told = document.doc.get(META_ROOT, type=pycrdt.Map).get("schema")
    is_version = isinstance(told, int | float) and 1 <= told < VERSIONS_MAX
    version = int(told) if is_version else 1
    while version <= NEWEST and document.lacks(version):
        version += 1
    return version
