"""A node that has much to judge does other things meanwhile."""

from __future__ import annotations

import pytest
import trio

from p2pvalue.node import pace
from p2pvalue_protocol.documents.clients import client_of
from p2pvalue_protocol.documents.update_form import STRUCTS_MAX
from tests.bench.stalls import beside, section
from tests.node.small_node import SmallNode, exchange
from tests.node.test_document_attacks import plant

NAMES = ["ana", "eva"]


async def test_others_have_their_turn_while_one_heavy_update_is_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ana, eva = (SmallNode(name, NAMES) for name in NAMES)
    made = await eva.community.create_document("Plan")
    subject = bytes.fromhex(made.document)
    own = client_of(eva.device_seen, subject, 1)
    after = [beside(0x84, (own, at)) for at in range(STRUCTS_MAX - 1)]
    await plant(eva, subject, section(own, 0, beside(0x04), *after), session=1)
    exchange(ana, eva)
    monkeypatch.setattr(pace, "WORK_S_MAX", 0.0)  # a rest wherever there may be one
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(count_turns)
        shown = await ana.community.document_text("Plan")
        nursery.cancel_scope.cancel()
    assert shown.text == "a" * STRUCTS_MAX
    assert turns >= STRUCTS_MAX // 256
