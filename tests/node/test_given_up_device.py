"""A device is given up only when all that it wrote is signed: nobody else could sign it."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from p2pvalue.node.running import RunningNode
from p2pvalue.store import StoreFailed
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.ids import CONTENT
from tests.node.household import Household, until
from tests.patience import WAIT_S


def full(*_: object) -> None:
    raise StoreFailed("the disk is full")


def unsigned(node: RunningNode, community: bytes, device: bytes) -> int:
    """Return how many operations of a device are here that nobody else would take."""
    (own,) = node.machine.replica(community).branches.of(device, CONTENT)
    return own.head_seq - own.signed_seq


def kept_device(node: RunningNode, community: bytes) -> bytes:
    keys = node.keystore.keys(community)
    assert keys is not None
    return keys.device.public


async def post_unsigned(node: RunningNode, community: bytes) -> bytes:
    """Write what is not signed yet, and have the node take its device for given up; return that."""
    device = node.device(community)
    await node.community(community.hex()).post("the last words of this device")
    assert unsigned(node, community, device) > 0
    return device


@pytest.fixture
def is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every node takes its device for one whom nobody heeds."""
    monkeypatch.setattr(RunningNode, "is_given_up", lambda *_: True)


async def test_a_full_disk_stops_a_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Household(tmp_path).node("Ana") as ana:
        garden = await ana.create_community("Garden")
        await post_unsigned(ana, garden.id)
        with monkeypatch.context() as patch:
            patch.setattr(ana.store, "commit", full)
            with pytest.raises(StoreFailed):
                await ana.backup(tmp_path / "a.backup", lambda *_: None)
        assert not (tmp_path / "a.backup").exists()


@pytest.mark.usefixtures("is_given_up")
async def test_who_comes_back_keeps_her_device_while_the_disk_takes_no_signature(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Household(tmp_path).node("Ana", is_alone=True) as ana:
        garden = await ana.create_community("Garden")
        link = await ana.devices.link_of(None)
        device = await post_unsigned(ana, garden.id)
        with monkeypatch.context() as patch:
            patch.setattr(ana.store, "commit", full)
            with pytest.raises(StoreFailed):
                await ana.devices.recover(link)
        assert kept_device(ana, garden.id) == device
        await ana.devices.recover(link)
        assert kept_device(ana, garden.id) != device
        assert unsigned(ana, garden.id, device) == 0


async def test_who_is_linked_anew_signs_first_what_her_device_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Household(tmp_path)
    async with home.node("Ana") as ana, home.node("phone", is_linked=True) as phone:
        garden = (await ana.create_community("Garden")).id
        await ana.linking.add((await phone.linking.show_code()).code)
        await until(phone, lambda: phone.communities()[0].state == "active")
        device = await post_unsigned(phone, garden)
        monkeypatch.setattr(phone, "is_given_up", lambda _: True)
        with monkeypatch.context() as patch:
            patch.setattr(phone.store, "commit", full)
            with trio.fail_after(WAIT_S), pytest.raises(LocalProtocolError):
                await ana.linking.add((await phone.linking.show_code()).code)
            assert phone.device(garden) == device
            assert "full" in phone.linking.view().message
        await ana.linking.add((await phone.linking.show_code()).code)
        assert phone.device(garden) != device
        assert unsigned(phone, garden, device) == 0
