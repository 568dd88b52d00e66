"""HTTP/1.1 over a unix socket: h11 between a trio stream and one ASGI application.

Only the user who runs the daemon, or root, is answered: the socket's folder and file say so to
the system, and each connection is asked for the user id at its other end. Everything here is
bounded: the number of connections, the length of a request's head, the time to send it, and how
long an answer may wait for a reader. Why no ready-made server: docs/decisions/0006-api.md.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import struct
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import h11
import msgspec
import trio
from starlette.types import ASGIApp, Message, Scope

from p2pvalue.api.schema import Failure

CONNECTIONS_MAX = 128
HEAD_BYTES_MAX = 16 * 1024
READ_BYTES = 64 * 1024
HEAD_S_MAX = 15.0
IDLE_S_MAX = 120.0
STALLED_WRITE_S_MAX = 30.0
UNREAD_BYTES_MAX = 2 * 1024 * 1024
UNREAD_S_MAX = 1.0
REFUSAL = b"HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n"

log = logging.getLogger("p2pvalue.api")


async def serve(
    app: ASGIApp,
    socket_path: Path,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Answer on the socket until cancelled; `task_status` is started once callers can connect.

    The caller holds the folder's lock, so a socket found there is a dead daemon's and is replaced.
    """
    listener = _listener(socket_path)
    try:
        async with trio.open_nursery() as connections:
            task_status.started()
            await trio.serve_listeners(
                partial(_serve_connection, app, connections),
                [listener],
                handler_nursery=connections,
            )
    finally:
        socket_path.unlink(missing_ok=True)


def peer_uid(connection: trio.socket.SocketType) -> int:
    """The user id of the process that connected, as the system knows it (unix(7), SO_PEERCRED)."""
    size = struct.calcsize("3i")
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    _, uid, _ = struct.unpack("3i", credentials)
    assert isinstance(uid, int)
    return uid


def _listener(path: Path) -> trio.SocketListener:
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(os.fspath(unfinished))
    # Nobody can connect before listen(), so nobody connects before the mode is set.
    unfinished.chmod(0o600)
    listening.listen(CONNECTIONS_MAX)
    unfinished.rename(path)
    return trio.SocketListener(trio.socket.from_stdlib_socket(listening))


async def _serve_connection(
    app: ASGIApp, connections: trio.Nursery, stream: trio.SocketStream
) -> None:
    async with stream:
        uid = peer_uid(stream.socket)
        if uid not in (os.geteuid(), 0):
            log.warning("refused a connection of another user (uid %d)", uid)
            await _refuse(stream, Failure(error="forbidden", message="this node is another user's"))
        elif len(connections.child_tasks) > CONNECTIONS_MAX:
            advice = f"{CONNECTIONS_MAX} connections are open: close one, and try again"
            await _refuse(stream, Failure(error="too-many-connections", message=advice))
        else:
            try:
                await _Connection(app, stream).run()
            except Exception:
                log.exception("a connection failed inside")


async def _refuse(stream: trio.SocketStream, failure: Failure) -> None:
    with trio.move_on_after(UNREAD_S_MAX), contextlib.suppress(trio.BrokenResourceError):
        await stream.send_all(REFUSAL + msgspec.json.encode(failure))
        await stream.send_eof()
        while await stream.receive_some(READ_BYTES):  # closing over it would take the answer away
            pass


