"""Whom the node calls again, and how soon, on virtual time."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import trio
from trio.testing import MockClock

from p2pvalue.node.peers.dialing import DEVICES_MAX, STEADY_S, Dialer

BEN = "ben"
ADDRESS = f"/ip4/127.0.0.1/tcp/1/p2p/{BEN}"
COMMUNITY = bytes(32)


class Line:
    """Stands where the network does; whoever is called answers, and is lost as the test wants."""

    peer_id = "ana"

    def __init__(self) -> None:
        self.called_s: list[float] = []
        self.is_up = False
        self.came: Callable[[str], None] = lambda peer_id: None

    def peers(self) -> list[str]:
        return [BEN] if self.is_up else []

    async def connect(self, addresses: list[str]) -> None:
        self.called_s.append(trio.current_time())
        self.is_up = True
        self.came(BEN)


async def losing_after(life_s: float, times: int) -> list[float]:
    """Lose the connection each time it has lasted so long; return when it was called."""
    line = Line()

    async def attend(peer_id: str) -> None:
        pass

    dialer = Dialer(line, attend, lambda: 0.5)  # type: ignore[arg-type]  # all of it that a dialer uses
    lost = 0

    def came(peer_id: str) -> None:
        dialer.came(peer_id)
        nursery.start_soon(lose)

    async def lose() -> None:
        nonlocal lost
        with trio.move_on_after(life_s):
            await trio.Event().wait()
        line.is_up = False
        dialer.left(BEN)
        dialer.session_ended(BEN)
        lost += 1
        if lost == times:
            nursery.cancel_scope.cancel()

    line.came = came
    async with trio.open_nursery() as nursery:
        nursery.start_soon(dialer.run)
        dialer.know([ADDRESS], {COMMUNITY})
    return line.called_s


async def test_a_place_that_is_taken_away_again_and_again_is_asked_for_ever_more_seldom(
    autojump_clock: MockClock,
) -> None:
    called_s = await losing_after(0.1, times=12)
    waits = [later - sooner for sooner, later in pairwise(called_s)]
    assert waits[0] < 1.0, "who restarted is back at once"
    rounded = [round(wait_s) for wait_s in waits]
    assert rounded == sorted(rounded)
    assert waits[-1] > 59.0


async def test_a_connection_that_lasted_is_called_again_at_once(autojump_clock: MockClock) -> None:
    called_s = await losing_after(STEADY_S, times=6)
    waits = [later - sooner for sooner, later in pairwise(called_s)]
    assert max(waits) < STEADY_S + 1.0


async def test_a_peer_that_shows_ever_new_devices_costs_a_bounded_memory() -> None:
    async def attend(peer_id: str) -> None:
        pass

    dialer = Dialer(Line(), attend, lambda: 0.5)  # type: ignore[arg-type]  # as above
    first = bytes(32)
    dialer.know([ADDRESS], {COMMUNITY}, first)
    dialer.in_touch(BEN, first)
    for number in range(10 * DEVICES_MAX):  # of a public community: anybody may make them up
        dialer.in_touch(BEN, number.to_bytes(32, "big"))
    (ben,) = dialer.peers()
    assert len(ben.devices) == DEVICES_MAX
    assert first in ben.devices
    assert ben.addresses == [ADDRESS]
