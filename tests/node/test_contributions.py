from __future__ import annotations

import pytest

from p2pvalue.need_types import LineView, NeedDraft
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted, NotFound
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import contribution
from tests.node.small_node import SmallNode, exchange

NAMES = ["ana", "eva"]
HOURS = LineView(kind="hours", unit="minute", minimum=120, optimum=600)


@pytest.fixture
def ana() -> SmallNode:
    return SmallNode("ana", NAMES)


@pytest.fixture
def eva() -> SmallNode:
    return SmallNode("eva", NAMES)


async def delivered(ana: SmallNode, eva: SmallNode) -> str:
    """Eva gives two hours to Ana's roof, and Ana confirms them; the id of the pledge."""
    await ana.community.set_my_name("Ana")
    await eva.community.set_my_name("Eva")
    draft = NeedDraft(title="Roof", lines=[HOURS], class_name="maintain")
    await ana.community.needs.add(draft)
    exchange(ana, eva)
    made = await eva.community.pledges.make("Roof", 120)
    exchange(ana, eva)
    await ana.community.needs.close("Roof")
    await ana.community.pledges.confirm(made.pledge)
    exchange(ana, eva)
    return made.pledge


async def test_what_was_confirmed_is_listed_beside_what_was_written_down_alike_on_two_nodes(
    ana: SmallNode, eva: SmallNode
) -> None:
    pledge = await delivered(ana, eva)
    day = ana.now_ms - 1_000_000
    await ana.community.contributions.add("Minutes", 90, class_name="care", need="Roof", day=day)
    exchange(ana, eva)
    written, confirmed = eva.community.contributions.all()
    assert ana.community.contributions.all() == [written, confirmed]
    assert (written.title, written.name, written.kind, written.quantity) == (
        *("Minutes", "Ana", "hours", 90),
    )
    assert (written.is_pledge, written.need_title, written.day) == (False, "Roof", day)
    assert (confirmed.contribution, confirmed.is_pledge, confirmed.name) == (pledge, True, "Eva")
    assert (confirmed.class_name, confirmed.unit, confirmed.quantity) == ("maintain", "minute", 120)
    assert [person.name for person in confirmed.witnesses] == ["Ana"]


async def test_money_and_things_keep_their_unit(ana: SmallNode) -> None:
    money = await ana.community.contributions.add("Nails", 2_050, unit="EUR")
    things = await ana.community.contributions.add("Cakes", 5, unit="cakes")
    assert [(view.kind, view.unit, view.quantity) for view in (money, things)] == [
        ("money", "EUR", 2_050),
        ("material", "cakes", 5),
    ]


async def test_contributions_are_chosen_by_member_class_need_and_day(
    ana: SmallNode, eva: SmallNode
) -> None:
    await delivered(ana, eva)
    room = ana.community.contributions
    early = await room.add("Minutes", 90, class_name="care", day=5)
    assert room.all(member="Ana") == [early]
    assert room.all(class_name="care") == [early]
    assert [view.name for view in room.all(need="Roof")] == ["Eva"]
    assert [view.name for view in room.all(since=6)] == ["Eva"]
    assert room.all(since=5, member="Ana", class_name="maintain") == []
    with pytest.raises(NotFound, match="no member"):
        room.all(member="Zoe")


async def test_another_member_witnesses_what_she_saw_once(ana: SmallNode, eva: SmallNode) -> None:
    await ana.community.contributions.add("Minutes", 90)
    with pytest.raises(NotAdmitted, match="your own"):
        await ana.community.contributions.witness("Minutes")
    exchange(ana, eva)
    seen = await eva.community.contributions.witness("Minutes")
    assert [person.member for person in seen.witnesses] == [eva.root(eva.community_id).hex()]
    written = eva.written
    assert await eva.community.contributions.witness("Minutes") == seen
    assert eva.written == written
    exchange(ana, eva)
    assert ana.community.contributions.all() == [seen]


