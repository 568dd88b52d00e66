from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
import trio

from p2pvalue.node.documents.open_documents import OPEN_MAX, OpenDocuments
from p2pvalue.store import StoreFailed
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted, NotFound
from p2pvalue_protocol.ids import CONTENT, Reference
from p2pvalue_protocol.kinds import document
from tests.node.small_node import SmallNode, exchange
from tests.protocol.verdicts import Verdicts


async def texts(nodes: Sequence[SmallNode], title: str) -> set[str]:
    return {(await node.community.document_text(title)).text for node in nodes}


async def test_what_is_typed_can_be_read_and_survives_a_restart(ana: SmallNode) -> None:
    made = await ana.community.create_document("Plan", "Bring 😀 and tea\n")
    edited = await ana.community.splice_document("Plan", [(6, 1, "héllo"), (11, 4, "")])
    assert edited.text == "Bring héllo tea\n"
    ana.restart()
    again = await ana.community.document_text(made.document)
    assert (again.text, again.version) == (edited.text, edited.version)
    assert (await ana.community.splice_document("Plan", [(0, 0, "1. ")])).text.startswith("1. Bri")
    assert [view.updates for view in ana.community.documents()] == [3]


async def test_concurrent_edits_of_two_nodes_converge_and_keep_both(
    ana: SmallNode, eva: SmallNode
) -> None:
    await ana.community.create_document("Plan", "the roof leaks")
    exchange(ana, eva)
    await ana.community.splice_document("Plan", [(0, 0, "[ana] ")])
    await eva.community.splice_document("Plan", [(14, 0, " [eva]")])
    exchange(ana, eva)
    assert await texts([ana, eva], "Plan") == {"[ana] the roof leaks [eva]"}
    versions = {(await n.community.document_text("Plan")).version for n in (ana, eva)}
    assert len(versions) == 1


async def test_random_concurrent_edits_converge_whatever_is_open(
    ana: SmallNode, eva: SmallNode, rng: random.Random
) -> None:
    await ana.community.create_document("Plan", "0123456789")
    exchange(ana, eva)
    for _ in range(60):
        node = rng.choice([ana, eva])
        length = len((await node.community.document_text("Plan")).text)
        edits = []
        for _ in range(rng.randint(1, 4)):
            position = rng.randint(0, length)
            deleted = rng.randint(0, min(3, length - position))
            inserted = "".join(rng.choice("aé😀\n") for _ in range(rng.randint(0, 4)))
            edits.append((position, deleted, inserted))
            length += len(inserted) - deleted
        await node.community.splice_document("Plan", edits)
        if rng.random() < 0.3:
            exchange(ana, eva)
        if rng.random() < 0.1:
            node.restart()
    exchange(ana, eva)
    before = await texts([ana, eva], "Plan")
    assert len(before) == 1
    ana.restart()
    assert await texts([ana], "Plan") == before


async def test_a_saved_file_keeps_what_another_wrote_meanwhile(
    ana: SmallNode, eva: SmallNode
) -> None:
    await ana.community.create_document("Plan", "one\ntwo\nthree\n")
    exchange(ana, eva)
    opened = await ana.community.document_text("Plan")
    await eva.community.splice_document("Plan", [(4, 3, "zwei"), (15, 0, "four\n")])
    exchange(ana, eva)
    saved = await ana.community.edit_document(
        "Plan", "one!\ntwo\nthree\n", base_version=opened.version
    )
    assert saved.text == "one!\nzwei\nthree\nfour\n"
    exchange(ana, eva)
    assert await texts([ana, eva], "Plan") == {saved.text}


async def test_a_late_save_is_merged_by_its_base_text_when_the_version_is_unknown(
    ana: SmallNode,
) -> None:
    await ana.community.create_document("Plan", "one\nzwei\nthree\n")
    saved = await ana.community.edit_document(
        "Plan", "one!\ntwo\nthree\n", base_version="f" * 32, base_text="one\ntwo\nthree\n"
    )
    assert saved.text == "one!\nzwei\nthree\n"
    by_text = await ana.community.edit_document(
        "Plan", "one\ntwo\nthree!\n", base_text="one\ntwo\nthree\n"
    )
    assert by_text.text == "one!\nzwei\nthree!\n"
    with pytest.raises(LocalProtocolError, match="give the text"):
        await ana.community.edit_document("Plan", "one", base_version="f" * 32)


