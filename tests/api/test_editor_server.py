"""The door for editors: what a browser could be made to send there, and what comes through."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import product

import pytest
import trio
import trio.testing
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_client_stream

from p2pvalue.api import serve_editors
from p2pvalue.api.editor_server import REQUEST_S_MAX, STRANGERS_MAX, _asked, _Strangers
from p2pvalue.api.endpoints import ENDPOINTS
from p2pvalue.node.editors.editor_messages import MESSAGE_BYTES_MAX
from p2pvalue.node.editors.editor_refusal import Refusal
from tests.api.fake_editors import ORIGIN, ROOM, TOKEN, FakeEditors
from tests.api.fake_node import FakeNode
from tests.patience import WAIT_S

UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)
OUR_HOSTS = ("127.0.0.1:{port}", "localhost:{port}")
OTHER_HOSTS = (
    *("127.0.0.1", "localhost", "evil.example", "evil.example:{port}", "127.0.0.1:1"),
    *("localhost:{port}.evil.example", "[::1]:{port}", ""),
)
OTHER_ORIGINS = (
    *("http://evil.example", "null", "http://localhost", "http://localhost:5173.evil.example"),
    *("http://127.0.0.1:{port}", "https://localhost:5173", "file://"),
)
METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "CONNECT")


@asynccontextmanager
async def served(origin: str = "") -> AsyncIterator[FakeEditors]:
    """The door, open, with one lease for pages of an origin."""
    editors = FakeEditors(FakeNode())
    editors.origin = origin
    editors.is_wanted.set()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve_editors, editors)
        with trio.fail_after(WAIT_S):
            await editors.is_served.wait()
        yield editors
        nursery.cancel_scope.cancel()


async def answer_to(port: int, head: str) -> str:
    """The first line that comes back for the head of a request; empty if none does."""
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    answer = b""
    with trio.fail_after(WAIT_S):
        async with stream:
            await stream.send_all(head.replace("{port}", str(port)).encode() + b"\r\n")
            while b"\r\n" not in answer:
                part = await stream.receive_some()
                if not part:
                    break
                answer += part
    return answer.split(b"\r\n")[0].decode()


def asking(method: str, path: str, host: str, origin: str | None, *, upgrades: bool) -> str:
    named = "" if origin is None else f"Origin: {origin}\r\n"
    asked = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{named}"
    return asked + (UPGRADE if upgrades else "")


async def test_only_our_own_name_the_leases_origin_and_a_web_socket_come_through() -> None:
    path = f"/{ROOM}?token={TOKEN.replace(' ', '%20')}"
    hosts, origins = (*OUR_HOSTS, *OTHER_HOSTS), (ORIGIN, None, *OTHER_ORIGINS)
    async with served(ORIGIN) as editors:
        for host, origin, method, upgrades in product(hosts, origins, METHODS, (True, False)):
            is_right = host in OUR_HOSTS and origin == ORIGIN and method == "GET" and upgrades
            asked = asking(method, path, host, origin, upgrades=upgrades)
            status = (await answer_to(editors.port, asked)).split(" ")[1:2]
            assert (status == ["101"]) == is_right, (asked, status)
            assert status in (["101"], ["400"], ["403"], ["404"], ["405"], ["426"]), asked


async def test_what_names_no_origin_is_no_page() -> None:
    async with served() as editors:
        for origin, wanted in ((None, "101"), (ORIGIN, "403"), ("null", "403")):
            head = asking("GET", f"/{ROOM}", "localhost:{port}", origin, upgrades=True)
            assert (await answer_to(editors.port, head)).split(" ")[1] == wanted


async def test_two_origins_are_none() -> None:
    async with served(ORIGIN) as editors:
        head = asking("GET", f"/{ROOM}", "localhost:{port}", ORIGIN, upgrades=True)
        assert "403" in await answer_to(editors.port, head + f"Origin: {ORIGIN}\r\n")


async def test_nothing_of_the_api_can_be_asked_there() -> None:
    async with served() as editors:
        for endpoint in ENDPOINTS:
            path = endpoint.path.replace(":path", "").replace("{", "").replace("}", "")
            head = asking(endpoint.method, path, "localhost:{port}", None, upgrades=False)
            assert (await answer_to(editors.port, head)).split(" ")[1] == "400", endpoint.path


@pytest.mark.parametrize(
    "head", ["", "no request\r\n", "GET / HTTP/1.1\r\nHost: \xff\xfe.example\r\n" + UPGRADE]
)
async def test_what_is_no_request_ends_only_its_connection(head: str) -> None:
    async with served() as editors:
        assert "101" not in await answer_to(editors.port, head)
        async with tab_of(editors) as tab:
            await tab.send_message(b"echo")
            assert await tab.get_message() == b"echo"


@asynccontextmanager
async def tab_of(
    editors: FakeEditors, *, token: str = TOKEN, origin: str = ""
) -> AsyncIterator[WebSocketConnection]:
    path = f"/{ROOM}?token={token.replace(' ', '%20')}"
    headers = [(b"Origin", origin.encode())] if origin else []
    stream = await trio.open_tcp_stream("127.0.0.1", editors.port)
    with trio.fail_after(WAIT_S):
        async with stream, trio.open_nursery() as nursery:
            host = f"127.0.0.1:{editors.port}"
            yield await wrap_client_stream(nursery, stream, host, path, extra_headers=headers)
            nursery.cancel_scope.cancel()


async def closed(tab: WebSocketConnection) -> tuple[int, str | None]:
    while True:
        try:
            await tab.get_message()
        except ConnectionClosed as error:
            return (error.reason.code, error.reason.reason) if error.reason else (0, None)


async def test_messages_go_both_ways_whole_however_long() -> None:
    async with served(ORIGIN) as editors, tab_of(editors, origin=ORIGIN) as tab:
        for message in (b"", b"\x00", b"x" * 300_000):
            await tab.send_message(message)
            assert await tab.get_message() == message
        await tab.ping()


async def test_a_wrong_token_is_told_in_words() -> None:
    async with served() as editors, tab_of(editors, token="a guess") as tab:
        assert await closed(tab) == (Refusal.UNKNOWN, "attach the editor again")


async def test_what_is_refused_closes_with_a_code_and_a_reason() -> None:
    async with served() as editors, tab_of(editors) as tab:
        await tab.send_message(b"go")
        assert await closed(tab) == (Refusal.REFUSED, "because it was told so")


@pytest.mark.parametrize(
    ("message", "code"), [("a text", 1003), (b"x" * (MESSAGE_BYTES_MAX + 1), 1009)]
)
async def test_what_no_editor_sends_closes_the_connection(message: str | bytes, code: int) -> None:
    async with served() as editors, tab_of(editors) as tab:
        await tab.send_message(message)
        assert (await closed(tab))[0] == code


@pytest.mark.parametrize(("code", "is_done"), [(1000, True), (1001, True), (3000, False)])
async def test_a_page_that_goes_says_whether_it_comes_back(code: int, is_done: bool) -> None:
    async with served() as editors:
        async with tab_of(editors) as tab:
            await tab.send_message(b"here")
            assert await tab.get_message() == b"here"
            await tab.aclose(code)
        with trio.fail_after(WAIT_S):
            await editors.has_left.wait()
        assert editors.was_done is is_done


# --- connections that show no token


async def is_ended(stream: trio.SocketStream) -> bool:
    """Whether the other side closes within patience, whatever it says before."""
    with trio.move_on_after(WAIT_S):
        try:
            while await stream.receive_some():
                pass
        except trio.BrokenResourceError:
            pass
        return True
    return False


WRONG_TOKEN = asking("GET", f"/{ROOM}?token=wrong", "localhost:{port}", None, upgrades=True)


@pytest.mark.parametrize("said", ["", "GET / HT", WRONG_TOKEN + "\r\n"])
async def test_however_many_show_no_token_few_are_kept_and_a_tab_comes_through(said: str) -> None:
    async with served() as editors, AsyncExitStack() as stack:
        before = await stack.enter_async_context(tab_of(editors))
        strangers = []
        for _ in range(4 * STRANGERS_MAX):
            strangers.append(await trio.open_tcp_stream("127.0.0.1", editors.port))
            await stack.enter_async_context(strangers[-1])
            await strangers[-1].send_all(said.replace("{port}", str(editors.port)).encode())
        assert [await is_ended(stream) for stream in strangers[:-STRANGERS_MAX]].count(False) == 0
        after = await stack.enter_async_context(tab_of(editors))
        for tab in (before, after):
            await tab.send_message(b"echo")
            assert await tab.get_message() == b"echo"


async def test_when_one_stranger_too_many_comes_the_one_that_waits_longest_goes() -> None:
    strangers, gone = _Strangers(), list[int]()

    async def come(number: int, *, task_status: trio.TaskStatus[trio.CancelScope]) -> None:
        with strangers.come() as scope:
            task_status.started(scope)
            await trio.sleep_forever()
        gone.append(number)

    async with trio.open_nursery() as nursery:
        scopes = [await nursery.start(come, number) for number in range(STRANGERS_MAX)]
        assert gone == []
        strangers.knows(scopes[0])  # it has shown a token
        for number in range(STRANGERS_MAX, STRANGERS_MAX + 3):
            await nursery.start(come, number)
        await trio.testing.wait_all_tasks_blocked()
        assert gone == [1, 2]
        nursery.cancel_scope.cancel()


def test_who_shows_two_tokens_shows_none() -> None:
    assert _asked("/a-room?token=one") == ("a-room", "one")
    assert _asked("/a-room?token=one&token=two") == ("a-room", "")


async def test_tabs_are_no_strangers() -> None:
    async with served() as editors, AsyncExitStack() as stack:
        tabs = [await stack.enter_async_context(tab_of(editors)) for _ in range(STRANGERS_MAX + 2)]
        for tab in tabs:
            await tab.send_message(b"echo")
            assert await tab.get_message() == b"echo"


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: "])
async def test_a_request_that_is_not_whole_after_two_seconds_is_none(said: bytes) -> None:
    clock = trio.testing.MockClock()
    async with served() as editors:
        async with await trio.open_tcp_stream("127.0.0.1", editors.port) as stream:
            await stream.send_all(said)
            await trio.testing.wait_all_tasks_blocked(0.1)
            clock.jump(REQUEST_S_MAX)
            assert await is_ended(stream)


AS_NOBODY = """
import os, socket, sys
os.setuid(65534)
there = socket.socket()
there.connect(("127.0.0.1", int(sys.argv[1])))
try:
    there.sendall(sys.argv[2].encode())
    print(there.recv(1000))
except ConnectionResetError:
    print(b"")
"""


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0, reason="takes root, on Linux"
)
async def test_another_user_of_the_machine_is_let_go_with_a_token_too() -> None:
    async with served() as editors:
        path = f"/{ROOM}?token={TOKEN.replace(' ', '%20')}"
        head = asking("GET", path, f"127.0.0.1:{editors.port}", None, upgrades=True) + "\r\n"
        assert "101" in await answer_to(editors.port, head[:-2])
        command = [sys.executable, "-c", AS_NOBODY, str(editors.port), head]
        with trio.fail_after(WAIT_S):
            done = await trio.run_process(command, capture_stdout=True, stderr=subprocess.DEVNULL)
        assert done.stdout == b"b''\n"