async def test_only_its_author_takes_a_contribution_back_and_it_is_told_no_more(
    ana: SmallNode, eva: SmallNode
) -> None:
    await ana.community.contributions.add("Minutes", 90)
    exchange(ana, eva)
    with pytest.raises(NotAdmitted, match="alone takes it back"):
        await eva.community.contributions.withdraw("Minutes")
    assert (await ana.community.contributions.withdraw("Minutes")).title == "Minutes"
    exchange(ana, eva)
    assert ana.community.contributions.all() == eva.community.contributions.all() == []


async def test_what_was_confirmed_is_neither_witnessed_nor_withdrawn_here(
    ana: SmallNode, eva: SmallNode
) -> None:
    pledge = await delivered(ana, eva)
    with pytest.raises(LocalProtocolError, match="pledge confirm"):
        await ana.community.contributions.witness(pledge)
    with pytest.raises(LocalProtocolError, match="confirmed stays"):
        await eva.community.contributions.withdraw(pledge)


async def test_a_title_means_what_was_written_down_also_where_a_need_is_called_so(
    ana: SmallNode, eva: SmallNode
) -> None:
    await delivered(ana, eva)
    written = await ana.community.contributions.add("Roof", 15)
    exchange(ana, eva)
    assert (await eva.community.contributions.witness("Roof")).contribution == written.contribution


async def test_a_contribution_of_nothing_or_without_a_title_is_refused(ana: SmallNode) -> None:
    written = ana.written
    with pytest.raises(LocalProtocolError, match="of nothing"):
        await ana.community.contributions.add("Minutes", 0)
    with pytest.raises(LocalProtocolError, match="title is empty"):
        await ana.community.contributions.add(" ", 5)
    assert ana.written == written


async def test_a_contribution_for_a_need_that_is_not_here_is_listed_all_the_same(
    ana: SmallNode,
) -> None:
    payload = contribution.encode_contribution("Dug", 5, minutes=30, need=b"nowhere here yet")
    await ana.write(ana.community_id, [Draft(contribution.NUMBER, b"", payload)])
    [view] = ana.community.contributions.all()
    assert (view.title, view.need_title) == ("Dug", "")


# --- thanks


async def test_thanks_are_read_by_all_and_say_what_for(ana: SmallNode, eva: SmallNode) -> None:
    pledge = await delivered(ana, eva)
    given = await ana.community.thanks.give("Eva", "for the roof", about="Roof")
    assert (given.name, given.to_name, given.about_title) == ("Ana", "Eva", "Roof")
    exchange(ana, eva)
    back = await eva.community.thanks.give("Ana", "for the tea", about=pledge)
    assert (back.about, back.about_title) == (pledge, "Roof")
    exchange(ana, eva)
    assert ana.community.thanks.all() == eva.community.thanks.all() == [given, back]


async def test_ones_own_thanks_are_those_given_and_those_got() -> None:
    names = ["ana", "eva", "ida"]
    ana, eva, ida = (SmallNode(name, names) for name in names)
    await eva.community.set_my_name("Eva")
    exchange(ana, eva)
    given = await ana.community.thanks.give("Eva", "for the bread")
    exchange(ana, eva)
    exchange(eva, ida)
    assert ana.community.thanks.all(mine=True) == eva.community.thanks.all(mine=True) == [given]
    assert (ida.community.thanks.all(), ida.community.thanks.all(mine=True)) == ([given], [])


async def test_only_who_thanked_takes_it_back_and_nobody_thanks_herself(
    ana: SmallNode, eva: SmallNode
) -> None:
    await delivered(ana, eva)
    with pytest.raises(LocalProtocolError, match="somebody else"):
        await ana.community.thanks.give("Ana", "for nothing")
    given = await ana.community.thanks.give("Eva", "for the bread")
    exchange(ana, eva)
    with pytest.raises(NotAdmitted, match="thanks of Ana"):
        await eva.community.thanks.withdraw(given.thanks)
    assert await ana.community.thanks.withdraw(given.thanks[:8]) == given
    exchange(ana, eva)
    assert ana.community.thanks.all() == eva.community.thanks.all() == []
