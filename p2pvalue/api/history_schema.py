"""What can be asked about a document's past."""

from __future__ import annotations

from typing import Annotated

import msgspec

from p2pvalue.api.schema import OfDocument

LIMIT_MAX = 1_000

_ID = "[0-9A-Fa-f]{4,64}"
Version = Annotated[str, msgspec.Meta(max_length=10_000, pattern=rf"^{_ID}([+]{_ID})*$")]
"""Ids of updates, or their first digits, joined by "+"."""


class ListEdits(OfDocument, frozen=True, kw_only=True):
    """The newest `limit` edits."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=LIMIT_MAX)] = 50


class AtVersion(OfDocument, frozen=True, kw_only=True):
    """`version` is ids of edits, or their first digits, joined by "+"."""

    version: Version


class Blame(OfDocument, frozen=True, kw_only=True):
    """Without `version` the text as it is; `deleted` asks for what is gone too."""

    version: Version | None = None
    deleted: bool = False
