"""The process that holds texts may end at any time, and nothing else does."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import trio
import trio.testing

from p2pvalue.texts import worker
from p2pvalue.texts.broken import TextBroken, WorkerLost
from p2pvalue.texts.edits import Edit
from p2pvalue.texts.frames import OPEN, Question, framed
from p2pvalue.texts.remote import RemoteDocument
from p2pvalue.texts.workers import TextWorkers
from p2pvalue_protocol.documents.numbers import write_number
from p2pvalue_protocol.documents.update_form import STRUCTS_MAX
from p2pvalue_protocol.errors import P2PValueError
from tests.bench.stalls import beside, section
from tests.node.hostile_updates import hostile_updates
from tests.patience import WAIT_S

ATTACKS = hostile_updates(7, 8)


@pytest.fixture
async def texts() -> AsyncIterator[TextWorkers]:
    kept = TextWorkers()
    yield kept
    await kept.close()


def pid_of(texts: TextWorkers) -> int:
    assert texts.pid is not None
    return texts.pid


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def is_well(texts: TextWorkers) -> bool:
    document = await texts.open("plain", 9)
    await document.edit([Edit(0, 0, "well")])
    return await document.text() == "well"


async def test_one_process_holds_all_documents_from_the_first_to_the_end() -> None:
    texts = TextWorkers()
    assert texts.pid is None
    await texts.open("plain", 7)
    pid = pid_of(texts)
    assert await is_well(texts)
    assert texts.pid == pid
    await texts.close_if_unused()
    assert texts.pid == pid
    await texts.close()
    assert texts.pid is None
    assert not is_running(pid)


async def test_a_process_without_documents_is_ended(texts: TextWorkers) -> None:
    document = await texts.open("plain", 7)
    pid = pid_of(texts)
    document.close()
    await texts.close_if_unused()
    assert not is_running(pid)
    assert await is_well(texts)


async def test_a_process_killed_at_rest_is_replaced_and_said_to_be_lost(texts: TextWorkers) -> None:
    document = await texts.open("plain", 7)
    os.kill(pid_of(texts), signal.SIGKILL)
    os.waitid(os.P_PID, pid_of(texts), os.WEXITED | os.WNOWAIT)
    assert document.is_lost
    with pytest.raises(WorkerLost) as caught:
        await document.text()
    assert not caught.value.is_ours
    assert await is_well(texts)


async def asked_until_lost(document: RemoteDocument, caught: list[WorkerLost]) -> None:
    try:
        await document.edit([Edit(0, 0, "x")])
    except WorkerLost as error:
        caught.append(error)


async def test_a_process_killed_in_the_middle_of_a_question_is_lost_over_it(
    texts: TextWorkers,
) -> None:
    document = await texts.open("plain", 7)
    caught: list[WorkerLost] = []
    os.kill(pid_of(texts), signal.SIGSTOP)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(asked_until_lost, document, caught)
        await trio.testing.wait_all_tasks_blocked()
        os.kill(pid_of(texts), signal.SIGKILL)
    assert [error.is_ours for error in caught] == [True]
    assert "exit code -9" in str(caught[0])
    assert await is_well(texts)


async def test_a_process_that_does_not_answer_is_ended_by_the_watchdog() -> None:
    texts = TextWorkers(answer_s_max=0.5)
    document = await texts.open("plain", 7)
    pid = pid_of(texts)
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(WorkerLost, match=r"did not answer within 0\.5 s") as caught:
        await document.text()
    assert caught.value.is_ours
    assert not is_running(pid)
    await texts.close()


async def test_what_works_for_too_long_ends_the_process(texts: TextWorkers) -> None:
    document = await texts.open("plain", 9)
    letters = [beside(0x44, (7, at)) for at in range(STRUCTS_MAX - 1)]
    await document.apply([section(7, 0, beside(0x04), *letters)])
    letters = [beside(0x44, (8, at)) for at in range(STRUCTS_MAX - 1)]
    heavy = [section(8, 0, beside(0x04), *letters)]
    with pytest.raises(WorkerLost, match=f"ended .exit code {-signal.SIGPROF}") as caught:
        await texts.ask(document.number, "apply", [heavy], type(None), work_s=0.2)
    assert caught.value.is_ours
    assert await is_well(texts)


async def test_who_is_cancelled_leaves_the_next_question_its_own_answer(
    texts: TextWorkers,
) -> None:
    document = await texts.open("plain", 7)
    with trio.CancelScope() as scope:
        os.kill(pid_of(texts), signal.SIGSTOP)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(document.edit, [Edit(0, 0, "x")])
            await trio.testing.wait_all_tasks_blocked()
            scope.cancel()
            os.kill(pid_of(texts), signal.SIGCONT)
    assert await document.text() == "x"
    assert not document.is_lost


@pytest.mark.parametrize("attack", ATTACKS)
async def test_no_bytes_reach_further_than_the_process(texts: TextWorkers, attack: str) -> None:
    document = await texts.open("plain", 8)
    await document.edit([Edit(0, 0, "abc")])
    update = [ATTACKS[attack].update]
    try:
        await texts.ask(document.number, "apply", [update], type(None))
        await document.text()
        await document.encoded()
    except TextBroken:
        pass
    assert await is_well(texts)


async def test_memory_without_end_ends_the_process_and_not_the_machine(texts: TextWorkers) -> None:
    large = b"x" * 30_000_000
    update = b"\x01\x01\x07\x00\x04\x01\x07content" + write_number(len(large)) + large + b"\x00"

    async def fill() -> None:
        for _ in range(200):
            await texts.open("plain", 8, update)

    with pytest.raises(WorkerLost) as caught:
        await fill()
    assert caught.value.is_ours
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1_024
    assert worker.MEMORY_BYTES_MAX / 2 < used <= worker.MEMORY_BYTES_MAX
    assert await is_well(texts)


async def test_a_process_that_cannot_start_is_told_in_words(
    texts: TextWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/nowhere/python")
        with pytest.raises(P2PValueError, match="no process could be started to hold texts"):
            await texts.open("plain", 7)
        patch.setattr(sys, "executable", "/bin/true")
        with pytest.raises(P2PValueError, match=r"could not be started .*exit code"):
            await texts.open("plain", 7)
    assert await is_well(texts)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_to_the_whole_group_leaves_the_process_to_its_node(
    texts: TextWorkers, number: int
) -> None:
    document = await texts.open("plain", 7)
    os.kill(pid_of(texts), number)
    assert await document.text() == ""


EMBEDDER = """
import sys, trio
from p2pvalue.texts.workers import TextWorkers

