"""An editor of straw: the y-websocket protocol over a Yjs text, in the process of the test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, cast

import pycrdt
import trio

from p2pvalue.node.editors import editor_messages as m
from p2pvalue.node.editors.editor_refusal import EditorRefused
from p2pvalue.node.editors.editor_tab import Tab
from p2pvalue.node.editors.editors import Editors
from p2pvalue.node.editors.presence import PresenceNote
from p2pvalue.node.running import RunningNode
from p2pvalue.types import AttachedView
from p2pvalue_protocol.documents.numbers import read_number
from tests.node.small_node import SmallNode


class NoPresences:
    """Nobody is there on other devices."""

    @contextmanager
    def listen(
        self, community: bytes, document: bytes
    ) -> Iterator[trio.MemoryReceiveChannel[PresenceNote]]:
        send, receive = trio.open_memory_channel[PresenceNote](1)
        with send, receive:
            yield receive

    async def tell(self, *presence: object) -> None:
        await trio.lowlevel.checkpoint()


class Desk:
    """A small node with editors, as a running one has them."""

    def __init__(self, node: SmallNode, folder: Path) -> None:
        self.node, self.data_dir = node, folder
        self.presences = NoPresences()
        self.has_left = False
        self._drawn = 0
        self.editors = Editors(cast(RunningNode, self), come_back=True)
        self.editors.serves_at(4_711)

    def restart(self, *, come_back: bool = True) -> None:
        self.node.restart()
        self.editors = Editors(cast(RunningNode, self), come_back=come_back)

    @property
    def machine(self) -> Desk:
        return self

    def communities(self) -> list[bytes]:
        return [] if self.has_left else [self.node.community_id]

    def community(self, reference: str | None) -> Any:
        return self.node.community

    def random_bytes(self, count: int) -> bytes:
        self._drawn += 1
        return self._drawn.to_bytes(count, "big")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.node, name)

    async def attach(self, document: str = "Plan", *, schema: int = 1) -> AttachedView:
        return await self.editors.attach(None, document, origin="", schema=schema)

    @asynccontextmanager
    async def opened(
        self, view: AttachedView, doc: pycrdt.Doc[Any] | None = None
    ) -> AsyncIterator[StrawEditor]:
        """A tab that has synced; raises EditorRefused if it is refused."""
        async with self.editors.tab(view.room, view.token) as tab, trio.open_nursery() as nursery:
            editor = StrawEditor(tab, doc if doc is not None else pycrdt.Doc(client_id=view.client))
            nursery.start_soon(tab.run)
            nursery.start_soon(editor.run)
            await tab.take(m.holding(editor.doc.get_state()))
            await editor.synced.wait()
            yield editor
            nursery.cancel_scope.cancel()


class StrawEditor:
    """A text that tells a tab what is typed in it."""

    def __init__(self, tab: Tab, doc: pycrdt.Doc[Any]) -> None:
        self.tab, self.doc = tab, doc
        self.text = doc.get("content", type=pycrdt.Text)
        self.synced = trio.Event()
        self.heard = 0
        self._changed = trio.Event()

    async def type(self, at: int, text: str) -> None:
        """Type letters, each a change of its own."""
        for number, letter in enumerate(text):
            state = self.doc.get_state()
            self.text.insert(at + number, letter)
            await self.tab.take(m.news(self.doc.get_update(state)))

    async def until_shows(self, wanted: str) -> None:
        """Return when the text is this."""
        while str(self.text) != wanted:
            self._changed = trio.Event()
            with trio.fail_after(60):
                await self._changed.wait()

    async def run(self) -> None:
        """Take in what comes, until the connection ends."""
        while True:
            message = await self.tab.next_message()
            self.heard += 1
            if message[0] != 0:
                continue
            _, at = read_number(message, 2)
            if message[1] == 0:
                await self.tab.take(m.all_missing(self.doc.get_update(message[at:])))
            else:
                self.doc.apply_update(message[at:])
                self._changed.set()
                self.synced.set()


def refusal_in(error: BaseException) -> EditorRefused:
    """The refusal that ended a tab, out of the groups around it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, EditorRefused)
    return error
