from __future__ import annotations

import pytest

from p2pvalue import need_types as nt
from p2pvalue.node.value.capacity import Capacity
from tests.node.small_node import FIRST_MS, SmallNode

DAY_MS = 24 * 3_600_000


@pytest.fixture
def ana() -> SmallNode:
    return SmallNode("ana", ["ana"])


@pytest.fixture
def capacity(ana: SmallNode) -> Capacity:
    return Capacity(lambda: [ana.community], ana.clock_ms)


async def add(node: SmallNode, title: str, minutes: int, **given: object) -> None:
    line = nt.LineView(kind="hours", unit="minute", minimum=minutes, optimum=minutes)
    draft = nt.NeedDraft(title=title, lines=[line], **given)  # type: ignore[arg-type]  # by name
    await node.community.needs.add(draft)


async def test_what_is_said_of_oneself_stays_beside_the_name(
    ana: SmallNode, capacity: Capacity
) -> None:
    await ana.community.set_my_name("Ana")
    await capacity.set_offers(skills=["carpentry"], hours_per_week=3)
    said = await capacity.set_offers(interests=["bees"])
    assert said == nt.OffersView(skills=["carpentry"], interests=["bees"], hours_per_week=3)
    [me] = ana.community.members()
    assert me.name == "Ana"
    written = ana.written
    await capacity.set_offers(hours_per_week=3)
    assert ana.written == written


async def test_more_than_four_weeks_hold_is_warned_of_and_what_is_due_later_is_not(
    ana: SmallNode, capacity: Capacity
) -> None:
    await add(ana, "Roof", 600, deadline=FIRST_MS + 7 * DAY_MS)
    await add(ana, "Wall", 600, deadline=FIRST_MS + 60 * DAY_MS)
    await capacity.set_offers(hours_per_week=1)
    await ana.community.pledges.make("Wall", 600)
    roof = await ana.community.pledges.make("Roof", 240)
    assert (await capacity.plan()).warning == ""
    await ana.community.pledges.make("Roof", 60)
    plan = await capacity.plan()
    assert [promise.need_title for promise in plan.promises] == ["Roof", "Roof", "Wall"]
    assert (plan.minutes, plan.minutes_due) == (900, 300)
    assert "5 hours of the next 4 weeks" in plan.warning
    await ana.community.pledges.withdraw(roof.pledge)
    assert (await capacity.plan()).warning == ""


async def test_who_says_no_hours_is_not_warned(ana: SmallNode, capacity: Capacity) -> None:
    await add(ana, "Roof", 60_000)
    await ana.community.pledges.make("Roof", 60_000)
    assert (await capacity.plan()).warning == ""


async def test_what_fits_is_what_lacks_time_and_takes_no_more_than_one_has(
    ana: SmallNode, capacity: Capacity
) -> None:
    await add(ana, "Roof", 600, skills=["Carpentry"])
    await add(ana, "Wall", 600)
    await add(ana, "Full", 30)
    await add(ana, "Long", 600, estimate=120)
    await ana.community.pledges.make("Full", 30)
    await capacity.set_offers(skills=["carpentry"])
    found = await capacity.fitting(60)
    assert [(fit.title, fit.minutes, fit.skills) for fit in found] == [
        ("Roof", 60, ["Carpentry"]),
        ("Wall", 60, []),
    ]


async def test_what_is_good_to_begin_with_is_asked_of_one_community_or_of_all(
    ana: SmallNode, capacity: Capacity
) -> None:
    await add(ana, "Fence", 60)
    await add(ana, "Roof", 600)
    await add(ana, "Wires", 60, skills=["electrics"])
    [fence] = await capacity.featured()
    assert (fence.title, fence.minutes, fence.is_first) == ("Fence", 60, False)
    assert await capacity.featured(ana.community_id.hex()) == [fence]
    assert await capacity.featured("ff" * 32) == []
    await ana.community.pledges.make("Fence", 60)
    assert await capacity.featured() == []


async def test_what_takes_no_pledges_now_is_nothing_that_one_could_do(
    ana: SmallNode, capacity: Capacity
) -> None:
    await add(ana, "Soon", 60, opens=ana.now_ms + DAY_MS)
    await add(ana, "Now", 60, closes=ana.now_ms + DAY_MS)
    for found in (await capacity.featured(), await capacity.fitting(60)):
        assert [fit.title for fit in found] == ["Now"]
    ana.now_ms += DAY_MS + 1
    for found in (await capacity.featured(), await capacity.fitting(60)):
        assert [fit.title for fit in found] == ["Soon"]
