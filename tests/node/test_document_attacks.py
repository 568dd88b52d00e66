"""Who writes lies into a document wastes her own words: all others see one text, and go on."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

import pycrdt
import pytest

from p2pvalue.node.documents.document_facts import WAITS
from p2pvalue.texts.edits import Edit
from p2pvalue.texts.shared import SharedDocument
from p2pvalue.types import TextView
from p2pvalue_protocol.documents.clients import client_of
from p2pvalue_protocol.documents.numbers import write_number
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.ids import CONTENT, Reference
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import document
from tests.node.hostile_updates import hostile_updates
from tests.node.small_node import SmallNode, exchange, key
from tests.protocol.verdicts import Verdicts

NAMES = ["ana", "ben", "eva"]
ATTACKS = hostile_updates(1, 2)  # for their names


class Party(NamedTuple):
    """Two honest nodes, a liar, and a document that reads "abc", which Ana wrote."""

    ana: SmallNode
    ben: SmallNode
    eva: SmallNode
    subject: bytes
    first: bytes  # op id of "abc"

    async def texts(self) -> tuple[TextView, TextView]:
        """What the honest two see when each holds what the other does."""
        exchange(self.ana, self.ben)
        shown = [await node.community.document_text("Plan") for node in (self.ana, self.ben)]
        return shown[0], shown[1]

    async def one_text(self) -> TextView:
        """What both see, which is the same; as it is after a restart, too."""
        one, other = await self.texts()
        assert one == other
        self.ben.restart()
        assert await self.ben.community.document_text("Plan") == one
        return one


@pytest.fixture
async def party() -> Party:
    ana, ben, eva = (SmallNode(name, NAMES) for name in NAMES)
    made = await ana.community.create_document("Plan", "abc")
    subject = bytes.fromhex(made.document)
    exchange(ana, ben, eva)
    (entry,) = ana.store.entries(ana.community_id, subject, document.UPDATE_NUMBER)
    return Party(ana, ben, eva, subject, entry.order.op_id)


async def plant(
    node: SmallNode,
    subject: bytes,
    update: bytes,
    *,
    session: int = 0,
    heads: Sequence[bytes] = (),
) -> bytes:
    """Write an update as a member whose software checks nothing would; return its op id."""
    payload = document.encode_document_update(update, session, sorted(heads))
    draft = Draft(document.UPDATE_NUMBER, subject, payload)
    (order,) = await node.write(node.community_id, [draft])
    return order.op_id


def brought(one: SmallNode, other: SmallNode) -> None:
    """Bring one node what another has."""
    one.now_ms = other.now_ms = max(one.now_ms, other.now_ms)
    one.take(other.runs(one.replica.heads()))


def text_of(client: int, text: str) -> bytes:
    """Return what an editor writes that begins with an empty text."""
    (update,) = SharedDocument("plain", client).edit([Edit(0, 0, text)])
    return update


@pytest.mark.parametrize("name", ATTACKS)
async def test_an_attack_shows_nothing_and_is_told_with_its_reason(party: Party, name: str) -> None:
    ana, ben, eva, subject, first = party
    own, victim = client_of(eva.device(b""), subject, 7), client_of(ana.device(b""), subject, 0)
    attack = hostile_updates(own, victim)[name]
    await plant(eva, subject, attack.update, session=7, heads=[first])
    await plant(eva, subject, text_of(own, "more of that session"), session=7)
    brought(ana, eva)  # Ana hears of it before she writes on, Ben after he did
    await ana.community.splice_document("Plan", [(3, 0, "d")])
    await ben.community.splice_document("Plan", [(0, 0, "0")])
    brought(ben, eva)
    shown = await party.one_text()
    assert (shown.text, shown.skipped) == ("0abcd", 2)
    (after, why) = sorted(shown.without_effect, key=lambda w: w.reason != "after-void")
    assert {after.member, why.member} == {key("root eva").public.hex()}
    assert (after.reason, why.reason, why.updates) == ("after-void", str(attack.reason), 1)
    for node in (ana, ben):
        await node.community.splice_document("Plan", [(2, 1, "B")])
    assert (await party.one_text()).text.replace("B", "") == "0acd"


async def test_all_attacks_at_once_leave_the_writers_honest_words(party: Party) -> None:
    ana, ben, eva, subject, first = party
    victim = client_of(ana.device(b""), subject, 0)
    for session, name in enumerate(ATTACKS, 1):
        own = client_of(eva.device(b""), subject, session)
        attack = hostile_updates(own, victim)[name]
        await plant(eva, subject, attack.update, session=session, heads=[first])
    await eva.community.splice_document("Plan", [(3, 0, " and so on")])
    brought(ana, eva)
    await ben.community.splice_document("Plan", [(0, 1, "A")])
    brought(ben, eva)
    shown = await party.one_text()
    assert (shown.text, shown.skipped) == ("Abc and so on", len(ATTACKS))
    for node in (ana, ben):
        await node.documents.close()
        node.restart()
        assert await node.community.document_text("Plan") == shown


async def test_a_clock_written_twice_counts_once(party: Party) -> None:
    ana, ben, eva, subject, _ = party
    own = client_of(eva.device(b""), subject, 9)
    await plant(eva, subject, text_of(own, "first"), session=9)
    await plant(eva, subject, text_of(own, "other"), session=9)
    brought(ana, eva)
    brought(ben, eva)
    shown = await party.one_text()
    assert sorted(shown.text) == sorted("abcfirst")
    assert [w.reason for w in shown.without_effect] == ["out-of-turn"]


async def test_an_update_waits_for_what_it_names_and_nobody_is_blamed(party: Party) -> None:
    ana, ben, eva, subject, first = party
    ben_wrote = await ben.community.splice_document("Plan", [(3, 0, " Ben")])
    (head,) = (
        entry.order.op_id
        for entry in ben.store.entries(ben.community_id, subject, document.UPDATE_NUMBER)
        if entry.order.op_id != first
    )
    own = client_of(eva.device(b""), subject, 3)
    behind_bens = b"\x84" + write_number(client_of(ben.device(b""), subject, 0)) + b"\x03\x01!"
    update = b"\x01\x01" + write_number(own) + b"\x00" + behind_bens + b"\x00"
    await plant(eva, subject, update, session=3, heads=[head])  # which Eva's parents do not name
    brought(ana, eva)
    waiting = await ana.community.document_text("Plan")
    assert (waiting.text, waiting.skipped) == ("abc", 0)
    assert [(w.reason, w.updates) for w in waiting.without_effect] == [(WAITS, 1)]
    brought(ben, eva)
    assert (await party.one_text()).text == ben_wrote.text + "!"
    assert (await ana.community.document_text("Plan")).without_effect == []


async def test_what_waits_is_remembered_by_a_snapshot(party: Party) -> None:
    ana, _, eva, subject, _ = party
    own = client_of(eva.device(b""), subject, 3)
    await plant(eva, subject, text_of(own, "x"), session=3, heads=[b"h" * 32])
    brought(ana, eva)
    for _ in range(70):
        await ana.community.splice_document("Plan", [(0, 0, ".")])
    before = await ana.community.document_text("Plan")
    await ana.documents.close()
    assert ana.store.snapshot(ana.community_id, subject) is not None
    ana.restart()
    assert await ana.community.document_text("Plan") == before
    assert [w.reason for w in before.without_effect] == [WAITS]


async def test_random_places_of_a_liar_never_part_two_texts(
    party: Party, rng: random.Random
) -> None:
    ana, ben, eva, subject, first = party
    clients = [client_of(node.device(b""), subject, 0) for node in (ana, ben)]
    heads, typed = [first], 0
    for turn in range(40):
        own = client_of(eva.device(b""), subject, turn + 1)
        sides = rng.randrange(4)
        places = b"".join(
            write_number(rng.choice(clients)) + write_number(rng.randrange(turn // 4 + 3))
            for _ in range(sides.bit_count())
        )
        parent = b"" if sides else b"\x01\x07content"
        struct = (
            bytes([4 | sides << 6]) + places + parent + b"\x02" + rng.randbytes(1).hex().encode()
        )
        update = b"\x01\x01" + write_number(own) + b"\x00" + struct + b"\x00"
        await plant(eva, subject, update, session=turn + 1, heads=heads)
        heads = []
        for node in (ana, ben):
            if rng.random() < 0.5:
                length = len((await node.community.document_text("Plan")).text)
                await node.community.splice_document("Plan", [(rng.randint(0, length), 0, "o")])
                typed += 1
            if rng.random() < 0.3:
                brought(node, eva)
        if rng.random() < 0.3:
            exchange(ana, ben, eva)
            frontier = ana.store.entries(ana.community_id, subject, document.UPDATE_NUMBER)
            heads = [frontier[-1].order.op_id]
    brought(ana, eva)
    brought(ben, eva)
    assert (await party.one_text()).text.count("o") == typed


async def test_an_update_that_makes_pycrdt_fail_is_set_aside(
    party: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Panic(BaseException):
        pass

    ana, _, eva, subject, _ = party
    poison = text_of(client_of(eva.device(b""), subject, 3), "boom")
    await plant(eva, subject, poison, session=3)
    brought(ana, eva)
    apply = pycrdt.Doc.apply_update

    def apply_or_panic(self: pycrdt.Doc[pycrdt.Text], update: bytes) -> None:
        if update == poison:
            raise Panic
        apply(self, update)

    monkeypatch.setattr(pycrdt.Doc, "apply_update", apply_or_panic)
    ana.restart()
    shown = await ana.community.document_text("Plan")
    assert (shown.text, shown.skipped) == ("abc", 1)
    assert [w.reason for w in shown.without_effect] == ["broken-here"]
    after = await ana.community.splice_document("Plan", [(3, 0, "d")])
    assert (after.text, after.skipped) == ("abcd", 1)


# --- removals


class Removals:
    """Hides what a member wrote, on several nodes alike, as her removal would."""

    def __init__(self, *nodes: SmallNode) -> None:
        self._nodes = nodes
        self._verdicts = Verdicts()
        for node in nodes:
            self._verdicts.rule(node.replica)

    def hide(self, member: SmallNode, subject: bytes) -> None:
        self._verdicts.hide(*self._written(member, subject))
        self._settle()

    def show(self, member: SmallNode, subject: bytes) -> None:
        self._verdicts.show(*self._written(member, subject))
        self._settle()

    def _settle(self) -> None:
        for node in self._nodes:
            node.take([])

    def _written(self, member: SmallNode, subject: bytes) -> list[Reference]:
        found = {
            entry.order
            for node in (*self._nodes, member)
            for entry in node.store.entries_since(
                node.community_id, subject, document.UPDATE_NUMBER, 0, hidden=True
            )
        }
        return [
            Reference(o.device, CONTENT, o.seq, o.op_id)
            for o in sorted(found)
            if o.device == member.device_seen
        ]


async def test_the_words_of_who_is_removed_go_and_what_others_wrote_into_them_stays(
    party: Party,
) -> None:
    ana, ben, eva, subject, _ = party
    await eva.community.splice_document("Plan", [(3, 0, " [of Eva]"), (0, 1, "")])
    exchange(ana, ben, eva)
    await ana.community.splice_document("Plan", [(7, 0, "Ana within ")])
    exchange(ana, ben, eva)
    assert (await party.one_text()).text == "bc [of Ana within Eva]"
    removals = Removals(ana, ben)
    removals.hide(eva, subject)
    # What she deleted is back, and so would her words be.
    shown, other = await party.texts()
    assert shown == other
    assert shown.text == "abcAna within "
    await ben.community.splice_document("Plan", [(3, 0, " and Ben ")])
    shown, other = await party.texts()
    assert shown == other
    removals.show(eva, subject)
    shown, other = await party.texts()
    assert shown == other
    assert shown.text.startswith("bc")
    assert sorted(shown.text) == sorted("bc [of Ana within Eva] and Ben ")


async def test_words_of_the_removed_that_only_some_hold_part_nobody(party: Party) -> None:
    ana, ben, eva, subject, _ = party
    await eva.community.splice_document("Plan", [(0, 0, "Eva ")])
    exchange(ana, ben, eva)
    await ana.community.splice_document("Plan", [(4, 0, "Ana ")])
    await eva.community.splice_document("Plan", [(4, 0, "unread ")])
    brought(ben, eva)  # Ana will never hear of it: that log is told of no more
    Removals(ana, ben).hide(eva, subject)
    brought(ben, ana)
    shown = [await node.community.document_text("Plan") for node in (ana, ben)]
    assert [view.text for view in shown] == ["Ana abc"] * 2
    assert shown[0] == shown[1]


# --- forks


async def test_both_histories_of_a_forked_device_stay_with_all_that_others_wrote(
    party: Party,
) -> None:
    ana, ben, eva, *_ = party
    copied = SmallNode("eva", NAMES)  # the same device, begun twice
    copied.take(eva.runs([]))
    assert copied.replica.heads() == eva.replica.heads()
    await eva.community.splice_document("Plan", [(3, 0, " one")])
    await copied.community.splice_document("Plan", [(3, 0, " two")])
    brought(ana, eva)
    await ana.community.splice_document("Plan", [(5, 0, "Ana")])
    brought(ben, copied)
    await ben.community.splice_document("Plan", [(5, 0, "Ben")])
    assert (await ana.community.document_text("Plan")).text == "abc oAnane"
    assert (await ben.community.document_text("Plan")).text == "abc tBenwo"
    await ana.community.splice_document("Plan", [(0, 0, "x")], session=4)
    await ben.community.splice_document("Plan", [], session=4)
    exchange(ana, ben)
    # What one of them shows is called otherwise from now on: its sessions count no more in it.
    closed = 0
    for node in (ana, ben):
        try:
            await node.community.splice_document("Plan", [], session=4)
        except LocalProtocolError as error:
            closed += "closed" in str(error)
    assert closed == 1
    shown = await party.one_text()
    assert shown.skipped == 0
    assert {" oAnane" in shown.text, " tBenwo" in shown.text} == {True}
    assert sorted(shown.text) == sorted("xabc oAnane tBenwo")
    for node in (ana, ben):
        await node.community.splice_document("Plan", [(0, 0, ">")])
    shown = await party.one_text()
    assert shown.text.startswith(">>xabc")
    await ana.documents.close()
    ana.restart()
    assert await ana.community.document_text("Plan") == shown
