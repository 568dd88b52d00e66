from __future__ import annotations

import pytest

from p2pvalue.need_types import LineView, NeedDraft
from p2pvalue_protocol.errors import NotAdmitted
from p2pvalue_protocol.needs.reliability import DAY_MS
from tests.node.small_node import SmallNode, exchange

HOURS = LineView(kind="hours", unit="minute", minimum=60, optimum=60)


async def promise(ana: SmallNode, eva: SmallNode, title: str) -> str:
    """Eva's word, that binds, to do something by tomorrow."""
    draft = NeedDraft(title=title, lines=[HOURS], deadline=ana.now_ms + DAY_MS)
    await ana.community.needs.add(draft)
    exchange(ana, eva)
    made = await eva.community.pledges.make(title, 60)
    exchange(ana, eva)
    await ana.community.needs.close(title)
    exchange(ana, eva)
    return made.pledge


async def test_of_five_words_one_rate_is_told_and_of_fewer_none(
    ana: SmallNode, eva: SmallNode
) -> None:
    await eva.community.set_my_name("Eva")
    for number in range(4):
        made = await promise(ana, eva, f"Need {number}")
        await ana.community.pledges.confirm(made)
    await promise(ana, eva, "Forgotten")
    about = ana.community.pledges.about("Eva")
    assert (about.name, about.kept_percent, about.kept_words) == ("Eva", None, 0)
    ana.now_ms = eva.now_ms = ana.now_ms + 17 * DAY_MS
    exchange(ana, eva)
    for node in (ana, eva):
        about = node.community.pledges.about("Eva")
        assert (about.kept_percent, about.kept_words) == (78, 5)
        assert about.as_of % DAY_MS == 0
    assert ana.community.pledges.about(ana.root(ana.community_id).hex()).kept_percent is None


async def test_what_a_member_says_of_herself_is_told_beside(ana: SmallNode, eva: SmallNode) -> None:
    await eva.community.set_my_name("Eva")
    await eva.community.set_my_offers(["roofs"], ["bees"], 3)
    exchange(ana, eva)
    about = ana.community.pledges.about("Eva")
    assert (about.skills, about.interests, about.hours_per_week) == (["roofs"], ["bees"], 3)


async def test_who_only_reads_is_not_told_of_members(ana: SmallNode) -> None:
    await ana.community.set_my_name("Ana")
    ana.device_seen = b""
    with pytest.raises(NotAdmitted, match="only members"):
        ana.community.pledges.about("Ana")
