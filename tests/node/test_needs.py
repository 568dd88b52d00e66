from __future__ import annotations

import pytest

from p2pvalue.types import LineView
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted, NotFound
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import pledge
from tests.node.small_node import SmallNode, exchange

NAMES = ["ana", "eva"]
HOURS = LineView(kind="hours", unit="minute", minimum=120, optimum=600)
MONEY = LineView(kind="money", unit="EUR", minimum=5_000, optimum=20_000)


@pytest.fixture
def ana() -> SmallNode:
    return SmallNode("ana", NAMES)


@pytest.fixture
def eva() -> SmallNode:
    return SmallNode("eva", NAMES)


async def test_pledges_add_up_by_line_and_meet_a_need_when_every_line_has_its_minimum(
    ana: SmallNode, eva: SmallNode
) -> None:
    need = await ana.community.add_need("Fix the roof", body="It leaks.", lines=[HOURS, MONEY])
    exchange(ana, eva)
    await ana.community.make_pledge("Fix the roof", 60)
    await eva.community.make_pledge(need.need, 60)
    await eva.community.make_pledge(need.need[:6], 5_000, line=1)
    before = ana.community.need("Fix the roof")
    assert (before.state, before.lines[0].pledged, before.lines[1].pledged) == ("open", 60, 0)
    exchange(ana, eva)
    for node in (ana, eva):
        after = node.community.need("Fix the roof")
        assert [(line.pledged, line.pledgers) for line in after.lines] == [(120, 2), (5_000, 1)]
        assert after.state == "met"
        assert node.community.needs() == [after]


async def test_a_withdrawn_pledge_counts_no_more_and_stays_in_the_list(ana: SmallNode) -> None:
    await ana.community.add_need("Fix the roof", lines=[HOURS])
    made = await ana.community.make_pledge("Fix the roof", 200)
    assert ana.community.need("Fix the roof").state == "met"
    gone = await ana.community.withdraw_pledge(made.pledge[:8], reason="I broke my arm")
    assert (gone.state, gone.reason, gone.quantity) == ("withdrawn", "I broke my arm", 200)
    need = ana.community.need("Fix the roof")
    assert (need.state, need.lines[0].pledged, need.lines[0].pledgers) == ("open", 0, 0)
    assert ana.community.pledges(need="Fix the roof") == [gone]
    written = ana.written
    assert await ana.community.withdraw_pledge(made.pledge) == gone
    assert ana.written == written


async def test_only_the_one_who_pledged_can_withdraw(ana: SmallNode, eva: SmallNode) -> None:
    await ana.community.set_my_name("Ana")
    await ana.community.add_need("Fix the roof", lines=[HOURS])
    made = await ana.community.make_pledge("Fix the roof", 60)
    exchange(ana, eva)
    with pytest.raises(NotAdmitted, match="pledge of Ana"):
        await eva.community.withdraw_pledge(made.pledge)


async def test_pledges_are_listed_by_need_or_all(ana: SmallNode) -> None:
    await ana.community.add_need("Roof", lines=[HOURS])
    await ana.community.add_need("Wall", lines=[MONEY])
    roof = await ana.community.make_pledge("Roof", 1)
    wall = await ana.community.make_pledge("Wall", 2)
    assert ana.community.pledges(need="Wall") == [wall]
    assert ana.community.pledges() == [roof, wall]
    assert (wall.unit, wall.need_title) == ("EUR", "Wall")


@pytest.mark.parametrize("line", [-1, 1])
async def test_a_line_that_a_need_lacks_is_refused(ana: SmallNode, line: int) -> None:
    await ana.community.add_need("Roof", lines=[HOURS])
    with pytest.raises(LocalProtocolError, match="choose one"):
        await ana.community.make_pledge("Roof", 5, line=line)


async def test_a_pledge_to_a_line_or_need_that_is_not_there_counts_nowhere(ana: SmallNode) -> None:
    need = await ana.community.add_need("Roof", lines=[HOURS])
    for subject, line in ((bytes.fromhex(need.need), 9), (b"nowhere here yet", 0)):
        payload = pledge.encode_pledge(subject, bytes(16), line, 500)
        await ana.write(ana.community_id, [Draft(pledge.NUMBER, b"", payload)])
    assert ana.community.needs() == [need]
    assert [view.unit for view in ana.community.pledges()] == ["", ""]


async def test_what_is_wrong_with_a_need_is_said_and_nothing_written(ana: SmallNode) -> None:
    written = ana.written
    with pytest.raises(LocalProtocolError, match="title is empty"):
        await ana.community.add_need(" ", lines=[HOURS])
    with pytest.raises(LocalProtocolError, match="1 to 16 lines"):
        await ana.community.add_need("Roof", lines=[])
    with pytest.raises(NotFound, match='no need "Roof"'):
        ana.community.need("Roof")
    assert ana.written == written


async def test_many_needs_are_listed_over_several_pages(ana: SmallNode) -> None:
    for number in range(600):
        await ana.community.add_need(f"Need {number}", lines=[HOURS])
    assert [need.title for need in ana.community.needs()] == [f"Need {n}" for n in range(600)]
