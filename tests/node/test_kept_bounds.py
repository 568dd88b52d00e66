"""What is kept of needs between questions ends where it would be too much, or is gone."""

from __future__ import annotations

import pytest

from p2pvalue import need_types as nt
from p2pvalue.node.needs import kept_order, need_index
from p2pvalue.node.notifications.comment_concerns import _mention_of
from p2pvalue_protocol.errors import NotFound
from tests.node.small_node import SmallNode

HOURS = nt.LineView(kind="hours", unit="minute", minimum=60, optimum=600)


async def node_with_a_pledge() -> SmallNode:
    ana = SmallNode("ana", ["ana"])
    await ana.community.needs.add(nt.NeedDraft(title="Roof", lines=[HOURS]))
    await ana.community.pledges.make("Roof", 30)
    return ana


async def test_an_order_of_too_many_needs_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    ana = await node_with_a_pledge()
    for most, is_kept in ((1, True), (0, False)):
        monkeypatch.setattr(kept_order, "KEPT_MAX", most)
        await ana.community.order.all()
        assert (ana.boards.orders[ana.community_id]._ranking is not None) == is_kept


async def test_names_of_too_many_pledges_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    ana = await node_with_a_pledge()
    index = ana.boards.index(ana.store, ana.community_id)
    for most, is_kept in ((1, True), (0, False)):
        monkeypatch.setattr(need_index, "PLEDGES_MAX", most)
        ana.community.pledges.named("Roof")
        assert (index._pledges._known is not None) == is_kept


async def test_what_changed_while_nobody_asked_is_counted_up_to_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(need_index, "CHANGED_MAX", 3)
    ana = await node_with_a_pledge()
    titles = ana.boards.index(ana.store, ana.community_id)._titles
    ana.community.needs.named("Roof")
    for number in range(5):
        assert (titles._known is not None) == (number < 4)
        added = nt.NeedDraft(title=f"Need {number}", lines=[HOURS])
        await ana.community.needs.add(added)
    assert [ana.community.needs.named(f"Need {number}").title for number in range(5)]


async def test_of_a_community_that_is_gone_nothing_is_kept() -> None:
    ana = await node_with_a_pledge()
    await ana.community.order.all()
    ana.community.needs.named("Roof")
    boards = ana.boards
    boards.forget(ana.community_id)
    other = SmallNode("ana", ["ana"])  # the same community, joined anew
    other.boards = boards
    assert (await other.community.order.all()).needs == []
    with pytest.raises(NotFound):
        other.community.needs.named("Roof")


@pytest.mark.parametrize("name", ["B. (ea", "B+", "[bea]", "*"])
def test_a_name_is_what_it_says_and_no_pattern(name: str) -> None:
    named = _mention_of(name)
    assert named.search(f"thanks @{name}, well done")
    assert not named.search("thanks @BB xea, @bb, @b, @")
