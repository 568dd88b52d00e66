from __future__ import annotations

import msgspec
import pytest

from p2pvalue import need_types as nt
from p2pvalue.node.needs.credits import Credits, Held
from p2pvalue_protocol.errors import LocalProtocolError
from tests.needs.by_hand import CLOSES, Board, root
from tests.node.small_node import FIRST_MS, SmallNode, exchange

NAMES = ["ana", "ben", "cleo"]
HOURS = nt.LineView(kind="hours", unit="minute", minimum=60, optimum=600)


@pytest.fixture
def nodes() -> list[SmallNode]:
    return [SmallNode(name, NAMES) for name in NAMES]


def meet(nodes: list[SmallNode]) -> None:
    for node in [*nodes[1:], *nodes[1:]]:
        exchange(nodes[0], node)


async def add(node: SmallNode, title: str, **given: object) -> nt.NeedView:
    draft = nt.NeedDraft(title=title, lines=[HOURS], **given)  # type: ignore[arg-type]  # by name
    return await node.community.needs.add(draft)


async def titles(node: SmallNode) -> list[str]:
    return [place.title for place in (await node.community.order.all()).needs]


async def test_what_more_members_want_comes_first_on_every_node(nodes: list[SmallNode]) -> None:
    ana, ben, cleo = nodes
    for title in ("Roof", "Wall", "Door"):
        await add(ana, title)
    meet(nodes)
    await ben.community.order.want("Door")
    await cleo.community.order.want("Door")
    await cleo.community.order.want("Wall")
    meet(nodes)
    assert await titles(ana) == ["Door", "Wall", "Roof"]
    orders = [msgspec.json.encode(await node.community.order.all()) for node in nodes]
    reasons = [msgspec.json.encode(await node.community.order.explain("Wall")) for node in nodes]
    assert (len(set(orders)), len(set(reasons))) == (1, 1)


async def test_a_voice_is_counted_once_and_can_be_taken_back(nodes: list[SmallNode]) -> None:
    ana, *_ = nodes
    await add(ana, "Roof")
    wanted = await ana.community.order.want("Roof")
    assert (wanted.wants, wanted.is_wanted) == (1, True)
    written = ana.written
    await ana.community.order.want("Roof")
    assert ana.written == written
    unwanted = await ana.community.order.want("Roof", wants=False)
    assert (unwanted.wants, unwanted.is_wanted) == (0, False)


async def test_what_would_lift_a_need_does(nodes: list[SmallNode]) -> None:
    ana, *_ = nodes
    await add(ana, "Roof")
    await add(ana, "Wall")
    await ana.community.order.want("Roof")
    meet(nodes)
    explained = await ana.community.order.explain("Wall")
    [voices] = [lift for lift in explained.lifts if lift.kind == "voices"]
    assert (explained.place.place, voices.place) == (2, 1)
    for node in nodes[: voices.count]:
        assert await titles(ana) == ["Roof", "Wall"]
        await node.community.order.want("Wall")
        meet(nodes)
    assert await titles(ana) == ["Wall", "Roof"]


async def test_no_pledge_is_said_to_lift_what_takes_none_any_more(nodes: list[SmallNode]) -> None:
    ana, *_ = nodes
    closes = FIRST_MS + 1_000_000
    more = nt.LineView(kind="hours", unit="minute", minimum=600, optimum=600)
    roof = nt.NeedDraft(title="Roof", lines=[HOURS, more], closes=closes, trigger="any")
    await ana.community.needs.add(roof)
    await add(ana, "Wall")
    await ana.community.order.set_weights({"urgency": 0})
    await ana.community.pledges.make("Roof", 60)
    await ana.community.pledges.make("Wall", 600)

    async def lifts() -> set[str]:
        return {lift.kind for lift in (await ana.community.order.explain("Roof")).lifts}

    assert await lifts() == {"voices", "minutes", "members"}
    ana.now_ms = closes + 1
    assert await lifts() == {"voices"}, "the last day is over"
    assert (await ana.community.needs.close("Roof")).state == "triggered"
    assert await lifts() == {"voices"}, "closed"
    with pytest.raises(LocalProtocolError, match="the time to pledge"):
        await ana.community.pledges.make("Roof", 60)


