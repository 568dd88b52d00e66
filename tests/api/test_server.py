"""The socket: who is answered, and what a caller cannot do to the others."""

from __future__ import annotations

import multiprocessing
import os
import socket
from functools import partial
from pathlib import Path

import pytest
import trio
from starlette.types import Receive, Scope, Send
from trio.testing import MockClock

from p2pvalue.api.server import CONNECTIONS_MAX, STALLED_WRITE_S_MAX, serve
from tests.api.conversation import Caller, ask
from tests.api.fake_node import FakeNode
from tests.patience import WAIT_S

NOBODY = 65_534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


async def test_only_the_owner_may_open_the_socket(api: Path) -> None:
    assert api.stat().st_mode & 0o777 == 0o600


def _connect_as_nobody(path: Path, answer: multiprocessing.Queue[str]) -> None:
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    try:
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(str(path))
            caller.sendall(b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer.put(caller.recv(4096).decode())
    except OSError as error:
        answer.put(type(error).__name__)


async def as_nobody(path: Path) -> str:
    """What another user of this machine gets to see."""
    context = multiprocessing.get_context("spawn")
    answer: multiprocessing.Queue[str] = context.Queue()
    child = context.Process(target=_connect_as_nobody, args=(path, answer))
    child.start()
    try:
        return await trio.to_thread.run_sync(answer.get)
    finally:
        await trio.to_thread.run_sync(child.join)
        answer.close()


@needs_root
async def test_the_system_keeps_another_user_out(api: Path) -> None:
    assert await as_nobody(api) == "PermissionError"


@needs_root
async def test_another_user_is_refused_even_if_the_socket_stands_open(api: Path) -> None:
    for folder in api.parents:
        if str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    api.chmod(0o666)
    answer = await as_nobody(api)
    assert answer.startswith("HTTP/1.1 403")
    assert "another user" in answer


async def test_a_dead_daemons_socket_is_replaced(
    tmp_path: Path, nursery: trio.Nursery, node: FakeNode
) -> None:
    path = tmp_path / "api.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    await nursery.start(partial(serve, _endless), path)
    async with Caller(path) as caller:
        await caller.send("GET", "/")
        assert await caller.status() == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"\0" * 100,
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /status HTTP/1.1\r\n\r\n",
        b"GET /status HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000,
        b"POST /messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST /messages HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /%ff%fe%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
async def test_malformed_bytes_harm_nobody_else(api: Path, sent: bytes) -> None:
    stream = await trio.open_unix_socket(api)
    async with stream:
        await stream.send_all(sent)
        await stream.send_eof()
        with trio.fail_after(WAIT_S):
            while data := await stream.receive_some():
                assert b"HTTP/1.1 20" not in data
    assert (await ask(api, "GET", "/status"))[0] == 200


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 100\r\n\r\n{",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
    ],
    ids=["cut short", "no chunk", "cut in a chunk"],
)
async def test_a_body_that_breaks_off_is_the_callers_mistake_and_no_defect(
    api: Path, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    stream = await trio.open_unix_socket(api)
    async with stream:
        await stream.send_all(b"POST /messages HTTP/1.1\r\nHost: localhost\r\n" + body)
        await stream.send_eof()
        with trio.fail_after(WAIT_S):
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 400 ")
    assert caplog.records == []


async def test_no_answer_is_to_be_kept_by_what_carries_it(api: Path) -> None:
    stream = await trio.open_unix_socket(api)
    async with stream:
        await stream.send_all(b"GET /whoami HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await stream.send_eof()
        answer = b""
        while data := await stream.receive_some():
            answer += data
    assert b"\r\ncache-control: no-store\r\n" in answer.lower()


async def test_one_connection_carries_many_requests(api: Path) -> None:
    stream = await trio.open_unix_socket(api)
    request = b"GET /whoami HTTP/1.1\r\nHost: localhost\r\n\r\n"
    async with stream:
        await stream.send_all(request * 3)
        await stream.send_eof()
        answer = b""
        while data := await stream.receive_some():
            answer += data
    assert answer.count(b"HTTP/1.1 200") == 3


async def test_a_silent_caller_is_let_go(api: Path, autojump_clock: MockClock) -> None:
    stream = await trio.open_unix_socket(api)
    async with stream:
        await stream.send_all(b"GET /status HT")
        assert await stream.receive_some() == b""


async def test_too_many_callers_are_refused_and_the_first_stay(api: Path) -> None:
    async with Caller(api) as first:
        await first.send("GET", "/events")
        await first.status()
        others = [await trio.open_unix_socket(api) for _ in range(CONNECTIONS_MAX)]
        refusal = await others[-1].receive_some()
        for other in others:
            await other.aclose()
        assert b"too-many-connections" in refusal
        assert (await first.line())["event"] == "heartbeat"


async def _endless(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})


async def test_a_caller_who_does_not_read_is_let_go(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    was_let_go = trio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await _endless(scope, receive, send)
        finally:
            was_let_go.set()

    path = tmp_path / "api.sock"
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(serve, app), path)
        async with Caller(path) as caller:
            await caller.send("GET", "/")
            before = trio.current_time()
            await was_let_go.wait()
            waited_s = trio.current_time() - before
        nursery.cancel_scope.cancel()
    assert STALLED_WRITE_S_MAX <= waited_s < STALLED_WRITE_S_MAX + 5


async def test_a_caller_who_does_not_read_cannot_keep_the_daemon_from_stopping(
    tmp_path: Path,
) -> None:
    path = tmp_path / "api.sock"
    with trio.fail_after(WAIT_S):
        async with trio.open_nursery() as nursery:
            await nursery.start(partial(serve, _endless), path)
            async with Caller(path) as caller:
                await caller.send("GET", "/")
                await caller.status()
                await trio.testing.wait_all_tasks_blocked()
                nursery.cancel_scope.cancel()
    assert not path.exists()


async def test_a_change_is_made_to_the_end_even_if_its_caller_leaves(tmp_path: Path) -> None:
    has_started, may_end, has_ended = trio.Event(), trio.Event(), trio.Event()

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        has_started.set()
        await may_end.wait()
        has_ended.set()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    path = tmp_path / "api.sock"
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(serve, app), path)
        async with Caller(path) as caller:
            await caller.send("POST", "/")
            await has_started.wait()
        may_end.set()
        with trio.fail_after(WAIT_S):
            await has_ended.wait()
        nursery.cancel_scope.cancel()
    assert has_ended.is_set()
