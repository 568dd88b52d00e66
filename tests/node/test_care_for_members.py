"""Who welcomes people, or sees to it that they get on, may write that down; nobody else is told."""

from __future__ import annotations

import pytest

from p2pvalue.fact_types import SuggestionView
from p2pvalue.node.members.requests import Asked, PendingRequests
from p2pvalue.node.value import welcomes
from p2pvalue.node.value.suggestions import DAYS_MS, LISTED_MAX
from p2pvalue.node.value.welcomes import ANSWER_MS
from tests.node.newcomers import FOUNDERS, come_in
from tests.node.small_node import SmallNode, exchange


def suggested(node: SmallNode, source: str) -> list[SuggestionView]:
    """What is suggested to somebody, which must write nothing."""
    written = node.written
    found = node.community.contributions.suggested()
    assert node.written == written
    return [view for view in found if view.source == source]


async def ana_bea_and_bo() -> tuple[SmallNode, SmallNode, SmallNode]:
    ana, bea = SmallNode("ana", FOUNDERS), SmallNode("bea", FOUNDERS)
    bo = await come_in(ana, "bo")
    exchange(ana, bea, bo)
    return ana, bea, bo


async def test_who_let_somebody_in_welcomed_her_once() -> None:
    ana, bea, bo = await ana_bea_and_bo()
    [welcome] = suggested(ana, "welcome")
    assert (welcome.title, welcome.why) == ("Welcomed Bo", "you let Bo in")
    assert suggested(bea, "welcome") == suggested(bo, "welcome") == []
    added = await ana.community.contributions.accept(welcome.suggestion, 20)
    assert (added.class_name, added.source, added.day) == ("care", "welcome", welcome.day)
    ana.restart()
    assert suggested(ana, "welcome") == []


async def test_no_welcome_is_suggested_that_was_dismissed_or_is_long_ago() -> None:
    ana, _, _ = await ana_bea_and_bo()
    await come_in(ana, "cleo")
    bo = suggested(ana, "welcome")[0]
    ana.community.contributions.dismiss(bo.suggestion)
    assert [view.title for view in suggested(ana, "welcome")] == ["Welcomed Cleo"]
    ana.now_ms += DAYS_MS + 1_000
    assert suggested(ana, "welcome") == []


async def test_who_answers_a_newcomers_first_message_in_time_welcomed_her() -> None:
    ana, bea, bo = await ana_bea_and_bo()
    await bea.community.post("who has the key?")
    exchange(bea, bo)
    hello = await bo.community.post("hello")
    exchange(bea, bo)
    await bea.community.post("still looking for the key of the box")
    assert suggested(bea, "welcome") == []
    await bea.community.post("glad you are here", reply=hello.message)
    [welcome] = suggested(bea, "welcome")
    assert (welcome.title, "answered Bo" in welcome.why) == ("Welcomed Bo", True)
    exchange(ana, bea, bo)
    assert len(suggested(ana, "welcome")) == 1


async def test_who_names_a_newcomer_welcomed_her_unless_it_is_too_late() -> None:
    _, bea, bo = await ana_bea_and_bo()
    await bo.community.post("hello")
    exchange(bea, bo)
    bea.now_ms += ANSWER_MS + 1_000
    await bea.community.post("welcome, Bo!")
    assert suggested(bea, "welcome") == []
    _, bea, bo = await ana_bea_and_bo()
    await bo.community.post("hello")
    exchange(bea, bo)
    await bea.community.post("welcome, Bo!")
    assert len(suggested(bea, "welcome")) == 1


async def test_no_message_counts_as_the_first_if_older_ones_were_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, bea, bo = await ana_bea_and_bo()
    for text in ("hello", "is anybody here?"):
        await bo.community.post(text)
    exchange(bea, bo)
    await bea.community.post("yes, Bo!")
    monkeypatch.setattr(welcomes, "MESSAGES_MAX", 2)
    assert suggested(bea, "welcome") == []
    monkeypatch.setattr(welcomes, "MESSAGES_MAX", 4)
    assert len(suggested(bea, "welcome")) == 1


async def test_who_puts_out_and_lets_back_in_may_write_it_down_without_a_name() -> None:
    ana, bea, bo = await ana_bea_and_bo()
    await ana.community.people.remove("Bo")
    await ana.community.people.readmit("Bo")
    exchange(ana, bea, bo)
    out, back = suggested(ana, "moderation")
    assert (out.title, out.why) == ("Put a member out", "you put Bo out")
    assert (back.title, back.why) == ("Let a member back in", "you let Bo back in")
    assert suggested(bea, "moderation") == suggested(bo, "moderation") == []
    await ana.community.contributions.accept(out.suggestion, 60)
    ana.restart()
    assert suggested(ana, "moderation") == [back]
    ana.community.contributions.dismiss(back.suggestion)
    assert suggested(ana, "moderation") == []


async def test_invites_and_ranks_are_no_moderation_and_nobody_is_asked_of_what_is_long_ago() -> (
    None
):
    ana, _, _ = await ana_bea_and_bo()
    await ana.community.people.set_rank("Bo", "guest")
    await ana.community.people.set_rank("Bo", "member")
    assert suggested(ana, "moderation") == []
    await ana.community.people.remove("Bo")
    assert len(suggested(ana, "moderation")) == 1
    ana.now_ms += DAYS_MS + 1_000
    assert suggested(ana, "moderation") == []


async def test_who_declines_requests_is_asked_of_a_few_at_once() -> None:
    ana, bea, _ = await ana_bea_and_bo()
    pending = PendingRequests(ana.store, ana.community_id)
    for number in range(LISTED_MAX + 2):
        root = bytes([number]) * 32
        pending.put(Asked(root, root, f"Mal {number}", "let me in", ana.now_ms + number))
        assert len(suggested(ana, "moderation")) == min(number, LISTED_MAX)
        pending.decline(root)
    newest = suggested(ana, "moderation")[-1]
    assert newest.title == "Answered a request to join"
    assert newest.why == f"you declined the request of Mal {LISTED_MAX + 1}"
    assert suggested(bea, "moderation") == []
