"""Targets for the API: bytes on the socket, and questions to every endpoint of a real node.

The node runs in a loop of its own beside the fuzzer, without a network, and is made anew from time
to time. What would write files where a caller names them, or stretch a passphrase, is left out.
"""

from __future__ import annotations

import atexit
import json
import logging
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Any, NoReturn, cast
from urllib.parse import quote, urlencode

import h11
import msgspec
import trio

from p2pvalue.api.app import application
from p2pvalue.api.endpoints import ENDPOINTS
from p2pvalue.api.server import _Connection
from p2pvalue.config import Config
from p2pvalue.keystore import Keystore
from p2pvalue.node import open_node
from p2pvalue.node.interface import NodeInterface
from p2pvalue_protocol.errors import LocalProtocolError
from tests.fuzz.streams import Script
from tests.fuzz.target import Budget, Target

P = "p2pvalue.api"
_INPUTS_PER_NODE = 400
_ANSWER_S_MAX = 20
_METHODS = ("GET", "POST", "PUT")


def _left_out(*_: object, **__: object) -> NoReturn:
    raise LocalProtocolError("not while fuzzing")


class _Guarded:
    """A node of which some calls are left out; all others are passed on."""

    def __init__(self, node: NodeInterface) -> None:
        self._node = node
        self.backup = self.export = self.verify = self.rebuild = _left_out
        self.keys = _Keys(node.keys)

    def blobs(self, community: str | None = None) -> Any:
        return _Files(self._node.blobs(community))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._node, name)


class _Files:
    def __init__(self, files: Any) -> None:
        self._files = files
        self.add = self.get = _left_out

    def __getattr__(self, name: str) -> Any:
        return getattr(self._files, name)


class _Keys:
    def __init__(self, keys: Any) -> None:
        self._keys = keys
        self.protect = self.forget_words = _left_out

    def __getattr__(self, name: str) -> Any:
        return getattr(self._keys, name)


