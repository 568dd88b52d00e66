"""What a person can read leaves with her, as files that others can open."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from p2pvalue import need_types as nt
from p2pvalue import types as t
from p2pvalue.node.export import export, slug
from p2pvalue_protocol.errors import ConfigError
from p2pvalue_protocol.ids import op_id_of
from tests.node.small_node import SmallNode

HOURS = nt.LineView(kind="hours", unit="minute", minimum=60, optimum=120)


async def a_busy_node() -> SmallNode:
    node = SmallNode("ada", ["ada", "bo"])
    await node.community.describe("Garden / of ../Luna")
    await node.community.set_my_name("Ada")
    for number in range(3):
        await node.community.post(f"message {number}\n# not a heading of ours")
    await node.community.create_document("Minutes: May", "two wheels\n")
    await node.community.create_document("Minutes, May!", "another of that name\n")
    need = await node.community.needs.add(nt.NeedDraft(title="Roof", lines=[HOURS]))
    await node.community.pledges.make(need.need, 60)
    await node.community.contributions.add("Minutes", 90)
    return node


async def exported(node: SmallNode, target: Path, *, is_forced: bool = False) -> Path:
    return await export(
        node.community,
        node.blobs,
        node.store,
        target,
        lambda done, total: None,
        is_forced=is_forced,
    )


async def test_everything_that_can_be_read_is_in_the_files(tmp_path: Path) -> None:
    node = await a_busy_node()
    folder = await exported(node, tmp_path)
    texts = {path.read_text() for path in (folder / "documents").iterdir()}
    assert texts == {"two wheels\n", "another of that name\n"}
    lines = [json.loads(line) for line in (folder / "chat.jsonl").read_text().splitlines()]
    assert [line["text"][:9] for line in lines] == ["message 0", "message 1", "message 2"]
    assert json.loads((folder / "needs.json").read_text())[0]["title"] == "Roof"
    assert json.loads((folder / "pledges.json").read_text())[0]["quantity"] == 60
    assert json.loads((folder / "contributions.json").read_text())[0]["title"] == "Minutes"
    assert json.loads((folder / "thanks.json").read_text()) == []
    assert json.loads((folder / "projects.json").read_text()) == []
    assert {m["name"] for m in json.loads((folder / "members.json").read_text())} >= {"Ada"}
    for page, words in (("chat.md", "message 2"), ("needs.md", "Roof"), ("members.md", "Ada")):
        assert words in (folder / page).read_text()


async def test_amounts_are_written_as_people_write_them(tmp_path: Path) -> None:
    node = await a_busy_node()
    money = nt.LineView(kind="money", unit="EUR", minimum=1_250, optimum=1_250)
    need = await node.community.needs.add(nt.NeedDraft(title="Seed", lines=[money]))
    await node.community.pledges.make(need.need, 1_250)
    page = (await exported(node, tmp_path) / "needs.md").read_text().splitlines()
    assert {"- 1h of 1h to 2h (hours)", "- Ada: 1h, offered"} <= set(page)
    assert {"- 12.50 EUR of 12.50 EUR (money)", "- Ada: 12.50 EUR, offered"} <= set(page)


async def test_comments_are_named_after_what_they_are_about(tmp_path: Path) -> None:
    node = await a_busy_node()
    [need] = await node.community.needs.all()
    await node.community.post("nails are here", channel=need.need)
    folder = await exported(node, tmp_path)
    assert "nails" in (folder / f"chat-roof-{need.need[:8]}.md").read_text()
    assert (folder / f"chat-roof-{need.need[:8]}.jsonl").exists()


async def test_operations_leave_as_they_travel(tmp_path: Path) -> None:
    node = await a_busy_node()
    folder = await exported(node, tmp_path)
    data = (folder / "operations.msgpack").read_bytes()
    held = {row.op_id for row in node.store.operations_in_order(node.community_id)}
    assert {op_id_of(core) for core, _, _ in operations_in(data)} == held


def operations_in(data: bytes) -> list[tuple[bytes, bytes, bytes | None]]:
    """The values of a MessagePack sequence: as one array, whose head says how many there are."""
    for count in range(1, 100):
        try:
            as_one_array = b"\xdc" + count.to_bytes(2, "big") + data
            return msgspec.msgpack.decode(
                as_one_array, type=list[tuple[bytes, bytes, bytes | None]]
            )
        except msgspec.DecodeError:
            continue
    raise AssertionError("the sequence is cut short")


async def test_files_are_for_their_owner_and_named_after_nothing_dangerous(tmp_path: Path) -> None:
    folder = await exported(await a_busy_node(), tmp_path)
    assert folder.parent == tmp_path
    for path in (folder, *folder.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path
        assert path.name.strip(".") == path.name
    assert slug("../../etc/passwd\x00") == "etc-passwd"
    assert slug("—") == "unnamed"
    assert slug("Größe_2 " * 40)[:7] == "größe-2"


async def test_a_message_cannot_pass_for_a_line_of_the_page(tmp_path: Path) -> None:
    folder = await exported(await a_busy_node(), tmp_path)
    lines = (folder / "chat.md").read_text().splitlines()
    assert "> # not a heading of ours" in lines
    assert not any(line.startswith("#") for line in lines)


async def test_nothing_is_overwritten_unless_it_is_asked_for(tmp_path: Path) -> None:
    node = await a_busy_node()
    folder = await exported(node, tmp_path)
    kept = folder / "mine.txt"
    kept.write_text("keep me")
    (folder / "chat.md").write_text("changed")
    with pytest.raises(ConfigError, match="--force"):
        await exported(node, tmp_path)
    assert (folder / "chat.md").read_text() == "changed"
    await exported(node, tmp_path, is_forced=True)
    assert "message 2" in (folder / "chat.md").read_text()
    assert kept.read_text() == "keep me"


async def test_progress_counts_up_to_all_there_is(tmp_path: Path) -> None:
    node = await a_busy_node()
    seen: list[tuple[int, int]] = []
    await export(node.community, node.blobs, node.store, tmp_path, lambda *step: seen.append(step))
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]


async def test_a_folder_that_cannot_be_made_is_an_error_with_a_next_step(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    with pytest.raises(ConfigError, match="another folder"):
        await exported(await a_busy_node(), in_the_way)


async def test_shared_files_that_are_here_are_in_the_files(tmp_path: Path) -> None:
    node = await a_busy_node()
    for name, text in (("Roof.PNG", b"an image"), ("notes", b"no ending"), ("gone.txt", b"gone")):
        (tmp_path / name).write_bytes(text)
        await node.blobs.add(tmp_path / name, lambda done, total: None)
    views = {view.file: view for view in node.blobs.all()}
    node.store.chunks.remove(node.community_id, [node.blobs.whole()[2][1].hash_of(0)])
    folder = await exported(node, tmp_path / "out")
    assert {path.name: path.read_bytes() for path in (folder / "files").iterdir()} == {
        f"roof-{views['Roof.PNG'].blob[:8]}.PNG": b"an image",
        f"notes-{views['notes'].blob[:8]}": b"no ending",
    }
    listed = msgspec.json.decode((folder / "files.json").read_bytes(), type=list[t.BlobView])
    assert {view.file: view.state for view in listed} == {
        "Roof.PNG": "here",
        "notes": "here",
        "gone.txt": "elsewhere",
    }
