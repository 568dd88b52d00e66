"""What can be asked about a person's own devices."""

from __future__ import annotations

from typing import Annotated

import msgspec

from p2pvalue.api.schema import Confidence, InCommunity, Question, Reference


class ShowCode(Question, frozen=True, kw_only=True):
    """What this new device is to be called."""

    label: str = ""


class AddDevice(Confidence, frozen=True, kw_only=True):
    """The code that a new device shows."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]


class OfDevice(InCommunity, frozen=True, kw_only=True):
    """A device by its name or the beginning of its id; without `community`, wherever it is."""

    device: Reference


class RevokeDevice(Confidence, frozen=True, kw_only=True):
    """Whose device is meant, and the 24 words, where a device alone may not do it."""

    device: Reference
    community: Reference | None = None
    words: str = ""


class Recover(Confidence, frozen=True, kw_only=True):
    """A community's link; `words` are needed on a machine that does not keep them."""

    link: str
    words: str = ""


class CommunityLink(msgspec.Struct, frozen=True, kw_only=True):
    """Where a community is, without a secret: for who belongs to it, or asks to be let in."""

    link: str
