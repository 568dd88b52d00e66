"""What people do about members, by the rules that every node comes to alike."""

from __future__ import annotations

import pytest

from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted, NotFound
from tests.node.newcomers import FOUNDERS, come_in, let_in
from tests.node.small_node import SmallNode, exchange

YEAR_MS = 365 * 24 * 3_600 * 1_000


async def ana_and_bo() -> tuple[SmallNode, SmallNode]:
    ana = SmallNode("ana", FOUNDERS)
    await ana.community.set_my_name("Ana")
    return ana, await come_in(ana, "bo")


def ranks(node: SmallNode) -> dict[str, str | None]:
    return {view.name: view.rank for view in node.community.people.all(with_former=True)}


async def test_a_member_is_listed_with_who_let_her_in_and_since_when() -> None:
    ana, bo = await ana_and_bo()
    shown = {view.name: view for view in bo.community.people.all()}
    assert shown["Bo"].admitted_by == "Ana"
    assert shown["Bo"].is_me
    assert shown["Ana"].admitted_by == ""
    assert 0 < (shown["Ana"].since or 0) < (shown["Bo"].since or 0) <= ana.now_ms


async def test_a_removal_is_the_same_for_everybody_and_has_a_reason_and_a_term() -> None:
    ana, bo = await ana_and_bo()
    cleo = await come_in(ana, "cleo")
    exchange(ana, bo, cleo)
    await bo.community.post("mine")
    exchange(bo, ana, cleo)
    until = ana.now_ms + YEAR_MS
    gone = await ana.community.people.remove("Bo", reason="took the tools", until=until)
    assert (gone.state, gone.removed_by) == ("removed", "Ana")
    exchange(ana, cleo)
    shown = {view.name: view for view in cleo.community.people.all(with_former=True)}
    assert (shown["Bo"].reason, shown["Bo"].until) == ("took the tools", until)
    assert shown["Bo"].rank is None
    assert [m.text for m in cleo.community.messages()] == ["mine"]
    assert "Bo" not in {view.name for view in cleo.community.people.all()}


async def test_who_was_put_out_and_writes_is_told_by_whom_that_was() -> None:
    ana, bo = await ana_and_bo()
    await ana.community.people.remove("Bo")
    exchange(ana, bo)
    with pytest.raises(NotAdmitted, match=r"put out of the community by Ana: .*member readmit"):
        await bo.community.post("me still")


async def test_a_term_that_is_over_is_reminded_of_until_she_is_in_again() -> None:
    ana, bo = await ana_and_bo()
    await ana.community.people.remove("Bo", until=ana.now_ms + YEAR_MS)
    assert ana.community.view().reminders == []
    ana.now_ms += YEAR_MS + 1
    assert "the term of Bo's removal is over" in ana.community.view().reminders[0]
    back = await ana.community.people.readmit("Bo")
    assert (back.rank, back.state) == ("member", "member")
    assert ana.community.view().reminders == []
    exchange(ana, bo)
    await bo.community.post("back again")
    exchange(bo, ana)
    assert [m.text for m in ana.community.messages()] == ["back again"]


async def test_what_a_removal_would_do_is_told_before() -> None:
    ana, bo = await ana_and_bo()
    open_link = await bo.community.invite(rank="guest", uses=3)
    dan = await let_in(bo, "dan", FOUNDERS, open_link.link)
    exchange(ana, bo, dan)
    preview = ana.community.people.preview("Bo")
    assert preview.stay == ["Dan"]
    assert [(i.invite, i.used) for i in preview.invites] == [(open_link.invite, 1)]
    assert preview.unseen
    await ana.community.people.remove("Bo")
    assert ranks(ana)["Dan"] == "guest"
    assert {i.state for i in ana.community.invites.all() if i.name == "Bo"} == {"void"}


async def test_nobody_puts_out_a_stronger_one_an_equal_or_herself() -> None:
    ana, bo = await ana_and_bo()
    cleo = await come_in(ana, "cleo")
    exchange(ana, bo, cleo)
    for name, told in (("Ana", "stronger rank"), ("Cleo", "stronger rank")):
        with pytest.raises(NotAdmitted, match=told):
            await bo.community.people.remove(name)
    with pytest.raises(LocalProtocolError, match="community leave"):
        await bo.community.people.remove("Bo")
    with pytest.raises(NotFound):
        await bo.community.people.remove("Nobody")
    await come_in(bo, "dan", "guest")
    with pytest.raises(NotAdmitted, match="written by rank admin"):
        await bo.community.people.remove(
            (await come_in(bo, "dan", "guest")).name.title(), reason="x"
        )


