"""Hostile updates: none reaches pycrdt, and none of an honest editor is turned away."""

from __future__ import annotations

import random

import pycrdt
import pytest

from p2pvalue.node.difference import Edit
from p2pvalue.node.text import SharedText
from p2pvalue.node.updates import UpdateInvalid, client_of, read_update
from p2pvalue_protocol.ids import tagged_hash
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import document
from tests.node.small_node import SmallNode, exchange

ME = 5
ROOT = "0107" + b"content".hex()
# What each update would do is in its name; they are for client 5 and begin at clock 0.
HOSTILE = {
    "an empty section, which panics": "0100050000",
    "the five bytes that panic": "0100010100",
    "a skip before the first block, which panics": "010105000a0500",
    "a struct of length zero": f"0101050001{ROOT}0000",
    "an empty string": f"0101050004{ROOT}0000",
    "another client's clock": f"0101070004{ROOT}016100",
    "two sections": f"0201050004{ROOT}01610101070004{ROOT}016100",
    "a map key": f"0101050024{ROOT}01610161" + "00",
    "another root": "0101050004010474657374016100",
    "a parent that is a character": "0101050004000500016100",
    "a sub-document": f"0101050009{ROOT}016100",
    "a nested type": f"0101050007{ROOT}0000",
    "any value": f"0101050008{ROOT}017f00",
    "an embed": f"0101050005{ROOT}027b7d00",
    "a GC struct with flags": "01010500800500",
    "its own future as origin": "01010500840507" + "016100",
    "one character on both sides": "01010500c407000700" + "016100",
    "bytes after the end": f"0101050004{ROOT}01610000",
    "fewer bytes than it says": f"0101050004{ROOT}0961",
    "no UTF-8": f"0101050004{ROOT}01ff00",
    "a number in a longer form": f"018100050004{ROOT}016100",
    "a number without end": "01" + "ff" * 20,
    "more structs than there are": f"01904e050004{ROOT}016100",
    "a client above 53 bits": f"010181808080808080100004{ROOT}016100",
    "a clock that runs over": f"010105ffffffff0704{ROOT}016100",
    "a long stretch written and deleted at once": f"0101050001{ROOT}80800800",
    "deletions of its own future": f"0101050004{ROOT}01610105010005",
    "overlapping deletions": "000107020005" + "0301",
    "a deletion of nothing": "0001070100" + "00",
    "one client's deletions twice": "0002070100010701" + "0501",
    "deletions of no range": "00010700",
    "nothing at all": "",
}


@pytest.mark.parametrize("update", HOSTILE.values(), ids=HOSTILE.keys())
def test_an_update_that_no_editor_of_plain_text_writes_is_refused(update: str) -> None:
    with pytest.raises(UpdateInvalid):
        read_update(bytes.fromhex(update), ME)


def test_the_honest_neighbour_of_these_updates_is_taken() -> None:
    update = read_update(bytes.fromhex(f"0101050004{ROOT}016100"), ME)
    assert (update.client, update.first_clock, update.end_clock) == (5, 0, 1)
    assert read_update(bytes.fromhex("0001070200050501"), ME).named == {7: 6}


def test_no_bytes_make_the_reader_fail_otherwise(rng: random.Random) -> None:
    honest = bytes.fromhex(f"0101050004{ROOT}03616263" + "0107020005" + "0801")
    read_update(honest, ME)
    refused = 0
    for _ in range(3_000):
        data = bytearray(honest)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        if rng.random() < 0.5:
            del data[rng.randrange(len(data)) :]
        try:
            read_update(bytes(data), ME)
        except UpdateInvalid:
            refused += 1
    assert refused > 1_000


def test_everything_an_honest_editor_writes_is_taken(rng: random.Random) -> None:
    texts = [SharedText(client) for client in (3, 2**53 - 1)]
    for _ in range(400):
        text, other = rng.sample(texts, 2)
        length = len(text.text)
        position = rng.randint(0, length)
        edit = Edit(
            position,
            rng.randint(0, min(5, length - position)),
            "".join(rng.choice("ab\né😀") for _ in range(rng.randint(0, 5))),
        )
        for update in text.edit([edit, edit] if edit.deleted == 0 else [edit]):
            read_update(update, text.client)
            other.apply(update)
    assert texts[0].text == texts[1].text


