"""A device that only its own copy takes for a member's says so, and is linked again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from p2pvalue.node.running import RunningNode
from p2pvalue_protocol import limits
from p2pvalue_protocol.removal import device_removal_draft
from tests.node.household import Household, until, words
from tests.patience import WAIT_S

ANSWER_MS = limits.REPLY_MS_MAX


def later(node: RunningNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the node's clock show when its peers have had the time to answer."""
    clock_ms = node.clock_ms
    monkeypatch.setattr(node, "clock_ms", lambda: clock_ms() + ANSWER_MS)


async def quiet_until(look: Callable[[], bool]) -> None:
    """Return when `look` is true; it is asked whenever all nodes have nothing to do."""
    with trio.fail_after(WAIT_S):
        while not look():
            await wait_all_tasks_blocked(0.01)


def told(node: RunningNode) -> list[str]:
    return [warning for warning in node.status().warnings if "not known to anybody" in warning]


async def test_a_device_whom_nobody_knows_says_so_until_it_is_linked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Household(tmp_path)
    async with home.node("Ana") as ana, home.node("Ben") as laptop:
        garden = (await ana.create_community("Garden")).id
        await laptop.join((await ana.community().invite()).link)
        await until(laptop, lambda: laptop.communities()[0].state == "active")
        lost, root = laptop.device(garden), laptop.root(garden)
    async with home.node("Ben") as laptop, home.node("phone", is_linked=True) as phone:
        await laptop.linking.add((await phone.linking.show_code()).code)
        await until(phone, lambda: phone.communities()[0].state == "active")
        assert told(phone) == []
    async with home.node("Ana", is_alone=True) as ana:
        draft = device_removal_draft(ana.machine.replica(garden), root, lost)
        await ana.write(garden, [draft])
    async with home.node("Ana") as ana, home.node("phone") as phone:
        await quiet_until(lambda: bool(phone.network and phone.network.peers()))
        later(phone, monkeypatch)
        await quiet_until(lambda: bool(told(phone)))
        (warning,) = told(phone)
        assert "`p2pvalue device link` here" in warning
        former = phone.device(garden)
        link = await ana.devices.link_of("Garden")
        async with home.node("desktop", entropy=words("Ben")) as desktop:
            await desktop.devices.recover(link)
            await until(desktop, lambda: desktop.communities()[0].state == "active")
            await desktop.linking.add((await phone.linking.show_code()).code)
            assert phone.device(garden) != former
            await until(ana, lambda: ana.membership(garden).is_live(phone.device(garden)))
            await until(phone, lambda: phone.membership(garden).is_live(desktop.device(garden)))
            assert told(phone) == []
