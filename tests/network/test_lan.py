"""Nodes on one network find each other under blinded names, and failing to is harmless."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import trio

from p2pvalue.network import LanDiscovery, peer_id_of_seed
from tests.patience import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Callable


class Found:
    """What a node found, and a way to wait for it."""

    def __init__(self) -> None:
        self.nodes: dict[str, list[str]] = {}
        self._changed = trio.Event()

    def note(self, name: str, addresses: list[str]) -> None:
        self.nodes[name] = addresses
        self._changed.set()
        self._changed = trio.Event()

    async def until(self, is_so: Callable[[], bool]) -> None:
        with trio.fail_after(WAIT_S):
            while not is_so():
                await self._changed.wait()


def blinded() -> str:
    return os.urandom(8).hex()


def address(seed: int, port: int) -> str:
    return f"/ip4/127.0.0.1/tcp/{port}/p2p/{peer_id_of_seed(bytes([seed]) * 32)}"


async def test_two_nodes_find_each_other_at_concrete_addresses(nursery: trio.Nursery) -> None:
    found_a, found_b = Found(), Found()
    a = LanDiscovery(found_a.note, interfaces=["127.0.0.1"])
    b = LanDiscovery(found_b.note, interfaces=["127.0.0.1"])
    name_a, name_b = blinded(), blinded()
    nursery.start_soon(a.run, [name_a], [address(1, 4001)])
    nursery.start_soon(b.run, [name_b], [address(2, 4002)])
    await found_b.until(lambda: name_a in found_b.nodes)
    await found_a.until(lambda: name_b in found_a.nodes)
    assert found_b.nodes[name_a] == [address(1, 4001)]
    assert found_a.nodes[name_b] == [address(2, 4002)]
    assert name_a not in found_a.nodes


async def test_failure_is_harmless_and_visible(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_multicast(**options: object) -> None:
        raise OSError("no multicast here")

    monkeypatch.setattr("zeroconf.Zeroconf", no_multicast)
    discovery = LanDiscovery(Found().note)
    await nursery.start(discovery.run, [blinded()], [address(1, 4001)])
    assert discovery.status()["state"] == "failed: no multicast here"


async def test_without_an_address_we_only_look(nursery: trio.Nursery) -> None:
    found = Found()
    looking = LanDiscovery(found.note, interfaces=["127.0.0.1"])
    await nursery.start(looking.run, [blinded()], [])
    assert (looking.status()["state"], looking.status()["announced"]) == ("on", [])
    name = blinded()
    announcing = LanDiscovery(Found().note, interfaces=["127.0.0.1"])
    await nursery.start(announcing.run, [name], [address(1, 4001)])
    await found.until(lambda: name in found.nodes)


async def test_it_stops_when_cancelled(nursery: trio.Nursery) -> None:
    discovery = LanDiscovery(Found().note, interfaces=["127.0.0.1"])
    async with trio.open_nursery() as life:
        await life.start(discovery.run, [], [])
        life.cancel_scope.cancel()
    assert discovery.status()["state"] == "off"


def test_loopback_is_not_announced_where_there_is_more() -> None:
    from p2pvalue.network.lan import _announceable

    outside = f"/ip4/192.0.2.7/tcp/4001/p2p/{peer_id_of_seed(bytes(32))}"
    assert [str(a) for a in _announceable([address(0, 4001), outside])] == [outside]
    assert [str(a) for a in _announceable([address(0, 4001)])] == [address(0, 4001)]


def test_it_is_off_unless_it_runs() -> None:
    assert LanDiscovery(Found().note).status()["state"] == "off"


@pytest.mark.parametrize("peer_id", [b"", b"\xff\xfe", b"../../etc", b"x" * 200])
def test_what_strangers_announce_is_checked(peer_id: bytes) -> None:
    from p2pvalue.network.lan import _addresses_of

    said = ["192.0.2.7", "fe80::1%eth0", "999.1.1.1"]
    info = SimpleNamespace(properties={b"p": peer_id}, port=4001, parsed_addresses=lambda: said)
    assert _addresses_of(info) == []
