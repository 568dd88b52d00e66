"""The order that a node keeps is that of a node which never was asked before."""

from __future__ import annotations

import contextlib
from random import Random

import msgspec
import pytest
import trio

from p2pvalue import need_types as nt
from p2pvalue.node.needs import kept_order
from p2pvalue.node.needs.kept_order import KeptOrder
from p2pvalue.node.needs.need_boards import NeedBoards
from p2pvalue_protocol.effects import Change
from p2pvalue_protocol.errors import LocalProtocolError, NotFound, P2PValueError
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds import interest
from p2pvalue_protocol.past import Batch
from tests.node.small_node import FIRST_MS, SmallNode, exchange, key

NAMES = ["ana", "ben", "cleo", "dora"]
HOURS = nt.LineView(kind="hours", unit="minute", minimum=60, optimum=600)
DAY_MS = 86_400_000


def meet(nodes: list[SmallNode]) -> None:
    exchange(*nodes)


async def told(node: SmallNode) -> bytes:
    return msgspec.json.encode(await node.community.order.all())


async def told_anew(node: SmallNode) -> bytes:
    """What a node would tell that never was asked."""
    kept = node.boards.orders.pop(node.community_id, None)
    try:
        return await told(node)
    finally:
        if kept is not None:
            node.boards.orders[node.community_id] = kept