async def test_the_weights_are_the_communitys_and_change_the_order(nodes: list[SmallNode]) -> None:
    ana, ben, _ = nodes
    await add(ana, "Roof")
    await add(ana, "Wall")
    await ana.community.order.want("Roof")
    await ana.community.pledges.make("Wall", 60)
    assert ana.community.order.weights().is_default
    changed = await ana.community.order.set_weights({"voices": 0, "hours": 1_000})
    assert (changed.voices, changed.hours, changed.urgency, changed.is_default) == (
        *(0, 1_000, 150),
        False,
    )
    meet(nodes)
    assert await titles(ben) == ["Wall", "Roof"]


async def test_a_need_half_done_stays_before_one_that_nobody_began(nodes: list[SmallNode]) -> None:
    ana, ben, cleo = nodes
    for title in ("Roof", "Wall", "Door"):
        await add(ana, title, trigger="none")
    meet(nodes)
    made = await ben.community.pledges.make("Roof", 30)
    await cleo.community.pledges.make("Roof", 10)
    meet(nodes)
    before = (await ana.community.order.all()).needs[0]
    assert before.title == "Roof"
    await ben.community.pledges.claim(made.pledge, quantity=30)
    meet(nodes)
    await ana.community.pledges.confirm(made.pledge, quantity=30)
    after = (await ana.community.order.all()).needs[0]
    assert (after.title, after.score) == ("Roof", before.score)


async def test_only_what_is_open_or_under_way_has_a_place(nodes: list[SmallNode]) -> None:
    ana, *_ = nodes
    await add(ana, "Roof")
    await ana.community.needs.change("Roof", nt.NeedDraft(status="dropped"))
    assert await titles(ana) == []
    with pytest.raises(LocalProtocolError, match="is dropped"):
        await ana.community.order.explain("Roof")
    with pytest.raises(LocalProtocolError, match="a voice would change nothing"):
        await ana.community.order.want("Roof")


async def test_who_pledged_early_to_what_lapsed_has_credit_on_her_next_need_only(
    nodes: list[SmallNode],
) -> None:
    ana, ben, _ = nodes
    closes = FIRST_MS + 1_000_000
    await add(ana, "Roof", closes=closes)
    meet(nodes)
    await ben.community.pledges.make("Roof", 30)
    ana.now_ms = ben.now_ms = closes
    meet(nodes)
    assert (await ana.community.needs.close("Roof")).state == "lapsed"
    meet(nodes)
    await add(ana, "Wall")
    await add(ben, "Door")
    await add(ben, "Gate")
    parts = {}
    for title in ("Door", "Gate"):
        explained = await ben.community.order.explain(title)
        parts[title] = {reason.part for reason in explained.reasons}
    assert ("credit" in parts["Door"], "credit" in parts["Gate"]) == (True, False)


def lapsed(subject: bytes, at: int) -> Held:
    """What Ana asked for at the beginning, and Bea pledged too little to."""
    board = Board()
    board.offer("bea", 60)
    board.close("ana", at=at)
    return Held(subject, board.need, board.standing())


def asked(subject: bytes, at: int) -> Held:
    """What Bea asks for later."""
    board = Board(closes=0)
    state = msgspec.structs.replace(board.need, author=root("bea"), created=at)
    return Held(subject, state, board.standing())


@pytest.mark.parametrize("lapses", range(4))
def test_each_lapse_puts_one_need_forward(lapses: int) -> None:
    """However soon one came after the other, and though all came before the first need."""
    kept = Credits()
    for number in range(lapses):
        kept.put(lapsed(b"lapsed %d" % number, CLOSES + number))
    needs = [b"asked %d" % number for number in range(3)]
    for number, subject in enumerate(needs):
        kept.put(asked(subject, CLOSES + 100 + number))
    kept.settle()
    assert [subject for subject in needs if kept.has(subject)] == needs[:lapses]
