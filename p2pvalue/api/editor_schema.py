"""What can be asked about editors."""

from __future__ import annotations

from typing import Annotated

import msgspec

from p2pvalue.api.schema import OfDocument

Origin = Annotated[str, msgspec.Meta(max_length=300, pattern=r"^([a-z][a-z0-9+.-]*://[^/?# ]+)?$")]


class AttachEditor(OfDocument, frozen=True, kw_only=True):
    """Where the editor's page comes from, as browsers tell it; nothing for what is no page.

    `schema` is the newest version of rich texts that the editor knows.
    """

    origin: Origin = ""
    schema: Annotated[int, msgspec.Meta(ge=1, le=2**31)] = 1


class DetachEditor(OfDocument, frozen=True, kw_only=True):
    """The session that an editor has."""

    session: Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