class _Connection:
    """One caller: requests one after the other, each given to the application.

    While an answer streams, the connection is watched: when the caller leaves, the application is
    cancelled. A plain request runs to its end even so, because what it changes is not half done.
    """

    def __init__(self, app: ASGIApp, stream: trio.SocketStream) -> None:
        self._app = app
        self._stream = stream
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES_MAX)
        self._body_ended = False
        self._watchers: trio.Nursery | None = None
        self._is_watched = False

    async def run(self) -> None:
        wait_s = HEAD_S_MAX
        while True:
            request = None
            with trio.move_on_after(wait_s):
                request = await self._next_request()
            if request is None:
                return
            await self._answer(request)
            await self._pass_over_body()
            if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                return
            self._http.start_next_cycle()
            wait_s = IDLE_S_MAX

    async def _next_request(self) -> h11.Request | None:
        """The next request, or None when there will be none; answers a malformed one."""
        try:
            while True:
                event = self._http.next_event()
                if isinstance(event, h11.Request):
                    return event
                if event is not h11.NEED_DATA:
                    return None
                await self._read()
        except h11.RemoteProtocolError as error:
            await self._answer_malformed(error)
            return None

    async def _answer_malformed(self, error: h11.RemoteProtocolError) -> None:
        failure = Failure(error="bad-request", message=f"this is not HTTP/1.1: {error}")
        head = [("content-type", "application/json"), ("connection", "close")]
        await self._write(h11.Response(status_code=error.error_status_hint, headers=head))
        await self._write(h11.Data(data=msgspec.json.encode(failure)))
        await self._write(h11.EndOfMessage())

    async def _answer(self, request: h11.Request) -> None:
        target, _, query = request.target.partition(b"?")
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": request.http_version.decode("ascii"),
            "method": request.method.decode("ascii"),
            "scheme": "http",
            "path": unquote(target.decode("ascii")),
            "raw_path": target,
            "query_string": query,
            "root_path": "",
            "headers": list(request.headers),
            "client": None,
            "server": None,
        }
        self._body_ended = self._is_watched = False
        async with trio.open_nursery() as self._watchers:
            await self._app(scope, self._receive, self._send)
            self._watchers.cancel_scope.cancel()
        log.debug("%s %s", scope["method"], scope["path"])

    async def _receive(self) -> Message:
        if self._body_ended:
            await trio.sleep_forever()  # the watcher ends this when the caller leaves
        if self._http.they_are_waiting_for_100_continue:
            await self._write(h11.InformationalResponse(status_code=100, headers=[]))
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError:
                return {"type": "http.disconnect"}
            if isinstance(event, h11.Data):
                return {"type": "http.request", "body": bytes(event.data), "more_body": True}
            if isinstance(event, h11.EndOfMessage):
                self._body_ended = True
                return {"type": "http.request", "body": b"", "more_body": False}
            if event is not h11.NEED_DATA:
                return {"type": "http.disconnect"}
            await self._read()

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            head = [*message["headers"], (b"cache-control", b"no-store")]
            await self._write(h11.Response(status_code=message["status"], headers=head))
        elif message["type"] == "http.response.body":
            if message.get("body"):
                await self._write(h11.Data(data=bytes(message["body"])))
            if not message.get("more_body", False):
                await self._write(h11.EndOfMessage())
            elif self._body_ended and not self._is_watched and self._watchers is not None:
                self._is_watched = True
                self._watchers.start_soon(self._watch, self._watchers.cancel_scope)

    async def _watch(self, answering: trio.CancelScope) -> None:
        if not await self._read():
            answering.cancel()

    async def _pass_over_body(self) -> None:
        """Read what the application left unread: closing over it would take the answer away."""
        passed = 0
        with trio.move_on_after(UNREAD_S_MAX):
            while self._http.their_state is h11.SEND_BODY and passed < UNREAD_BYTES_MAX:
                message = await self._receive()
                if message["type"] != "http.request":
                    return
                passed += len(message["body"])

    async def _read(self) -> bool:
        """Take in what has arrived; False at the end."""
        try:
            data = bytes(await self._stream.receive_some(READ_BYTES))
        except trio.BrokenResourceError:
            data = b""
        self._http.receive_data(data)
        return bool(data)

    async def _write(self, event: Any) -> None:
        """Send, or leave by cancellation when nobody reads."""
        data = self._http.send(event)
        if not data:
            return
        with trio.move_on_after(STALLED_WRITE_S_MAX) as stalled:
            try:
                await self._stream.send_all(data)
                return
            except trio.BrokenResourceError:
                pass
        log.debug("a caller %s", "did not read" if stalled.cancelled_caught else "left")
        self._http.send_failed()
        if self._watchers is not None:
            self._watchers.cancel_scope.cancel()
            await trio.lowlevel.checkpoint()
