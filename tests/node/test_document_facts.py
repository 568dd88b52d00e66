"""In which order stored updates are judged, and what is written of ours."""

from __future__ import annotations

from hashlib import sha256

import pytest

from p2pvalue.node.documents.document_facts import EMPTY_UPDATE, DocumentFacts
from p2pvalue.node.documents.set_aside import SetAside, Written
from p2pvalue.store import Base
from p2pvalue.texts.edits import Edit
from p2pvalue.texts.shared import SharedDocument
from p2pvalue_protocol.documents.clients import client_of
from p2pvalue_protocol.documents.placement import Placement
from p2pvalue_protocol.documents.steps import finish
from p2pvalue_protocol.errors import LocalProtocolError, P2PValueError
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds import document
from tests.node.small_node import SmallNode, exchange

SUBJECT = bytes(16)


def named(name: str) -> bytes:
    return sha256(name.encode()).digest()


def placed(name: str, log: int, seq: int, *heads: str, is_hidden: bool = False) -> Written:
    """An update that is known by its name and says nothing."""
    placement = Placement(named(name), named(f"device of {log}"), log, seq)
    return Written(placement, b"", is_hidden, 0, tuple(map(named, heads)), EMPTY_UPDATE)


def unforked(log: int) -> Base:
    return Base(None, -1)


def stored_id(log: int, seq: int) -> bytes:
    raise AssertionError(f"nobody names an old update: {log}, {seq}")


def facts_of(device: bytes, text: str) -> tuple[Written, DocumentFacts]:
    """An update of a device that writes a text, and facts that know of nothing."""
    (update,) = SharedDocument("plain", client_of(device, SUBJECT, 0)).edit([Edit(0, 0, text)])
    log = int.from_bytes(device[:4], "big")
    placement = Placement(named(f"{device!r}{text}"), device, log, 0)
    return Written(placement, device, False, 0, (), update), DocumentFacts(
        SUBJECT, document.SHAPE_PLAIN, unforked, stored_id
    )


# --- set aside


def test_what_is_hidden_stays_aside_until_one_that_counts_comes_behind_it() -> None:
    aside = SetAside(unforked)
    hidden = [placed(f"h{seq}", 1, seq, is_hidden=True) for seq in range(3)]
    for written in (hidden[0], hidden[2]):
        aside.add(written)
    other = placed("other", 2, 0)
    assert aside.take_needed(other) == [other]
    between = placed("between", 1, 1)
    assert aside.take_needed(between) == [hidden[0], between]
    assert aside.all() == [hidden[2]]


def test_what_one_that_counts_names_comes_before_it_with_all_that_it_rests_on() -> None:
    aside = SetAside(unforked)
    rested_on = placed("rested on", 3, 0, is_hidden=True)
    first = placed("first", 1, 0, is_hidden=True)
    named_one = placed("named", 1, 1, "rested on", is_hidden=True)
    later = placed("later", 1, 2, is_hidden=True)
    for written in (rested_on, first, named_one, later):
        aside.add(written)
    counts = placed("counts", 2, 0, "named")
    assert aside.take_needed(counts) == [first, rested_on, named_one, counts]
    assert aside.all() == [later]


def test_what_a_branch_goes_on_from_comes_before_it() -> None:
    bases = {1: Base(None, -1), 2: Base(1, 1), 3: Base(2, 2)}
    aside = SetAside(bases.__getitem__)
    before = [placed(f"b{seq}", 1, seq, is_hidden=True) for seq in range(3)]
    on_branch = placed("on the branch", 2, 2, is_hidden=True)
    for written in (*before, on_branch):
        aside.add(written)
    counts = placed("counts", 3, 3)
    found = aside.take_needed(counts)
    assert sorted(found[:-1]) == sorted([*before[:2], on_branch])
    assert found.index(before[1]) < found.index(on_branch) < found.index(counts) == 3
    assert aside.all() == [before[2]]


