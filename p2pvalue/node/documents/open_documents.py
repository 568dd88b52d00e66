"""Which documents are open, and the sessions of callers that edit them.

Every open document has a replica that follows what is visible here, in which session 0 writes. A
caller that types ahead of our answers takes a session of its own, numbered from 1: it has a text of
its own, in which only its own edits move its positions, until it asks, by an edit of nothing, for
the rest.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import trio

from p2pvalue.node.documents.titles import Titles
from p2pvalue.texts.remote import Texts
from p2pvalue_protocol.effects import Change
from p2pvalue_protocol.errors import LocalProtocolError, P2PValueError
from p2pvalue_protocol.kinds import document

if TYPE_CHECKING:
    from p2pvalue.node.documents.document_replica import DocumentReplica
    from p2pvalue.node.documents.editing_session import EditingSession

OPEN_MAX: Final = 16
OPEN_BYTES_MAX: Final = 32_000_000
SESSIONS_MAX: Final = 8  # of one document, besides session 0
CALLER_SESSION_MAX: Final = 2**31 - 1
_ENDED_MAX: Final = 1_000
REST_S: Final = 300.0
RESTS_MAX: Final = 1  # a document is closed five to ten minutes after it was used
RESTS_OF_SESSIONS_MAX: Final = 144  # twelve hours: whoever typed in it may be at lunch

DocumentKey = tuple[bytes, bytes]  # community, document


class Opened:
    """One open document: its replica and its callers' sessions by number, under one lock."""

    def __init__(self) -> None:
        self.lock = trio.Lock()
        self.replica: DocumentReplica | None = None
        self.sessions: OrderedDict[int, EditingSession] = OrderedDict()
        self.users = 0
        self.rests = 0  # since it was used
        self.is_dropped = False  # goes when its last user does
        self.news = trio.Event()
        self.has_awaited = False  # updates that peers were asked for by id

    def tell(self) -> None:
        """Wake whoever waits for something to happen to the document."""
        self.news.set()
        self.news = trio.Event()

    @property
    def size(self) -> int:
        """About how many bytes of memory this takes."""
        return 0 if self.replica is None else self.replica.size * (1 + len(self.sessions))


class OpenDocuments:
    """The documents of all communities that this node has open; bounded in number and bytes."""

    def __init__(self, texts: Texts) -> None:
        """Begin with none; `texts` is where they will be kept."""
        self.texts = texts
        self._open: OrderedDict[DocumentKey, Opened] = OrderedDict()
        self._ended: OrderedDict[tuple[DocumentKey, int], None] = OrderedDict()
        self._is_used = trio.Event()
        self.on_used: Callable[[DocumentKey], None] = lambda key: None
        self.titles = Titles()

    async def run(self) -> None:
        """Close what nobody uses, and the process of texts after the last; until cancelled.

        Sleeps while nothing is open.
        """
        while True:
            await self._is_used.wait()
            await trio.sleep(REST_S)
            for key, place in list(self._open.items()):
                place.rests += 1
                most = RESTS_OF_SESSIONS_MAX if place.sessions else RESTS_MAX
                if not place.users and place.rests > most and self._open.get(key) is place:
                    await self._close(key)
            if not self._open:
                self._is_used = trio.Event()
                await self.texts.close_if_unused()

    def changed(self, community: bytes, changes: Sequence[Change]) -> None:
        """Note what became visible or hidden; called with every commit."""
        for change in changes:
            if change.kind == document.NUMBER:
                self.titles.changed(community, change)
            elif change.kind == document.UPDATE_NUMBER:
                opened = self._open.get((community, change.subject))
                replica = None if opened is None else opened.replica
                if replica is not None:
                    if change.again:
                        replica.void()
                    else:
                        replica.report()
                if opened is not None:
                    opened.tell()

    def all(self) -> list[DocumentKey]:
        """Return which documents are open, those used last first."""
        return list(reversed(self._open))

    def use(self, key: DocumentKey) -> Opened:
        """Return a document's place, made if need be; call `release` when done."""
        opened = self._open.setdefault(key, Opened())
        self._open.move_to_end(key)
        opened.users += 1
        opened.rests = 0
        self._is_used.set()
        self.on_used(key)
        return opened

    def news_of(self, key: DocumentKey) -> trio.Event:
        """Return what is set when something happens to a document that is in use."""
        opened = self._open.get(key)
        if opened is not None:
            return opened.news
        happened = trio.Event()  # it was dropped: its views are made anew
        happened.set()
        return happened

    async def release(self, opened: Opened) -> None:
        """End a use, and close what was not used for longest while too much is open."""
        opened.users -= 1
        if opened.is_dropped and not opened.users:
            self._let_go(opened)
        while len(self._open) > OPEN_MAX or self._size() > OPEN_BYTES_MAX:
            idle = next((key for key, place in self._open.items() if not place.users), None)
            if idle is None:
                return
            await self._close(idle)

    def _size(self) -> int:
        return sum(place.size for place in self._open.values())

    async def _close(self, key: DocumentKey) -> None:
        place = self._open.get(key)
        if place is None:
            return  # dropped while another was closed
        if place.replica is not None:
            place.users += 1
            try:
                async with place.lock:
                    # Whoever caused this by opening another document has no part in its troubles.
                    with suppress(P2PValueError):
                        await place.replica.save_snapshot()
            finally:
                place.users -= 1
            if place.users:
                return  # somebody came meanwhile
        if self._open.get(key) is place:
            self._drop(key)

    def _drop(self, key: DocumentKey) -> None:
        place = self._open.pop(key)
        for session in place.sessions:
            self._remember_ended(key, session)
        if place.users:
            place.is_dropped = True
        else:
            self._let_go(place)

    def _let_go(self, place: Opened) -> None:
        for session in place.sessions.values():
            session.close()
        place.sessions.clear()
        if place.replica is not None:
            place.replica.close()

    async def close(self) -> None:
        """Keep snapshots of what is open and close it; for a node that stops."""
        for key in [key for key, place in self._open.items() if not place.users]:
            await self._close(key)
        await self.texts.close()

    def forget(self, community: bytes) -> None:
        """Drop what is open of a community without a trace: its views were made anew."""
        self.titles.forget(community)
        for key in [key for key in self._open if key[0] == community]:
            self._open[key].tell()
            self._drop(key)

    # --- sessions of callers

    def end(self, key: DocumentKey, opened: Opened, session: int) -> None:
        """End a caller's session, and remember it: its positions mean nothing any more."""
        ended = opened.sessions.pop(session, None)
        if ended is not None:
            ended.close()
            self._remember_ended(key, session)

    def _remember_ended(self, key: DocumentKey, session: int) -> None:
        self._ended[key, session] = None
        while len(self._ended) > _ENDED_MAX:
            self._ended.popitem(last=False)

    def end_all(self, key: DocumentKey, opened: Opened) -> None:
        """End all sessions of a document."""
        for session in list(opened.sessions):
            self.end(key, opened, session)

    def check_session(self, key: DocumentKey, session: int) -> None:
        """Raise LocalProtocolError for a number that is out of range or was ended."""
        if not 0 <= session <= CALLER_SESSION_MAX:
            raise LocalProtocolError(f"a session has a number from 0 to {CALLER_SESSION_MAX}")
        if (key, session) in self._ended:
            raise LocalProtocolError(
                f"editing session {session} was closed, and its positions are void:"
                " read the text again and go on with a new number"
            )
