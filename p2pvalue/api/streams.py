"""The endpoints that answer line by line: changes, edits in bursts, long tasks with progress."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from pathlib import Path

import msgspec
import trio

from p2pvalue import types as t
from p2pvalue.api.failures import BadRequest
from p2pvalue.api.lines import UNREADABLE, SendLine
from p2pvalue.api.member_schema import Export
from p2pvalue.api.schema import (
    Backup,
    Finished,
    InCommunity,
    Opened,
    Progress,
    Question,
    Spliced,
    SpliceDocument,
)
from p2pvalue.node.interface import NodeInterface
from p2pvalue.texts.difference import edits_between

HEARTBEAT_S = 15
_free_sessions = count(2**30)  # far from the numbers that callers choose
BATCH = msgspec.json.Decoder(list[tuple[int, int, str]])


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """Sent when the stream has opened, and every 15 s: nothing before it was missed."""

    event: str = "heartbeat"
    time: int


async def events(
    node: NodeInterface, question: InCommunity, send_line: SendLine, _: AsyncIterator[bytes]
) -> None:
    """Tell every change from now on: one line each, and a heartbeat at once and every 15 s.

    A reader that falls 10,000 changes behind is cut off: read the views again and reconnect.
    """
    # One task writes and none that writes is cancelled, so that no line breaks off in the middle.
    into, lines = trio.open_memory_channel[msgspec.Struct | None](0)
    async with node.events(question.community) as changes, trio.open_nursery() as nursery:
        nursery.start_soon(_beat, into)
        nursery.start_soon(_pass_on, changes, into)
        while (line := await lines.receive()) is not None:
            await send_line(line)
        nursery.cancel_scope.cancel()


async def _beat(into: trio.MemorySendChannel[msgspec.Struct | None]) -> None:
    while True:
        await into.send(Heartbeat(time=time.time_ns() // 1_000_000))
        await trio.sleep(HEARTBEAT_S)


async def _pass_on(
    changes: AsyncIterator[t.EventView], into: trio.MemorySendChannel[msgspec.Struct | None]
) -> None:
    async for change in changes:
        await into.send(change)
    await into.send(None)


async def splice_document(
    node: NodeInterface, question: SpliceDocument, send_line: SendLine, lines: AsyncIterator[bytes]
) -> None:
    """Apply edits as they are typed; each line of the body is `[[position, deleted, text], …]`.

    The first line of the answer is the text. Positions count code points in the caller's text: that
    one, with her batches applied and what `others` brought. A batch is durable when its line is
    answered; the first that fails ends the stream. Read while you send: answers left unread hold up
    the batches behind them.
    """
    community = node.community(question.community)
    session = question.session or next(_free_sessions)
    view = await community.splice_document(question.document, [], session=session)
    await send_line(Opened(text=view.text, version=view.version))
    batches = 0
    async for line in lines:
        try:
            edits = BATCH.decode(line)
        except UNREADABLE as error:
            raise BadRequest(
                f"batch {batches + 1} is not [[position, deleted, text], …]: {error}"
            ) from error
        # A session's text is moved by its own edits, until no edits ask for what others wrote.
        mine = view
        if edits:
            mine = await community.splice_document(question.document, edits, session=session)
        view = await community.splice_document(question.document, [], session=session)
        batches += 1
        others = [(e.position, e.deleted, e.inserted) for e in edits_between(mine.text, view.text)]
        await send_line(Spliced(batches=batches, version=view.version, others=others))


async def backup(
    node: NodeInterface, question: Backup, send_line: SendLine, _: AsyncIterator[bytes]
) -> None:
    """Write a copy of the database to a new file; keys are never in it."""
    target = absolute(question.target, "target")

    async def work(progress: Callable[[int, int], None]) -> list[t.CheckView]:
        await node.backup(target, progress)
        return [t.CheckView(check="backup", is_ok=True, detail=f"written to {target}")]

    await _with_checks(work, send_line)


async def export(
    node: NodeInterface, question: Export, send_line: SendLine, _: AsyncIterator[bytes]
) -> None:
    """Write everything that can be read here of a community to files in a new folder."""
    target = absolute(question.target, "target")

    async def work(progress: Callable[[int, int], None]) -> list[t.CheckView]:
        folder = await node.export(
            target, progress, community=question.community, is_forced=question.force
        )
        return [t.CheckView(check="export", is_ok=True, detail=f"written to {folder}")]

    await _with_checks(work, send_line)


async def verify(
    node: NodeInterface, _question: Question, send_line: SendLine, _: AsyncIterator[bytes]
) -> None:
    """Check every stored operation: hashes, chains and signatures."""
    await _with_checks(node.verify, send_line)


async def rebuild(
    node: NodeInterface, _question: Question, send_line: SendLine, _: AsyncIterator[bytes]
) -> None:
    """Derive every view again from the operations, and compare."""
    await _with_checks(node.rebuild, send_line)


def absolute(path: str, field: str) -> Path:
    """Return a path that a caller gave; raises BadRequest for one that depends on a folder."""
    if not Path(path).is_absolute():
        raise BadRequest(
            f"`{field}` must be an absolute path, because the daemon has another folder"
        )
    return Path(path)


async def _with_checks(
    work: Callable[[Callable[[int, int], None]], Awaitable[list[t.CheckView]]], send_line: SendLine
) -> None:
    async def finished(progress: Callable[[int, int], None]) -> Finished:
        return Finished(checks=await work(progress))

    await with_progress(finished, send_line)


async def with_progress(
    work: Callable[[Callable[[int, int], None]], Awaitable[msgspec.Struct]], send_line: SendLine
) -> None:
    """Do long work, and tell how far it is, then what it returns."""
    # Only the newest step counts: a slow reader must not hold up the work. What fails waits for the
    # line that is being sent: cut off, that would leave an answer without its head.
    newest: Progress | None = None
    found: msgspec.Struct | None = None
    failure: Exception | None = None
    has_news = trio.Event()

    def progress(done: int, total: int) -> None:
        nonlocal newest
        newest = Progress(done=done, total=total)
        has_news.set()

    async def carry_out() -> None:
        nonlocal found, failure
        try:
            found = await work(progress)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is raised below
            failure = error
        has_news.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(carry_out)
        while found is None and failure is None:
            await has_news.wait()
            has_news = trio.Event()
            if newest is not None:
                step, newest = newest, None
                await send_line(step)
    if failure is not None:
        raise failure
    if found is not None:
        await send_line(found)
