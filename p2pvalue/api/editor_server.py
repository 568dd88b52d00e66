"""The door for editors in browsers: WebSockets on loopback TCP, and nothing else.

It opens when the first editor is attached. A web page reaches every port of this machine, and names
in whichever domain: so the Host must be this address, the Origin the one that the lease was made
for, and the token right, before a byte is said. Nothing of the API can be asked here.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import parse_qs, urlsplit

import trio

from p2pvalue.api.socket_owner import owner_of_peer
from p2pvalue.api.web_socket import Closed, WebSocket
from p2pvalue.node.editors.editor_messages import MESSAGE_BYTES_MAX
from p2pvalue.node.editors.editor_refusal import EditorRefused
from p2pvalue.node.interface import EditorsInterface, EditorTab

ADDRESS: Final = "127.0.0.1"
STRANGERS_MAX: Final = 32
REQUEST_S_MAX: Final = 2.0
GOING_AWAY: Final = (1000, 1001)  # the page says that it will not come back

log = logging.getLogger("p2pvalue.api.editors")


async def serve(editors: EditorsInterface) -> None:
    """Serve tabs until cancelled."""
    listening = _listening(editors.port)
    port = listening.getsockname()[1]
    listener = trio.SocketListener(trio.socket.from_stdlib_socket(listening))
    server = _Server(editors, port)
    async with listener, trio.open_nursery() as nursery:
        editors.serves_at(port)
        await trio.serve_listeners(server.serve, [listener], handler_nursery=nursery)


def _listening(port: int) -> socket.socket:
    """Listen where tabs expect us, or at another port if that is taken."""
    for number in (port, 0):
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((ADDRESS, number))
            listening.listen(STRANGERS_MAX)
        except OSError:
            listening.close()
            if not number:
                raise
            continue
        return listening
    raise AssertionError("a port of the system's choice is free")


class _Strangers:
    """Connections that have shown no token yet, or none that is valid; oldest first.

    When one too many comes, the oldest goes: who is in earnest shows a token within milliseconds.
    """

    def __init__(self) -> None:
        self._scopes: list[trio.CancelScope] = []

    @contextmanager
    def come(self) -> Iterator[trio.CancelScope]:
        """Be one of them, until `knows` or the end of the block."""
        with trio.CancelScope() as scope:
            if len(self._scopes) >= STRANGERS_MAX:
                self._scopes.pop(0).cancel()
            self._scopes.append(scope)
            try:
                yield scope
            finally:
                self.knows(scope)

    def knows(self, scope: trio.CancelScope) -> None:
        """Count a connection no more: it is a tab's."""
        if scope in self._scopes:
            self._scopes.remove(scope)


class _Server:
    def __init__(self, editors: EditorsInterface, port: int) -> None:
        self._editors = editors
        self._hosts = frozenset({f"{ADDRESS}:{port}", f"localhost:{port}"})
        self._strangers = _Strangers()
        self._others: set[int] = set()  # users who were let go

    async def serve(self, stream: trio.SocketStream) -> None:
        """Serve one connection to its end; never raises."""
        async with stream:
            if not self._is_of_other_user(stream):
                with self._strangers.come() as scope:
                    await self._serve(stream, scope)

    def _is_of_other_user(self, stream: trio.SocketStream) -> bool:
        user = owner_of_peer(stream.socket)
        if user is None or user == os.geteuid():
            return False
        if user not in self._others:
            self._others.add(user)
            log.warning("user %d of this machine reaches for the port of editors: let go", user)
        return True

    async def _serve(self, stream: trio.SocketStream, scope: trio.CancelScope) -> None:
        web_socket = WebSocket(stream, message_bytes_max=MESSAGE_BYTES_MAX)
        try:
            await self._answer(web_socket, scope)
        except Closed:
            pass
        except Exception:  # it ends this tab, and no other
            log.exception("a tab's connection failed inside")
        await web_socket.linger()

    async def _answer(self, web_socket: WebSocket, scope: trio.CancelScope) -> None:
        with trio.move_on_after(REQUEST_S_MAX) as waiting:
            request = await web_socket.request()
        if waiting.cancelled_caught:
            return
        room, token = _asked(request.target)
        origins = [value for name, value in request.extra_headers if name == b"origin"]
        origin = b"".join(origins[:1]).decode("latin-1")
        if request.host not in self._hosts or len(origins) > 1:
            await web_socket.reject(403, "this address answers to its own name only")
        elif not self._editors.lets_in(room, token, origin):
            await web_socket.reject(403, "attach the editor for the origin of its page first")
        else:
            await web_socket.accept()
            await self._talk(web_socket, scope, room, token)

    async def _talk(
        self, web_socket: WebSocket, scope: trio.CancelScope, room: str, token: str
    ) -> None:
        refused: EditorRefused | None = None
        try:
            async with self._editors.tab(room, token) as tab, trio.open_nursery() as nursery:
                self._strangers.knows(scope)
                nursery.start_soon(_send_all, web_socket, tab)
                nursery.start_soon(tab.run)
                try:
                    while True:
                        await tab.take(await web_socket.receive())
                except Closed as closed:
                    tab.is_done = closed.code in GOING_AWAY
                nursery.cancel_scope.cancel()
        except* EditorRefused as group:
            refused = _first(group)
        except* Closed:
            pass
        if refused is not None:
            await web_socket.close(refused.code, refused.reason)


async def _send_all(web_socket: WebSocket, tab: EditorTab) -> None:
    while True:
        await web_socket.send(await tab.next_message())


def _asked(target: str) -> tuple[str, str]:
    """Return the room and the token that a request names, empty where it names none."""
    try:
        parts = urlsplit(target)
        tokens = parse_qs(parts.query, max_num_fields=8).get("token", [""])
    except ValueError:
        return "", ""
    return parts.path.strip("/"), tokens[0] if len(tokens) == 1 else ""


def _first(group: BaseExceptionGroup[EditorRefused]) -> EditorRefused:
    leaf: BaseException = group
    while isinstance(leaf, BaseExceptionGroup):
        leaf = leaf.exceptions[0]
    assert isinstance(leaf, EditorRefused)
    return leaf
