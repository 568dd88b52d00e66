"""What a node says of a device that wrote two histories, to its person and to whoever follows."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import trio

from p2pvalue.node.running import RunningNode
from p2pvalue_protocol.errors import P2PValueError
from tests.node.household import Household, until
from tests.patience import WAIT_S


def warnings(node: RunningNode) -> list[str]:
    return [check.detail for check in node.doctor() if "wrote two histories" in check.detail]


async def until_forked(node: RunningNode) -> dict[str, str | int | None]:
    """Wait for the event that tells of a fork."""
    with trio.fail_after(WAIT_S):
        async with node.events() as events:
            async for event in events:
                if event.event == "fork":
                    return {**event.data, "subject": event.subject}
    raise AssertionError("the stream ended")


async def copied(home: Household, tmp_path: Path, ana: RunningNode) -> None:
    """Let Ben join, and leave two folders of his that each hold a message nobody else has."""
    async with home.node("Ben") as ben:
        await ben.join((await ana.community().invite()).link)
        await until(ben, lambda: ben.communities()[0].state == "active")
        await until(ana, lambda: len(ana.community().members()) == 2)
        await until(ben, lambda: writes(ben))
    shutil.copytree(tmp_path / "Ben", tmp_path / "copy")
    for name in ("Ben", "copy"):
        async with home.node(name, is_alone=True) as ben:
            await ben.community().post(f"by {name}")


def writes(node: RunningNode) -> bool:
    """Whether what is needed to write has arrived."""
    community = node.machine.communities()[0]
    return bool(node.machine.replica(community).epochs.usable())


async def test_a_fork_is_told_once_and_warned_of_by_everybody(tmp_path: Path) -> None:
    home = Household(tmp_path)
    async with home.node("Ana") as ana:
        await ana.create_community("Garden")
        await copied(home, tmp_path, ana)
        async with home.node("Ben") as ben:
            device = ben.device(ana.community().id)
            await until(ana, lambda: bool(ana.community().messages()))
        assert warnings(ana) == []
        async with trio.open_nursery() as nursery, home.node("copy") as twin:
            told: list[dict[str, str | int | None]] = []

            async def follow() -> None:
                told.append(await until_forked(ana))

            nursery.start_soon(follow)
            await until(twin, lambda: bool(warnings(twin)))
            assert "this device" in warnings(twin)[0]
            with pytest.raises(P2PValueError, match=r"device link|doctor"):
                await twin.community().post("one more")
            await until(ana, lambda: bool(warnings(ana)))
        (fork,) = told
        assert (fork["subject"], fork["is_me"], fork["is_this"]) == (device.hex(), 0, 0)
        assert fork["text"] == warnings(ana)[0]
        assert fork["first"] != fork["second"]
        assert "a device of Ben" in warnings(ana)[0]
        assert warnings(ana)[0] in ana.status().warnings
    async with home.node("Ana", is_alone=True) as ana:
        assert len(warnings(ana)) == 1
