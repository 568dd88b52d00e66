"""A person's command is run for what is shown: no shell, no orders from strangers, in bounds."""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path

import pytest
import trio

from p2pvalue.node.notifications import notify_hook
from p2pvalue.node.notifications.notify_hook import WAITING_MAX, NotifyHook, arguments
from p2pvalue.types import EventView
from tests.patience import WAIT_S

WRITES_WHAT_IT_GOT = (
    "import json, sys\n"
    "with open(sys.argv[1], 'w') as pipe: json.dump([sys.argv[2:], sys.stdin.read()], pipe)\n"
)
NEVER_ENDS_FIRST = (
    "import sys, threading\n"
    "if 'first' in sys.argv[2]: threading.Event().wait()\n"
    "open(sys.argv[1], 'w').write(sys.argv[2])\n"
)


def told(text: str, why: str = "because") -> EventView:
    data: dict[str, str | int | None] = {"kind": "thanked", "text": text, "why": why, "count": 1}
    return EventView(event="notification", community="", subject="", time=1, data=data)


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """Where a command tells the test what it got."""
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


async def read(pipe: Path) -> str:
    """Wait for a command that writes, and return what it wrote."""
    with trio.fail_after(WAIT_S):
        return await trio.to_thread.run_sync(pipe.read_text, abandon_on_cancel=True)


async def test_the_command_gets_the_words_it_asks_for_and_all_on_its_input(pipe: Path) -> None:
    words = [sys.executable, "-c", WRITES_WHAT_IT_GOT, str(pipe), "{text}", "-x {text}", "{why}"]
    hook = NotifyHook(words)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(hook.run)
        hook.show(told("$(touch x); “Roof” `id`"))
        given, line = json.loads(await read(pipe))
        nursery.cancel_scope.cancel()
    assert given == ["$(touch x); “Roof” `id`", "-x {text}", "because"]
    assert json.loads(line)["data"]["text"] == "$(touch x); “Roof” `id`"
    assert line.endswith("\n")


@pytest.mark.parametrize("text", ["--help", "-rf", "@file", "+x"])
def test_no_title_becomes_an_option(text: str) -> None:
    [_, word] = arguments(["say", "{text}"], told(text))
    assert word == f" {text}"


async def test_a_command_that_fails_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    hook = NotifyHook(["/nowhere/at/all"])
    with caplog.at_level(logging.WARNING, "p2pvalue.node.notifications.notify_hook"):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(hook.run)
            for _ in range(3):
                hook.show(told("x"))
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
    [record] = caplog.records
    assert "cannot be run" in record.getMessage()


async def test_a_command_that_does_not_end_is_ended(
    pipe: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def give_the_next_time(record: logging.LogRecord) -> bool:
        del record
        monkeypatch.setattr(notify_hook, "RUN_S_MAX", WAIT_S)
        return True

    monkeypatch.setattr(notify_hook, "RUN_S_MAX", 0.2)
    caplog.handler.addFilter(give_the_next_time)
    hook = NotifyHook([sys.executable, "-c", NEVER_ENDS_FIRST, str(pipe), "{text}"])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(hook.run)
        hook.show(told("first"))
        hook.show(told("second"))
        assert await read(pipe) == "second"
        nursery.cancel_scope.cancel()
    assert "was ended" in caplog.text


@pytest.mark.parametrize(("command", "runs"), [(["true"], WAITING_MAX), ([], 0)])
async def test_so_many_wait_and_no_more(
    command: list[str], runs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook, seen = NotifyHook(command), list[EventView]()

    async def ran(event: EventView) -> str:
        await trio.lowlevel.checkpoint()
        seen.append(event)
        return ""

    monkeypatch.setattr(hook, "_run", ran)
    for number in range(WAITING_MAX + 5):
        hook.show(told(str(number)))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(hook.run)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert len(seen) == runs
