"""The router carries packets to where they are for; sockets stand in for network cards here."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.badnet.line import Line
from tests.badnet.places import address_of
from tests.badnet.router import Count, Cut, Mend, Router, Shape, Traffic

PLACES = (1, 2, 3)


class Net:
    """Three places; what a test sends into one comes out of another, or does not."""

    def __init__(self, pairs: dict[int, tuple[socket.socket, socket.socket]]) -> None:
        self._ends = {number: outer for number, (outer, _) in pairs.items()}
        self.router = Router({number: inner.fileno() for number, (_, inner) in pairs.items()}, 7)

    def send(self, source: int, packet: bytes) -> None:
        self._ends[source].send(packet)
        self.router.carry([source])

    def got(self, place: int) -> bytes | None:
        try:
            return self._ends[place].recv(2_000)
        except BlockingIOError:
            return None

    def traffic(self, place: int) -> Traffic:
        return self.router.obey(Count())[place]


@pytest.fixture
def net() -> Iterator[Net]:
    pairs = {number: socket.socketpair(type=socket.SOCK_DGRAM) for number in PLACES}
    for pair in pairs.values():
        for end in pair:
            end.setblocking(False)
    yield Net(pairs)
    for pair in pairs.values():
        for end in pair:
            end.close()


def packet_for(place: int, version: int = 4) -> bytes:
    return bytes([version << 4]) + bytes(15) + socket.inet_aton(address_of(place)) + b"text"


def test_a_packet_comes_out_where_it_is_for_and_nowhere_else(net: Net) -> None:
    net.send(1, packet_for(2))
    assert [net.got(place) for place in PLACES] == [None, packet_for(2), None]
    size = len(packet_for(2))
    assert net.traffic(1) == Traffic(sent_bytes=size, sent_packets=1)
    assert net.traffic(2) == Traffic(received_bytes=size, received_packets=1)


def test_a_closed_way_lets_nothing_through_and_the_way_back_stays_open(net: Net) -> None:
    net.router.obey(Cut([(1, 2)]))
    net.send(1, packet_for(2))
    net.send(2, packet_for(1))
    assert [net.got(place) for place in PLACES] == [packet_for(1), None, None]
    assert net.traffic(1).cut_packets == 1
    net.router.obey(Mend([(1, 2)]))
    net.send(1, packet_for(2))
    assert net.got(2) == packet_for(2)


def test_a_packet_waits_until_its_time_has_come(net: Net) -> None:
    net.router.obey(Shape([2], Line(delay_ms=3_600_000)))
    net.send(1, packet_for(2))
    net.send(1, packet_for(3))
    assert [net.got(place) for place in PLACES] == [None, None, packet_for(3)]


def test_what_is_lost_is_counted_where_it_was_sent(net: Net) -> None:
    net.router.obey(Shape([1], Line(loss_share=1.0)))
    net.send(1, packet_for(2))
    net.send(3, packet_for(9))
    assert [net.got(place) for place in PLACES] == [None, None, None]
    assert [net.traffic(place).lost_packets for place in PLACES] == [1, 0, 1]


def test_what_the_kernel_says_by_itself_is_not_carried(net: Net) -> None:
    net.send(1, packet_for(2, version=6))
    assert net.got(2) is None
    assert net.traffic(1) == Traffic()
