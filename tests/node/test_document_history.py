"""What was written can be seen again as it was, on every node, and brought back."""

from __future__ import annotations

import random

import pytest

from p2pvalue import past_types as pt
from p2pvalue.node.documents import document_replay, document_replica
from p2pvalue.node.documents.made_edits import PAUSE_MS_MAX, TYPING_MS_MAX
from p2pvalue_protocol.errors import NotFound
from tests.node.small_node import SmallNode, exchange, key


async def edits_of(node: SmallNode, limit: int = 100) -> list[pt.EditView]:
    return (await node.community.history.edits("Plan", limit)).edits


async def shown(node: SmallNode) -> str:
    return (await node.community.document_text("Plan")).text


def member(name: str) -> str:
    return key(f"root {name}").public.hex()


async def three_edits(ana: SmallNode, eva: SmallNode) -> None:
    await ana.community.create_document("Plan", "Tee 🍵 und 日本語\n")
    exchange(ana, eva)
    await eva.community.splice_document("Plan", [(4, 1, "שלום")])
    exchange(ana, eva)
    await ana.community.splice_document("Plan", [(2, 1, "a")])
    exchange(ana, eva)


async def test_every_text_saved_is_an_edit_with_its_author_and_letters(
    ana: SmallNode, eva: SmallNode
) -> None:
    await three_edits(ana, eva)
    edits = await edits_of(ana)
    assert [(e.member, e.inserted, e.deleted) for e in edits] == [
        (member("ana"), 14, 0),
        (member("eva"), 4, 1),
        (member("ana"), 1, 1),
    ]
    assert [edit.time for edit in edits] == sorted(edit.time for edit in edits)
    assert await edits_of(eva) == edits
    newest = await ana.community.history.edits("Plan", 1)
    assert (newest.edits, newest.earlier) == (edits[2:], 2)
    assert newest.version == edits[2].version


async def test_a_version_is_the_same_text_on_every_node_and_after_a_restart(
    ana: SmallNode, eva: SmallNode
) -> None:
    await three_edits(ana, eva)
    texts = ["Tee 🍵 und 日本語\n", "Tee שלום und 日本語\n", "Tea שלום und 日本語\n"]
    versions = [edit.version for edit in await edits_of(ana)]
    eva.restart()
    for node in (ana, eva):
        for version, text in zip(versions, texts, strict=True):
            view = await node.community.history.at("Plan", version[:8])
            assert (view.text, view.version) == (text, version)
    with pytest.raises(NotFound, match="no version"):
        await ana.community.history.at("Plan", "0" * 64)
    with pytest.raises(NotFound, match="no version"):
        await ana.community.history.at("Plan", "the first")


async def test_edits_at_the_same_time_are_versions_of_their_own_and_together(
    ana: SmallNode, eva: SmallNode
) -> None:
    await ana.community.create_document("Plan", "tea")
    exchange(ana, eva)
    await ana.community.splice_document("Plan", [(0, 0, "[ana]")])
    await eva.community.splice_document("Plan", [(3, 0, "[eva]")])
    exchange(ana, eva)
    history = await ana.community.history.edits("Plan", 100)
    texts = [(await eva.community.history.at("Plan", edit.version)).text for edit in history.edits]
    assert sorted(texts) == ["[ana]tea", "tea", "tea[eva]"]
    assert len(history.version.split("+")) == 2
    both = await eva.community.history.at("Plan", history.version)
    assert both.text == "[ana]tea[eva]"
    assert both.version == history.version


