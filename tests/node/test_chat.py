from __future__ import annotations

import pytest

from p2pvalue_protocol.errors import LocalProtocolError, NotFound
from tests.node.small_node import SmallNode, exchange


def said(node: SmallNode, **page: str | int) -> list[str]:
    return [m.text for m in node.community.messages(**page)]  # type: ignore[arg-type]  # mixed


async def test_pages_lead_through_the_whole_list_in_both_directions(ana: SmallNode) -> None:
    for number in range(7):
        await ana.community.post(str(number))
    newest = ana.community.messages(limit=3)
    assert [message.text for message in newest] == ["4", "5", "6"]
    assert said(ana, limit=3, before=newest[0].cursor) == ["1", "2", "3"]
    first = ana.community.messages(limit=1, before=newest[0].cursor)[0]
    assert said(ana, limit=2, after=first.cursor) == ["4", "5"]
    assert said(ana, after=newest[-1].cursor) == []
    assert said(ana, limit=0) == []


async def test_two_nodes_show_the_same_list_with_the_names_people_chose(
    ana: SmallNode, eva: SmallNode
) -> None:
    nameless = await ana.community.post("before I had a name")
    assert nameless.name == f"member {nameless.member[:6]}"
    await ana.community.set_my_name("Ana")
    await eva.community.post("hello")
    exchange(ana, eva)
    assert ana.community.messages() == eva.community.messages()
    assert {m.name for m in ana.community.messages() if m.member == nameless.member} == {"Ana"}


async def test_what_was_posted_is_shown_as_the_list_shows_it(ana: SmallNode) -> None:
    first = await ana.community.post("hello")
    channel = first.message
    answer = await ana.community.post("and hello again", channel=channel, reply=first.message)
    assert ana.community.messages() == [first]
    assert ana.community.messages(channel=channel) == [answer]


async def test_a_reply_names_a_message_by_a_few_digits(ana: SmallNode) -> None:
    first = await ana.community.post("who has a ladder?")
    answer = await ana.community.post("I do", reply=first.message[:8])
    assert answer.reply == first.message
    with pytest.raises(NotFound, match="no message"):
        await ana.community.post("I do", reply="ffffffff")


async def test_a_channel_is_a_list_of_its_own(ana: SmallNode) -> None:
    channel = "0123456789abcdef" * 2
    await ana.community.post("in the channel", channel=channel)
    await ana.community.post("to all")
    assert said(ana, channel=channel) == ["in the channel"]
    assert said(ana) == ["to all"]


@pytest.mark.parametrize(
    ("page", "says"),
    [
        ({"before": "x", "after": "y"}, "one direction"),
        ({"before": "nonsense!"}, "no cursor"),
        ({"after": "é"}, "no cursor"),
        ({"after": "lAEBAQE="}, "no cursor"),
        ({"channel": "garden"}, "no channel"),
    ],
)
def test_a_page_that_cannot_be_is_refused_with_a_next_step(
    ana: SmallNode, page: dict[str, str], says: str
) -> None:
    with pytest.raises(LocalProtocolError, match=says):
        said(ana, **page)


async def test_what_is_wrong_with_a_message_is_said(ana: SmallNode) -> None:
    with pytest.raises(LocalProtocolError, match="empty"):
        await ana.community.post("  ")
    assert said(ana) == []
