"""Whoever follows hears who came, went, rose or fell, and what it says to herself."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from p2pvalue.node.events import EventHub
from p2pvalue.node.members.member_events import MemberEvents
from p2pvalue.types import EventView
from p2pvalue_protocol.effects import Change, Changed
from tests.node.newcomers import FOUNDERS, come_in
from tests.node.small_node import SmallNode, exchange

if TYPE_CHECKING:
    from p2pvalue.node.running import RunningNode


class Watched:
    """What the events of members are made from, of one small node; remembers what was told."""

    def __init__(self, node: SmallNode) -> None:
        self.node = node
        self.store = node.store
        self.machine = SimpleNamespace(communities=lambda: [node.community_id])
        self.membership, self.root = node.membership, node.root
        self.told: list[EventView] = []
        self.joining = SimpleNamespace(view=lambda community: self.join_under_way)
        self.join_under_way: str | None = None
        self.hub = cast("EventHub", SimpleNamespace(publish=self.told.append))
        self.events = MemberEvents(cast("RunningNode", self))
        self.events.start()
        node.on_changes = self.changed

    def changed(self, changes: Sequence[Change]) -> None:
        self.events.changed(Changed(self.node.community_id, tuple(changes)))

    def news(self) -> list[tuple[object, object, object]]:
        """What was told since the last look: (change, name, rank)."""
        told: list[tuple[object, object, object]] = [
            (e.data["change"], e.data["name"], e.data["rank"]) for e in self.told
        ]
        self.told.clear()
        return told


async def test_each_step_of_a_members_way_is_told_with_her_name() -> None:
    ana = SmallNode("ana", FOUNDERS)
    await ana.community.set_my_name("Ana")
    watched = Watched(ana)
    bo = await come_in(ana, "bo")
    [(came, _, rank), (used, _, _)] = watched.news()
    assert (came, rank, used) == ("admitted", "member", "invite-used")
    await ana.community.people.set_rank("Bo", "admin")
    await ana.community.people.set_rank("Bo", "guest")
    await ana.community.people.remove("Bo", reason="noise")
    await ana.community.people.readmit("Bo")
    assert watched.news() == [
        ("promoted", "Bo", "admin"),
        ("demoted", "Bo", "guest"),
        ("removed", "Bo", None),
        ("readmitted", "Bo", "member"),
    ]
    exchange(ana, bo)
    await bo.community.post("no news of members")
    exchange(bo, ana)
    assert watched.news() == []


async def test_a_removal_tells_who_did_it_and_which_operation_it_was() -> None:
    ana = SmallNode("ana", FOUNDERS)
    await ana.community.set_my_name("Ana")
    await come_in(ana, "bo")
    watched = Watched(ana)
    await ana.community.people.remove("Bo")
    [event] = watched.told
    assert (event.event, event.data["by"], event.data["is_me"]) == ("member", "Ana", 0)
    assert len(str(event.data["operation"])) == 64


async def test_who_was_put_out_is_told_by_her_own_node(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    ana = SmallNode("ana", FOUNDERS)
    bo = await come_in(ana, "bo")
    watched = Watched(bo)
    await ana.community.people.remove("Bo")
    exchange(ana, bo)
    [event] = watched.told
    assert (event.data["change"], event.data["is_me"]) == ("removed", 1)
    assert "you are no member of community" in caplog.text


async def test_a_request_is_told_with_the_name_that_was_given() -> None:
    ana = SmallNode("ana", FOUNDERS)
    watched = Watched(ana)
    watched.events.requested(ana.community_id, b"e" * 32, "Eve", 5)
    [event] = watched.told
    assert (event.event, event.subject, event.data) == ("request", "65" * 32, {"name": "Eve"})


async def test_while_a_join_is_under_way_nobody_is_news() -> None:
    ana = SmallNode("ana", FOUNDERS)
    watched = Watched(ana)
    watched.join_under_way = "calling"
    await come_in(ana, "bo")
    watched.join_under_way = None
    watched.events.begin(ana.community_id)
    assert watched.news() == []
    await ana.community.people.remove("Bo")
    assert [told[0] for told in watched.news()] == ["removed"]