async def test_two_saves_from_one_old_base_keep_both_and_the_log_whole(ana: SmallNode) -> None:
    await ana.community.create_document("Plan", "a\nb\nc\n")
    base = (await ana.community.document_text("Plan")).version
    await ana.community.splice_document("Plan", [(0, 0, "0\n")])
    await ana.community.edit_document("Plan", "a1\nb\nc\n", base_version=base)
    last = await ana.community.edit_document("Plan", "a\nb\nc1\n", base_version=base)
    assert last.text == "0\na1\nb\nc1\n"
    assert last.skipped == 0
    ana.restart()
    assert await texts([ana], "Plan") == {last.text}


async def test_without_a_base_the_text_becomes_what_was_given(ana: SmallNode) -> None:
    await ana.community.create_document("Plan", "a\nb\n")
    assert (await ana.community.edit_document("Plan", "b\nc\n")).text == "b\nc\n"
    written = ana.written
    assert (await ana.community.edit_document("Plan", "b\nc\n")).text == "b\nc\n"
    assert ana.written == written, "an unchanged text writes nothing"


async def test_a_session_counts_in_its_own_text_until_it_asks_for_what_others_wrote(
    ana: SmallNode, eva: SmallNode
) -> None:
    await ana.community.create_document("Plan", "abc")
    exchange(ana, eva)
    await ana.community.splice_document("Plan", [(3, 0, "d")], session=1)
    await eva.community.splice_document("Plan", [(0, 0, "XXXX")])
    exchange(ana, eva)
    # Session 1 has not asked for XXXX: its position 4 is still the end of "abcd".
    shown = await ana.community.splice_document("Plan", [(4, 0, "e")], session=1)
    assert shown.text == "abcde"
    assert await texts([ana], "Plan") == {"XXXXabcde"}
    shown = await ana.community.splice_document("Plan", [], session=1)
    assert (shown.text, shown.skipped) == ("XXXXabcde", 0)
    shown = await ana.community.splice_document("Plan", [(9, 0, "f")], session=1)
    assert shown == await ana.community.document_text("Plan")
    exchange(ana, eva)
    assert await texts([ana, eva], "Plan") == {"XXXXabcdef"}
    ana.restart()
    resumed = await ana.community.splice_document("Plan", [(0, 0, "1")], session=1)
    assert (resumed.text, resumed.skipped) == ("1XXXXabcdef", 0)


async def test_a_session_that_types_for_long_without_looking_counts_everything_once(
    ana: SmallNode, eva: SmallNode
) -> None:
    await ana.community.create_document("Plan")
    exchange(ana, eva)
    await eva.community.splice_document("Plan", [(0, 0, "eva ")])
    await ana.community.splice_document("Plan", [(0, 0, "x")], session=1)
    exchange(ana, eva)
    for number in range(1, 1_100):
        edits = [(number, 0, "x")] if number % 100 else [(0, 1, ""), (0, 0, "x"), (number, 0, "x")]
        await ana.community.splice_document("Plan", edits, session=1)
    shown = await ana.community.splice_document("Plan", [], session=1)
    assert sorted(shown.text) == sorted("eva " + "x" * 1_100)
    assert shown == await ana.community.document_text("Plan")
    assert shown.skipped == 0


async def test_a_session_that_was_closed_is_refused(ana: SmallNode) -> None:
    await ana.community.create_document("Plan", "abc")
    for session in range(1, 10):
        await ana.community.splice_document("Plan", [(0, 0, "x")], session=session)
    with pytest.raises(LocalProtocolError, match="new number"):
        await ana.community.splice_document("Plan", [(0, 0, "x")], session=1)


async def test_an_edit_that_was_not_written_is_not_shown(ana: SmallNode) -> None:
    await ana.community.create_document("Plan", "abc")
    ana.refusal = NotAdmitted("ask an admin")
    with pytest.raises(NotAdmitted):
        await ana.community.splice_document("Plan", [(0, 0, "lost ")])
    assert await texts([ana], "Plan") == {"abc"}
    after = await ana.community.splice_document("Plan", [(0, 0, "kept ")])
    assert (after.text, after.skipped) == ("kept abc", 0)


