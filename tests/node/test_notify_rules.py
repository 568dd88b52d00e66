"""A person chooses what she is told, and when: rules, mutes, and the hour of the digest."""

from __future__ import annotations

import datetime

import pytest

from p2pvalue.need_types import NeedDraft
from p2pvalue.project_types import ProjectDraft
from p2pvalue_protocol.errors import NotFound
from tests.node.small_node import FIRST_MS
from tests.node.told_people import DAY_MS, HOUR_MS, Told, acquainted, close, meet, promised


@pytest.fixture
async def people() -> list[Told]:
    return await acquainted()


async def test_rules_are_kept_and_hold_for_all_or_for_one_community(people: list[Told]) -> None:
    ana, _, _ = people
    here = ana.node.community_id.hex()
    ana.notifications.set_rule("need-pledged", "never")
    ana.notifications.set_rule("need-pledged", "now", community=here)
    ana.restart()
    await promised(people)
    assert await ana.news() == ["need-pledged"]
    ana.notifications.set_rule("need-pledged", None, community=here)
    await people[2].node.community.pledges.make("Roof", 60)
    meet(people)
    assert await ana.news() == []
    assert ana.listed() == [("need-pledged", 1)]
    ana.notifications.set_rule(None, "never")
    assert {rule.rule for rule in ana.notifications.rules().rules} == {"never"}


@pytest.mark.parametrize("what", ["need", "project", "community"])
async def test_what_is_muted_is_listed_and_told_to_nobody(people: list[Told], what: str) -> None:
    ana, ben, _ = people
    pledge = await promised(people)
    await ana.node.community.projects.add(ProjectDraft(title="House"))
    await ana.node.community.needs.change("Roof", NeedDraft(project="House"))
    await close(people)
    await ana.news()
    names = {"need": "Roof", "project": "House", "community": ana.node.community_id.hex()}
    meant = names[what]
    until = ana.node.now_ms + HOUR_MS
    [muted] = ana.notifications.mute(meant, until=until).mutes
    assert (muted.what, muted.until) == (what, until)
    await ben.node.community.pledges.claim(pledge, quantity=30)
    meet(people)
    assert await ana.news() == []
    assert ("confirm-asked", 1) not in ana.listed()
    assert ("confirm-asked", 1) in ana.listed(unread=False)
    await ben.node.community.pledges.claim(pledge)
    meet(people)
    assert await ana.news(at_ms=until) == ["confirm-asked"]
    with pytest.raises(NotFound, match="is not muted"):
        ana.notifications.unmute(meant)


async def test_what_is_muted_for_good_can_be_unmuted(people: list[Told]) -> None:
    ana, ben, _ = people
    pledge = await promised(people)
    await close(people)
    await ana.news()
    ana.notifications.mute("Roof")
    assert [mute.name for mute in ana.notifications.rules().mutes] == ["Roof"]
    assert ana.notifications.unmute("Roof").mutes == []
    await ben.node.community.pledges.claim(pledge)
    meet(people)
    assert await ana.news() == ["confirm-asked"]


async def test_the_digest_comes_at_its_hour_of_this_machine(people: list[Told]) -> None:
    ana, _, _ = people
    ana.notifications.set_digest_hour(7)
    await promised(people)
    assert await ana.news() == []
    noted = datetime.datetime.fromtimestamp(ana.node.now_ms / 1000)
    seven = noted.replace(hour=7, minute=0, second=0, microsecond=0)
    if seven <= noted:
        seven += datetime.timedelta(days=1)
    due_ms = int(seven.timestamp() * 1000)
    assert await ana.news(at_ms=due_ms - 1) == []
    assert await ana.news(at_ms=due_ms) == ["digest"]


async def test_a_digest_that_is_only_wanted_when_asked_for_is_not_told(
    people: list[Told],
) -> None:
    ana, _, _ = people
    ana.notifications.set_digest_hour(-1)
    await promised(people)
    assert await ana.news() == await ana.news(at_ms=FIRST_MS + 10 * DAY_MS) == []
    assert [view.kind for view in ana.notifications.digest()] == ["need-pledged"]
