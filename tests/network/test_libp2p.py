"""What the real network adds to the contract: places, identities, signs of life."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, cast

import pytest
import trio
import trio.testing

from p2pvalue.network import (
    SYNC_PROTOCOL,
    AddressError,
    Libp2pNetwork,
    Limits,
    LinkClosed,
    Timeouts,
    parse_address,
    peer_id_of_seed,
)
from p2pvalue.network.libp2p_load import load_libp2p
from p2pvalue_protocol.errors import LocalProtocolError
from tests.network.conftest import LOOPBACK
from tests.network.recorder import Recorder, echo
from tests.patience import WAIT_S

Run = Callable[..., Awaitable[tuple[Libp2pNetwork, Recorder]]]


def tasks_living() -> int:
    return trio.lowlevel.current_statistics().tasks_living


@pytest.fixture
def run(nursery: trio.Nursery) -> Run:
    async def started(
        limits: Limits | None = None, timeouts: Timeouts | None = None
    ) -> tuple[Libp2pNetwork, Recorder]:
        network = Libp2pNetwork(os.urandom(32), [LOOPBACK], limits=limits, timeouts=timeouts)
        recorder = Recorder()
        await nursery.start(network.run, recorder)
        return network, recorder

    return started


async def test_a_peer_with_another_key_is_not_taken_for_the_one_we_dialled(run: Run) -> None:
    (a, _), (b, _) = await run(), await run()
    other = str(parse_address(b.addresses()[0])).replace(b.peer_id, peer_id_of_seed(bytes(32)))
    with pytest.raises(ConnectionError):
        await a.connect([other])
    assert a.peers() == []


async def test_a_dead_address_does_not_use_up_the_time_of_the_others(run: Run) -> None:
    (a, _), (b, _) = await run(), await run()
    listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
    port = listener.socket.getsockname()[1]
    silent = f"/ip4/127.0.0.1/tcp/{port}/p2p/{b.peer_id}"
    for timeout_s in (0.5, 5.0, 50.0):  # a loaded machine needs more for a handshake
        with suppress(ConnectionError):
            assert await a.connect([silent, *b.addresses()], timeout_s=timeout_s) == b.peer_id
            break
    assert a.peers() == [b.peer_id]
    await listener.aclose()


async def test_strangers_cannot_take_every_place(run: Run) -> None:
    (host, told), (caller, _) = await run(Limits(inbound_max=2, peers_max=3)), await run()
    guests = [await run() for _ in range(3)]
    for guest, _ in guests[:2]:
        await guest.connect(host.addresses())
    await told.until(lambda: len(told.connected) == 2)
    with pytest.raises(ConnectionError):
        await guests[2][0].connect(host.addresses())
    assert await host.connect(caller.addresses()) == caller.peer_id
    with pytest.raises(ConnectionError):
        await host.connect(guests[2][0].addresses())


async def test_an_idle_guest_gives_way_to_a_new_one(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from p2pvalue.network import libp2p_swarm

    monkeypatch.setattr(libp2p_swarm, "_KEPT_BEFORE_EVICTION_S", 0.0)
    host, told = await run(Limits(inbound_max=2))
    (busy, _), (idle, idle_told), (new, _) = await run(), await run(), await run()
    await busy.connect(host.addresses())
    link = await busy.open_link(host.peer_id, SYNC_PROTOCOL)
    await idle.connect(host.addresses())
    await told.until(lambda: len(told.connected) == 2)
    await new.connect(host.addresses())
    await idle_told.until_gone(host.peer_id)
    assert await echo(link) == b"are you there"


async def test_members_leave_places_to_newcomers_and_strangers_take_no_more_than_these(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from p2pvalue.network import libp2p_swarm

    for name in ("_KEPT_BEFORE_EVICTION_S", "_MEMBER_KEPT_S"):
        monkeypatch.setattr(libp2p_swarm, name, 0.0)
    host, told = await run(Limits(inbound_max=3, newcomers_min=1))
    guests = [await run() for _ in range(5)]
    links = []
    for number, (guest, _) in enumerate(guests[:3]):
        await guest.connect(host.addresses())
        links.append(await guest.open_link(host.peer_id, SYNC_PROTOCOL))
        await told.until(lambda n=number: len(told.connected) == n + 1)  # type: ignore[misc]  # bound now
        host.admit_to_gossip(guest.peer_id, [])
    (_, first_told), (new, new_told), (newer, _) = guests[0], guests[3], guests[4]
    await new.connect(host.addresses())
    await first_told.until_gone(host.peer_id)
    await told.until(lambda: new.peer_id in told.connected)
    await newer.connect(host.addresses())
    await new_told.until_gone(host.peer_id)
    for link in links[1:]:
        assert await echo(link) == b"are you there"


async def test_sends_cancelled_at_any_moment_leave_every_frame_whole(run: Run) -> None:
    (a, _), (b, b_told) = await run(), await run()
    await a.connect(b.addresses())
    link = await a.open_link(b.peer_id, SYNC_PROTOCOL)
    received: list[bytes] = []

    async def collect() -> None:
        while True:
            received.append(await link.receive())
            b_told.note()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(collect)
        sent = 0
        for number in range(150):
            with trio.move_on_after(0.0002) as scope:
                await link.send(number.to_bytes(2, "big") * 20_000)
            sent += not scope.cancelled_caught
        await link.send(b"last")
        await b_told.until(lambda: received[-1:] == [b"last"])
        nursery.cancel_scope.cancel()
    assert all(len(set(zip(f[::2], f[1::2], strict=True))) == 1 for f in received[:-1])
    assert len(received) == sent + 1


async def test_an_unknown_protocol_is_refused_and_the_connection_lives(run: Run) -> None:
    (a, _), (b, _) = await run(), await run()
    await a.connect(b.addresses())
    with pytest.raises(LinkClosed, match="does not speak"):
        await a.open_link(b.peer_id, "/unknown/1")
    assert await echo(await a.open_link(b.peer_id, SYNC_PROTOCOL)) == b"are you there"


async def test_a_peer_that_was_cut_off_and_comes_back_is_taken_at_once(
    nursery: trio.Nursery, run: Run
) -> None:
    host, told = await run()
    seed = os.urandom(32)
    for _ in range(3):
        async with trio.open_nursery() as life:
            network = Libp2pNetwork(seed, [])
            await life.start(network.run, Recorder())
            await network.connect(host.addresses())
            link = await network.open_link(host.peer_id, SYNC_PROTOCOL)
            assert await echo(link) == b"are you there"
            life.cancel_scope.cancel()
        await told.until_gone(network.peer_id)


async def test_nothing_is_left_over_by_connections_that_came_and_went(run: Run) -> None:
    (host, told), (guest, _) = await run(), await run()
    first = 0
    for _ in range(20):
        await guest.connect(host.addresses())
        await told.until(lambda: len(told.connected) == 1)
        await guest.disconnect(host.peer_id)
        await told.until_gone(guest.peer_id)
        with trio.fail_after(WAIT_S):
            await trio.testing.wait_all_tasks_blocked(0.001)
            while first and tasks_living() > first:
                await trio.testing.wait_all_tasks_blocked(0.001)
        first = first or tasks_living()


@pytest.mark.parametrize("listen", ["nonsense", "/dns4/x/tcp/1", f"{LOOPBACK}/p2p/12D3KooW"])
def test_what_cannot_be_listened_on_is_a_mistake_of_the_caller(listen: str) -> None:
    with pytest.raises(AddressError):
        Libp2pNetwork(bytes(32), [listen])


def test_a_seed_of_another_length_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(LocalProtocolError):
        Libp2pNetwork(bytes(31), [])


@pytest.mark.parametrize("arrival", [(0, 1), (1, 0)], ids=["ours first", "ours last"])
def test_both_sides_keep_the_same_one_of_two_simultaneous_connections(
    arrival: tuple[int, int],
) -> None:
    load_libp2p()
    from p2pvalue.network.libp2p_swarm import Swarm

    def kept(own_id: str, other_id: str) -> str:
        swarm = Swarm.__new__(Swarm)
        swarm.peer_id = own_id
        both = [
            SimpleNamespace(dialed=dialed, peer_id=other_id, opened_at_s=trio.current_time())
            for dialed in (True, False)
        ]
        old, new = (both[index] for index in arrival)
        stays: Any = new if swarm._replaces(cast("Any", new), cast("Any", old)) else old
        return own_id if stays.dialed else other_id

    async def run() -> None:
        assert kept("a", "b") == kept("b", "a") == "a"

    trio.run(run)


def test_handshakes_are_rationed_by_address_but_not_on_this_machine() -> None:
    load_libp2p()
    from p2pvalue.network.libp2p_channel import Identity
    from p2pvalue.network.libp2p_swarm import Swarm

    async def run() -> None:
        limits = Limits(handshakes_per_s=5.0, handshakes_burst=20)
        swarm = Swarm(
            Identity(bytes(32)),
            limits=limits,
            timeouts=Timeouts(),
            connected=lambda connection: None,
            disconnected=lambda connection: None,
        )
        allowed = {
            host: sum(swarm._may_come_in(host) for _ in range(100))
            for host in ("192.0.2.7", "fe80::7%eth0", "127.0.0.1", "::1")
        }
        assert allowed == {"192.0.2.7": 20, "fe80::7%eth0": 20, "127.0.0.1": 100, "::1": 100}

    trio.run(run, clock=trio.testing.MockClock())
