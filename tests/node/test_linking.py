"""Bringing in another device, from one running node to another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from p2pvalue.node.backup import restore
from p2pvalue.node.running import RunningNode
from p2pvalue.types import EventView
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted
from tests.node.household import Household, until, words
from tests.patience import WAIT_S


async def test_a_device_is_brought_in_by_its_code(tmp_path: Path) -> None:
    home = Household(tmp_path)
    async with home.node("Ana") as laptop, home.node("phone", is_linked=True) as phone:
        garden = await laptop.create_community("Garden")
        await garden.post("from the laptop")
        shown = await phone.linking.show_code("Ana's phone")
        assert shown.state == "waiting"
        added = await laptop.linking.add(shown.code)
        assert (added.state, added.label, added.communities) == (
            "linked",
            "Ana's phone",
            [garden.id.hex()],
        )
        seen = phone.linking.view()
        assert (seen.state, seen.code, seen.name) == ("linked", "", "Ana")
        assert phone.keystore.name == "Ana"
        assert phone.keystore.entropy is None
        await until(phone, lambda: phone.communities()[0].state == "active")
        await until(phone, lambda: bool(phone.community().messages()))
        await phone.community().post("from the phone")
        await until(laptop, lambda: len(garden.messages()) == 2)
        assert {m.name for m in garden.messages()} == {"Ana"}
        (member,) = garden.members()
        assert len(member.devices) == 2


async def test_a_linked_device_goes_on_after_a_restart(tmp_path: Path) -> None:
    home = Household(tmp_path)
    async with home.node("Ana") as laptop:
        garden = await laptop.create_community("Garden")
        async with home.node("phone", is_linked=True) as phone:
            await laptop.linking.add((await phone.linking.show_code()).code)
            await until(phone, lambda: phone.communities()[0].state == "active")
        async with home.node("phone") as phone:
            await phone.community().post("again")
            await until(laptop, lambda: len(garden.messages()) == 1)


async def test_a_code_works_once(tmp_path: Path) -> None:
    home = Household(tmp_path)
    async with home.node("Ana") as laptop, home.node("phone", is_linked=True) as phone:
        await laptop.create_community("Garden")
        shown = await phone.linking.show_code()
        await laptop.linking.add(shown.code)
        with pytest.raises(LocalProtocolError, match="show a new one"):
            await laptop.linking.add(shown.code)


@pytest.mark.parametrize("ending", ["cancelled", "expired", "replaced"])
async def test_a_code_that_no_longer_stands_brings_nothing_in(
    tmp_path: Path, autojump_clock: MockClock, ending: str
) -> None:
    home = Household(tmp_path)
    async with home.node("Ana") as laptop, home.node("phone", is_linked=True) as phone:
        await laptop.create_community("Garden")
        shown = await phone.linking.show_code()
        if ending == "cancelled":
            assert phone.linking.cancel().state == "cancelled"
        elif ending == "expired":
            autojump_clock.jump(601)
            assert phone.linking.view().state == "expired"
        else:
            await phone.linking.show_code()
        with pytest.raises(LocalProtocolError, match="does not take this code"):
            await laptop.linking.add(shown.code)
        assert phone.communities() == []
        assert phone.keystore.communities() == []


async def test_another_persons_machine_does_not_follow(tmp_path: Path) -> None:
    home = Household(tmp_path)
    async with home.node("Ana") as laptop, home.node("Ben") as bens:
        await laptop.create_community("Garden")
        with pytest.raises(LocalProtocolError, match="somebody else's already"):
            await laptop.linking.add((await bens.linking.show_code()).code)
        assert bens.linking.view().state == "failed"
        assert bens.keystore.name == "Ben"
        assert bens.communities() == []


async def test_a_machine_without_communities_brings_nobody_in(tmp_path: Path) -> None:
    home = Household(tmp_path)
    async with home.node("Ana") as laptop, home.node("phone", is_linked=True) as phone:
        shown = await phone.linking.show_code()
        with pytest.raises(LocalProtocolError, match="in no community yet"):
            await laptop.linking.add(shown.code)
        with pytest.raises(LocalProtocolError, match="this very device"):
            await phone.linking.add(shown.code)


async def test_a_machine_that_is_away_is_said_to_be(tmp_path: Path) -> None:
    home = Household(tmp_path)
    async with home.node("Ana") as laptop:
        await laptop.create_community("Garden")
        async with home.node("phone", is_linked=True) as phone:
            shown = await phone.linking.show_code()
        with pytest.raises(LocalProtocolError, match="cannot be reached"):
            await laptop.linking.add(shown.code)


async def test_devices_are_listed_with_how_they_came(tmp_path: Path) -> None:
    home = Household(tmp_path)
    async with home.node("Ana") as laptop, home.node("phone", is_linked=True) as phone:
        await laptop.create_community("Garden")
        laptop.linking.set_own_label("laptop")
        await laptop.linking.add((await phone.linking.show_code("phone")).code)
        await until(phone, lambda: phone.communities()[0].state == "active")
        first, second = laptop.devices.all()
        assert (first.label, first.is_this, first.added_by, first.needs_words) == (
            "laptop",
            True,
            "",
            True,
        )
        assert (second.label, second.added_by, second.state) == ("phone", first.device, "live")
        assert first.brought_in == [second.device]
        assert not second.needs_words
        assert [view.label for view in phone.devices.all()] == ["phone", "laptop"]


async def test_words_bring_a_person_back_into_a_running_community(tmp_path: Path) -> None:
    home = Household(tmp_path)
    async with home.node("Ben") as ben:
        async with home.node("Ana") as lost:
            garden = await ben.create_community("Garden")
            await lost.join((await garden.invite()).link)
            await until(lost, lambda: lost.communities()[0].state == "active")
            await until(ben, lambda: {m.name for m in garden.members()} == {"Ana", "Ben"})
        link = await ben.devices.link_of("Garden")
        async with home.node("new machine", entropy=words("Ana")) as anew:
            await anew.devices.recover(link)
            await until(anew, lambda: anew.communities()[0].state == "active")
            await anew.community().post("back again")
            await until(ben, lambda: bool(garden.messages()))
            assert [m.name for m in garden.messages()] == ["Ana"]
            assert len(garden.members()) == 2


async def test_an_invite_is_not_the_way_back(tmp_path: Path) -> None:
    home = Household(tmp_path)
    async with home.node("Ana") as ana:
        garden = await ana.create_community("Garden")
        with pytest.raises(LocalProtocolError, match="community link"):
            await ana.devices.recover((await garden.invite()).link)
        with pytest.raises(LocalProtocolError, match="in that community already"):
            await ana.devices.recover(await ana.devices.link_of(None))


async def test_a_lost_device_is_put_out_by_an_older_one_only(tmp_path: Path) -> None:
    home = Household(tmp_path)
    async with home.node("Ana") as laptop, home.node("phone", is_linked=True) as phone:
        await laptop.create_community("Garden")
        laptop.linking.set_own_label("laptop")
        await laptop.linking.add((await phone.linking.show_code("phone")).code)
        await until(phone, lambda: phone.communities()[0].state == "active")
        with pytest.raises(NotAdmitted, match="24 words"):
            await phone.devices.revoke("laptop")
        (gone,) = await laptop.devices.revoke("phone")
        assert gone.label == "phone"


async def test_a_device_that_was_put_out_is_linked_anew_in_its_folder(tmp_path: Path) -> None:
    home = Household(tmp_path)
    async with home.node("Ana") as laptop, home.node("phone", is_linked=True) as phone:
        garden = await laptop.create_community("Garden")
        await laptop.linking.add((await phone.linking.show_code("phone")).code)
        await until(phone, lambda: phone.communities()[0].state == "active")
        former = phone.device(garden.id)
        await laptop.devices.revoke("phone")
        await until(phone, lambda: phone.membership(garden.id).is_gone(former))
        await laptop.linking.add((await phone.linking.show_code()).code)
        assert phone.device(garden.id) != former
        await until(phone, lambda: phone.communities()[0].state == "active")
        await until_posted(phone, "by a new device")
        await until(laptop, lambda: bool(garden.messages()))
        assert [view.state for view in laptop.devices.all()] == ["live", "revoked", "live"]


async def test_a_person_hears_of_devices_that_come_and_go(tmp_path: Path) -> None:
    home = Household(tmp_path)
    async with home.node("Ana") as laptop, home.node("phone", is_linked=True) as phone:
        await laptop.create_community("Garden")
        await laptop.linking.add((await phone.linking.show_code("phone")).code)
        await until(phone, lambda: phone.communities()[0].state == "active")
        async with laptop.events() as events, home.node("tablet", is_linked=True) as tablet:
            await phone.linking.add((await tablet.linking.show_code("tablet")).code)
            device = tablet.device(tablet.machine.communities()[0]).hex()
            assert await next_device_event(events) == (device, "added", 0)
            await phone.devices.revoke("tablet")
            assert await next_device_event(events) == (device, "revoked", 0)
            await until(tablet, lambda: tablet.communities()[0].state == "removed")
            (warning,) = [c.detail for c in tablet.doctor() if "put out" in c.detail]
            assert "device link" in warning
            assert warning in tablet.status().warnings


async def next_device_event(events: AsyncIterator[EventView]) -> tuple[str, object, object]:
    with trio.fail_after(WAIT_S):
        async for event in events:
            if event.event == "device":
                return event.subject, event.data["change"], event.data["is_this"]
    raise AssertionError("the stream ended")


async def until_posted(node: RunningNode, text: str) -> None:
    """Post as soon as what is needed to write has arrived."""
    replica = node.machine.replica(node.machine.communities()[0])
    await until(node, lambda: bool(replica.epochs.usable()))
    await node.community().post(text)


async def test_who_kept_a_backup_and_her_words_goes_on_with_it(tmp_path: Path) -> None:
    home = Household(tmp_path)
    async with home.node("Ben") as ben:
        async with home.node("Ana") as lost:
            garden = await ben.create_community("Garden")
            await lost.join((await garden.invite()).link)
            await until(lost, lambda: lost.communities()[0].state == "active")
            await garden.post("before")
            await until(lost, lambda: bool(lost.community().messages()))
            await lost.backup(tmp_path / "a.backup", lambda done, total: None)
        restore(tmp_path / "a.backup", tmp_path / "anew", "Ana", words("Ana"))
        link = await ben.devices.link_of("Garden")
        async with home.node("anew") as anew:
            assert len(anew.community().messages()) == 1
            await anew.devices.recover(link)
            await until(anew, lambda: anew.communities()[0].state == "active")
            await until_posted(anew, "after")
            await until(ben, lambda: len(garden.messages()) == 2)


async def test_no_code_was_shown(tmp_path: Path) -> None:
    async with Household(tmp_path).node("phone", is_linked=True) as phone:
        with pytest.raises(LocalProtocolError, match="device link"):
            phone.linking.view()
        assert phone.linking.secret() is None
        await trio.lowlevel.checkpoint()