class _Running:
    """A node with a community and some content, in a thread of its own."""

    def __init__(self) -> None:
        logging.getLogger("p2pvalue").setLevel(logging.CRITICAL)
        self.inputs_left = _INPUTS_PER_NODE
        self._folder = Path(tempfile.mkdtemp(prefix="p2pvalue-fuzz-"))
        atexit.register(shutil.rmtree, self._folder, ignore_errors=True)
        self._is_up = threading.Event()
        self._thread = threading.Thread(target=trio.run, args=(self._main,), daemon=True)
        self._thread.start()
        self._is_up.wait()

    async def _main(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        self._ended = trio.Event()
        keystore = Keystore.create(self._folder, "Ana")
        config = Config(data_dir=self._folder, listen=(), durability="kill")
        async with open_node(self._folder, config, keystore=keystore) as node:
            self.app = application(cast("NodeInterface", _Guarded(node)), stop=lambda: None)
            garden = await node.create_community("Garden", join="request")
            await garden.post("hello")
            await garden.create_document("Minutes", "Item one")
            await garden.create_document("Other")
            self._is_up.set()
            await self._ended.wait()

    def answer(self, data: bytes) -> bytes:
        """What a caller hears who sends these bytes and then nothing more."""
        return trio.from_thread.run(self._answer, data, trio_token=self._token)

    async def _answer(self, data: bytes) -> bytes:
        wire = _Wire(data)
        with trio.fail_after(_ANSWER_S_MAX):
            await _Connection(self.app, cast("Any", wire)).run()
        return bytes(wire.sent)

    def stop(self) -> None:
        trio.from_thread.run_sync(self._ended.set, trio_token=self._token)
        self._thread.join()
        shutil.rmtree(self._folder, ignore_errors=True)


class _Wire:
    """A socket on which all has been said."""

    def __init__(self, data: bytes) -> None:
        self._script = Script(data)
        self.sent = bytearray()

    async def receive_some(self, bytes_max: int) -> bytes:
        await trio.lowlevel.checkpoint()
        return await self._script.read(bytes_max)

    async def send_all(self, data: bytes) -> None:
        await trio.lowlevel.checkpoint()
        self.sent += data


_nodes: list[_Running] = []


def _node() -> _Running:
    if _nodes and not _nodes[0].inputs_left:
        _nodes.pop().stop()
    if not _nodes:
        _nodes.append(_Running())
    _nodes[0].inputs_left -= 1
    return _nodes[0]


def _statuses(answer: bytes) -> list[int]:
    """The statuses of whole answers; each has a body of JSON, and none is a defect of ours."""
    client = h11.Connection(h11.CLIENT)
    statuses: list[int] = []
    while answer:
        client = h11.Connection(h11.CLIENT)
        client.send(h11.Request(method="GET", target="/", headers=[("host", "localhost")]))
        client.send(h11.EndOfMessage())
        client.receive_data(answer)
        body = b""
        response = None
        while not isinstance(event := client.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA or isinstance(event, h11.ConnectionClosed):
                return statuses  # the caller left before all was said
            if isinstance(event, h11.Response):
                response = event
            elif isinstance(event, h11.Data):
                body += event.data
        assert response is not None
        assert response.status_code < 500, body
        lines = [json.loads(line) for line in body.splitlines()]
        if response.status_code >= 400:
            assert lines[-1].keys() == {"error", "message"}
        statuses.append(response.status_code)
        answer = client.trailing_data[0]
    return statuses


def _http(data: bytes) -> bool:
    return any(status < 400 for status in _statuses(_node().answer(data)))


# --- questions


class _Asked(msgspec.Struct):
    """One question, as the inputs of a target write it."""

    endpoint: int
    names: list[str] = []
    query: list[tuple[str, str]] = []
    body: msgspec.Raw = msgspec.Raw(b"{}")


def _question(data: bytes) -> bool:
    """Ask any endpoint anything; the bytes are JSON that says which and what."""
    try:
        asked = msgspec.json.decode(data, type=_Asked)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        asked = _Asked(len(data), body=msgspec.Raw(data))
    endpoint = ENDPOINTS[asked.endpoint % len(ENDPOINTS)]
    path = endpoint.path
    names = iter(asked.names)
    while "{" in path:
        before, _, rest = path.partition("{")
        name = next(names, "")
        path = before + quote(name, safe="", errors="replace") + rest.partition("}")[2]
    query = urlencode(asked.query, errors="replace")
    body = bytes(asked.body)
    head = f"{endpoint.method} {path}?{query} HTTP/1.1\r\nhost: localhost\r\n"
    head += f"content-length: {len(body)}\r\n\r\n"
    return any(status < 400 for status in _statuses(_node().answer(head.encode() + body)))


def _questions() -> list[bytes]:
    """One question or more for every endpoint."""
    return [
        msgspec.json.encode(
            {"endpoint": at, "names": ["Minutes"], "query": [], "body": _body_of(e.question)}
        )
        for at, e in enumerate(ENDPOINTS)
    ] + [_asked("/messages", [("limit", "3"), ("before", "AAAA")], {})]


def _asked(path: str, query: list[tuple[str, str]], body: dict[str, object]) -> bytes:
    at = next(at for at, endpoint in enumerate(ENDPOINTS) if endpoint.path == path)
    return msgspec.json.encode({"endpoint": at, "names": [], "query": query, "body": body})


def _body_of(question: type[msgspec.Struct]) -> dict[str, object]:
    """Return a body with every field of a question."""
    values: dict[str, object] = {
        "uses": 1, "limit": 50, "session": 1, "quantity": 1, "line": 0, "closes": 0,
        "lines": [{"kind": "hours", "unit": "minute", "minimum": 60, "optimum": 120}],
        "name": "Garden", "text": "hello", "title": "Minutes", "community": "Garden",
        "document": "Minutes", "member": "Ana", "address": "/ip4/127.0.0.1/tcp/9",
        "link": "p2pvalue:1#AAAA", "code": "p2pvalue-device:1#AAAA", "rank": "guest",
    }  # fmt: skip
    in_path = (
        *("document", "member", "invite", "need", "pledge", "request", "device", "blob"),
        *("contribution", "thanks"),
    )
    return {
        field.encode_name: values.get(field.encode_name, "")
        for field in msgspec.structs.fields(question)
        if field.encode_name not in in_path
    }


def _requests() -> list[bytes]:
    host = b"Host: localhost\r\n"
    chunked = b"POST /messages HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\n"
    return [
        b"GET /status HTTP/1.1\r\n" + host + b"\r\n",
        b"GET /status HTTP/1.1\r\n" + host + b"\r\n" + b"GET /digest HTTP/1.1\r\n" + host + b"\r\n",
        b"POST /messages HTTP/1.1\r\n" + host + b'Content-Length: 13\r\n\r\n{"text":"hi"}',
        chunked + b'd\r\n{"text":"hi"}\r\n0\r\n\r\n',
        chunked + b"ffffffffffffffff\r\n",
        chunked + b"-1\r\nx\r\n0\r\n\r\n",
        b"POST /needs HTTP/1.1\r\n" + host + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /needs HTTP/1.1\r\n" + host + b"Content-Length: -1\r\n\r\n{}",
        b"POST /words HTTP/1.1\r\n" + host + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"GET /documents/%00%ff%2e%2e%2f HTTP/1.1\r\n" + host + b"\r\n",
        b"GET http://localhost/status HTTP/1.1\r\n" + host + b"\r\n",
        b"GET /status HTTP/1.0\r\n\r\n",
        b"GET /events HTTP/1.1\r\n" + host + b"\r\n",
        b"GET /status HTTP/1.1\r\n" + host + b"Upgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\n" + host + b"\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 3_000,
        b"PUT /profile HTTP/1.1\r\n" + host + b"Content-Length: 5000\r\n\r\n" + b"[" * 5_000,
        b"POST /documents/Minutes/edits HTTP/1.1\r\n"
        + host
        + b'Content-Length: 11\r\n\r\n[[0,0,"x"]]',
    ]


_BUDGET = Budget(units=400, units_per_kib=20, memory_bytes=16 << 20)

API = (
    Target(
        name="http",
        run=_http,
        seeds=_requests,
        covers=(f"{P}.server", f"{P}.lines", f"{P}.app"),
        bytes_max=32_768,
        budget=_BUDGET,
        mutations_in_tests=100,
    ),
    Target(
        name="api-question",
        run=_question,
        seeds=_questions,
        covers=(f"{P}.streams", f"{P}.schema", "p2pvalue.node.chat._order"),
        shape="json",
        budget=_BUDGET,
        mutations_in_tests=150,
    ),
)