async def test_a_caller_who_gives_up_leaves_the_edit_whole(ana: SmallNode) -> None:
    await ana.community.create_document("Plan", "abc")
    ana.gate = trio.Event()

    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as caller:

            async def give_up() -> None:
                await ana.arrived.wait()
                caller.cancel()
                assert ana.gate is not None
                ana.gate.set()

            nursery.start_soon(give_up)
            await ana.community.splice_document("Plan", [(0, 0, "typed ")])
    ana.gate = None
    after = await ana.community.splice_document("Plan", [(0, 0, "more ")])
    assert (after.text, after.skipped) == ("more typed abc", 0)


async def test_callers_of_one_document_take_turns(ana: SmallNode) -> None:
    await ana.community.create_document("Plan")

    async def type_word(word: str) -> None:
        for _ in range(10):
            await ana.community.splice_document("Plan", [(0, 0, word)])

    async with trio.open_nursery() as nursery:
        for word in ("aa", "bb", "cc"):
            nursery.start_soon(type_word, word)
    view = await ana.community.document_text("Plan")
    assert (len(view.text), view.skipped) == (60, 0)
    assert view.text.replace("aa", "").replace("bb", "").replace("cc", "") == ""


async def test_edits_out_of_the_text_are_refused_whole(ana: SmallNode) -> None:
    await ana.community.create_document("Plan", "abc")
    written = ana.written
    for edits in ([(0, 0, "x"), (5, 0, "y")], [(0, 4, "")], [(-1, 0, "x")], [(0, 0, "\ud800")]):
        with pytest.raises(LocalProtocolError):
            await ana.community.splice_document("Plan", edits)
    assert await texts([ana], "Plan") == {"abc"}
    assert ana.written == written


async def test_a_long_paste_becomes_several_operations_that_fit(ana: SmallNode) -> None:
    text = "añ😀\n" * 10_000
    await ana.community.create_document("Plan", text)
    await ana.community.edit_document("Plan", "short")
    ana.restart()
    assert await texts([ana], "Plan") == {"short"}
    entries = ana.store.entries(
        ana.community_id,
        bytes.fromhex(ana.community.documents()[0].document),
        document.UPDATE_NUMBER,
    )
    assert len(entries) > 2
    assert all(entry.payload and len(entry.payload) <= 65_536 for entry in entries)


async def test_documents_beyond_the_bound_are_closed_and_open_again(ana: SmallNode) -> None:
    for number in range(OPEN_MAX + 4):
        await ana.community.create_document(f"Plan {number}", f"text {number}")
    for number in range(OPEN_MAX + 4):
        assert await texts([ana], f"Plan {number}") == {f"text {number}"}
    assert open_count(ana.documents) == OPEN_MAX


def open_count(documents: OpenDocuments) -> int:
    return len(documents._open)


async def test_a_snapshot_changes_nothing_but_the_time_to_open(ana: SmallNode) -> None:
    view = await ana.community.create_document("Plan")
    subject = bytes.fromhex(view.document)
    for number in range(70):
        await ana.community.splice_document("Plan", [(0, 0, f"{number},")])
    before = await ana.community.document_text("Plan")
    await ana.documents.close()
    kept = ana.store.snapshot(ana.community_id, subject)
    assert kept is not None
    ana.restart()
    assert await ana.community.document_text("Plan") == before
    more = await ana.community.splice_document("Plan", [(0, 0, "!")])
    ana.store.put_snapshot(ana.community_id, subject, kept.covers, b"damaged")
    ana.restart()
    assert await ana.community.document_text("Plan") == more