def test_one_that_waits_for_what_is_hidden_gets_it_when_it_comes() -> None:
    author, waiter = b"a" * 32, b"w" * 32
    hidden, facts = facts_of(author, "gone")
    hidden = hidden._replace(is_hidden=True)
    waits, _ = facts_of(waiter, "stays")
    waits = waits._replace(heads=(hidden.placement.op_id,))
    assert finish(facts.taking(waits)) == []
    assert facts.skips == [(waiter, "waits", 1)]
    kept = DocumentFacts(SUBJECT, document.SHAPE_PLAIN, unforked, stored_id)
    finish(kept.loading(finish(facts.dumping())))
    for each in (facts, kept):
        assert [j.op_id for j in finish(each.taking(hidden))] == [
            hidden.placement.op_id,
            waits.placement.op_id,
        ]
        assert each.skips == []
        assert not each.is_waiting


def test_facts_that_are_damaged_are_refused() -> None:
    _, facts = facts_of(b"a" * 32, "x")
    for data in (b"", b"damaged", finish(facts.dumping())[:-1]):
        with pytest.raises(ValueError, match=r"facts"):
            finish(facts.loading(data))


# --- ours


def test_more_heads_than_one_update_names_are_gathered_before_it() -> None:
    devices = [number.to_bytes(4, "big") * 8 for number in range(1, 71)]
    _, facts = facts_of(devices[0], "x")
    for device in devices:
        finish(facts.taking(facts_of(device, "x")[0]))
    me = b"m" * 32
    (update,) = SharedDocument("plain", client_of(me, SUBJECT, 0)).edit([Edit(0, 0, "mine")])
    own = finish(facts.judging_own(me, 999, 0, [update, EMPTY_UPDATE]))
    assert [(o.update, len(o.heads)) for o in own] == [
        (EMPTY_UPDATE, 64),
        (update, 6),
        (EMPTY_UPDATE, 0),
    ]
    orders = [Order(1, me, seq, named(f"mine {seq}")) for seq in range(3)]
    facts.wrote(own, orders, 999)
    assert finish(facts.judging_own(me, 999, 0, [EMPTY_UPDATE]))[0].heads == ()


@pytest.mark.parametrize("session", [0, 1])
async def test_an_edit_that_nobody_would_show_is_not_written(
    session: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = SmallNode("ana", ["ana"])
    await ana.community.create_document("Plan", "abc")
    await ana.community.splice_document("Plan", [(0, 0, ">")], session=session)
    written = ana.written
    edit = SharedDocument.edit
    monkeypatch.setattr(SharedDocument, "edit", lambda self, edits: edit(self, edits)[:1] * 2)
    with pytest.raises(P2PValueError, match=r"nothing was written.*out-of-turn"):
        await ana.community.splice_document("Plan", [(0, 0, "lost")], session=session)
    monkeypatch.undo()
    assert ana.written == written
    assert (await ana.community.document_text("Plan")).text == ">abc"
    if session:
        with pytest.raises(LocalProtocolError, match="closed"):
            await ana.community.splice_document("Plan", [(0, 0, "x")], session=session)
    after = await ana.community.splice_document("Plan", [(0, 0, "kept ")])
    assert (after.text, after.skipped) == ("kept >abc", 0)


async def test_only_the_first_update_of_a_paste_names_what_others_wrote() -> None:
    ana, eva = (SmallNode(name, ["ana", "eva"]) for name in ("ana", "eva"))
    made = await ana.community.create_document("Plan", "abc")
    exchange(ana, eva)
    await eva.community.splice_document("Plan", [(3, 0, "é" * 20_000)])
    exchange(ana, eva)
    await ana.community.splice_document("Plan", [(0, 0, "!")])
    entries = ana.store.entries(
        ana.community_id, bytes.fromhex(made.document), document.UPDATE_NUMBER
    )
    payloads = [document.DOCUMENT_UPDATE.decode(entry.payload or b"") for entry in entries]
    named_by = [
        payload.heads for payload in payloads if isinstance(payload, document.DocumentUpdate)
    ]
    assert named_by[:2] == [(), (entries[0].order.op_id,)]
    assert set(named_by[2:-1]) == {()}
    assert named_by[-1] == (entries[-2].order.op_id,)
