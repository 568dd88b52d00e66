"""Editors for a node of straw: one room, whose tabs hear themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import trio

from p2pvalue import types as t
from p2pvalue.node.editors.editor_refusal import EditorRefused, Refusal
from p2pvalue_protocol.errors import LocalProtocolError

if TYPE_CHECKING:
    from tests.api.fake_node import FakeNode

ORIGIN, TOKEN, ROOM = "http://localhost:5173", "token of the one lease", "ab" * 16


class FakeTab:
    """Says what it is told; goes when it is told so."""

    def __init__(self) -> None:
        self.is_done = False
        self._send, self._receive = trio.open_memory_channel[bytes](8)

    async def take(self, message: bytes) -> None:
        if message == b"go":
            raise EditorRefused(Refusal.REFUSED, "because it was told so")
        await self._send.send(message)

    async def next_message(self) -> bytes:
        return await self._receive.receive()

    async def run(self) -> None:
        await trio.sleep_forever()


class FakeEditors:
    """Fulfils EditorsInterface; the one lease is for `ORIGIN`, or for what is no page."""

    def __init__(self, node: FakeNode) -> None:
        self.is_wanted, self.is_served, self.has_left = (trio.Event() for _ in range(3))
        self.port = 0
        self.origin = ""
        self.was_done = False
        self._node = node

    def serves_at(self, port: int) -> None:
        self.port = port
        self.is_served.set()

    def lets_in(self, room: str, token: str, origin: str) -> bool:
        return origin == self.origin

    @asynccontextmanager
    async def tab(self, room: str, token: str) -> AsyncIterator[FakeTab]:
        if (room, token) != (ROOM, TOKEN):
            raise EditorRefused(Refusal.UNKNOWN, "attach the editor again")
        tab = FakeTab()
        try:
            yield tab
        finally:
            self.was_done = tab.is_done
            self.has_left.set()

    async def attach(
        self, community: str | None, document: str, *, origin: str, schema: int
    ) -> t.AttachedView:
        text = await self._node.community(community).document_text(document)
        self.origin = origin
        return t.AttachedView(
            document=text.document,
            url=f"ws://127.0.0.1:{self.port}",
            room=ROOM,
            token=TOKEN,
            session=2**31,
            client=2**53 - 1,
            read_only=schema > 1,
            schema=1,
        )

    async def detach(self, community: str | None, document: str, session: int) -> None:
        await self._node.community(community).document_text(document)
        if session != 2**31:
            raise LocalProtocolError(f"no editor is attached in session {session}")
