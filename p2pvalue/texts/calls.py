"""The table of what can be asked of a document in the worker process.

A row is a function of a `SharedDocument` and of arguments that msgpack can carry, as can what it
returns; it raises TextBroken (the document is thrown away) or LocalProtocolError (nothing was
changed). `remote.py` has a method for each row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from p2pvalue.texts import sync
from p2pvalue.texts.authorship import apply_by_edit, edits_turning, runs_by_edit
from p2pvalue.texts.cutting import cut
from p2pvalue.texts.digest import digest
from p2pvalue.texts.edits import Edit
from p2pvalue.texts.shared import SharedDocument


def _text(document: SharedDocument) -> str:
    return document.text


def _edit(document: SharedDocument, edits: list[tuple[int, int, str]]) -> list[bytes]:
    return document.edit([Edit(*edit) for edit in edits])


CALLS: Final[Mapping[str, Callable[..., Any]]] = {
    "apply": SharedDocument.apply,
    "apply_by_edit": apply_by_edit,
    "cut": cut,
    "digest": digest,
    "edit": _edit,
    "edits_turning": edits_turning,
    "encoded": SharedDocument.encoded,
    "lacks": SharedDocument.lacks,
    "rewrite": SharedDocument.rewrite,
    "runs_by_edit": runs_by_edit,
    "schema": sync.schema,
    "since": sync.since,
    "state": sync.state,
    "text": _text,
}