class Village:
    """Four people who do this and that about needs."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.nodes = [SmallNode(name, NAMES) for name in NAMES]
        self.titles: list[str] = []

    async def do(self) -> None:
        """Let somebody do something, if it may be done."""
        node = self.rng.choice(self.nodes)
        pledges = node.community.pledges
        title = self.rng.choice(self.titles) if self.titles else ""
        try:
            match self.rng.randrange(9 if title else 1):
                case 0:
                    await self.add(node)
                case 1 | 2:
                    await node.community.order.want(title, wants=self.rng.random() < 0.8)
                case 3 | 4:
                    await pledges.make(title, self.rng.randint(1, 45))
                case 5:
                    mine = self.rng.choice(await pledges.all(mine=True))
                    await pledges.withdraw(mine.pledge)
                case 6:
                    await self.close(title)
                case 7:
                    weights = {"quadratic": self.rng.choice([0, 0, 300])}
                    await node.community.order.set_weights(weights)
                case _:
                    drafts = [nt.NeedDraft(status="open"), nt.NeedDraft(status="dropped")]
                    await node.community.needs.change(title, self.rng.choice(drafts))
        except (P2PValueError, IndexError):
            pass

    async def close(self, title: str) -> None:
        """Let whoever may close a need do so after its last day."""
        for node in self.nodes:
            node.now_ms += 40
            with contextlib.suppress(P2PValueError):
                await node.community.needs.close(title)

    async def add(self, node: SmallNode) -> None:
        title = f"Need {len(self.titles)}"
        closes = self.rng.choice([0, node.now_ms + self.rng.randint(1, 40)])
        deadline = self.rng.choice([0, FIRST_MS + self.rng.randint(1, 60) * DAY_MS])
        self.titles.append(title)
        draft = nt.NeedDraft(title=title, lines=[HOURS], closes=closes, deadline=deadline)
        await node.community.needs.add(draft)


@pytest.mark.parametrize("seed", range(6))
async def test_a_kept_order_is_that_of_a_new_node(seed: int) -> None:
    print("seed", seed)
    village = Village(seed)
    for _ in range(30):
        for _ in range(village.rng.randint(1, 6)):
            await village.do()
            if village.rng.random() < 0.5:
                meet(village.nodes)
        for node in village.nodes:
            assert await told(node) == await told_anew(node)


@pytest.mark.parametrize("seed", range(4))
async def test_what_is_kept_of_names_means_what_a_new_node_means(seed: int) -> None:
    print("seed", seed)
    village = Village(seed)
    for _ in range(15):
        for _ in range(village.rng.randint(1, 6)):
            await village.do()
        meet(village.nodes)
        for node in village.nodes:
            assert await meanings(node, village.titles) == await meanings_anew(node, village.titles)


async def meanings(node: SmallNode, titles: list[str]) -> list[str]:
    """What titles and ids mean, and what is said of those that mean none, or several."""
    pledges = node.community.pledges
    ids = [view.pledge for view in await pledges.all()]
    found = []
    for reference in [*titles, "Need", "00000000", *ids, *(one[:10] for one in ids)]:
        for meant in (lambda ref: node.community.needs.named(ref).need, pledges.named):
            try:
                found.append(str(meant(reference)))
            except NotFound as error:
                found.append(str(error))
    return found


async def meanings_anew(node: SmallNode, titles: list[str]) -> list[str]:
    kept, node.boards = node.boards, NeedBoards()
    try:
        return await meanings(node, titles)
    finally:
        node.boards = kept


async def test_who_is_put_out_has_no_voice_in_what_is_kept() -> None:
    ana, ben, cleo = nodes = [SmallNode(name, NAMES[:3]) for name in NAMES[:3]]
    for title in ("Roof", "Wall"):
        await ana.community.needs.add(nt.NeedDraft(title=title, lines=[HOURS]))
    meet(nodes)
    await ben.community.order.want("Wall")
    meet(nodes)
    before = await told(cleo)
    await ana.community.people.vote_out(key("root ben").public.hex())
    meet(nodes)
    assert await told(cleo) == before
    await cleo.community.people.vote_out(key("root ben").public.hex())
    assert await told(cleo) == await told_anew(cleo) != before


async def test_a_voice_that_is_hidden_later_counts_no_more_in_what_is_kept() -> None:
    """Its operation does not say any more what it was about, nor has its author another rank."""
    ana, ben = nodes = [SmallNode(name, NAMES[:2]) for name in NAMES[:2]]
    await ana.community.needs.add(nt.NeedDraft(title="Roof", lines=[HOURS]))
    meet(nodes)
    await ben.community.order.want("Roof")
    meet(nodes)
    before = await told(ana)
    [row] = ana.store.states(ana.community_id, interest.NUMBER)
    ana.store.commit([Batch(ana.community_id, states_gone=[row.subject])])
    order = Order(row.time, row.device, row.seq, row.op_id)
    by = key("root ben").public
    ana.report([Change(interest.NUMBER, row.subject, order, by, b"", "hidden")])
    assert await told(ana) == await told_anew(ana) != before


async def with_much_to_look_at(node: SmallNode, monkeypatch: pytest.MonkeyPatch) -> trio.Event:
    """Let who asks next look at twenty needs again; return what tells that she began."""
    titles = [f"Need {number}" for number in range(20)]
    for title in titles:
        await node.community.needs.add(nt.NeedDraft(title=title, lines=[HOURS]))
    await told(node)
    for title in titles:
        await node.community.order.want(title)
    is_begun, put = trio.Event(), KeptOrder._put

    def noted(self: KeptOrder, *args: object) -> None:
        is_begun.set()
        put(self, *args)  # type: ignore[arg-type]  # as given

    monkeypatch.setattr(KeptOrder, "_put", noted)
    return is_begun


async def test_what_is_dropped_while_somebody_asks_why_it_stands_where_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ana = SmallNode("ana", NAMES)
    await ana.community.needs.add(nt.NeedDraft(title="Roof", lines=[HOURS]))
    is_asked = await with_much_to_look_at(ana, monkeypatch)

    async def ask() -> None:
        with pytest.raises(LocalProtocolError, match="this need is dropped"):
            await ana.community.order.explain("Roof")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        await is_asked.wait()
        await ana.community.needs.change("Roof", nt.NeedDraft(status="dropped"))


async def test_what_lapses_while_somebody_asks_gives_credit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ana, ben = nodes = [SmallNode(name, NAMES[:2]) for name in NAMES[:2]]
    closes = FIRST_MS + 1_000_000
    await ana.community.needs.add(nt.NeedDraft(title="Roof", lines=[HOURS], closes=closes))
    meet(nodes)
    await ben.community.pledges.make("Roof", 30)
    ana.now_ms = ben.now_ms = closes
    meet(nodes)
    is_asked = await with_much_to_look_at(ana, monkeypatch)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(told, ana)
        await is_asked.wait()
        assert (await ana.community.needs.close("Roof")).state == "lapsed"
    meet(nodes)
    await ben.community.needs.add(nt.NeedDraft(title="Door", lines=[HOURS]))
    meet(nodes)
    assert await told(ana) == await told_anew(ana)


async def test_a_change_is_all_that_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a hundred needs one is looked at, and none is weighed but it."""
    [ana] = [SmallNode("ana", NAMES)]
    for number in range(100):
        added = await ana.community.needs.add(nt.NeedDraft(title=f"Need {number}", lines=[HOURS]))
    await told(ana)
    put, looked = [], KeptOrder._put

    def counted(self: KeptOrder, *args: object) -> None:
        put.append(args)
        looked(self, *args)  # type: ignore[arg-type]  # as given

    monkeypatch.setattr(KeptOrder, "_put", counted)
    monkeypatch.setattr(ana.community.needs, "rows", None)
    await told(ana)
    assert put == []
    await ana.community.order.want(added.need)
    await ana.community.order.all()
    assert len(put) == 1


async def test_what_nobody_asks_about_takes_no_more_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand voices for what is no need at all: one look at everything, and nothing kept."""
    monkeypatch.setattr(kept_order, "CHANGED_MAX", 50)
    ana = SmallNode("ana", NAMES)
    await ana.community.needs.add(nt.NeedDraft(title="Roof", lines=[HOURS]))
    before = await told(ana)
    kept = ana.boards.orders[ana.community_id]
    for number in range(60):
        payload = interest.encode_interest(number.to_bytes(16), "want")
        await ana.write(ana.community_id, [Draft(interest.NUMBER, b"", payload)])
        assert len(kept._changed) <= 50
    assert await told(ana) == before