async def test_a_full_disk_costs_the_snapshot_and_nothing_else(
    ana: SmallNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreFailed("no room")

    monkeypatch.setattr(ana.store, "put_snapshot", full)
    await ana.community.create_document("Plan 0")
    for _ in range(1_002):
        await ana.community.splice_document("Plan 0", [(0, 0, "x")])
    for number in range(1, OPEN_MAX + 2):
        await ana.community.create_document(f"Plan {number}", "text")
    assert await texts([ana], "Plan 0") == {"x" * 1_002}


async def test_a_version_before_the_snapshot_is_still_a_base(ana: SmallNode) -> None:
    await ana.community.create_document("Plan", "a\nb\n")
    base = (await ana.community.document_text("Plan")).version
    for _ in range(70):
        await ana.community.splice_document("Plan", [(0, 0, "0\n")])
    await ana.documents.close()
    ana.restart()
    saved = await ana.community.edit_document("Plan", "a\nb1\n", base_version=base)
    assert saved.text == "0\n" * 70 + "a\nb1\n"


async def test_more_updates_than_one_read_brings_are_all_taken_in(
    ana: SmallNode, eva: SmallNode
) -> None:
    await ana.community.create_document("Plan")
    exchange(ana, eva)
    await ana.community.document_text("Plan")
    for _ in range(1_100):
        await eva.community.splice_document("Plan", [(0, 0, "x")])
    exchange(ana, eva)
    view = await ana.community.document_text("Plan")
    assert (view.text, view.skipped) == ("x" * 1_100, 0)
    assert view.version == (await eva.community.document_text("Plan")).version


async def test_an_update_that_is_read_before_it_is_reported_counts_once(
    ana: SmallNode, eva: SmallNode
) -> None:
    await ana.community.create_document("Plan", "abc")
    exchange(ana, eva)
    await eva.community.splice_document("Plan", [(0, 0, "x")])
    runs = eva.runs(ana.replica.heads())
    ana.replica.begin()
    ana.replica.receive(runs, eva.now_ms)
    ana.store.commit([ana.replica.finish()])
    await ana.documents.close()
    read_first = await ana.community.document_text("Plan")
    ana.report(ana.replica.changes)
    assert await ana.community.document_text("Plan") == read_first
    assert (read_first.text, read_first.skipped) == ("xabc", 0)


async def test_a_reader_that_is_admitted_writes_in_its_devices_name(ana: SmallNode) -> None:
    await ana.community.create_document("Plan", "abc")
    device, ana.device_seen = ana.device_seen, b""
    assert await texts([ana], "Plan") == {"abc"}
    ana.device_seen = device
    after = await ana.community.splice_document("Plan", [(3, 0, "d")])
    ana.restart()
    again = await ana.community.document_text("Plan")
    assert (again.text, again.skipped, again.version) == ("abcd", 0, after.version)


async def test_an_unknown_document_is_named_in_the_error(ana: SmallNode) -> None:
    with pytest.raises(NotFound, match='no document "Plan"'):
        await ana.community.document_text("Plan")


async def test_a_text_is_made_anew_without_hidden_updates_and_with_them_again(
    ana: SmallNode, eva: SmallNode
) -> None:
    verdicts = Verdicts()
    verdicts.rule(ana.replica)
    await ana.community.create_document("Plan", "the roof leaks")
    exchange(ana, eva)
    for number in range(3):  # of one session: each goes on where the one before was
        await eva.community.splice_document("Plan", [(0, 0, f"[eva {number}] ")])
    exchange(ana, eva)
    before = await ana.community.document_text("Plan")
    assert before.text == "[eva 2] [eva 1] [eva 0] the roof leaks"
    subject = bytes.fromhex(before.document)
    updates = ana.store.entries(ana.community_id, subject, document.UPDATE_NUMBER)
    theirs = [
        Reference(o.device, CONTENT, o.seq, o.op_id)
        for o in (entry.order for entry in updates)
        if o.device == eva.device_seen
    ]
    await ana.community.splice_document("Plan", [(len(before.text), 0, " still")], session=1)
    verdicts.hide(*theirs[:1])
    ana.take([])
    # The place that Eva's first word had is where the others stand.
    assert (
        await ana.community.document_text("Plan")
    ).text == "[eva 2] [eva 1] the roof leaks still"
    with pytest.raises(LocalProtocolError, match="closed"):
        await ana.community.splice_document("Plan", [(0, 0, "x")], session=1)
    verdicts.show(*theirs)
    ana.take([])
    again = await ana.community.document_text("Plan")
    assert again.text == "[eva 2] [eva 1] [eva 0] the roof leaks still"
    await ana.documents.close()
    ana.restart()
    assert await ana.community.document_text("Plan") == again
