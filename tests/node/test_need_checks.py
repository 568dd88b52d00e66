from __future__ import annotations

from typing import Any

import pytest

from p2pvalue.need_types import ConditionView, LineView, NeedDraft
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted, NotFound
from tests.node.small_node import SmallNode, exchange

HOURS = LineView(kind="hours", unit="minute", minimum=120, optimum=600)


async def add(node: SmallNode, title: str = "Roof", **given: Any) -> str:
    view = await node.community.needs.add(NeedDraft(title=title, lines=[HOURS], **given))
    return view.need


async def change(node: SmallNode, title: str = "Roof", **given: Any) -> None:
    await node.community.needs.change(title, NeedDraft(**given))


async def triggered(ana: SmallNode, eva: SmallNode) -> str:
    """Eva's pledge to a need that Ana asked for; it binds, and both hold all of it."""
    await add(ana)
    exchange(ana, eva)
    made = await eva.community.pledges.make("Roof", 120)
    exchange(ana, eva)
    await ana.community.needs.close("Roof")
    exchange(ana, eva)
    return made.pledge


@pytest.mark.parametrize(
    "days", [{"closes": 9_000, "deadline": 8_000}, {"opens": 9_000, "closes": 9_000}]
)
async def test_days_that_cannot_follow_each_other_are_refused(
    ana: SmallNode, days: dict[str, Any]
) -> None:
    with pytest.raises(LocalProtocolError, match="before its"):
        await add(ana, "Roof", **days)
    (first, day), (second, other) = days.items()
    from_ms = ana.now_ms
    await add(ana, "Roof", **{first: from_ms + day})
    with pytest.raises(LocalProtocolError, match="before its"):
        await change(ana, "Roof", **{second: from_ms + other})
    await change(ana, "Roof", **{second: 0})


async def test_no_need_waits_for_itself_also_by_way_of_others(ana: SmallNode) -> None:
    await add(ana, "Roof")
    await add(ana, "Walls", depends=["Roof"])
    await add(ana, "Paint", depends=["Walls"])
    with pytest.raises(LocalProtocolError, match="wait for itself"):
        await change(ana, depends=["Roof"])
    with pytest.raises(LocalProtocolError, match='"Paint" waits for this need already'):
        await change(ana, depends=["Paint"])
    await change(ana, "Paint", depends=["Walls", "Roof"])


async def test_needs_that_wait_for_each_other_already_end_no_search(
    ana: SmallNode, eva: SmallNode
) -> None:
    roof, walls = await add(ana, "Roof"), await add(ana, "Walls")
    exchange(ana, eva)
    await change(ana, "Roof", depends=[walls])
    await change(eva, "Walls", depends=[roof])
    exchange(ana, eva)
    await add(ana, "Paint", depends=["Roof"])
    await change(ana, "Paint", depends=["Walls"])
    assert ana.community.needs.named("Paint").depends == [walls]


async def test_a_pledge_does_not_wait_for_its_own_author(ana: SmallNode) -> None:
    await ana.community.set_my_name("Ana")
    await add(ana)
    with pytest.raises(LocalProtocolError, match="its own author"):
        await ana.community.pledges.make("Roof", 60, conditions=[ConditionView(member="Ana")])


async def test_what_would_lapse_at_once_and_for_good_is_not_closed(ana: SmallNode) -> None:
    await add(ana, status="draft")
    with pytest.raises(LocalProtocolError, match="draft"):
        await ana.community.needs.close("Roof")
    await change(ana, status="open")
    with pytest.raises(LocalProtocolError, match="lapse for good"):
        await ana.community.needs.close("Roof")
    await ana.community.pledges.make("Roof", 60)
    assert (await ana.community.needs.close("Roof")).state == "lapsed"
    with pytest.raises(LocalProtocolError, match="lapsed"):
        await change(ana, status="dropped")


async def test_what_was_done_is_not_dropped(ana: SmallNode, eva: SmallNode) -> None:
    made = await triggered(ana, eva)
    await ana.community.pledges.confirm(made)
    with pytest.raises(LocalProtocolError, match="stays done"):
        await change(ana, status="dropped")


async def test_what_nobody_claims_is_not_disputed(ana: SmallNode, eva: SmallNode) -> None:
    made = await triggered(ana, eva)
    with pytest.raises(LocalProtocolError, match="nothing to dispute"):
        await ana.community.pledges.dispute(made, reason="nobody came")
    await eva.community.pledges.claim(made)
    exchange(ana, eva)
    disputed = await ana.community.pledges.dispute(made, reason="half")
    judges = [person.member for person in disputed.judges]
    assert (disputed.state, judges) == ("disputed", [ana.root(ana.community_id).hex()])


