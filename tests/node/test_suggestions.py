from __future__ import annotations

import pytest

from p2pvalue.need_types import LineView, NeedDraft
from p2pvalue.node.suggestions import DAYS_MS
from p2pvalue_protocol.errors import LocalProtocolError, NotFound
from tests.node.small_node import SmallNode, exchange

HOURS = LineView(kind="hours", unit="minute", minimum=120, optimum=600)


@pytest.fixture
def ana() -> SmallNode:
    return SmallNode("ana", ["ana", "eva"])


@pytest.fixture
def eva() -> SmallNode:
    return SmallNode("eva", ["ana", "eva"])


async def confirmed(ana: SmallNode, eva: SmallNode, title: str = "Roof") -> None:
    """Ana confirms what Eva did."""
    await ana.community.needs.add(NeedDraft(title=title, lines=[HOURS]))
    exchange(ana, eva)
    made = await eva.community.pledges.make(title, 120)
    exchange(ana, eva)
    await ana.community.needs.close(title)
    await ana.community.pledges.confirm(made.pledge)
    exchange(ana, eva)


async def test_who_confirmed_what_others_did_may_write_down_that_care_and_nothing_is_said_before(
    ana: SmallNode, eva: SmallNode
) -> None:
    await confirmed(ana, eva)
    written = ana.written
    [suggested] = ana.community.contributions.suggested()
    assert (suggested.source, "1 pledge of others" in suggested.why) == ("review", True)
    assert eva.community.contributions.suggested() == []
    assert ana.written == written
    with pytest.raises(LocalProtocolError, match="how long"):
        await ana.community.contributions.accept(suggested.suggestion, 0)
    added = await ana.community.contributions.accept(suggested.suggestion[:8], 30)
    assert (added.class_name, added.quantity, added.source) == ("care", 30, "review")
    assert added.need_title == "Roof"
    assert ana.community.contributions.suggested() == []
    await ana.community.contributions.withdraw(added.contribution)
    assert ana.community.contributions.suggested() == [suggested]


async def test_what_is_dismissed_comes_not_again_and_is_told_to_nobody(
    ana: SmallNode, eva: SmallNode
) -> None:
    await confirmed(ana, eva)
    await confirmed(ana, eva, "Wall")
    roof, wall = ana.community.contributions.suggested()
    written = ana.written
    for _ in range(2):
        ana.restart()
        if roof in ana.community.contributions.suggested():
            ana.community.contributions.dismiss(roof.suggestion)
    assert ana.community.contributions.suggested() == [wall]
    assert ana.written == written
    with pytest.raises(NotFound, match="no suggestion"):
        ana.community.contributions.dismiss(roof.suggestion)


async def test_what_is_long_ago_is_suggested_no_more(ana: SmallNode, eva: SmallNode) -> None:
    await confirmed(ana, eva)
    ana.now_ms += DAYS_MS + 1
    assert ana.community.contributions.suggested() == []
