"""A join asks whoever its link names or the person met, at once when something changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
import trio

from p2pvalue.keystore import Keystore
from p2pvalue.network.interface import LinkClosed
from p2pvalue.node.members.joining import Joining
from p2pvalue.node.peers.links import Links
from p2pvalue.store import MemoryStore
from p2pvalue_protocol.effects import Joined
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.invitation import InviteLink, format_link

if TYPE_CHECKING:
    from p2pvalue.network.interface import Link, Network
    from p2pvalue.node.node import Node
    from p2pvalue.node.peers.dialing import Dialer

GARDEN = b"g" * 32
ANA, BEA = "12D3KooWAna", "12D3KooWBea"


class Wire:
    """A network on which nobody answers, and which tells who was called."""

    peer_id = "12D3KooWMe"

    def __init__(self) -> None:
        self.called: list[list[str]] = []
        self.was_called = trio.Event()
        self.refusal: Callable[[], Exception] = lambda: ConnectionError("nobody there")

    async def connect(self, addresses: list[str]) -> str:
        self.called.append(addresses)
        self.was_called.set()
        await trio.lowlevel.checkpoint()
        raise self.refusal()

    async def open_link(self, peer_id: str, protocol: str) -> Link:
        raise LinkClosed("closed")

    async def until_called(self, times: int, seconds: float = 10.0) -> None:
        with trio.fail_after(seconds):
            while len(self.called) < times:
                self.was_called = trio.Event()
                await self.was_called.wait()


class Book:
    """Whom the node knows besides."""

    def __init__(self) -> None:
        self.known: list[list[str]] = []

    def peers(self) -> list[object]:
        return []

    def know(self, addresses: list[str], communities: set[bytes]) -> None:
        self.known.append(addresses)


class Home:
    """As much of a node as a join needs."""

    def __init__(self, folder: Path) -> None:
        self.keystore = Keystore.create(folder, "Ben")
        self.store = MemoryStore()
        self.wire, self.book = Wire(), Book()
        self.network = cast("Network", self.wire)
        self.dialer = cast("Dialer", self.book)
        self.links = Links(lambda given: None)
        self.is_network_up = trio.Event()
        self.machine = SimpleNamespace(known_addresses=list)  # nobody has said where she is
        self.joining = Joining(cast("Node", self))

    def addresses(self) -> list[str]:
        return ["/ip4/127.0.0.1/tcp/1"]

    def tell_addresses(self) -> None:
        pass

    def join(self, *addresses: str) -> None:
        link = format_link(InviteLink(GARDEN, b"s" * 16, addresses))
        self.keystore.put(GARDEN, self.keystore.new_keys(link=link))
        self.joining.start(GARDEN)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def at(peer_id: str, port: int = 4801) -> str:
    return f"/ip4/192.0.2.7/tcp/{port}/p2p/{peer_id}"


async def calling(home: Home, nursery: trio.Nursery) -> None:
    """A join that has called Ana once."""
    home.is_network_up.set()
    nursery.start_soon(home.joining.run)
    await trio.testing.wait_all_tasks_blocked()
    home.join(at(ANA))
    await home.wire.until_called(1)


async def test_everybody_whom_the_link_names_is_asked_each_at_all_her_addresses(
    home: Home, nursery: trio.Nursery
) -> None:
    nursery.start_soon(home.joining.run)
    await trio.testing.wait_all_tasks_blocked()
    home.join(at(ANA), at(BEA), at(ANA, 4802))
    view = home.joining.view(GARDEN)
    assert view is not None
    assert view.stage == "starting"
    home.is_network_up.set()
    await home.wire.until_called(2)
    assert home.wire.called == [[at(ANA), at(ANA, 4802)], [at(BEA)]]
    await trio.testing.wait_all_tasks_blocked()
    view = home.joining.view(GARDEN)
    assert view is not None
    assert (view.stage, view.addresses_tried, len(view.errors)) == ("away", 3, 2)


async def test_a_member_who_calls_or_is_met_on_the_local_network_is_asked_at_once(
    home: Home, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    del autojump_clock  # no second of the long waits is waited for
    home.is_network_up.set()
    nursery.start_soon(home.joining.run)
    await trio.testing.wait_all_tasks_blocked()
    home.join(at(ANA))
    await home.wire.until_called(6, seconds=300)
    changes: list[Callable[[], None]] = [
        lambda: home.joining.look_again(ANA),
        lambda: home.joining.met([at(ANA, 9)]),
        lambda: home.joining.start(GARDEN),
    ]
    for change in changes:
        await trio.testing.wait_all_tasks_blocked()
        change()
        await home.wire.until_called(len(home.wire.called) + 1, seconds=0.5)
    assert home.book.known == [[at(ANA, 9)]]


async def test_strangers_on_the_local_network_hurry_nobody(
    home: Home, nursery: trio.Nursery
) -> None:
    await calling(home, nursery)
    await trio.testing.wait_all_tasks_blocked()
    home.joining.met([at(BEA)])
    home.joining.look_again(BEA)
    await trio.testing.wait_all_tasks_blocked()
    assert (len(home.wire.called), home.book.known) == (1, [])


async def test_what_the_last_member_said_is_kept_while_it_is_tried_again(
    home: Home, nursery: trio.Nursery
) -> None:
    await calling(home, nursery)
    home.joining.on_joined(Joined(0, GARDEN, "failed", b"", "this invite was withdrawn", True))
    view = home.joining.view(GARDEN)
    assert view is not None
    assert (view.stage, view.is_final) == ("refused", True)
    assert "this invite was withdrawn" in home.joining.waiting_for(GARDEN, "Garden")


def test_a_message_that_is_too_long_is_refused_before_anything_is_kept(home: Home) -> None:
    with pytest.raises(LocalProtocolError, match="shorten it"):
        home.joining.keep_message(GARDEN, "x" * 1_001)
    home.joining.keep_message(GARDEN, "I mend radios")
    assert home.store.meta(f"plea:{GARDEN.hex()}") == b"I mend radios"


async def test_who_was_let_in_finds_the_door_again_after_a_crash(
    home: Home, nursery: trio.Nursery
) -> None:
    home.join(at(ANA), at(BEA), at(ANA, 4802))
    assert home.joining.finish(GARDEN)
    home.book.known.clear()
    again = Joining(cast("Node", home))
    nursery.start_soon(again.run)
    await trio.testing.wait_all_tasks_blocked()
    assert home.book.known == [[at(ANA), at(ANA, 4802)], [at(BEA)]]
    assert again.view(GARDEN) is None
