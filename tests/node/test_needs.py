from __future__ import annotations

import pytest

from p2pvalue.need_types import LineView, NeedDraft, PledgeView
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted, NotFound
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import pledge
from tests.node.small_node import SmallNode, exchange

NAMES = ["ana", "eva"]
HOURS = LineView(kind="hours", unit="minute", minimum=120, optimum=600)
MONEY = LineView(kind="money", unit="EUR", minimum=5_000, optimum=20_000)


async def bound_to_roof(ana: SmallNode, eva: SmallNode) -> PledgeView:
    """Ana's word to her own need, which binds; Eva has heard of it."""
    await eva.community.set_my_name("Eva")
    await ana.community.needs.add(NeedDraft(title="Roof", lines=[HOURS]))
    made = await ana.community.pledges.make("Roof", 120)
    await ana.community.needs.close("Roof")
    exchange(ana, eva)
    return made


async def test_pledges_add_up_by_line_and_meet_a_need_when_every_line_has_its_minimum(
    ana: SmallNode, eva: SmallNode
) -> None:
    need = await ana.community.needs.add(
        NeedDraft(title="Fix the roof", body="It leaks.", lines=[HOURS, MONEY])
    )
    exchange(ana, eva)
    await ana.community.pledges.make("Fix the roof", 60)
    await eva.community.pledges.make(need.need, 60)
    await eva.community.pledges.make(need.need[:6], 5_000, line=1)
    before = ana.community.needs.named("Fix the roof")
    assert (before.state, before.lines[0].pledged, before.lines[1].pledged) == ("open", 60, 0)
    exchange(ana, eva)
    for node in (ana, eva):
        after = node.community.needs.named("Fix the roof")
        assert [(line.pledged, line.pledgers) for line in after.lines] == [(120, 2), (5_000, 1)]
        assert (after.state, after.is_met) == ("open", True)
        assert await node.community.needs.all() == [after]


async def test_a_withdrawn_pledge_counts_no_more_and_stays_in_the_list(ana: SmallNode) -> None:
    await ana.community.needs.add(NeedDraft(title="Fix the roof", lines=[HOURS]))
    made = await ana.community.pledges.make("Fix the roof", 200)
    assert ana.community.needs.named("Fix the roof").is_met
    gone = await ana.community.pledges.withdraw(made.pledge[:8], reason="I broke my arm")
    assert (gone.state, gone.reason, gone.quantity) == ("withdrawn", "I broke my arm", 200)
    need = ana.community.needs.named("Fix the roof")
    assert (need.is_met, need.lines[0].pledged, need.lines[0].pledgers) == (False, 0, 0)
    assert await ana.community.pledges.all(need="Fix the roof") == [gone]
    written = ana.written
    assert await ana.community.pledges.withdraw(made.pledge) == gone
    assert ana.written == written


async def test_the_title_of_a_need_means_the_one_pledge_of_ours_to_it(
    ana: SmallNode, eva: SmallNode
) -> None:
    await ana.community.needs.add(NeedDraft(title="Roof", lines=[HOURS, MONEY], trigger="none"))
    exchange(ana, eva)
    await ana.community.pledges.make("Roof", 120)
    with pytest.raises(NotFound, match="no pledge"):
        eva.community.pledges.named("Roof")
    given_up = await eva.community.pledges.make("Roof", 60)
    await eva.community.pledges.withdraw("Roof", reason="My back")
    assert eva.community.pledges.named(given_up.pledge).state == "released"
    made = await eva.community.pledges.make("Roof", 60)
    assert (await eva.community.pledges.claim("Roof")).pledge == made.pledge
    await eva.community.pledges.make("Roof", 5_000, line=1)
    with pytest.raises(NotFound, match="by these digits"):
        await eva.community.pledges.claim("Roof")


