"""While a list of everything is made, others have their turns, and what they do spoils no list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

from p2pvalue.need_types import NeedDraft
from p2pvalue.node import pace, references
from p2pvalue.node.community import Community
from p2pvalue.project_types import ProjectDraft
from p2pvalue_protocol.kinds import need
from p2pvalue_protocol.past import StateRow
from tests.node.small_node import SmallNode
from tests.node.told_people import HOURS

COUNT = 40


@pytest.fixture
async def room(ana: SmallNode, monkeypatch: pytest.MonkeyPatch) -> Community:
    """Many needs with a voice and a pledge each, all of one project, and others at every rest."""
    room = ana.community
    await room.projects.add(ProjectDraft(title="Beds"))
    for number in range(COUNT):
        title = f"Need {number}"
        await room.needs.add(NeedDraft(title=title, lines=[HOURS], project="Beds"))
        await room.order.want(title)
        await room.pledges.make(title, 60)
    monkeypatch.setattr(pace, "WORK_S_MAX", -1.0)
    monkeypatch.setattr(references, "_PAGE", 8)
    return room


LISTS: dict[str, Callable[[Community], Awaitable[object]]] = {
    "needs": lambda room: room.needs.all(),
    "pledges": lambda room: room.pledges.all(),
    "projects": lambda room: room.projects.all(),
}


@pytest.mark.parametrize("name", LISTS)
async def test_who_lists_everything_gives_others_their_turns(
    room: Community, nursery: trio.Nursery, name: str
) -> None:
    turns: list[int] = []

    async def others() -> None:
        while True:
            await trio.lowlevel.checkpoint()
            turns.append(1)

    nursery.start_soon(others)
    await LISTS[name](room)
    nursery.cancel_scope.cancel()
    assert len(turns) >= COUNT // 2


async def test_what_is_changed_while_all_is_listed_is_there_once_among_the_newest(
    ana: SmallNode, room: Community, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = [f"Need {number}" for number in range(COUNT // 4)]
    states, begun = ana.store.states, trio.Event()

    def noted(community: bytes, kind: int, **page: Any) -> list[StateRow]:
        if kind == need.NUMBER:
            begun.set()
        return states(community, kind, **page)

    async def change() -> None:
        await begun.wait()
        for title in first:
            await room.needs.change(title, NeedDraft(body="new"))

    monkeypatch.setattr(ana.store, "states", noted)
    nursery.start_soon(change)
    needs = [found.title for found in await room.needs.all()]
    begun = trio.Event()
    nursery.start_soon(change)
    pledges = [found.need_title for found in await room.pledges.all()]
    begun = trio.Event()
    nursery.start_soon(change)
    projects = await room.projects.all()
    for titles in (needs, pledges):
        assert sorted(titles) == sorted(f"Need {number}" for number in range(COUNT))
        assert titles[-len(first) :] == first
    assert [found.needs for found in projects] == [COUNT]
