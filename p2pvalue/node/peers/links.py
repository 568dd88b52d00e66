"""Carries frames between links and the machine's sessions.

Each link has one reader, which hands frames to the machine one after the other, and one writer with
a queue. The protocol's own credit keeps that queue short; a peer that makes it grow is cut off.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import count

import trio

from p2pvalue.network.interface import (
    JOIN_PROTOCOL,
    LINK_PROTOCOL,
    RECOVER_PROTOCOL,
    Link,
    LinkClosed,
)
from p2pvalue.store import StoreFailed
from p2pvalue_protocol.inputs import (
    FrameReceived,
    Input,
    JoinAsked,
    LinkAsked,
    PeerJoined,
    PeerLeft,
    RecoveryAsked,
)

log = logging.getLogger(__name__)

QUEUED_BYTES_MAX = 8 * 1024 * 1024


class _Outbox:
    def __init__(self, link: Link) -> None:
        self.link = link
        self.frames: list[bytes] = []
        self.queued_bytes = 0
        self.is_closing = False
        self.changed = trio.Event()
        self.sent = trio.Event()

    def put(self, frame: bytes) -> None:
        self.frames.append(frame)
        self.queued_bytes += len(frame)
        if self.queued_bytes > QUEUED_BYTES_MAX:
            self.is_closing = True
        self.changed.set()

    def close(self) -> None:
        self.is_closing = True
        self.changed.set()


class Links:
    """All open links by session number. `handle` takes an input and performs its effects."""

    def __init__(self, handle: Callable[[Input], object]) -> None:
        self._handle = handle
        self._numbers = count(1)
        self._outboxes: dict[int, _Outbox] = {}
        self.code_secret: Callable[[], bytes | None] = lambda: None

    def number(self) -> int:
        """Return a session number that was never used."""
        return next(self._numbers)

    def send(self, session: int, frame: bytes) -> None:
        """Queue a frame; frames for a session that ended are dropped."""
        outbox = self._outboxes.get(session)
        if outbox is not None and not outbox.is_closing:
            outbox.put(frame)

    def close(self, session: int) -> None:
        """End a session's link after what is queued."""
        outbox = self._outboxes.get(session)
        if outbox is not None:
            outbox.close()

    async def drained(self, session: int) -> None:
        """Wait until a session's link took all that was queued, or ended."""
        while (outbox := self._outboxes.get(session)) is not None and outbox.queued_bytes:
            await outbox.sent.wait()

    async def serve(self, link: Link) -> None:
        """Serve a link that a peer opened, until it ends."""
        session = self.number()
        if link.protocol == JOIN_PROTOCOL:
            await self.carry(link, session, JoinAsked(session, link.peer_id))
        elif link.protocol == RECOVER_PROTOCOL:
            await self.carry(link, session, RecoveryAsked(session, link.peer_id))
        elif link.protocol == LINK_PROTOCOL:
            secret = self.code_secret()
            if secret is not None:  # without a code that stands nobody is spoken to
                await self.carry(link, session, LinkAsked(session, link.peer_id, secret))
        else:
            await self.carry(link, session, PeerJoined(session, link.peer_id, False, None))

    async def carry(self, link: Link, session: int, opening: Input) -> None:
        """Tell the machine of a new session and carry its frames until either side ends it."""
        outbox = self._outboxes[session] = _Outbox(link)
        try:
            self._handle(opening)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write, outbox, nursery.cancel_scope)
                while True:
                    frame = await link.receive()
                    if outbox.is_closing:
                        break
                    self._handle(FrameReceived(session, frame))
                await trio.sleep_forever()  # the writer sends the rest, then ends us
        except* LinkClosed:
            pass
        except* Exception as failed:  # noqa: BLE001  (a bad link must not take the node along)
            log.error("ended a session: %r", failed.exceptions[0])
        finally:
            del self._outboxes[session]
            outbox.sent.set()
            self._left(session)
            with trio.CancelScope(shield=True, deadline=trio.current_time() + 2.0):
                await link.close()

    def _left(self, session: int) -> None:
        try:
            self._handle(PeerLeft(session))
        except StoreFailed:
            pass  # told by what failed first
        except Exception:
            log.exception("a defect, please report it: at the end of a session")

    async def _write(self, outbox: _Outbox, ending: trio.CancelScope) -> None:
        while True:
            frames, outbox.frames = outbox.frames, []
            for frame in frames:
                await outbox.link.send(frame)
                outbox.queued_bytes -= len(frame)
            outbox.sent.set()
            outbox.sent = trio.Event()
            if outbox.frames:
                continue
            if outbox.is_closing:
                ending.cancel()
                return
            outbox.changed = trio.Event()
            await outbox.changed.wait()
