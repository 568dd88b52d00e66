"""One tab of an editor: what it says is judged, signed and told on; what others write it is told.

Nothing that a tab says reaches the text library before it was read strictly and judged as every
update of others is. What is refused closes the tab's connection and is signed by nobody: it stays
where it was typed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import trio

from p2pvalue.node.editors import editor_messages as m
from p2pvalue.node.editors.editor_burst import Burst
from p2pvalue.node.editors.editor_presence import TabPresence
from p2pvalue.node.editors.editor_projection import Projection
from p2pvalue.node.editors.editor_refusal import EditorRefused, Refusal
from p2pvalue.texts.schema import may_exceed
from p2pvalue_protocol.documents.bursts import said_anew
from p2pvalue_protocol.documents.update_form import Update, read_update
from p2pvalue_protocol.documents.verdict import UpdateInvalid, VoidReason

if TYPE_CHECKING:
    from p2pvalue.node.editors.editor_leases import Lease
    from p2pvalue.node.editors.editor_room import EditorRoom
    from p2pvalue.texts.frames import Cut

UNREAD_BYTES_MAX: Final = 8 * 1024 * 1024
ALIVE_EVERY_S: Final = 15.0
"""A tab that hears nothing for 30 s believes the connection dead."""
LAST_WORDS_S_MAX: Final = 2.0
PROJECTED_EVERY_S: Final = 0.5


class Tab:
    """A connection of one tab; `take` what it says, send it `next_message`, and `run` it."""

    def __init__(self, room: EditorRoom, lease: Lease, client: int, *, is_read_only: bool) -> None:
        self.lease, self.client, self.is_read_only = lease, client, is_read_only
        self.is_done = False  # it will not come back
        self.presence = TabPresence(room, self)
        self._room = room
        self._burst = Burst()
        self._signing = trio.Lock()
        self._first_clock = 0  # of its client, when it came
        self._clock = 0  # and the next, with what is not signed yet
        self._has_gap = False  # something it typed was not signed, so what comes next cannot be
        self._has_all = False  # it was told of everything, and hears what comes
        self._gave_all = False  # it has said what it had typed while it was away
        self._outgoing: deque[bytes] = deque()
        self._outgoing_bytes = 0
        self._has_outgoing = trio.Event()
        self._ending: EditorRefused | None = None
        self._projection = Projection(lease.schema) if lease.is_outdated else None

    # --- to the tab

    def push(self, message: bytes) -> None:
        """Send a message as soon as what is before it is read; too much unread ends the tab."""
        if self._outgoing_bytes > UNREAD_BYTES_MAX:
            self.end(EditorRefused(Refusal.SLOW, "this editor reads too slowly: it begins again"))
        if self._ending is not None:
            return
        self._outgoing.append(message)
        self._outgoing_bytes += len(message)
        self._has_outgoing.set()

    def hear(self, updates: list[bytes]) -> None:
        """Tell of what others wrote, if the tab has all that was before."""
        if self._has_all and self._projection is None:
            for update in updates:
                self.push(m.news(update))

    def end_if_unknown(self, updates: list[bytes]) -> None:
        """Close the tab before it hears what its editor does not know, and would delete."""
        if self._projection is None and any(
            may_exceed(self.lease.schema, read_update(update)) for update in updates
        ):
            self.end(_knows_too_little())

    def end(self, refusal: EditorRefused) -> None:
        """Close the connection, for this reason."""
        self._ending = self._ending or refusal
        self._outgoing.clear()
        self._outgoing_bytes = 0
        self._has_outgoing.set()

    async def next_message(self) -> bytes:
        """Return what to send next; raises EditorRefused if it is over."""
        while not self._outgoing and self._ending is None:
            self._has_outgoing = trio.Event()
            await self._has_outgoing.wait()
        if self._ending is not None:
            raise self._ending
        message = self._outgoing.popleft()
        self._outgoing_bytes -= len(message)
        return message

    # --- from the tab

    async def take(self, data: bytes) -> None:
        """Take a message; raises EditorRefused. Waits while there is too much to sign."""
        try:
            message = m.read_message(data)
        except UpdateInvalid as error:
            raise _refused(error.reason) from None
        match message:
            case m.Holds(state):
                await self._tell_all(state)
            case m.Said(update):
                await self._take_update(update, len(data))
            case m.SaidMuch(update, is_all):
                await self._take_much(update, is_all=is_all)
            case m.Presences(found):
                self.presence.said(found)
            case m.PresenceAsked():
                self.push(m.presences(self._room.presences()))

    async def _tell_all(self, state: bytes) -> None:
        """Tell all that the tab lacks, and ask for what it has and we lack."""
        async with self._room.replica(self) as replica:
            if not self._has_all:
                self._first_clock = self._clock = replica.clock_of(self.lease.session)
            if self._projection is not None:
                held, missing = await self._projection.begin(replica, state)
            elif await self._room.exceeds(replica, self.lease.schema):
                raise _knows_too_little()
            else:
                missing = await self._room.missing(replica, state)
                held = await self._room.held(replica)
            if not missing:
                raise _refused(VoidReason.MALFORMED)
            self._has_all = True
            if not self._gave_all:
                self.push(m.holding(held))  # first: what it types on hearing the rest comes behind
            self.push(m.all_missing(missing))
        self.push(m.presences(self._room.presences()))

    async def _take_update(self, update: Update, size: int) -> None:
        if not self._gave_all:
            return  # it says so again with all else that we lack
        if not update.structs and (self.is_read_only or not update.deletions):
            return  # editors tidy up what others wrote, and say so; readers have no say in it
        said = self._check(update)
        try:
            update = said_anew(update, said)
        except UpdateInvalid:
            raise _out_of_turn() from None
        if not update.structs and not update.deletions:
            return
        self._burst.add(update, size)
        if self._burst.is_full:
            await self.sign()

    async def _take_much(self, said: bytes, *, is_all: bool) -> None:
        """Take what is long, or what the tab typed while it was away."""
        if is_all and not self._has_all:
            raise _out_of_turn()
        if not is_all and not self._gave_all:
            return  # as above
        async with self._room.replica(self) as replica:
            cut = await replica.document.cut(said, is_all=is_all, clock=self._clock)
        if cut.reason:
            raise _refused(cut.reason)
        self._gave_all = True
        if not cut.structs and (self.is_read_only or not cut.parts):
            return  # as above
        self._check(cut)
        await self.sign(cut.parts)

    def _check(self, update: Update | Cut) -> int:
        """Return how far the tab had come before an update: what is below was said already."""
        if not update.structs:
            return self._clock
        if self.is_read_only:
            raise EditorRefused(Refusal.NOT_ALLOWED, "you may read this document, and not write it")
        if update.client != self.client:
            raise EditorRefused(
                Refusal.REFUSED,
                f"this tab writes as client {self.client}: set clientID after the first sync",
            )
        if not self._first_clock <= update.first_clock <= self._clock:
            raise _out_of_turn()
        said, self._clock = self._clock, max(self._clock, update.end_clock)
        return said

    # --- signing

    async def sign(self, after: Sequence[bytes] = ()) -> None:
        """Sign and tell what was typed until now, and updates after it; raises EditorRefused."""
        async with self._signing:
            with trio.CancelScope(shield=True):  # what is taken here is nowhere else
                typed = self._burst.take()
                if self._has_gap:
                    return
                self._has_gap = True
                if typed:
                    await self._room.write_typed(self, typed)
                if after:
                    await self._room.write(self, after)
                self._has_gap = False

    async def run(self) -> None:
        """Do what is due until cancelled; raises EditorRefused."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._sign_in_time)
            nursery.start_soon(self._follow)
            nursery.start_soon(self._stay_alive)
            nursery.start_soon(self.presence.run)

    async def _sign_in_time(self) -> None:
        while True:
            await self._burst.pause()
            await self.sign()

    async def _follow(self) -> None:
        while True:
            news = self._room.news
            async with self._room.replica(self) as replica:  # who catches up tells all tabs
                if self._projection is not None and self._has_all:
                    for update in await self._projection.news(replica):
                        self.push(m.news(update))
            if self._projection is not None:
                await trio.sleep(PROJECTED_EVERY_S)  # it is made of the whole document
            await news.wait()

    async def _stay_alive(self) -> None:
        while True:
            await trio.sleep(ALIVE_EVERY_S)
            self.push(m.presences([]))

    async def leave(self) -> None:
        """Sign what was typed last; for a connection that has ended."""
        with trio.CancelScope(shield=True, deadline=trio.current_time() + LAST_WORDS_S_MAX):
            await self.sign()
        if self._projection is not None:
            self._projection.close()


def _refused(reason: str) -> EditorRefused:
    return EditorRefused(Refusal.REFUSED, f"not an edit that anybody would show ({reason})")


def _out_of_turn() -> EditorRefused:
    return EditorRefused(
        Refusal.ANEW, "this tab's text is not the one it was: attach it again, with a new document"
    )


def _knows_too_little() -> EditorRefused:
    return EditorRefused(
        Refusal.ANEW,
        "the document uses what this editor does not know: attach it again, to read",
    )
