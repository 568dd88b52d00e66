"""A community is founded with what its founder says, or not at all, whatever the disk takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import trio

from p2pvalue.network import MemoryNetwork
from p2pvalue.node import trying
from p2pvalue.node.running import RunningNode
from p2pvalue.store import SqliteStore, StoreFailed
from p2pvalue_protocol.addresses import decode_record
from p2pvalue_protocol.errors import ConfigError
from p2pvalue_protocol.past import Batch
from tests.node.household import Household, until
from tests.patience import WAIT_S

MOVED = "/ip4/127.0.0.1/tcp/4242"


def full(*_: object) -> None:
    raise StoreFailed("the disk is full")


def no_room(*_: object) -> None:
    raise ConfigError("the keys were not written")


class NoRoomFor:
    """A disk that takes nothing of one sort until `has_room` is set."""

    def __init__(self, patch: pytest.MonkeyPatch, refused: Callable[[Batch], bool]) -> None:
        self.has_room, self.tried, self.taken = False, trio.Event(), trio.Event()
        commit = SqliteStore.commit

        def failing(store: SqliteStore, batches: Sequence[Batch]) -> None:
            if not any(map(refused, batches)):
                commit(store, batches)
            elif self.has_room:
                commit(store, batches)
                self.taken.set()
            else:
                self.tried.set()
                full()

        patch.setattr(SqliteStore, "commit", failing)

    async def gets_room(self) -> None:
        """Return when it was asked in vain, and then took what it was asked to."""
        with trio.fail_after(WAIT_S):
            await self.tried.wait()
            self.has_room = True
            await self.taken.wait()


def where(node: RunningNode, community: bytes) -> list[str]:
    """Where a node said last that it is."""
    records = dict(node.machine.replica(community).address_records())
    own = decode_record(records[node.device(community)], community)
    assert own is not None
    return [address.partition("/p2p/")[0] for address in own.addresses]


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every node is where it was not before."""
    monkeypatch.setattr(trying, "ADDRESSES_AGAIN_S", 0.01)
    monkeypatch.setattr(
        MemoryNetwork, "addresses", lambda network: [f"{MOVED}/p2p/{network.peer_id}"]
    )


@pytest.mark.usefixtures("moved")
async def test_a_community_is_founded_though_the_disk_does_not_take_where_we_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Household(tmp_path).node("Ana") as ana:
        disk = NoRoomFor(monkeypatch, lambda batch: bool(batch.addresses))
        garden = await ana.create_community("Garden")
        assert [(view.name, view.state) for view in ana.communities()] == [("Garden", "active")]
        assert [member.name for member in garden.members()] == ["Ana"]
        await disk.gets_room()
        assert where(ana, garden.id) == [MOVED]


@pytest.mark.usefixtures("moved")
async def test_a_link_ends_well_though_the_disk_takes_neither_where_we_are_nor_a_label(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Household(tmp_path)
    async with home.node("Ana") as laptop, home.node("phone", is_linked=True) as phone:
        garden = await laptop.create_community("Garden")
        code = (await phone.linking.show_code("Phone")).code

        def is_where_the_phone_is(batch: Batch) -> bool:
            keys = phone.keystore.keys(garden.id)
            return keys is not None and keys.device.public in dict(batch.addresses)

        disk = NoRoomFor(monkeypatch, is_where_the_phone_is)
        monkeypatch.setattr(phone.store, "put_meta", full)
        assert (await laptop.linking.add(code)).state == "linked"
        assert phone.linking.view().state == "linked"
        await until(phone, lambda: [view.state for view in phone.communities()] == ["active"])
        await disk.gets_room()
        assert where(phone, garden.id) == [MOVED]


async def test_of_a_community_that_the_disk_does_not_take_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Household(tmp_path)
    async with home.node("Ana") as ana:
        with monkeypatch.context() as patch:
            patch.setattr(ana.store, "commit", full)
            with pytest.raises(StoreFailed):
                await ana.create_community("Garden")
        assert (ana.communities(), ana.keystore.communities()) == ([], [])
        await ana.create_community("Orchard")
    async with home.node("Ana") as ana:
        assert [view.name for view in ana.communities()] == ["Orchard"]


async def test_a_community_and_the_names_in_it_are_kept_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full after the first write leaves none without a name."""
    async with Household(tmp_path).node("Ana") as ana:
        commit, taken = ana.store.commit, list[Sequence[Batch]]()

        def first_only(batches: Sequence[Batch]) -> None:
            if taken:
                full()
            taken.append(batches)
            commit(batches)

        with monkeypatch.context() as patch:
            patch.setattr(ana.store, "commit", first_only)
            garden = await ana.create_community("Garden")
        assert garden.name == "Garden"
        assert [member.name for member in garden.members()] == ["Ana"]


async def test_of_a_community_whose_keys_are_not_kept_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Household(tmp_path).node("Ana") as ana:
        with monkeypatch.context() as patch:
            patch.setattr(ana.keystore, "put", no_room)
            with pytest.raises(ConfigError):
                await ana.create_community("Garden")
        assert ana.communities() == []
        await ana.create_community("Orchard")
        assert [view.name for view in ana.communities()] == ["Orchard"]


async def test_what_stays_in_the_keys_of_a_community_that_was_not_founded_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with Household(tmp_path).node("Ana") as ana:
        with monkeypatch.context() as patch:
            patch.setattr(ana.store, "commit", full)
            patch.setattr(ana.keystore, "drop", no_room)
            with pytest.raises(StoreFailed):
                await ana.create_community("Garden")
        assert ana.communities() == []
        assert "of a community that was not founded" in caplog.text
