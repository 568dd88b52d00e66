from __future__ import annotations

from p2pvalue.need_types import LineView, NeedDraft
from tests.node.small_node import SmallNode, exchange

HOURS = LineView(kind="hours", unit="minute", minimum=120, optimum=600)


def steps(node: SmallNode) -> list[tuple[str, int]]:
    return [(step.act, step.quantity) for step in node.community.needs.steps("Roof")]


async def test_each_is_told_what_is_waited_for_from_her_and_nobody_else(
    ana: SmallNode, eva: SmallNode
) -> None:
    await ana.community.needs.add(NeedDraft(title="Roof", lines=[HOURS]))
    exchange(ana, eva)
    made = await eva.community.pledges.make("Roof", 120)
    exchange(ana, eva)
    assert (steps(ana), steps(eva)) == ([("close", 0)], [])
    await ana.community.needs.close("Roof")
    exchange(ana, eva)
    assert (steps(ana), steps(eva)) == ([], [("claim", 120)])
    await eva.community.pledges.claim(made.pledge, quantity=90)
    exchange(ana, eva)
    assert (steps(ana), steps(eva)) == ([("confirm", 90)], [])
    await ana.community.pledges.dispute(made.pledge, reason="it was an hour")
    exchange(ana, eva)
    assert (steps(ana), steps(eva)) == ([], [])


async def test_who_is_named_may_take_over_and_who_is_no_party_may_settle() -> None:
    ana, eva, ida = (SmallNode(name, ["ana", "eva", "ida"]) for name in ("ana", "eva", "ida"))
    await ana.community.set_my_name("Ana")
    await ana.community.needs.add(NeedDraft(title="Roof", lines=[HOURS]))
    exchange(ana, eva)
    made = await eva.community.pledges.make("Roof", 120)
    exchange(ana, eva)
    await ana.community.needs.close("Roof")
    exchange(ana, eva)
    await eva.community.pledges.claim(made.pledge, quantity=60)
    await eva.community.pledges.withdraw(made.pledge, reason="My back", to="Ana")
    exchange(ana, eva)
    assert (steps(ana), steps(eva)) == ([("confirm", 60), ("take", 60)], [])
    await ana.community.pledges.dispute(made.pledge, reason="it was nothing")
    exchange(ana, eva, ida)
    assert (steps(ana), steps(eva), steps(ida)) == ([("take", 60)], [], [("settle", 60)])


async def test_who_pledged_under_other_terms_is_asked_to_renew_until_the_last_day(
    ana: SmallNode, eva: SmallNode
) -> None:
    await ana.community.needs.add(NeedDraft(title="Roof", lines=[HOURS]))
    exchange(ana, eva)
    await eva.community.pledges.make("Roof", 120)
    exchange(ana, eva)
    closes = ana.now_ms + 1_000
    await ana.community.needs.change("Roof", NeedDraft(closes=closes))
    exchange(ana, eva)
    assert (steps(ana), steps(eva)) == ([], [("renew", 120)])
    eva.now_ms = ana.now_ms = closes + 1
    assert (steps(ana), steps(eva)) == ([("close", 0)], [])


async def test_what_a_member_owes_who_was_put_out_is_for_a_steward_to_settle() -> None:
    names = ["ana", "ben", "eva"]
    ana, ben, eva = people = [SmallNode(name, names) for name in names]
    for node in people:
        await node.community.set_my_name(node.name.title())
    await ana.community.needs.add(NeedDraft(title="Roof", lines=[HOURS], trigger="none"))
    exchange(*people)
    made = (await eva.community.pledges.make("Roof", 120)).pledge
    exchange(*people)
    assert not ana.community.pledges.named(made).is_left
    assert steps(ana) == []
    for voter in (ana, ben):
        await voter.community.people.vote_out("Eva")
    exchange(ana, ben)
    assert ben.community.pledges.named(made).is_left
    assert (steps(ana), steps(ben)) == ([("settle", 120)], [])
    [step] = ana.community.needs.steps("Roof")
    assert step.is_left
    settled = await ana.community.pledges.settle(made, 0)
    assert (settled.state, settled.is_left) == ("settled", False)
    assert steps(ana) == []


async def test_where_the_steward_is_gone_and_no_last_day_was_named_an_admin_names_another() -> None:
    ana, eva, ida = (SmallNode(name, ["ana", "eva", "ida"]) for name in ("ana", "eva", "ida"))
    await ida.community.set_my_name("Ida")
    await ana.community.set_my_name("Ana")
    exchange(ana, eva, ida)
    await eva.community.needs.add(NeedDraft(title="Roof", lines=[HOURS], stewards=["Ida"]))
    exchange(ana, eva)
    await ana.community.pledges.make("Roof", 120)
    exchange(ana, eva)
    for voter in (ana, eva):
        await voter.community.people.vote_out("Ida")
    exchange(ana, eva)
    [person] = ana.community.needs.named("Roof").stewards
    assert person.is_out
    await ana.community.needs.change("Roof", NeedDraft(stewards=["Ana"]))
    assert steps(ana) == [("renew", 120)]
    await ana.community.pledges.renew("Roof")
    closed = await ana.community.needs.close("Roof")
    assert closed.state == "triggered"