async def test_only_the_one_who_pledged_can_withdraw(ana: SmallNode, eva: SmallNode) -> None:
    await ana.community.set_my_name("Ana")
    await ana.community.needs.add(NeedDraft(title="Fix the roof", lines=[HOURS]))
    made = await ana.community.pledges.make("Fix the roof", 60)
    exchange(ana, eva)
    with pytest.raises(NotAdmitted, match="pledge of Ana"):
        await eva.community.pledges.withdraw(made.pledge)


async def test_pledges_are_listed_by_need_or_all(ana: SmallNode) -> None:
    await ana.community.needs.add(NeedDraft(title="Roof", lines=[HOURS]))
    await ana.community.needs.add(NeedDraft(title="Wall", lines=[MONEY]))
    roof = await ana.community.pledges.make("Roof", 1)
    wall = await ana.community.pledges.make("Wall", 2)
    assert await ana.community.pledges.all(need="Wall") == [wall]
    assert await ana.community.pledges.all() == [roof, wall]
    assert (wall.unit, wall.need_title) == ("EUR", "Wall")


@pytest.mark.parametrize("line", [-1, 1])
async def test_a_line_that_a_need_lacks_is_refused(ana: SmallNode, line: int) -> None:
    await ana.community.needs.add(NeedDraft(title="Roof", lines=[HOURS]))
    with pytest.raises(LocalProtocolError, match="choose one"):
        await ana.community.pledges.make("Roof", 5, line=line)


async def test_a_pledge_to_a_line_or_need_that_is_not_there_counts_nowhere(ana: SmallNode) -> None:
    need = await ana.community.needs.add(NeedDraft(title="Roof", lines=[HOURS]))
    for subject, line in ((bytes.fromhex(need.need), 9), (b"nowhere here yet", 0)):
        payload = pledge.encode_pledge(subject, bytes(16), line, 500)
        await ana.write(ana.community_id, [Draft(pledge.NUMBER, b"", payload)])
    assert await ana.community.needs.all() == [need]
    [view] = await ana.community.pledges.all()
    assert (view.unit, view.state) == ("", "outdated")


async def test_what_is_wrong_with_a_need_is_said_and_nothing_written(ana: SmallNode) -> None:
    written = ana.written
    with pytest.raises(LocalProtocolError, match="title is empty"):
        await ana.community.needs.add(NeedDraft(title=" ", lines=[HOURS]))
    with pytest.raises(LocalProtocolError, match="how much it takes"):
        await ana.community.needs.add(NeedDraft(title="Roof", lines=[]))
    with pytest.raises(LocalProtocolError, match="1 to 16 lines"):
        await ana.community.needs.add(NeedDraft(title="Roof", lines=[HOURS] * 17))
    with pytest.raises(NotFound, match='no need "Roof"'):
        ana.community.needs.named("Roof")
    assert ana.written == written


async def test_many_needs_are_listed_over_several_pages(ana: SmallNode) -> None:
    for number in range(600):
        await ana.community.needs.add(NeedDraft(title=f"Need {number}", lines=[HOURS]))
    found = await ana.community.needs.all()
    assert [need.title for need in found] == [f"Need {n}" for n in range(600)]


# --- closing, and what becomes of pledges


async def test_two_nodes_that_hold_the_same_tell_the_same_of_a_need_and_its_pledges(
    ana: SmallNode, eva: SmallNode
) -> None:
    await ana.community.needs.add(NeedDraft(title="Roof", lines=[HOURS]))
    exchange(ana, eva)
    made = await eva.community.pledges.make("Roof", 120, when="Saturday", where="the shed")
    exchange(ana, eva)
    closed = await ana.community.needs.close("Roof")
    assert (closed.state, closed.is_closed, closed.lines[0].pledged) == ("triggered", True, 120)
    exchange(ana, eva)
    await eva.community.pledges.claim(made.pledge)
    exchange(ana, eva)
    confirmed = await ana.community.pledges.confirm(made.pledge)
    assert (confirmed.state, confirmed.delivered, confirmed.when) == ("confirmed", 120, "Saturday")
    exchange(ana, eva)
    assert await ana.community.needs.all() == await eva.community.needs.all()
    assert await ana.community.pledges.all() == await eva.community.pledges.all()
    assert eva.community.needs.named("Roof").state == "confirmed"


