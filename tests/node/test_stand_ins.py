"""Where nobody named for it is left who may judge, two others are asked, and any may."""

from __future__ import annotations

import pytest

from p2pvalue_protocol.errors import NotAdmitted
from tests.node.told_people import Told, acquainted, meet, need


@pytest.fixture
async def people() -> list[Told]:
    return await acquainted()


async def test_what_nobody_named_may_confirm_is_asked_of_others(people: list[Told]) -> None:
    ana, ben, cleo = people
    await need(ana, trigger="none")
    made = await ana.node.community.pledges.make("Roof", 60)
    await ana.node.community.pledges.claim(made.pledge, quantity=60)
    meet(people)
    assert await ana.news() == []
    assert await ben.news() == await cleo.news() == ["confirm-asked"]
    [view] = ben.notifications.all()
    assert view.text == "Ana says that 1h of “Roof” is done: confirm or dispute it"
    assert view.why == "because nobody named for it may, and you are near to it"
    assert view.todo == f"p2pvalue pledge confirm {made.pledge[:8]}"
    await cleo.node.community.pledges.confirm(made.pledge, quantity=60)
    meet(people)
    assert await ben.news() == await cleo.news() == []
    assert ben.listed() == cleo.listed() == []


async def test_where_who_was_to_confirm_is_put_out_others_are_asked_and_may(
    people: list[Told],
) -> None:
    ana, ben, cleo = people
    await need(ana, trigger="none", confirmers=["Cleo"])
    meet(people)
    made = await ben.node.community.pledges.make("Roof", 60)
    await ben.node.community.pledges.claim(made.pledge, quantity=60)
    meet(people)
    assert await cleo.news() == ["confirm-asked"]
    assert await ana.news() == []
    with pytest.raises(NotAdmitted, match="Cleo can"):
        await ana.node.community.pledges.confirm(made.pledge, quantity=60)
    for voter in (ana, ben):
        await voter.node.community.people.vote_out("Cleo")
    meet([ana, ben])
    assert await ana.news() == ["confirm-asked"]
    assert [step.act for step in ana.node.community.needs.steps("Roof")] == ["confirm"]
    [person] = ana.node.community.needs.named("Roof").confirmers
    assert (person.name, person.is_out) == ("Cleo", True)
    confirmed = await ana.node.community.pledges.confirm(made.pledge, quantity=60)
    assert confirmed.state == "confirmed"
    await ana.node.community.people.readmit("Cleo")
    meet([ana, ben])
    assert ben.node.community.pledges.named(made.pledge).state == "confirmed"
    assert await ana.news() == []
