"""The open links of a node: which sessions run on them, and which of those are ready.

A link carries a sync session or one side of a dialogue, such as a join. A sync session is *ready*
when its handshake succeeded; only then is its peer told what changes. Between two peers one session
per community is kept: if both called each other, both keep the one that the lower peer id opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from p2pvalue_protocol.dialogue import Dialogue
from p2pvalue_protocol.dues import Dues
from p2pvalue_protocol.effects import CloseSession, Effect, Parted, Ready, Rejected
from p2pvalue_protocol.fetching import Fetching
from p2pvalue_protocol.hello import LinkEnd
from p2pvalue_protocol.ids import AUTH, Reference
from p2pvalue_protocol.inputs import DevicesMade, PeerJoined, RequestAnswered
from p2pvalue_protocol.joining import JoinServer
from p2pvalue_protocol.link_frames import LinkRefusal
from p2pvalue_protocol.linking import NewerDevice
from p2pvalue_protocol.replica import Replica
from p2pvalue_protocol.sync import SyncSession
from p2pvalue_protocol.turns import Turns

_NOBODY: Final = 4  # behind the weakest rank


class Sessions:
    """All sessions by number."""

    def __init__(self, own_peer_id: str) -> None:
        self._own_peer_id = own_peer_id
        self.turns = Turns()
        self.fetching = Fetching()
        self._syncs: dict[int, SyncSession] = {}
        self._dialogues: dict[int, Dialogue[Any]] = {}
        self._peers: dict[int, str] = {}
        self._initiated: set[int] = set()
        self._ready: dict[int, bytes] = {}  # session -> community
        self._dues = Dues()  # of both kinds of sessions, noted after each of their calls

    # --- opening and ending

    def new_sync(
        self,
        given: PeerJoined,
        replicas: Sequence[Replica],
        nonce: bytes,
        jitter: Callable[[], float],
    ) -> SyncSession:
        """Return a session for a new link; `nonce` is 32 fresh random bytes."""
        return SyncSession(
            replicas,
            LinkEnd(given.session, given.peer_id, self._own_peer_id, nonce),
            jitter=jitter,
            community=given.community,
            turns=self.turns,
            fetching=self.fetching,
        )

    def open_sync(
        self, number: int, peer_id: str, session: SyncSession, *, initiated: bool, now_ms: int
    ) -> list[Effect]:
        """Begin a sync session on a new link."""
        self._syncs[number] = session
        self._peers[number] = peer_id
        if initiated:
            self._initiated.add(number)
        return self._sifted(number, session.open(now_ms))

    def open_dialogue(
        self, number: int, peer_id: str, side: Dialogue[Any], now_ms: int
    ) -> list[Effect]:
        """Begin one side of a dialogue on a new link."""
        self._dialogues[number] = side
        self._peers[number] = peer_id
        return self._sifted(number, side.open(now_ms))

    def devices_made(self, given: DevicesMade) -> list[Effect]:
        """Give a new device's keys to the link that asked for them; none if that ended."""
        side = self._dialogues.get(given.session)
        if not isinstance(side, NewerDevice):
            return []
        refusal = LinkRefusal(given.refusal) if given.refusal else None
        effects = side.devices_made(given.label, given.devices, refusal)
        return self._sifted(given.session, effects)

    def request_answered(self, given: RequestAnswered) -> list[Effect]:
        """Tell a newcomer what became of its request; nobody if the link ended."""
        side = self._dialogues.get(given.session)
        if not isinstance(side, JoinServer):
            return []
        return self._sifted(given.session, side.request_answered(given.answer))

    def lost(self, number: int) -> list[Effect]:
        """Note that a link ended; who waited for an answer there is told so."""
        side = self._dialogues.get(number)
        effects = side.lost() if side is not None else []
        self._forget(number)
        return effects

    def end_all(self, community: bytes) -> list[Effect]:
        """End every session that has to do with a community, or may have."""
        ending = list(self._dialogues)
        for number in ending:
            self._forget(number)
        return self.end_syncs(community) + [CloseSession(number, None) for number in ending]

    def end_syncs(self, community: bytes) -> list[Effect]:
        """End every sync session that is for a community, or may be."""
        ending = [n for n, s in self._syncs.items() if s.wants_community in (community, None)]
        for number in ending:
            self._forget(number)
        return [CloseSession(number, None) for number in ending]

    def _forget(self, number: int) -> None:
        ended = self._syncs.pop(number, None)
        if ended is not None:
            ended.end()
        self._dialogues.pop(number, None)
        self._ready.pop(number, None)
        self._peers.pop(number, None)
        self._initiated.discard(number)
        self._dues.set(number, None)

    # --- what passes through

    def receive(self, number: int, frame: bytes, now_ms: int) -> list[Effect]:
        """Give a frame to its session; none if that ended while the frame was under way."""
        session = self._syncs.get(number) or self._dialogues.get(number)
        return self._sifted(number, session.receive(frame, now_ms)) if session is not None else []

    def chunk_read(self, number: int, sealed: bytes, now_ms: int) -> list[Effect]:
        """Give a session the chunk that its peer wants; none if it ended meanwhile."""
        session = self._syncs.get(number)
        return self._sifted(number, session.chunk_read(sealed, now_ms)) if session else []

    def fetch(self, now_ms: int) -> list[Effect]:
        """Let every ready session ask for chunks, if there are some that nobody is asked for."""
        effects: list[Effect] = []
        while self.fetching.take_news():
            for number in sorted(self._ready):
                if number in self._syncs:
                    effects += self._sifted(number, self._syncs[number].fetch(now_ms))
        return effects

    def poke(self, community: bytes, source: int | None, now_ms: int) -> list[Effect]:
        """Tell the peers of a community, all but `source`, that our heads moved."""
        effects: list[Effect] = []
        for number, ready in sorted(self._ready.items()):
            if ready == community and number != source and number in self._syncs:
                effects += self._sifted(number, self._syncs[number].poke(now_ms))
        return effects

    def review(self, community: bytes, now_ms: int) -> list[Effect]:
        """Let every session for a community judge its peer anew: somebody's standing changed."""
        effects: list[Effect] = []
        for number, session in sorted(self._syncs.items()):
            if session.community == community and number in self._syncs:
                effects += self._sifted(number, session.review(now_ms))
        return effects

    def wakeup(self, now_ms: int) -> list[Effect]:
        """Let every session do what is due."""
        effects: list[Effect] = []
        for number in self._dues.take(now_ms):
            session = self._syncs.get(number) or self._dialogues.get(number)
            if session is not None:
                effects += self._sifted(number, session.wakeup(now_ms))
        return effects

    def set_back(self, by_ms: int) -> None:
        """Let no session put anything off, now that our clock was set back by so much."""
        sessions: dict[int, SyncSession | Dialogue[Any]] = {**self._syncs, **self._dialogues}
        for number, session in sessions.items():
            session.set_back(by_ms)
            self._dues.set(number, session.next_wakeup_ms())

    def _sifted(self, number: int, effects: Iterable[Effect]) -> list[Effect]:
        """Note what a session reports about itself on its way out, and when it wants to go on."""
        out: list[Effect] = []
        for effect in effects:
            match effect:
                case Ready(ready, _, community, _):
                    self._ready[ready] = community
                    out.append(effect)
                    out += self._without_twins(ready, community)
                case Parted(parted):
                    self._ready.pop(parted, None)
                    out.append(effect)
                case CloseSession(closed, reason):
                    if reason is not None and closed in self._peers:
                        out.append(Rejected(self._peers[closed], reason))
                    self._forget(closed)
                    out.append(effect)
                case _:
                    out.append(effect)
        session = self._syncs.get(number) or self._dialogues.get(number)
        self._dues.set(number, session.next_wakeup_ms() if session is not None else None)
        return out

    def _without_twins(self, number: int, community: bytes) -> list[Effect]:
        peer_id = self._peers[number]
        twins = [n for n, c in self._ready.items() if c == community and self._peers[n] == peer_id]
        is_ours_kept = self._own_peer_id < peer_id
        twins.sort(key=lambda n: ((n in self._initiated) != is_ours_kept, n))
        for twin in twins[1:]:
            self._forget(twin)
        return [CloseSession(twin, None) for twin in twins[1:]]

    # --- looking

    def next_wakeup_ms(self) -> int | None:
        """Return when `wakeup` is due; None if no session waits for a time."""
        return self._dues.next_ms()

    def is_ready(self, community: bytes) -> bool:
        """Return whether any peer hears of this community."""
        return community in self._ready.values()

    def peers_of(self, community: bytes) -> list[str]:
        """Return the peers with a ready session for a community, ascending."""
        return sorted({self._peers[n] for n, c in self._ready.items() if c == community})

    def has_sync(self, peer_id: str, community: bytes) -> bool:
        """Return whether a session with this peer for this community is open or being opened."""
        return any(
            self._peers[number] == peer_id and session.wants_community == community
            for number, session in self._syncs.items()
        )

    def is_unknown(self, replica: Replica, now_ms: int) -> bool:
        """Return whether peers that do not know our device, a member's, have answered for 10 s.

        It is in by what we hold, or by the word of who let it in, and what says so never came; what
        says so may have been lost, or count no more for others.
        """
        own, membership = replica.device, replica.membership
        if own is None or (membership.was_ever_admitted(own) and not membership.is_live(own)):
            return False
        logs = replica.branches.of(own, AUTH)
        begun = replica.branches.row(logs[0], 0) if logs else None
        if begun is None:
            return False
        first = Reference(own, AUTH, 0, begun.op_id)
        # Who let it in knows it, which tells nothing of the others: she may have been put out.
        brought_in_by = _brought_in_by(replica, own)
        answered = [s for s in self._syncs.values() if s.community == replica.community]
        unknowing = [s for s in answered if s.has_lasted(now_ms) and not s.knows(first)]
        strongest = _strongest(replica, (s.device for s in unknowing))
        knowing = {s.device for s in answered if s.knows(first)} - {own, *brought_in_by}
        # Others who came in as we did may know us, and nobody know them: the strongest decide.
        if _strongest(replica, brought_in_by) >= strongest:
            knowing = {d for d in knowing if not brought_in_by & _brought_in_by(replica, d)}
        best = _strongest(replica, knowing)
        is_known = best <= strongest and best != _NOBODY
        return bool(unknowing) and not is_known

    def holders(self, community: bytes, reference: Reference) -> int:
        """Return how many sessions' peers said that they hold an operation."""
        return sum(
            self._syncs[number].peer_holds(reference)
            for number, ready in self._ready.items()
            if ready == community
        )


def _brought_in_by(replica: Replica, device: bytes | None) -> set[bytes]:
    """Return the devices that let a device in, by what we hold."""
    admissions = replica.membership.admissions_of(device) if device is not None else ()
    return {replica.auth_references[op_id].device for op_id in admissions}


def _strongest(replica: Replica, devices: Iterable[bytes | None]) -> int:
    return min((_rank_of(replica, device) for device in devices), default=_NOBODY)


def _rank_of(replica: Replica, device: bytes | None) -> int:
    standing = None if device is None else replica.membership.standing(device)
    return _NOBODY if standing is None else standing.rank
