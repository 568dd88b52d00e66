"""Telling a peer what our documents show, and hearing what its own do (spec: digests)."""

from __future__ import annotations

from p2pvalue_protocol import frames as f
from p2pvalue_protocol import limits
from p2pvalue_protocol.effects import DigestsHeard
from p2pvalue_protocol.inputs import ShownDocument
from p2pvalue_protocol.showing import Showing


class DigestTalk:
    """What one peer was told of our documents, and how much of its own is still heard."""

    def __init__(self, community: bytes, showing: Showing) -> None:
        self._community = community
        self._showing = showing
        self._told: dict[bytes, ShownDocument] = {}
        self._left = limits.DIGESTS_TAKEN_MAX

    def hear_again(self) -> None:
        """Begin a new interval."""
        self._left = limits.DIGESTS_TAKEN_MAX

    def next_frames(self) -> list[f.Frame]:
        """Return what is new since the last call, in one frame; none if nothing is."""
        shown = {each.document: each for each in self._showing.all()}
        news = [each for each in shown.values() if self._told.get(each.document) != each]
        self._told = shown
        return [f.Digests([f.DocumentDigest(*each) for each in news])] if news else []

    def hear(self, frame: f.Digests, device: bytes) -> DigestsHeard:
        """Return what a member's device says that its documents show; of too much the first."""
        heard = frame.digests[: self._left]
        self._left -= len(heard)
        shown = (ShownDocument(each.document, each.version, each.digest) for each in heard)
        return DigestsHeard(self._community, device, tuple(shown))