async def main():
    texts = TextWorkers()
    await texts.open("plain", 7)
    print(texts.pid, flush=True)
    await trio.sleep_forever()

trio.run(main)
"""


async def test_the_process_ends_when_its_node_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", EMBEDDER], stdout=subprocess.PIPE) as node:
        assert node.stdout is not None
        pid = int(await trio.to_thread.run_sync(node.stdout.readline))
        of_process = os.pidfd_open(pid)
        assert is_running(pid)
        node.kill()
    with trio.fail_after(WAIT_S):
        await trio.lowlevel.wait_readable(of_process)
    os.close(of_process)
    assert not is_running(pid)


HANGING = """
import pycrdt, re
from p2pvalue.texts import worker

def hang(*_):
    re.match("(a+)+b", "a" * 100)  # like the library, it lets nobody in between

pycrdt.Doc.apply_update = hang
worker.main()
"""


async def test_a_hanging_process_whose_node_was_killed_ends_too() -> None:
    command = [sys.executable, "-c", HANGING]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        opens = Question(7, OPEN, ["plain", 7], 5.0)
        for question in (opens, Question(7, "apply", [[b"\0\0"]], 0.5)):
            process.stdin.write(framed(msgspec.msgpack.encode(question)))
        process.stdin.flush()
        assert await trio.to_thread.run_sync(process.wait) == -signal.SIGPROF