async def test_blame_tells_who_wrote_and_who_deleted_each_run(
    ana: SmallNode, eva: SmallNode
) -> None:
    await three_edits(ana, eva)
    edits = await edits_of(ana)
    first, second, third = (edit.version for edit in edits)
    view = await ana.community.history.blame("Plan", "", deleted=True)
    assert view == await eva.community.history.blame("Plan", "", deleted=True)
    assert [(run.text, run.version, run.deleted_in) for run in view.runs] == [
        ("Te", first, ""),
        ("e", first, third),
        ("a", third, ""),
        (" ", first, ""),
        ("🍵", first, second),
        ("שלום", second, ""),
        (" und 日本語\n", first, ""),
    ]
    gone = view.runs[1]
    assert (gone.member, gone.deleted_by) == (member("ana"), member("ana"))
    assert (gone.time, gone.deleted_time) == (edits[0].time, edits[2].time)
    kept = await ana.community.history.blame("Plan", "", deleted=False)
    assert "".join(run.text for run in kept.runs) == await shown(ana)
    then = await ana.community.history.blame("Plan", second, deleted=False)
    assert "".join(run.text for run in then.runs) == "Tee שלום und 日本語\n"


async def test_a_restored_version_is_a_new_edit_that_merges_with_what_others_write(
    ana: SmallNode, eva: SmallNode
) -> None:
    await ana.community.create_document("Plan", "one\ntwo\nthree\n")
    exchange(ana, eva)
    await eva.community.edit_document("Plan", "one\nthree\n")
    exchange(ana, eva)
    before = await edits_of(ana)
    await eva.community.splice_document("Plan", [(0, 0, "zero\n")])
    restored = await ana.community.history.restore("Plan", before[0].version)
    assert restored.text == "one\ntwo\nthree\n"
    exchange(ana, eva)
    assert await shown(ana) == await shown(eva) == "zero\none\ntwo\nthree\n"
    after = await edits_of(ana)
    assert after[:2] == before
    assert {(e.member, e.inserted, e.deleted) for e in after[2:]} == {
        (member("eva"), 5, 0),
        (member("ana"), 4, 0),
    }


async def test_typing_is_one_edit_until_a_pause_and_never_too_long(ana: SmallNode) -> None:
    await ana.community.create_document("Plan", "")

    async def type_after(ms: int) -> None:
        ana.now_ms += ms
        await ana.community.splice_document("Plan", [(0, 0, "x")], session=1)

    for ms in (0, PAUSE_MS_MAX - 1, PAUSE_MS_MAX, 5):
        await type_after(ms)
    assert [edit.updates for edit in await edits_of(ana)] == [2, 2]
    for _ in range(9):
        await type_after(TYPING_MS_MAX // 8)
    assert [edit.updates for edit in await edits_of(ana)] == [2, 9, 2]


async def test_a_large_text_is_one_edit_however_many_updates_it_takes(ana: SmallNode) -> None:
    await ana.community.create_document("Plan", "😀é" * 10_000)
    await ana.community.splice_document("Plan", [(0, 20_000, "")])
    edits = await edits_of(ana)
    assert [(e.inserted, e.deleted) for e in edits] == [(20_000, 0), (0, 20_000)]
    assert all(edit.updates > 1 for edit in edits)


async def test_blame_is_the_text_after_random_edits_of_two_in_whatever_pages_they_are_read(
    ana: SmallNode, eva: SmallNode, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (document_replica, document_replay):
        monkeypatch.setattr(module, "PAGE", 7)
    monkeypatch.setattr(document_replay, "_BATCH", 3)
    await ana.community.create_document("Plan", "0123456789")
    exchange(ana, eva)
    seen: list[tuple[str, str]] = []
    for _ in range(40):
        node = rng.choice([ana, eva])
        length = len(await shown(node))
        position = rng.randint(0, length)
        deleted = rng.randint(0, min(3, length - position))
        inserted = "".join(rng.choices("aé😀日ש\n", k=rng.randint(0, 4)))
        await node.community.splice_document("Plan", [(position, deleted, inserted)])
        history = await node.community.history.edits("Plan", 1)
        seen.append((history.version, await shown(node)))
        if rng.random() < 0.3:
            exchange(ana, eva)
    exchange(ana, eva)
    assert await edits_of(ana) == await edits_of(eva)
    for version, text in seen:
        assert (await ana.community.history.at("Plan", version)).text == text
    blame = await eva.community.history.blame("Plan", "", deleted=False)
    assert "".join(run.text for run in blame.runs) == await shown(ana)