async def test_a_need_is_not_closed_before_its_last_day_is_over(ana: SmallNode) -> None:
    closes = ana.now_ms + 1_000
    await ana.community.needs.add(NeedDraft(title="Roof", lines=[HOURS], closes=closes))
    await ana.community.pledges.make("Roof", 120)
    with pytest.raises(LocalProtocolError, match="last day"):
        await ana.community.needs.close("Roof")
    ana.now_ms = closes
    assert (await ana.community.needs.close("Roof")).state == "triggered"
    with pytest.raises(LocalProtocolError, match="time to pledge"):
        await ana.community.pledges.make("Roof", 10)


async def test_who_is_no_steward_is_told_who_closes_a_need(ana: SmallNode, eva: SmallNode) -> None:
    await ana.community.set_my_name("Ana")
    await ana.community.needs.add(NeedDraft(title="Roof", lines=[HOURS]))
    exchange(ana, eva)
    with pytest.raises(NotAdmitted, match="for Ana to close"):
        await eva.community.needs.close("Roof")


async def test_a_pledge_made_under_other_terms_counts_when_it_is_renewed(
    ana: SmallNode, eva: SmallNode
) -> None:
    await ana.community.needs.add(NeedDraft(title="Roof", lines=[HOURS]))
    exchange(ana, eva)
    made = await eva.community.pledges.make("Roof", 120)
    exchange(ana, eva)
    await ana.community.needs.change("Roof", NeedDraft(trigger="any", body="Now with a ladder"))
    assert ana.community.pledges.named(made.pledge).state == "outdated"
    exchange(ana, eva)
    renewed = await eva.community.pledges.renew(made.pledge)
    assert (renewed.state, renewed.quantity) == ("offered", 120)
    assert eva.community.needs.named("Roof").is_met
    with pytest.raises(LocalProtocolError, match="renewed already"):
        await eva.community.pledges.renew(made.pledge)


async def test_what_is_released_can_be_taken_over_by_whom_it_is_handed_to(
    ana: SmallNode, eva: SmallNode
) -> None:
    made = await bound_to_roof(ana, eva)
    released = await ana.community.pledges.withdraw(made.pledge, reason="My back", to="Eva")
    assert (released.state, released.reason) == ("released", "My back")
    exchange(ana, eva)
    taken = await eva.community.pledges.make("Roof", 120, takes=made.pledge)
    assert (taken.state, taken.bound) == ("binding", 120)


async def test_nobody_confirms_her_own_word(ana: SmallNode) -> None:
    await ana.community.needs.add(NeedDraft(title="Roof", lines=[HOURS]))
    made = await ana.community.pledges.make("Roof", 120)
    await ana.community.needs.close("Roof")
    with pytest.raises(NotAdmitted, match="cannot confirm"):
        await ana.community.pledges.confirm(made.pledge)


async def test_a_need_is_changed_by_who_asked_for_it_or_an_admin(
    ana: SmallNode, eva: SmallNode
) -> None:
    await ana.community.needs.add(NeedDraft(title="Roof", lines=[HOURS], deadline=5))
    changed = await ana.community.needs.change("Roof", NeedDraft(title="Roof of the shed"))
    assert (changed.title, changed.deadline) == ("Roof of the shed", 5)
    exchange(ana, eva)  # Eva is a founder, too
    assert (await eva.community.needs.change(changed.need, NeedDraft(deadline=0))).deadline == 0
    dropped = await ana.community.needs.change(changed.need, NeedDraft(status="dropped"))
    assert dropped.state == "dropped"


