"""Answers that come line by line."""

from __future__ import annotations

import json
from pathlib import Path

import trio
from trio.testing import MockClock

from p2pvalue.api.lines import LINE_BYTES_MAX
from tests.api.conversation import Caller, ask
from tests.api.fake_node import FOLLOWERS_BEHIND_MAX, FakeNode
from tests.patience import WAIT_S

CHUNKED = {"Transfer-Encoding": "chunked"}


async def test_changes_are_told_as_they_happen(api: Path, node: FakeNode) -> None:
    garden = await node.create_community("Garden")
    async with Caller(api) as caller:
        await caller.send("GET", "/events?community=Garden")
        assert await caller.status() == 200
        assert (await caller.line())["event"] == "heartbeat"
        posted = await garden.post("hello")
        change = await caller.line()
    assert (change["event"], change["subject"]) == ("message", posted.message)


async def test_a_quiet_stream_has_a_heartbeat_every_15_s(
    api: Path, autojump_clock: MockClock
) -> None:
    async with Caller(api) as caller:
        await caller.send("GET", "/events")
        assert await caller.status() == 200
        await caller.line()
        before = trio.current_time()
        assert (await caller.line())["event"] == "heartbeat"
        assert (await caller.line())["event"] == "heartbeat"
        waited_s = trio.current_time() - before
    assert round(waited_s) == 30


async def test_an_unknown_community_has_no_stream(api: Path) -> None:
    status, failure = await ask(api, "GET", "/events?community=none")
    assert (status, failure["error"]) == (404, "not-found")


async def test_who_leaves_is_no_longer_told(api: Path, node: FakeNode) -> None:
    async with Caller(api) as caller:
        await caller.send("GET", "/events")
        await caller.status()
        await caller.line()
        assert len(node.followers) == 1
    with trio.fail_after(WAIT_S):
        while node.followers:
            await trio.testing.wait_all_tasks_blocked()


async def test_a_reader_far_behind_is_cut_off(api: Path, node: FakeNode) -> None:
    garden = await node.create_community("Garden")
    async with Caller(api) as caller:
        await caller.send("GET", "/events")
        await caller.status()
        await caller.line()
        for _ in range(FOLLOWERS_BEHIND_MAX + 10):
            await garden.post("much")
        lines = 0
        while await caller.line() is not None:
            lines += 1
    assert FOLLOWERS_BEHIND_MAX <= lines < FOLLOWERS_BEHIND_MAX + 10


async def test_each_batch_of_edits_is_answered_when_it_is_durable(
    api: Path, node: FakeNode
) -> None:
    garden = await node.create_community("Garden")
    await garden.create_document("Minutes", "abc")
    async with Caller(api) as caller:
        await caller.begin("POST", "/documents/Minutes/edits?session=3", headers=CHUNKED)
        await caller.feed(b'[[3, 0, "d"], [0, 1, ""]]\n[[0')
        assert await caller.status() == 200
        assert (await caller.line())["text"] == "abc"
        assert (await caller.line())["batches"] == 1
        assert (await garden.document_text("Minutes")).text == "bcd"
        await caller.feed(', 0, "ä"]]\n'.encode())
        assert await caller.line() == {"batches": 2, "version": f"{3:032x}", "others": []}
        await caller.end()
        assert await caller.line() is None
    assert (await garden.document_text("Minutes")).text == "äbcd"


async def test_an_editor_without_edits_is_told_what_others_wrote(api: Path, node: FakeNode) -> None:
    garden = await node.create_community("Garden")
    await garden.create_document("Minutes", "abc")
    async with Caller(api) as caller:
        await caller.begin("POST", "/documents/Minutes/edits", headers=CHUNKED)
        assert await caller.status() == 200
        assert (await caller.line())["text"] == "abc"
        await garden.edit_document("Minutes", "abXc")
        await caller.feed(b"[]\n")
        assert (await caller.line())["others"] == [[2, 0, "X"]]
        await caller.end()


async def test_a_wrong_batch_ends_the_stream_and_keeps_those_before(
    api: Path, node: FakeNode
) -> None:
    garden = await node.create_community("Garden")
    await garden.create_document("Minutes", "")
    lines = b'[[0, 0, "a"]]\n[[0, "b"]]\n[[0, 0, "c"]]\n'
    async with Caller(api) as caller:
        await caller.send("POST", "/documents/Minutes/edits", lines)
        assert await caller.status() == 200
        assert (await caller.line())["text"] == ""
        assert (await caller.line())["batches"] == 1
        failure = await caller.line()
        assert await caller.line() is None
    assert failure["error"] == "bad-request"
    assert "batch 2" in failure["message"]
    assert (await garden.document_text("Minutes")).text == "a"


async def test_a_line_without_end_is_refused(api: Path, node: FakeNode) -> None:
    garden = await node.create_community("Garden")
    await garden.create_document("Minutes", "")
    async with Caller(api) as caller:
        await caller.send("POST", "/documents/Minutes/edits", b"[" * (LINE_BYTES_MAX + 100_000))
        assert await caller.status() == 200
        assert (await caller.line())["text"] == ""
        assert (await caller.line())["error"] == "too-large"
        assert await caller.line() is None


async def test_a_long_task_tells_its_progress_and_its_findings(api: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    lines = []
    async with Caller(api) as caller:
        await caller.send("POST", "/backup", json.dumps({"target": str(target)}).encode())
        assert await caller.status() == 200
        while (line := await caller.line()) is not None:
            lines.append(line)
    assert target.read_bytes() == b"backup"
    assert lines[-1]["checks"][0]["is_ok"]
    assert {line["total"] for line in lines[:-1]} == {3}


async def test_a_long_task_that_fails_says_so(api: Path) -> None:
    status, failure = await ask(api, "POST", "/rebuild")
    assert (status, failure["error"]) == (500, "internal")
    status, failure = await ask(api, "POST", "/backup", b'{"target": "relative"}')
    assert (status, failure["error"]) == (400, "bad-request")


async def test_a_long_task_that_fails_while_a_line_is_sent_finishes_the_line(
    api: Path, tmp_path: Path
) -> None:
    lines = []
    async with Caller(api) as caller:
        target = tmp_path / "missing" / "copy"
        await caller.send("POST", "/backup", json.dumps({"target": str(target)}).encode())
        assert await caller.status() == 200
        while (line := await caller.line()) is not None:
            lines.append(line)
    assert [line["total"] for line in lines[:-1]] == [3] * (len(lines) - 1)
    assert lines[-1]["error"] == "unusable-setting"
