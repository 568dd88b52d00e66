from __future__ import annotations

from p2pvalue.need_types import LineView, NeedDraft
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import need, pledge, project
from tests.node.small_node import SmallNode, exchange

HOURS = LineView(kind="hours", unit="minute", minimum=120, optimum=600)


async def told(node: SmallNode) -> list[tuple[str, str]]:
    return [(one.name, one.act) for one in node.community.needs.timeline("Roof")]


async def begin(ana: SmallNode, eva: SmallNode) -> None:
    await ana.community.set_my_name("Ana")
    await eva.community.set_my_name("Eva")
    await ana.community.needs.add(NeedDraft(title="Roof", lines=[HOURS]))
    exchange(ana, eva)


async def test_a_timeline_tells_who_did_what_in_order_alike_on_two_nodes(
    ana: SmallNode, eva: SmallNode
) -> None:
    await begin(ana, eva)
    await ana.community.needs.change("Roof", NeedDraft(body="It leaks", deadline=2**40))
    gone = await eva.community.pledges.make("Roof", 60)
    await eva.community.pledges.withdraw(gone.pledge, reason="ill")
    kept = await eva.community.pledges.make("Roof", 150)
    exchange(ana, eva)
    await ana.community.needs.close("Roof")
    exchange(ana, eva)
    await eva.community.pledges.claim(kept.pledge, quantity=90)
    await eva.community.pledges.withdraw(kept.pledge, reason="rain", to="Ana")
    exchange(ana, eva)
    await ana.community.pledges.confirm(kept.pledge, quantity=90)
    await ana.community.needs.change("Roof", NeedDraft(status="dropped"))
    exchange(ana, eva)
    assert await told(ana) == [
        ("Ana", "made"),
        ("Ana", "changed"),
        ("Eva", "offered"),
        ("Eva", "withdrawn"),
        ("Eva", "offered"),
        ("Ana", "closed"),
        ("Eva", "claimed"),
        ("Eva", "released"),
        ("Ana", "confirmed"),
        ("Ana", "dropped"),
    ]
    happened = eva.community.needs.timeline("Roof")
    assert happened == ana.community.needs.timeline("Roof")
    assert (happened[1].fields, happened[1].was) == (["body", "deadline"], {})
    assert (happened[3].text, happened[7].text, happened[7].to) == ("ill", "rain", "Ana")
    assert (happened[6].pledge, happened[6].quantity, happened[6].unit) == (
        *(kept.pledge, 90, "minute"),
    )
    assert happened[8].pledged_by == "Eva"


async def test_what_had_no_effect_is_not_told(ana: SmallNode, eva: SmallNode) -> None:
    await begin(ana, eva)
    kept = await eva.community.pledges.make("Roof", 150)
    subject = bytes.fromhex(kept.pledge)
    about = bytes.fromhex(kept.need)
    by_another = pledge.encode_pledge_act(about, subject, "withdraw")
    by_herself = pledge.encode_pledge_act(about, subject, "confirm", quantity=150)
    exchange(ana, eva)
    await ana.write(ana.community_id, [Draft(pledge.NUMBER, b"", by_another)])
    await ana.community.needs.close("Roof")
    exchange(ana, eva)
    await eva.write(eva.community_id, [Draft(pledge.NUMBER, b"", by_herself)])
    nothing = need.encode_need_change(title="Roof")
    await ana.write(ana.community_id, [Draft(need.NUMBER, about, nothing)])
    exchange(ana, eva)
    assert await told(eva) == [("Ana", "made"), ("Eva", "offered"), ("Ana", "closed")]


async def test_a_timeline_tells_that_terms_were_changed_and_a_draft_opened(
    ana: SmallNode, eva: SmallNode
) -> None:
    await ana.community.set_my_name("Ana")
    await ana.community.needs.add(NeedDraft(title="Roof", lines=[HOURS], status="draft"))
    more = LineView(kind="hours", unit="minute", minimum=240, optimum=600)
    await ana.community.needs.change("Roof", NeedDraft(lines=[more], class_name="build"))
    await ana.community.needs.change("Roof", NeedDraft(status="open"))
    assert await told(ana) == [("Ana", "made"), ("Ana", "changed"), ("Ana", "opened")]
    assert ana.community.needs.timeline("Roof")[1].fields == ["class", "lines"]


async def test_what_another_kind_says_of_the_same_subject_is_not_told(
    ana: SmallNode, eva: SmallNode
) -> None:
    await begin(ana, eva)
    about = bytes.fromhex(ana.community.needs.named("Roof").need)
    payload = project.encode_project_change(title="Mine now", image=bytes(16))
    await eva.write(eva.community_id, [Draft(project.NUMBER, about, payload)])
    exchange(ana, eva)
    assert await told(ana) == [("Ana", "made")]