async def test_a_rank_is_raised_by_a_grant_and_lowered_without_being_out() -> None:
    ana, bo = await ana_and_bo()
    assert (await ana.community.people.set_rank("Bo", "admin")).rank == "admin"
    exchange(ana, bo)
    assert bo.community.view().rank == "admin"
    assert (await ana.community.people.set_rank("Bo", "guest")).rank == "guest"
    exchange(ana, bo)
    assert bo.community.view().rank == "guest"
    assert ranks(ana) == ranks(bo)
    with pytest.raises(LocalProtocolError, match="already"):
        await ana.community.people.set_rank("Bo", "guest")
    with pytest.raises(NotAdmitted, match="ask somebody stronger"):
        await bo.community.people.set_rank("Bo", "admin")


async def test_founders_go_by_votes_of_enough_founders() -> None:
    names = ("ana", "bea", "cora")
    ana, bea, cora = (SmallNode(name, names) for name in names)
    for node in (ana, bea, cora):
        await node.community.set_my_name(node.name.title())
    exchange(ana, bea, cora)
    with pytest.raises(NotAdmitted, match="vote-out"):
        await ana.community.people.remove("Cora")
    assert (await ana.community.people.vote_out("Cora")).rank == "founder"
    exchange(ana, bea)
    assert (await bea.community.people.vote_out("Cora")).state == "removed"
    with pytest.raises(NotAdmitted, match="equal"):
        await bea.community.people.vote_out((await come_in_to(bea, "dan", names)).name.title())


async def come_in_to(host: SmallNode, name: str, founders: tuple[str, ...]) -> SmallNode:
    link = (await host.community.invite()).link
    return await let_in(host, name, founders, link)


async def test_a_leaked_invite_is_undone_in_one_write() -> None:
    ana = SmallNode("ana", FOUNDERS)
    leaked = await ana.community.invite(uses=5)
    for name in ("mal", "mia"):
        await let_in(ana, name, FOUNDERS, leaked.link)
    [shown] = ana.community.invites.all()
    assert (shown.used, shown.admitted, shown.state) == (2, ["Mal", "Mia"], "open")
    assert ana.community.invites.use_of(leaked.invite[:8]).removes == ["Mal", "Mia"]
    written = ana.written
    gone = await ana.community.invites.revoke(leaked.invite[:8], with_members=True)
    assert gone.state == "withdrawn"
    assert ana.written == written + 3
    assert set(ranks(ana).values()) == {"founder", None}
    with pytest.raises(LocalProtocolError, match="already"):
        await ana.community.invites.revoke(leaked.invite)


async def test_rules_are_changed_by_founders_and_hold_for_what_comes_after() -> None:
    ana, bo = await ana_and_bo()
    changed = await ana.community.set_policy(invite_rank="admin", write={"document": "admin"})
    assert (changed.invite_rank, changed.write["document"]) == ("admin", "admin")
    exchange(ana, bo)
    with pytest.raises(LocalProtocolError):
        await bo.community.create_document("Mine", "text")
    with pytest.raises(NotAdmitted, match="founders"):
        await bo.community.set_policy(join="request")
    with pytest.raises(LocalProtocolError, match="there is no kind"):
        await ana.community.set_policy(write={"poem": "guest"})
    written = ana.written
    await ana.community.set_policy(invite_rank="admin")
    assert ana.written == written, "what is so already is not written again"
    assert (await ana.community.set_policy(join="request")).join == "request"
    assert ana.community.policy().write["document"] == "admin"


async def test_who_was_never_out_is_not_let_in_again() -> None:
    ana, _ = await ana_and_bo()
    with pytest.raises(LocalProtocolError, match="already"):
        await ana.community.people.readmit("Bo")
    with pytest.raises(NotFound):
        await ana.community.people.readmit("Nobody")


async def test_an_admission_voided_by_a_superior_who_was_away_is_shown_and_healed() -> None:
    ana, bo = await ana_and_bo()
    await ana.community.people.set_rank("Bo", "admin")
    bea = SmallNode("bea", FOUNDERS)
    exchange(ana, bo, bea)
    dan = await come_in(bo, "dan")  # while Ana is away
    exchange(bo, dan, bea)
    assert ranks(bea)["Dan"] == "member"
    await ana.community.people.remove("Bo")
    ana.now_ms = bea.now_ms = max(ana.now_ms, bea.now_ms)
    bea.take(ana.runs(bea.replica.heads()))
    digits = dan.root(b"").hex()
    shown = {view.member: view for view in bea.community.people.all(with_former=True)}
    assert shown[digits].state == "voided"
    [told] = bea.community.view().reminders
    assert f"`p2pvalue member readmit {digits[:8]}` heals that" in told
    assert (await bea.community.people.readmit(digits[:8])).state == "member"
    assert bea.community.view().reminders == []
    assert ranks(bea)["Dan"] == "member", "what she wrote meanwhile counts again"
