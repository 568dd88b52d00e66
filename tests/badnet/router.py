"""Carries packets between places, over lines that delay, lose and close. A process of its own.

    python -m tests.badnet.router SEED NUMBER=FD ...

It reads whole IP packets from the file of each place's network card and writes each to the file of
the place that it is for, when that packet's time has come. Orders come as JSON lines on standard
input, and each is answered by one line when it holds; `wires.py` gives them. It ends with its
input.
"""

from __future__ import annotations

import heapq
import os
import random
import select
import socket
import sys
import time
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from tests.badnet.line import Direction, Line, Rhythm
from tests.badnet.places import MTU_BYTES, address_of

READ_AT_ONCE_MAX = 64
WAITING_MAX = 100_000
"""Packets on their way; beyond, packets are lost as in any router without room."""

_IPV4 = 4
_DESTINATION = slice(16, 20)
_INPUT = 0

Way = tuple[int, int]


class Shape(msgspec.Struct, tag=True):
    """Give places other lines."""

    places: list[int]
    line: Line


class Cut(msgspec.Struct, tag=True):
    """Close ways: for good, or again and again for a while after each time they were open."""

    ways: list[Way]
    open_s: float = 0.0
    closed_s: float = 1.0


class Mend(msgspec.Struct, tag=True):
    """Open ways."""

    ways: list[Way]


class Count(msgspec.Struct, tag=True):
    """Tell what was carried so far."""


Order = Shape | Cut | Mend | Count


class Traffic(msgspec.Struct):
    """What a place sent into its line and got out of it, in IP packets and bytes."""

    sent_bytes: int = 0
    sent_packets: int = 0
    received_bytes: int = 0
    received_packets: int = 0
    lost_packets: int = 0
    """Sent from here and lost on a line or without room."""
    cut_packets: int = 0
    """Sent from here into a closed way."""


class _End(NamedTuple):
    """One place as the router sees it."""

    fd: int
    up: Direction
    down: Direction
    traffic: Traffic


class Router:
    """All lines, and the packets on their way."""

    def __init__(self, cards: dict[int, int], seed: int) -> None:
        self._ends = {
            number: _End(
                fd,
                Direction(Line(), random.Random(f"{seed} {number} up")),
                Direction(Line(), random.Random(f"{seed} {number} down")),
                Traffic(),
            )
            for number, fd in cards.items()
        }
        self._of_fd = {fd: number for number, fd in cards.items()}
        self._of_address = {socket.inet_aton(address_of(number)): number for number in cards}
        self._closed: dict[Way, Rhythm] = {}
        # By arrival, then by number so that what arrives at one moment keeps its order.
        self._waiting: list[tuple[float, int, bool, Way, bytes]] = []
        self._numbered = 0

    def run(self) -> None:
        """Carry packets and follow orders until there is nobody left to give any."""
        poll = select.epoll()
        for fd in (_INPUT, *self._of_fd):
            poll.register(fd, select.EPOLLIN)
        decoder = msgspec.json.Decoder(Order)
        orders = b""
        while True:
            wait_s = max(0.0, self._waiting[0][0] - time.monotonic()) if self._waiting else None
            ready = {fd for fd, _ in poll.poll(wait_s)}
            if _INPUT in ready:
                data = os.read(_INPUT, 65_536)
                if not data:
                    return
                *whole, orders = (orders + data).split(b"\n")
                for line in whole:
                    answer = msgspec.json.encode(self.obey(decoder.decode(line)))
                    os.write(1, answer + b"\n")
            self.carry([self._of_fd[fd] for fd in ready if fd != _INPUT])

    def carry(self, sources: Iterable[int]) -> None:
        """Take what these places have sent, and hand over all whose time has come."""
        for source in sources:
            self._take(source)
        self._hand_over()

    def obey(self, order: Order) -> dict[int, Traffic]:
        """Follow an order; return what each place sent and got so far, if that was the question."""
        now_s = time.monotonic()
        match order:
            case Shape(places, line):
                for number in places:
                    self._ends[number].up.line = self._ends[number].down.line = line
            case Cut(ways, open_s, closed_s):
                self._closed |= dict.fromkeys(ways, Rhythm(now_s, open_s, closed_s))
            case Mend(ways):
                for way in ways:
                    self._closed.pop(way, None)
            case Count():
                return {number: end.traffic for number, end in self._ends.items()}
        return {}

    def _take(self, source: int) -> None:
        """Read what a place has sent."""
        end = self._ends[source]
        for _ in range(READ_AT_ONCE_MAX):
            try:
                packet = os.read(end.fd, 2 * MTU_BYTES)
            except OSError:  # nothing left, or the place is gone
                return
            if packet[0] >> 4 != _IPV4:  # the kernel looks for neighbours by IPv6
                continue
            end.traffic.sent_packets += 1
            end.traffic.sent_bytes += len(packet)
            target = self._of_address.get(packet[_DESTINATION])
            if target is None:
                end.traffic.lost_packets += 1
                continue
            way = (source, target)
            rhythm = self._closed.get(way)
            now_s = time.monotonic()
            if rhythm is not None and rhythm.is_closed(now_s):
                end.traffic.cut_packets += 1
            else:
                self._send_on(end.up, way, packet, now_s, is_last=False)

    def _send_on(
        self, direction: Direction, way: Way, packet: bytes, now_s: float, *, is_last: bool
    ) -> None:
        arrival_s = direction.arrival_s(len(packet), now_s)
        if arrival_s is None or len(self._waiting) >= WAITING_MAX:
            self._ends[way[0]].traffic.lost_packets += 1
            return
        self._numbered += 1
        heapq.heappush(self._waiting, (arrival_s, self._numbered, is_last, way, packet))

    def _hand_over(self) -> None:
        """Move every packet whose time has come: into the second line, or out of it."""
        while self._waiting and self._waiting[0][0] <= time.monotonic():
            arrival_s, _, is_last, way, packet = heapq.heappop(self._waiting)
            end = self._ends[way[1]]
            if not is_last:
                self._send_on(end.down, way, packet, arrival_s, is_last=True)
                continue
            try:
                os.write(end.fd, packet)
            except OSError:  # the place is gone, or the kernel has no room
                self._ends[way[0]].traffic.lost_packets += 1
                continue
            end.traffic.received_packets += 1
            end.traffic.received_bytes += len(packet)


def main() -> None:
    seed, *cards = sys.argv[1:]
    numbers = (card.partition("=") for card in cards)
    Router({int(number): int(fd) for number, _, fd in numbers}, int(seed)).run()


if __name__ == "__main__":
    main()
