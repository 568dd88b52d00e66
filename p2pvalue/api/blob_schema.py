"""Questions about the files that members share."""

from __future__ import annotations

from typing import Annotated

import msgspec

from p2pvalue import types as t
from p2pvalue.api.schema import InCommunity, Reference


class AddBlob(InCommunity, frozen=True, kw_only=True):
    """`source` is an absolute path on this machine; without `file` it keeps its own name."""

    source: str
    file: str = ""


class OfBlob(InCommunity, frozen=True, kw_only=True):
    """A question about one file: its name, or digits of its id."""

    blob: Reference


class GetBlob(OfBlob, frozen=True, kw_only=True):
    """`target` is an absolute path for a new file; waits so long for peers that bring nothing."""

    target: str
    wait_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 70.0


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """The last line: the file, and how many peers brought some of it just now."""

    blob: t.BlobView
    peers: int = 0
