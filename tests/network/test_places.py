"""Who may come in and who gives way, by the books of a swarm alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import trio.testing

from p2pvalue.network import Limits, Timeouts
from p2pvalue.network.libp2p_load import load_libp2p

if TYPE_CHECKING:
    from p2pvalue.network.libp2p_connection import Connection
    from p2pvalue.network.libp2p_swarm import Swarm

LIMITS = Limits(inbound_max=3, newcomers_min=1)


class Held:
    """A connection that dialled us, in use."""

    dialed = False
    is_registered = False

    def __init__(self, name: str, *, is_admitted: bool) -> None:
        self.peer_id = name
        self.opened_at_s = trio.current_time()
        self.is_admitted = is_admitted
        self.is_idle = False
        self.session = self
        self.ended = ""

    def end(self, why: str) -> None:
        self.ended = why


def swarm() -> Swarm:
    load_libp2p()
    from p2pvalue.network.libp2p_channel import Identity
    from p2pvalue.network.libp2p_swarm import Swarm

    return Swarm(
        Identity(b"n" * 32),
        limits=LIMITS,
        timeouts=Timeouts(),
        connected=lambda _: None,
        disconnected=lambda _: None,
    )


def make_room(inbound: list[Held]) -> list[str]:
    """Return who gave way for one more."""
    made = swarm()._make_room(cast("list[Connection]", inbound))
    found = [one.peer_id for one in inbound if one.ended]
    assert made is bool(found)
    return found


async def test_members_give_way_only_where_they_hold_the_places_of_newcomers(
    autojump_clock: trio.testing.MockClock,
) -> None:
    members = [Held(f"member {number}", is_admitted=True) for number in range(3)]
    autojump_clock.jump(3_600)
    assert make_room(members[:2]) == []
    assert make_room(members) == ["member 0"]


async def test_strangers_give_way_first_and_of_them_the_oldest(
    autojump_clock: trio.testing.MockClock,
) -> None:
    member = Held("member", is_admitted=True)
    member.is_idle = True
    autojump_clock.jump(1)
    older = Held("older", is_admitted=False)
    autojump_clock.jump(1)
    newer = Held("newer", is_admitted=False)
    autojump_clock.jump(3_600)
    fresh = Held("fresh", is_admitted=False)
    inbound = [fresh, member, newer, older]
    assert [make_room([one for one in inbound if not one.ended]) for _ in range(4)] == [
        ["older"],
        ["newer"],
        ["member"],
        [],
    ]


async def test_addresses_are_remembered_within_a_bound_and_forgotten_in_time(
    autojump_clock: trio.testing.MockClock,
) -> None:
    books = swarm()
    from p2pvalue.network.libp2p_swarm import _BUCKETS_MAX

    hosts = [f"10.0.{number // 256}.{number % 256}" for number in range(_BUCKETS_MAX + 1)]
    assert all(books._may_come_in(host) for host in hosts[:-1])
    assert not books._may_come_in(hosts[-1])
    assert len(books._buckets) == _BUCKETS_MAX
    assert books._may_come_in(hosts[0])
    autojump_clock.jump(LIMITS.handshakes_burst / LIMITS.handshakes_per_s)
    assert books._may_come_in(hosts[-1])
