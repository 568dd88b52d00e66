from __future__ import annotations

from tests.node.small_node import SmallNode, exchange

NAMES = ["ana", "eva"]


async def test_a_community_is_called_what_its_card_says() -> None:
    ana = SmallNode("ana", NAMES)
    assert ana.community.name == f"community {ana.community_id.hex()[:6]}"
    await ana.community.describe("Garden", "We grow food.")
    view = ana.community.view()
    assert (view.name, view.description) == ("Garden", "We grow food.")
    assert (view.rank, view.members, view.read, view.join) == ("founder", 2, "public", "invite")


async def test_members_are_listed_with_names_ranks_and_which_is_me() -> None:
    ana, eva = SmallNode("ana", NAMES), SmallNode("eva", NAMES)
    await ana.community.set_my_name("Ana")
    written = ana.written
    await ana.community.set_my_name("Ana")
    assert ana.written == written, "a name that is said already is not said again"
    exchange(ana, eva)
    shown = {view.name: view for view in eva.community.members()}
    assert not shown["Ana"].is_me
    assert shown["Ana"].rank == "founder"
    assert shown["Ana"].devices == [ana.device(b"").hex()]
    assert [view.is_me for name, view in shown.items() if name != "Ana"] == [True]


async def test_nodes_with_the_same_operations_have_one_digest() -> None:
    ana, eva = SmallNode("ana", NAMES), SmallNode("eva", NAMES)
    await ana.community.post("hello")
    await eva.community.create_document("Plan", "text")
    assert ana.community.digest() != eva.community.digest()
    exchange(ana, eva)
    assert ana.community.digest() == eva.community.digest()
