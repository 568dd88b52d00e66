from __future__ import annotations

import pytest

from p2pvalue.need_types import LineView, NeedDraft
from p2pvalue.node.needs import origins
from p2pvalue_protocol.errors import LocalProtocolError, NotFound
from tests.node.small_node import SmallNode, exchange

HOURS = LineView(kind="hours", unit="minute", minimum=120, optimum=600)


def of(message: str, **given: str) -> NeedDraft:
    return NeedDraft(lines=[HOURS], message=message, **given)  # type: ignore[arg-type]  # texts


async def test_a_need_of_a_message_has_its_words_and_both_name_each_other(
    ana: SmallNode, eva: SmallNode
) -> None:
    await eva.community.set_my_name("Eva")
    said = await eva.community.post("The  roof leaks\n\nSince Sunday.")
    exchange(ana, eva)
    made = await ana.community.needs.add(of("The roof leaks"))
    assert (made.title, made.body) == ("The roof leaks", "Since Sunday.")
    assert made.message == said.message
    assert made.origin is not None
    assert (made.origin.name, made.origin.text) == ("Eva", said.text)
    exchange(ana, eva)
    [shown] = eva.community.messages()
    assert [(one.need, one.title) for one in shown.needs] == [(made.need, "The roof leaks")]
    again = await ana.community.needs.add(of(said.message[:8], title="Roof", body="Soon"))
    assert (again.title, again.body) == ("Roof", "Soon")
    await ana.community.needs.change(made.need, NeedDraft(message=""))
    [shown] = ana.community.messages()
    assert [one.title for one in shown.needs] == ["Roof"]


async def test_a_message_that_is_no_title_needs_one(ana: SmallNode) -> None:
    await ana.community.post("x" * 301)
    with pytest.raises(LocalProtocolError, match="give one"):
        await ana.community.needs.add(of("x" * 301))
    made = await ana.community.needs.add(of("x" * 301, title="Roof"))
    assert made.body == "x" * 301


async def test_a_message_that_is_not_here_is_refused(ana: SmallNode) -> None:
    await ana.community.post("In another channel", channel="ab" * 16)
    for reference in ("In another channel", "cd" * 16):
        with pytest.raises(NotFound, match="no message"):
            await ana.community.needs.add(of(reference))


async def test_a_need_outlives_the_days_in_which_its_message_is_found(
    ana: SmallNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(origins, "AMONG", 1)
    await ana.community.post("Roof")
    made = await ana.community.needs.add(of("Roof"))
    await ana.community.post("Something else")
    later = ana.community.needs.named("Roof")
    assert (later.message, later.origin) == (made.message, None)