async def test_terms_stay_once_the_last_day_is_over_or_pledges_bind(ana: SmallNode) -> None:
    closes = ana.now_ms + 1_000
    await ana.community.needs.add(NeedDraft(title="Roof", lines=[HOURS], closes=closes))
    await ana.community.needs.add(NeedDraft(title="Wall", lines=[HOURS], trigger="none"))
    await ana.community.pledges.make("Wall", 10)
    await ana.community.pledges.withdraw("Wall")
    await ana.community.needs.change("Wall", NeedDraft(opens=2))  # nobody is bound by now
    await ana.community.pledges.make("Wall", 10)
    ana.now_ms = closes + 1
    for title in ("Roof", "Wall"):
        with pytest.raises(LocalProtocolError, match="stay as they are"):
            await ana.community.needs.change(title, NeedDraft(opens=1))
        assert (await ana.community.needs.change(title, NeedDraft(body="more"))).body == "more"


async def test_words_that_cannot_count_do_not_fill_a_close(ana: SmallNode, eva: SmallNode) -> None:
    need = await ana.community.needs.add(NeedDraft(title="Roof", lines=[HOURS]))
    subject, terms = bytes.fromhex(need.need), ana.community.needs.rows()
    [row] = list(terms)
    junk = [Draft(pledge.NUMBER, b"", pledge.encode_pledge(subject, b"j" * 16, 0, 1))]
    many = Draft(
        pledge.NUMBER,
        b"",
        pledge.encode_pledge(subject, ana.community.needs.standing(row).terms_id, 0, 1),
    )
    exchange(ana, eva)
    for drafts in (junk * 400, [many] * 3_600):
        await eva.write(eva.community_id, drafts)
    await ana.community.pledges.make("Roof", 60)
    exchange(ana, eva)
    closed = await ana.community.needs.close("Roof")
    assert (closed.state, closed.lines[0].pledgers) == ("triggered", 2)
    [own] = await ana.community.pledges.all(mine=True)
    assert own.state == "binding"


async def test_only_what_was_released_can_be_taken_over_and_only_by_her_it_was_handed_to(
    ana: SmallNode, eva: SmallNode
) -> None:
    made = await bound_to_roof(ana, eva)
    with pytest.raises(LocalProtocolError, match="only what somebody released"):
        await eva.community.pledges.make("Roof", 120, takes=made.pledge)
    await ana.community.pledges.withdraw(made.pledge, to="Eva")
    with pytest.raises(NotAdmitted, match="handed to Eva"):
        await ana.community.pledges.make("Roof", 120, takes=made.pledge)


async def test_a_standing_is_of_the_need_that_was_asked_about(ana: SmallNode) -> None:
    await ana.community.needs.add(NeedDraft(title="Roof", lines=[HOURS]))
    [before] = list(ana.community.needs.rows())
    await ana.community.needs.change("Roof", NeedDraft(trigger="any"))
    assert ana.community.needs.standing(before).terms.trigger == "all"
    assert ana.community.needs.named("Roof").trigger == "any"


async def test_a_dropped_need_is_not_closed(ana: SmallNode) -> None:
    await ana.community.needs.add(NeedDraft(title="Roof", lines=[HOURS], status="dropped"))
    with pytest.raises(LocalProtocolError, match="is dropped"):
        await ana.community.needs.close("Roof")


async def test_what_is_claimed_in_part_can_be_released_as_to_the_rest(ana: SmallNode) -> None:
    await ana.community.needs.add(NeedDraft(title="Roof", lines=[HOURS]))
    made = await ana.community.pledges.make("Roof", 120)
    await ana.community.needs.close("Roof")
    await ana.community.pledges.claim(made.pledge, quantity=30)
    released = await ana.community.pledges.withdraw(made.pledge, reason="My back")
    assert (released.state, released.bound) == ("claimed", 30)
    with pytest.raises(LocalProtocolError, match="nothing to take back"):
        await ana.community.pledges.withdraw(made.pledge)
