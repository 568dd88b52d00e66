"""One sync session: a handshake, then two copies of one community that become equal (spec: sync).

Both sides do the same: they tell their heads, ask for what they lack, and serve what is asked. A
session lasts as long as its link; when something changed, `poke` tells the peer so. Nothing that a
peer sends is believed: a wrong frame or a bad operation ends the link and changes nothing, a claim
that is not kept is given up until the next comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from p2pvalue_protocol.effects import CloseSession, Effect
from p2pvalue_protocol.exchange import Exchange
from p2pvalue_protocol.fetching import Fetching
from p2pvalue_protocol.hello import Hello, LinkEnd
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.replica import Replica
from p2pvalue_protocol.session_times import SessionTimes
from p2pvalue_protocol.turns import Turns


class SyncSession:
    """One side of one sync link. Every method returns what is to be done, in this order."""

    def __init__(
        self,
        replicas: Sequence[Replica],
        link: LinkEnd,
        *,
        jitter: Callable[[], float],
        community: bytes | None,
        turns: Turns,
        fetching: Fetching,
    ) -> None:
        """Sync `community` if we opened the link, else whichever of `replicas` the peer shows.

        `jitter` returns numbers from 0 up to 1; all sessions of a node share `turns` and
        `fetching`.
        """
        self._replicas = {replica.community: replica for replica in replicas}
        self._link = link
        self._jitter = jitter
        self._turns = turns
        self._fetching = fetching
        self._hello = Hello(replicas, link, community)
        self._exchange: Exchange | None = None
        self._is_closed = False

    @property
    def wants_community(self) -> bytes | None:
        """The community that this link is for; None until a peer that opened it has shown which."""
        return self._hello.replica.community if self._hello.replica is not None else None

    @property
    def community(self) -> bytes | None:
        """The community that is synced, None while the handshake has not shown it."""
        return self._exchange.community if self._exchange is not None else None

    @property
    def device(self) -> bytes | None:
        """The peer's device, proven; None for a reader and before the handshake is over."""
        return self._exchange.device if self._exchange is not None else None

    def open(self, now_ms: int) -> list[Effect]:
        """Begin; call once, when the link is open."""
        return self._hello.open(now_ms)

    def receive(self, frame: bytes, now_ms: int) -> list[Effect]:
        """Take one frame of the peer. Never raises for what the frame holds."""
        if self._is_closed:
            return []
        if self._exchange is not None:
            return self._checked(self._exchange.receive(frame, now_ms))
        effects = self._hello.receive(frame, now_ms)
        if self._hello.established is not None:
            assert self._hello.replica is not None
            self._exchange = Exchange(
                self._replicas[self._hello.replica.community],
                self._hello.established,
                SessionTimes(self._jitter, now_ms),
                self._link,
                self._turns,
                self._fetching,
            )
            effects += self._exchange.open(now_ms)
        return self._checked(effects)

    def poke(self, now_ms: int) -> list[Effect]:
        """Tell the peer what changed here, and learn what changed there; at most every 50 ms."""
        if self._is_closed or self._exchange is None:
            return []
        return self._checked(self._exchange.poke(now_ms))

    def review(self, now_ms: int) -> list[Effect]:
        """Judge the peer anew, since the membership changed: it may see more now, or less."""
        if self._is_closed or self._exchange is None:
            return []
        return self._checked(self._exchange.review(now_ms))

    def wakeup(self, now_ms: int) -> list[Effect]:
        """Do what is due; call when `next_wakeup_ms` has come, more often does no harm."""
        if self._is_closed:
            return []
        if self._exchange is not None:
            return self._checked(self._exchange.wakeup(now_ms))
        return self._checked(self._hello.wakeup(now_ms))

    def next_wakeup_ms(self) -> int | None:
        """Return when `wakeup` is to be called; a time that has passed means at once."""
        if self._is_closed:
            return None
        if self._exchange is not None:
            return self._exchange.next_wakeup_ms()
        return self._hello.next_wakeup_ms()

    def set_back(self, by_ms: int) -> None:
        """Put nothing off, now that our clock was set back by so much."""
        self._hello.set_back(by_ms)
        if self._exchange is not None:
            self._exchange.set_back(by_ms)

    def fetch(self, now_ms: int) -> list[Effect]:
        """Ask for chunks that nobody is being asked for, if there is room."""
        if self._is_closed or self._exchange is None:
            return []
        return self._checked(self._exchange.fetch(now_ms))

    def chunk_read(self, sealed: bytes, now_ms: int) -> list[Effect]:
        """Answer the peer with the chunk that a `ChunkAsked` named; empty: it is not here."""
        if self._is_closed or self._exchange is None:
            return []
        return self._checked(self._exchange.chunk_read(sealed, now_ms))

    def end(self) -> None:
        """Note that the link is gone; safe to call twice."""
        if self._exchange is not None:
            self._exchange.end()

    def peer_holds(self, reference: Reference) -> bool:
        """Return whether the peer said that it holds this operation of a log that we hold."""
        return self._exchange is not None and self._exchange.comparison.peer_holds(reference)

    def knows(self, first: Reference) -> bool:
        """Return whether the peer showed that it knows the device of ours whose log began so."""
        return self._exchange is not None and self._exchange.knows(first)

    def has_lasted(self, now_ms: int) -> bool:
        """Return whether the handshake was over 10 s ago or earlier."""
        return self._exchange is not None and self._exchange.has_lasted(now_ms)

    def _checked(self, effects: list[Effect]) -> list[Effect]:
        self._is_closed = any(isinstance(effect, CloseSession) for effect in effects)
        return effects