async def test_who_cannot_judge_is_told_who_can(ana: SmallNode, eva: SmallNode) -> None:
    await ana.community.set_my_name("Ana")
    made = await triggered(ana, eva)
    with pytest.raises(NotAdmitted, match="cannot confirm this pledge: Ana can"):
        await eva.community.pledges.confirm(made)


# --- corrections


async def test_a_claim_is_corrected_until_it_is_confirmed(ana: SmallNode, eva: SmallNode) -> None:
    made = await triggered(ana, eva)
    for quantity in (None, 60, 0):
        claimed = await eva.community.pledges.claim(made, quantity=quantity)
        assert claimed.claimed == (120 if quantity is None else quantity)
    assert claimed.state == "binding"


async def test_two_people_end_a_quarrel_by_an_amount_that_both_say(
    ana: SmallNode, eva: SmallNode
) -> None:
    made = await triggered(ana, eva)
    await eva.community.pledges.claim(made)
    exchange(ana, eva)
    await ana.community.pledges.dispute(made, reason="it was an hour")
    with pytest.raises(NotAdmitted, match=r"who is no party.*pledge claim"):
        await ana.community.pledges.settle(made, 60)
    exchange(ana, eva)
    await eva.community.pledges.claim(made, quantity=60)
    exchange(ana, eva)
    agreed = await ana.community.pledges.confirm(made)
    assert (agreed.state, agreed.delivered) == ("binding", 60)


async def test_who_is_to_take_over_a_release_is_named_anew(ana: SmallNode, eva: SmallNode) -> None:
    for node, name in ((ana, "Ana"), (eva, "Eva")):
        await node.community.set_my_name(name)
    made = await triggered(ana, eva)
    released = await eva.community.pledges.withdraw(made, reason="My back", to="Eva")
    assert (released.state, released.to_name) == ("released", "Eva")
    written = eva.written
    assert await eva.community.pledges.withdraw(made) == released
    assert eva.written == written
    again = await eva.community.pledges.withdraw(made, reason="My back", to="Ana")
    assert (again.state, again.to_name) == ("released", "Ana")
    exchange(ana, eva)
    await ana.community.pledges.make("Roof", 120, takes=made)
    exchange(ana, eva)
    taken = await eva.community.pledges.withdraw(made, reason="too late", to="Eva")
    assert (taken.reason, taken.to_name) == ("My back", "Ana")


# --- the first day to pledge


async def test_nobody_pledges_before_the_first_day(ana: SmallNode) -> None:
    await add(ana, opens=ana.now_ms + 10)
    with pytest.raises(LocalProtocolError, match="has not begun"):
        await ana.community.pledges.make("Roof", 60)
    with pytest.raises(LocalProtocolError, match="has not begun"):
        await ana.community.pledges.make("Roof", 60, conditions=[ConditionView(others=1)])
    ana.now_ms += 10
    assert (await ana.community.pledges.make("Roof", 60)).state == "offered"
    await add(ana, "Fence")
    await ana.community.pledges.make("Fence", 60)
    await change(ana, "Fence", opens=ana.now_ms + 100)
    [made] = await ana.community.pledges.all(need="Fence")
    with pytest.raises(LocalProtocolError, match="has not begun"):
        await ana.community.pledges.renew(made.pledge)


# --- what comes after the last day, and after a release


async def test_who_was_named_to_take_over_is_named_no_more(ana: SmallNode, eva: SmallNode) -> None:
    await eva.community.set_my_name("Eva")
    made = await triggered(ana, eva)
    await eva.community.pledges.withdraw(made, reason="My back", to="Eva")
    exchange(ana, eva)
    with pytest.raises(NotAdmitted, match="handed to Eva"):
        await ana.community.pledges.make("Roof", 120, takes=made)
    opened = await eva.community.pledges.withdraw(made, reason="still")
    assert (opened.to_name, opened.reason) == ("", "still")
    exchange(ana, eva)
    told = [(one.act, one.to) for one in ana.community.needs.timeline("Roof")]
    assert told[-2:] == [("released", "Eva"), ("released", "")]
    await ana.community.pledges.make("Roof", 120, takes=made)


async def test_no_more_is_taken_over_than_is_left(ana: SmallNode, eva: SmallNode) -> None:
    await ana.community.set_my_name("Ana")
    made = await triggered(ana, eva)
    await eva.community.pledges.withdraw(made, reason="My back")
    exchange(ana, eva)
    taken = await ana.community.pledges.make("Roof", 121, takes=made)
    assert (taken.quantity, taken.bound) == (120, 120)
    exchange(ana, eva)
    with pytest.raises(LocalProtocolError, match="nothing is left: Ana took over all 2h"):
        await eva.community.pledges.make("Roof", 1, takes=made)


