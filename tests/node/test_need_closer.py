from __future__ import annotations

import pytest
import trio
import trio.testing

from p2pvalue.need_types import LineView, NeedDraft
from p2pvalue.node.needs.need_closer import NeedCloser
from p2pvalue_protocol.errors import LocalProtocolError
from tests.node.small_node import FIRST_MS, SmallNode, exchange

NAMES = ["ana", "ben", "cleo", "dana"]
HOURS = LineView(kind="hours", unit="minute", minimum=60, optimum=600)
CLOSES = FIRST_MS + 1_000_000
HOUR_MS = 3_600_000


@pytest.fixture
def nodes() -> list[SmallNode]:
    return [SmallNode(name, NAMES) for name in NAMES]


def meet(nodes: list[SmallNode]) -> None:
    for node in nodes[1:]:
        exchange(nodes[0], node)
    for node in nodes[1:]:
        exchange(nodes[0], node)


async def look(node: SmallNode, at_ms: int) -> str:
    """Let the closer of a node look at a time; return how its need stands then."""
    node.now_ms = max(node.now_ms, at_ms)
    await NeedCloser(node, lambda: [node.community]).look()
    return node.community.needs.named("Roof").state


async def roof(nodes: list[SmallNode], *, pledged: int = 60) -> None:
    ana, ben, *_ = nodes
    await ana.community.needs.add(NeedDraft(title="Roof", lines=[HOURS], closes=CLOSES))
    meet(nodes)
    if pledged:
        await ben.community.pledges.make("Roof", pledged)
        meet(nodes)


async def test_a_stewards_node_closes_a_need_some_minutes_after_its_last_day(
    nodes: list[SmallNode],
) -> None:
    await roof(nodes)
    assert await look(nodes[0], CLOSES) == "open"
    assert await look(nodes[0], CLOSES + HOUR_MS) == "triggered"
    written = nodes[0].written
    assert await look(nodes[0], CLOSES + 48 * HOUR_MS) == "triggered"
    assert nodes[0].written == written


async def test_a_node_that_is_there_for_two_minutes_closes_what_is_over(
    nodes: list[SmallNode], autojump_clock: trio.testing.MockClock
) -> None:
    await roof(nodes)
    ana = nodes[0]
    ana.now_ms = CLOSES + HOUR_MS
    with trio.move_on_after(120):
        await NeedCloser(ana, lambda: [ana.community]).run()
    assert ana.community.needs.named("Roof").state == "triggered"


async def test_a_need_to_which_too_little_was_pledged_lapses(nodes: list[SmallNode]) -> None:
    await roof(nodes, pledged=0)
    assert await look(nodes[0], CLOSES + HOUR_MS) == "lapsed"


async def test_where_no_steward_is_there_two_others_close_it_the_days_after(
    nodes: list[SmallNode],
) -> None:
    await roof(nodes)
    _, ben, cleo, dana = nodes
    assert await look(cleo, CLOSES + HOUR_MS) == "open"
    for node in (ben, cleo, cleo, dana):
        await look(node, CLOSES + 48 * HOUR_MS)
    assert [node.written for node in (ben, cleo, dana)] == [1, 1, 1]  # of Ben, the pledge
    meet(nodes)
    assert [node.community.needs.named("Roof").state for node in nodes] == ["triggered"] * 4


async def test_what_nobody_pledged_to_is_left_to_its_steward(nodes: list[SmallNode]) -> None:
    await roof(nodes, pledged=0)
    assert await look(nodes[2], CLOSES + 48 * HOUR_MS) == "open"
    assert nodes[2].written == 0


async def test_what_arrives_after_a_close_is_closed_too(nodes: list[SmallNode]) -> None:
    await roof(nodes)
    ana, _, cleo, _ = nodes
    late = await cleo.community.pledges.make("Roof", 30)
    assert await look(ana, CLOSES + HOUR_MS) == "triggered"
    meet(nodes)
    assert ana.community.pledges.named(late.pledge).state == "late"
    await look(ana, CLOSES + 2 * HOUR_MS)
    assert ana.community.pledges.named(late.pledge).state == "binding"


async def test_what_arrives_after_thirty_days_reopens_nothing_by_itself(
    nodes: list[SmallNode],
) -> None:
    await roof(nodes, pledged=0)
    ana, _, cleo, dana = nodes
    late = await cleo.community.pledges.make("Roof", 60)
    assert await look(ana, CLOSES + HOUR_MS) == "lapsed"
    meet(nodes)
    for node in (ana, dana):
        assert await look(node, CLOSES + 31 * 24 * HOUR_MS) == "lapsed"
    assert dana.written == 0
    assert ana.community.pledges.named(late.pledge).state == "late"


async def test_who_may_not_close_any_more_says_nothing(nodes: list[SmallNode]) -> None:
    await roof(nodes)
    cleo = nodes[2]
    assert await look(cleo, CLOSES + 31 * 24 * HOUR_MS) == "open"
    assert cleo.written == 0


async def test_five_needs_are_closed_in_one_look(nodes: list[SmallNode]) -> None:
    ana = nodes[0]
    for number in range(7):
        draft = NeedDraft(title=f"Need {number}", lines=[HOURS], closes=CLOSES)
        await ana.community.needs.add(draft)
    ana.now_ms = CLOSES + HOUR_MS
    closer = NeedCloser(ana, lambda: [ana.community])
    for still_open in (2, 0):
        await closer.look()
        states = [need.state for need in await ana.community.needs.all()]
        assert states.count("open") == still_open


async def test_a_second_close_that_adds_nothing_is_refused(nodes: list[SmallNode]) -> None:
    await roof(nodes)
    cleo = nodes[2]
    await look(cleo, CLOSES + 48 * HOUR_MS)
    with pytest.raises(LocalProtocolError, match="another member"):
        await cleo.community.needs.close("Roof")
    ana = nodes[0]
    await look(ana, CLOSES + HOUR_MS)
    meet(nodes)
    dana = nodes[3]
    dana.now_ms = CLOSES + HOUR_MS
    with pytest.raises(LocalProtocolError, match="closed already"):
        await dana.community.needs.close("Roof")
