"""Virtual time, and a network that delays, loses, doubles, reorders and cuts.

Links are what streams are: in order and complete until they break. When the way in either direction
is cut, what is sent that way is lost, and some time later both ends learn that the link is gone.
Hints (gossip) may be lost, doubled and overtaken at any time.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from random import Random

from p2pvalue.sim.scenario import Weather
from p2pvalue_protocol.inputs import FrameReceived, GossipReceived, Input, PeerLeft


class Timeline:
    """Events in the order of virtual time; of those at one time the first planned comes first."""

    def __init__(self) -> None:
        self.now_ms = 0
        self._events: list[tuple[int, int, Callable[[], object]]] = []
        self._numbers = count()

    def after(self, delay_ms: int, action: Callable[[], object]) -> None:
        """Plan an action."""
        heappush(self._events, (self.now_ms + delay_ms, next(self._numbers), action))

    def run_until(self, time_ms: int) -> None:
        """Let everything happen that is planned up to a time."""
        while self._events and self._events[0][0] <= time_ms:
            self.now_ms, _, action = heappop(self._events)
            action()
        self.now_ms = time_ms


class Link:
    """A stream between two machines; `sessions` are their numbers for it."""

    def __init__(self, ends: tuple[int, int], sessions: tuple[int, int]) -> None:
        self.ends = ends
        self.sessions = sessions
        self.is_open = True
        self.is_breaking = False
        self.free_at_ms = [0, 0]  # when the last frame towards each end will have arrived

    def session_of(self, machine: int) -> int:
        """Return the number by which one end knows this link."""
        return self.sessions[self.ends.index(machine)]


class Network:
    """All links, and which ways are cut. `hand` gives an input to a machine if it is up."""

    def __init__(
        self,
        timeline: Timeline,
        rng: Random,
        weather: Weather,
        hand: Callable[[int, Input], object],
    ) -> None:
        self.weather = weather
        self.frames = self.frame_bytes = self.hints = self.hints_lost = 0
        self.on_frame: Callable[[int, int, bytes], object] = lambda sender, receiver, frame: None
        self._timeline = timeline
        self._rng = rng
        self._hand = hand
        self._links: dict[tuple[int, int], Link] = {}  # by (machine, session)
        self._numbers = count(1)
        self._cuts: dict[int, set[tuple[int, int]]] = {}  # by the number of a cut: (from, to)

    def latency_ms(self) -> int:
        """Return how long something takes this time."""
        return self._rng.randint(1, max(1, self.weather.latency_ms_max))

    # --- faults

    def cut(self, ways: set[tuple[int, int]]) -> int:
        """Let nothing through these ways; return a number for `heal`."""
        number = next(self._numbers)
        self._cuts[number] = ways
        return number

    def heal(self, number: int | None = None) -> None:
        """Open the ways of one cut, or of all."""
        for each in [number] if number is not None else list(self._cuts):
            self._cuts.pop(each, None)

    def _is_cut(self, sender: int, receiver: int) -> bool:
        if not self._cuts:  # as it is most of the time, and each frame asks
            return False
        return any((sender, receiver) in ways for ways in self._cuts.values())

    def is_open(self, one: int, other: int) -> bool:
        """Return whether a link can be made: that takes both ways."""
        return not (self._is_cut(one, other) or self._is_cut(other, one))

    # --- links

    def connect(self, caller: int, called: int) -> Link:
        """Make a link. The caller of this function tells both ends."""
        link = Link((caller, called), (next(self._numbers), next(self._numbers)))
        for end in link.ends:
            self._links[end, link.session_of(end)] = link
        return link

    def other_end(self, machine: int, session: int) -> int | None:
        """Return who is at the other end of a machine's link; None if that ended."""
        link = self._links.get((machine, session))
        return None if link is None else link.ends[1 - link.ends.index(machine)]

    def send(self, sender: int, session: int, frame: bytes) -> None:
        """Send a frame; into a link that ended it goes nowhere."""
        link = self._links.get((sender, session))
        if link is None or not link.is_open:
            return
        self.frames += 1
        self.frame_bytes += len(frame)
        side = 1 - link.ends.index(sender)
        receiver = link.ends[side]
        self.on_frame(sender, receiver, frame)
        if self._is_cut(sender, receiver):
            self._break(link)
        if link.is_breaking:
            return
        now_ms = self._timeline.now_ms
        arrives_ms = max(now_ms + self.latency_ms(), link.free_at_ms[side])
        link.free_at_ms[side] = arrives_ms
        arrival = FrameReceived(link.sessions[side], frame)
        self._timeline.after(arrives_ms - now_ms, lambda: self._arrive(link, receiver, arrival))

    def _arrive(self, link: Link, receiver: int, arrival: FrameReceived) -> None:
        if link.is_open:
            self._hand(receiver, arrival)

    def _break(self, link: Link) -> None:
        """Something was lost for ever: nothing more arrives, and soon both ends notice."""
        if not link.is_breaking:
            link.is_breaking = True
            self._timeline.after(self._rng.randint(1_000, 10_000), lambda: self._end(link, None))

    def close(self, machine: int, session: int) -> None:
        """End a link from one side; the other learns of it when the frames before have arrived."""
        link = self._links.get((machine, session))
        if link is None or link.is_breaking:
            return
        link.is_breaking = True
        other = 1 - link.ends.index(machine)
        wait_ms = max(link.free_at_ms[other] - self._timeline.now_ms, 0) + self.latency_ms()
        self._timeline.after(wait_ms, lambda: self._end(link, None))

    def break_all(self, machine: int) -> None:
        """Lose what is under way on every link of a machine; soon both ends notice."""
        for (end, _), link in sorted(self._links.items(), key=lambda item: item[0]):
            if end == machine:
                self._break(link)

    def drop_all(self, machine: int) -> None:
        """End all links of a machine that stopped; it learns nothing any more."""
        for (end, _), link in sorted(self._links.items(), key=lambda item: item[0]):
            if end == machine:
                self._end(link, machine)

    def _end(self, link: Link, gone: int | None) -> None:
        if not link.is_open:
            return
        link.is_open = False
        for end in link.ends:
            session = link.session_of(end)
            del self._links[end, session]
            if end != gone:
                self._hand(end, PeerLeft(session))

    # --- hints

    def hint(self, sender: int, receiver: int, topic: str, message: bytes) -> None:
        """Send a hint; it arrives never, once or twice."""
        self.hints += 1
        self.on_frame(sender, receiver, message)
        if self._is_cut(sender, receiver) or self._rng.random() < self.weather.hint_loss:
            self.hints_lost += 1
            return
        arrival = GossipReceived(topic, message, peer_name(sender))
        for _ in range(2 if self._rng.random() < self.weather.hint_duplication else 1):
            delay_ms = self.latency_ms() + self._rng.randint(0, self.weather.hint_delay_ms_max)
            self._timeline.after(delay_ms, lambda: self._hand(receiver, arrival))


def peer_name(machine: int) -> str:
    """Return the peer id of a machine."""
    return f"machine-{machine:02}"