async def test_no_more_is_delivered_than_is_promised(ana: SmallNode, eva: SmallNode) -> None:
    made = await triggered(ana, eva)
    with pytest.raises(LocalProtocolError, match="this pledge is of 2h"):
        await eva.community.pledges.claim(made, quantity=121)
    await eva.community.pledges.claim(made, quantity=30)
    exchange(ana, eva)
    with pytest.raises(LocalProtocolError, match="this pledge is of 2h"):
        await ana.community.pledges.confirm(made, quantity=121)
    assert (await ana.community.pledges.confirm(made, quantity=120)).delivered == 120


async def test_what_counts_when_its_need_closes_is_not_withdrawn_after_the_last_day(
    ana: SmallNode,
) -> None:
    closes = ana.now_ms + 100
    await add(ana, closes=closes)
    made = await ana.community.pledges.make("Roof", 60)
    await ana.community.pledges.make("Roof", 60)
    ana.now_ms = closes + 1
    written = ana.written
    with pytest.raises(LocalProtocolError, match="last day is over"):
        await ana.community.pledges.withdraw(made.pledge)
    assert ana.written == written
    await ana.community.needs.close("Roof")
    assert (await ana.community.pledges.withdraw(made.pledge)).state == "released"


async def test_what_is_over_is_not_opened(ana: SmallNode, eva: SmallNode) -> None:
    closes = ana.now_ms + 100
    await add(ana, "Fence", closes=closes)
    ana.now_ms = closes + 1
    await ana.community.needs.close("Fence")
    with pytest.raises(LocalProtocolError, match="lapsed, and stays so"):
        await change(ana, "Fence", status="open")


async def test_a_title_means_what_is_not_over_if_one_is_left(ana: SmallNode) -> None:
    first = await add(ana)
    await change(ana, status="dropped")
    assert ana.community.needs.named("Roof").need == first
    second = await add(ana)
    assert ana.community.needs.named("Roof").need == second
    assert ana.community.needs.named(first).state == "dropped"
    await add(ana)
    with pytest.raises(NotFound, match="by these digits"):
        ana.community.needs.named("Roof")


async def test_a_turn_is_handed_over_and_what_binds_nobody_is_not(
    ana: SmallNode, eva: SmallNode
) -> None:
    await ana.community.set_my_name("Ana")
    await ana.community.needs.add(NeedDraft(title="Water", lines=[HOURS], trigger="none"))
    await ana.community.needs.add(NeedDraft(title="Roof", lines=[HOURS]))
    exchange(ana, eva)
    turn = (await eva.community.pledges.make("Water", 120)).pledge
    released = await eva.community.pledges.withdraw("Water", reason="My back", to="Ana")
    assert (released.state, released.reason, released.to_name) == ("released", "My back", "Ana")
    exchange(ana, eva)
    taken = await ana.community.pledges.make("Water", 120, takes=turn)
    assert (taken.state, taken.takes) == ("binding", turn)
    assert ana.community.needs.named("Water").lines[0].pledged == 120
    await eva.community.pledges.make("Roof", 60)
    with pytest.raises(LocalProtocolError, match="nothing to hand over"):
        await eva.community.pledges.withdraw("Roof", to="Ana")
    assert (await eva.community.pledges.withdraw("Roof")).state == "withdrawn"


async def test_a_draft_takes_no_pledges_until_it_is_opened(ana: SmallNode) -> None:
    await add(ana, status="draft")
    for conditions in ([], [ConditionView(others=1)]):
        with pytest.raises(LocalProtocolError, match=r"is a draft.*--open"):
            await ana.community.pledges.make("Roof", 60, conditions=conditions)
    await change(ana, status="open")
    assert (await ana.community.pledges.make("Roof", 60)).state == "offered"


async def test_a_renewal_is_of_the_same_thing_wherever_its_line_is_now(ana: SmallNode) -> None:
    cooks = LineView(kind="skill", unit="cook", minimum=1, optimum=2)
    await add(ana)
    made = await ana.community.pledges.make("Roof", 60)
    await change(ana, lines=[cooks, HOURS])
    renewed = await ana.community.pledges.renew(made.pledge)
    assert (renewed.line, renewed.kind, renewed.quantity) == (1, "hours", 60)
    assert ana.community.pledges.named(made.pledge).renewed_by == renewed.pledge
    await change(ana, lines=[cooks])
    with pytest.raises(LocalProtocolError, match="does not ask for hours now"):
        await ana.community.pledges.renew(renewed.pledge)
