from __future__ import annotations

import pytest

from p2pvalue.need_types import LineView, NeedDraft
from p2pvalue.node.value.minutes import is_title_of_minutes
from p2pvalue.node.value.suggestions import DAYS_MS
from p2pvalue_protocol.errors import LocalProtocolError, NotFound
from tests.node.small_node import SmallNode, exchange

HOURS = LineView(kind="hours", unit="minute", minimum=120, optimum=600)


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


@pytest.mark.parametrize(
    ("title", "is_minutes"),
    [
        ("Minutes of May", True),
        ("Meeting notes, 3 May", True),
        ("Notes of the meeting", True),
        ("Sitzungsprotokoll", True),
        ("Acta de la asamblea", True),
        ("Compte-rendu du 3 mai", True),
        ("Verbale della riunione", True),
        ("Soup in 20 minutes", False),
        ("A 5-minutes guide", False),
        ("Notes on soil", False),
        ("Contra la violencia verbale", False),
        ("Network protocol", False),
        ("Exacta", False),
    ],
)
def test_a_title_says_in_a_few_languages_that_these_are_minutes(
    title: str, is_minutes: bool
) -> None:
    assert is_title_of_minutes(title) is is_minutes


async def test_who_kept_the_minutes_may_write_down_that_care_and_nothing_is_said_before(
    ana: SmallNode, eva: SmallNode
) -> None:
    await ana.community.create_document("Minutes of May", "We met.\n")
    await ana.community.create_document("Recipes", "Soup.\n")
    await ana.community.create_document("Minutes of June")
    exchange(ana, eva)
    written = ana.written
    [suggested] = ana.community.contributions.suggested()
    assert (suggested.source, suggested.title) == ("minutes", "Minutes of May")
    assert suggested.why == "you made the only change"
    assert eva.community.contributions.suggested() == []
    assert ana.written == written
    added = await ana.community.contributions.accept("Minutes of May", 45)
    assert (added.title, added.source, added.need) == ("Minutes of May", "minutes", "")
    await ana.community.edit_document("Minutes of May", "We met again.\n")
    assert ana.community.contributions.suggested() == []
    ana.now_ms += DAYS_MS + 1_000
    await ana.community.contributions.withdraw(added.contribution)
    assert ana.community.contributions.suggested() == []


async def test_who_wrote_most_of_the_minutes_or_began_them_may_write_that_down(
    ana: SmallNode, eva: SmallNode
) -> None:
    await ana.community.create_document("Minutes of May", "We met.\n")
    exchange(ana, eva)
    await eva.community.edit_document("Minutes of May", "We met. Eva spoke.\n")
    assert eva.community.contributions.suggested() == []
    await eva.community.edit_document("Minutes of May", "We met. Eva spoke. Ana, too.\n")
    exchange(ana, eva)
    [began] = ana.community.contributions.suggested()
    [wrote] = eva.community.contributions.suggested()
    assert began.why == "you began these minutes and wrote in them"
    assert wrote.why == "you made 2 of the 3 newest changes"
    ana.community.contributions.dismiss(began.suggestion)
    assert ana.community.contributions.suggested() == []
    await eva.community.delete_document("Minutes of May")
    assert eva.community.contributions.suggested() == []
