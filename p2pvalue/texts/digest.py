"""What a document shows as 32 bytes, to be compared with what others show (spec: digests)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import pycrdt

from p2pvalue.texts.shared import RICH, SharedDocument, contained
from p2pvalue_protocol.documents.digest import Node, rich_digest, text_digest

_SHARED: Final = (
    *(pycrdt.Array, pycrdt.Map, pycrdt.Text),
    *(pycrdt.XmlElement, pycrdt.XmlFragment, pycrdt.XmlText),
)


def digest(document: SharedDocument) -> bytes:
    """Return the digest of what a document shows; costs as much as to read all of it."""
    if document.shape != RICH:
        return text_digest(document.text)
    with contained():
        return rich_digest([_node(child) for child in document.content.children])  # type: ignore[union-attr]  # a rich one has an XmlFragment


def _node(shown: Any) -> Node:
    if isinstance(shown, pycrdt.XmlText):
        return [
            (_plain(value), _attributes((marks or {}).items())) for value, marks in shown.diff()
        ]
    return (
        shown.tag,
        _attributes(shown.attributes),
        [_node(child) for child in shown.children],
    )


def _attributes(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in pairs}


def _plain(value: Any) -> Any:
    """Return a value as it is; of a shared type in it, which no editor puts there, its kind."""
    return type(value).__name__ if isinstance(value, _SHARED) else value