def test_a_client_id_is_53_bits_of_a_hash_over_device_document_and_session() -> None:
    device, subject = b"d" * 32, b"s" * 16
    digest = tagged_hash("yid", device + subject + (7).to_bytes(4, "big"))
    expected = int("".join(f"{byte:08b}" for byte in digest)[:53], 2)
    assert client_of(device, subject, 7) == expected


# --- in a document


async def plant(node: SmallNode, subject: bytes, update: bytes, session: int = 0) -> None:
    """Write an update as a member whose software checks nothing would."""
    payload = document.encode_document_update(update, session)
    await node.write(node.community_id, [Draft(document.UPDATE_NUMBER, subject, payload)])


def foreign_update(client: int, text: str) -> bytes:
    editor: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc(client_id=client)
    editor.get("content", type=pycrdt.Text).insert(0, text)
    return bytes(editor.get_update())


async def test_hostile_updates_show_nothing_and_are_counted_alike_everywhere() -> None:
    ana, eva = SmallNode("ana", ["ana", "eva"]), SmallNode("eva", ["ana", "eva"])
    view = await ana.community.create_document("Plan", "abc")
    subject = bytes.fromhex(view.document)
    exchange(ana, eva)
    hostile = [bytes.fromhex(update) for update in HOSTILE.values() if update]
    for update in hostile:
        await plant(eva, subject, update)
    exchange(ana, eva)
    await ana.community.splice_document("Plan", [(3, 0, "d")])
    exchange(ana, eva)
    for node in (ana, eva):
        shown = await node.community.document_text("Plan")
        assert (shown.text, shown.skipped) == ("abcd", len(hostile))
        await node.documents.close()
        node.restart()
        assert await node.community.document_text("Plan") == shown


async def test_an_update_in_anothers_name_or_out_of_turn_is_skipped() -> None:
    ana, eva = SmallNode("ana", ["ana", "eva"]), SmallNode("eva", ["ana", "eva"])
    view = await ana.community.create_document("Plan", "abc")
    subject = bytes.fromhex(view.document)
    exchange(ana, eva)
    in_her_name = client_of(ana.device(b""), subject, 0)
    await plant(eva, subject, foreign_update(in_her_name, "forged"))
    own = client_of(eva.device(b""), subject, 9)
    first = foreign_update(own, "first")
    await plant(eva, subject, first, session=9)
    await plant(eva, subject, first, session=9)  # the same clock again
    gap = foreign_update(client_of(eva.device(b""), subject, 8), "x" * 5 + "y")
    await plant(eva, subject, gap.replace(b"\x00\x04\x01", b"\x05\x04\x01", 1), session=8)
    exchange(ana, eva)
    shown = await ana.community.document_text("Plan")
    assert sorted(shown.text) == sorted("abcfirst")
    assert shown.skipped == 3
    assert (await eva.community.document_text("Plan")).text == shown.text


async def test_an_update_that_makes_pycrdt_fail_is_set_aside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Panic(BaseException):
        pass

    ana = SmallNode("ana", ["ana"])
    view = await ana.community.create_document("Plan", "abc")
    poison = foreign_update(client_of(ana.device(b""), bytes.fromhex(view.document), 3), "boom")
    await plant(ana, bytes.fromhex(view.document), poison, session=3)
    apply = pycrdt.Doc.apply_update

    def apply_or_panic(self: pycrdt.Doc[pycrdt.Text], update: bytes) -> None:
        if update == poison:
            raise Panic
        apply(self, update)

    monkeypatch.setattr(pycrdt.Doc, "apply_update", apply_or_panic)
    ana.restart()
    shown = await ana.community.document_text("Plan")
    assert (shown.text, shown.skipped) == ("abc", 1)
    after = await ana.community.splice_document("Plan", [(3, 0, "d")])
    assert (after.text, after.skipped) == ("abcd", 1)


async def test_no_snapshot_is_kept_while_an_update_names_what_nobody_wrote() -> None:
    ana = SmallNode("ana", ["ana"])
    view = await ana.community.create_document("Plan")
    subject = bytes.fromhex(view.document)
    for _ in range(70):
        await ana.community.splice_document("Plan", [(0, 0, "x")])
    deletes_the_unwritten = bytes.fromhex("000107010005")
    await plant(ana, subject, deletes_the_unwritten)
    await ana.documents.close()
    assert ana.store.snapshot(ana.community_id, subject) is None
