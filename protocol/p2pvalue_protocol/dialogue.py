"""One side of a link on which two nodes speak in turns: each awaits one frame, for 10 s."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

import msgspec

from p2pvalue_protocol import limits
from p2pvalue_protocol.effects import CloseSession, Effect, SendFrame
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.hello import LinkEnd

F = TypeVar("F", bound=msgspec.Struct)  # the frames that this side takes, of which some come next


class Dialogue(ABC, Generic[F]):
    """What all sides share: the link, the timer, and the frames that may come next."""

    def __init__(self, link: LinkEnd, *awaited: type[F]) -> None:
        self._link = link
        self._session = link.session
        self._due_ms: int | None = None
        self._awaited: tuple[type[F], ...] = awaited

    def open(self, now_ms: int) -> list[Effect]:
        """Begin; call once, when the link is open."""
        self._due_ms = now_ms + limits.REPLY_MS_MAX
        return self._begin()

    def receive(self, data: bytes, now_ms: int) -> list[Effect]:
        """Take one frame of the other side; never raises for what the frame holds."""
        if self._due_ms is None:
            return []
        try:
            frame = self._decoded(data)
            if not isinstance(frame, self._awaited):
                raise Refused(Reason.FRAME_INVALID)
            effects = self._answer(frame, now_ms)
        except Refused as refusal:
            return self._end(refusal.reason)
        if self._due_ms is not None:
            self._due_ms = now_ms + limits.REPLY_MS_MAX
        return effects

    def lost(self) -> list[Effect]:
        """Return what to tell the person when the other side closed the link before the end."""
        return []

    def wakeup(self, now_ms: int) -> list[Effect]:
        """End the link if the other side let us wait for longer than 10 s."""
        if self._due_ms is None or now_ms < self._due_ms:
            return []
        return self._end(None)

    def set_back(self, by_ms: int) -> None:
        """Wait no longer, now that our clock was set back by so much."""
        if self._due_ms is not None:
            self._due_ms -= by_ms

    def next_wakeup_ms(self) -> int | None:
        """Return when `wakeup` is to be called at the latest."""
        return self._due_ms

    def _begin(self) -> list[Effect]:
        return []

    @abstractmethod
    def _decoded(self, data: bytes) -> msgspec.Struct:
        """Return what a frame says, awaited or not; raises Refused."""

    @abstractmethod
    def _answer(self, frame: F, now_ms: int) -> list[Effect]:
        """Return what an awaited frame makes us do; raises Refused."""

    def _end(self, reason: Reason | None) -> list[Effect]:
        self._due_ms = None
        return [CloseSession(self._session, reason)]

    def _send(self, frame: msgspec.Struct) -> Effect:
        return SendFrame(self._session, encode(frame))
