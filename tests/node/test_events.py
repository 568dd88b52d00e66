from __future__ import annotations

import pytest
import trio
import trio.testing

from p2pvalue.need_types import LineView, NeedDraft
from p2pvalue.node import events
from p2pvalue.node.events import EventHub, ReaderCutOff
from p2pvalue.types import EventView
from p2pvalue_protocol.ids import CONTENT, Reference
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kind import NO_SUBJECT
from p2pvalue_protocol.kinds import chat, thanks
from tests.node.small_node import SmallNode
from tests.protocol.verdicts import Verdicts


def event(number: int, community: str = "aa") -> EventView:
    return EventView(event="message", community=community, subject=f"{number:x}", time=number)


async def test_a_reader_gets_what_happens_from_now_on_in_order() -> None:
    hub = EventHub()
    hub.publish(event(0))
    async with hub.open() as stream:
        hub.publish(event(1))
        hub.publish(event(2))
        assert [(await anext(stream)).time for _ in range(2)] == [1, 2]


async def test_a_reader_of_one_community_gets_nothing_of_others() -> None:
    hub = EventHub()
    async with hub.open("aa") as stream:
        hub.publish(event(1, "bb"))
        hub.publish(event(2, "aa"))
        assert (await anext(stream)).time == 2


async def test_a_reader_that_falls_behind_is_cut_off_and_told_and_others_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(events, "BEHIND_MAX", 3)
    hub = EventHub()
    async with hub.open() as slow, hub.open() as quick:
        for number in range(6):
            hub.publish(event(number))
            assert (await anext(quick)).time == number
        assert [(await anext(slow)).time for _ in range(3)] == [0, 1, 2]
        with pytest.raises(ReaderCutOff, match="open a new stream"):
            await anext(slow)


async def test_a_reader_that_only_waits_keeps_up_with_a_node_that_folds_a_long_history(
    nursery: trio.Nursery,
) -> None:
    hub = EventHub()
    heard: list[int] = []

    async def listen(*, task_status: trio.TaskStatus[None]) -> None:
        async with hub.open() as stream:
            task_status.started()
            async for one in stream:
                heard.append(one.time)

    await nursery.start(listen)
    for number in range(3 * events.BEHIND_MAX):
        hub.publish(event(number))
        if number % 1_000 == 0:  # one turn of the scheduler for each input
            await trio.lowlevel.checkpoint()
    hub.close()
    await trio.testing.wait_all_tasks_blocked()
    assert heard == list(range(3 * events.BEHIND_MAX))


async def test_streams_end_when_the_node_stops() -> None:
    hub = EventHub()
    async with hub.open() as stream:
        hub.publish(event(1))
        hub.close()
        assert [one.time async for one in stream] == [1]
    async with hub.open() as late:
        assert [one async for one in late] == []


async def test_a_reader_that_leaves_costs_nothing_more() -> None:
    hub = EventHub()
    with pytest.raises(trio.TooSlowError), trio.fail_after(0):
        async with hub.open() as stream:
            await anext(stream)
    assert not hub.has_readers
    hub.publish(event(1))


async def test_every_kind_of_change_has_its_event() -> None:
    ana = SmallNode("ana", ["ana"])
    line = LineView(kind="hours", unit="minute", minimum=1, optimum=1)
    async with ana.events.open(ana.community_id.hex()) as stream:
        await ana.community.describe("Garden")
        await ana.community.set_my_name("Ana")
        message = await ana.community.post("hello")
        document = await ana.community.create_document("Plan")
        await ana.community.edit_document("Plan", "text")
        need = await ana.community.needs.add(NeedDraft(title="Roof", lines=[line]))
        pledge = await ana.community.pledges.make("Roof", 1)
        done = await ana.community.contributions.add("Minutes", 90)
        said = thanks.encode_thanks(b"e" * 32, "for the bread")
        await ana.write(ana.community_id, [Draft(thanks.NUMBER, b"", said)])
        got = [await anext(stream) for _ in range(9)]
    assert [one.event for one in got] == [
        *("community", "profile", "message", "document", "document", "need", "pledge"),
        *("contribution", "thanks"),
    ]
    assert [one.subject for one in got[2:8]] == [
        *(message.message, document.document, document.document, need.need, pledge.need),
        done.contribution,
    ]
    assert got[2].data == {
        "member": message.member,
        "channel": "",
        "reply": "",
        "text": "hello",
    }


async def test_a_burst_of_updates_to_one_document_is_one_event() -> None:
    ana = SmallNode("ana", ["ana"])
    await ana.community.create_document("Plan")
    async with ana.events.open() as stream:
        await ana.community.edit_document("Plan", "x" * 50_000)
        await ana.community.post("the end")
        got = [await anext(stream) for _ in range(2)]
    assert [one.event for one in got] == ["document", "message"]


async def test_who_may_take_part_is_an_event_of_members() -> None:
    ana = SmallNode("ana", ["ana"])
    async with ana.events.open() as stream:
        ana.report(ana.replica.changes)
        assert (await anext(stream)).event == "member"


async def test_a_hidden_message_is_an_event_without_its_text_and_one_shown_again_has_it() -> None:
    ana = SmallNode("ana", ["ana"])
    verdicts = Verdicts()
    verdicts.rule(ana.replica)
    message = await ana.community.post("hello")
    (entry,) = ana.store.entries(ana.community_id, NO_SUBJECT, chat.NUMBER)
    written = Reference(entry.order.device, CONTENT, entry.order.seq, entry.order.op_id)
    async with ana.events.open() as stream:
        verdicts.hide(written)
        ana.take([])
        verdicts.show(written)
        ana.take([])
        hidden, shown = [await anext(stream) for _ in range(2)]
    assert (hidden.event, hidden.subject) == (shown.event, shown.subject)
    assert hidden.subject == message.message
    assert hidden.data == {"member": message.member, "channel": "", "again": "hidden"}
    assert (shown.data["text"], shown.data["again"]) == ("hello", "shown")
