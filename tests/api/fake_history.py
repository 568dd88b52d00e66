"""The pasts of documents in plain lists, for a community of straw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from p2pvalue import past_types as pt
from p2pvalue import types as t
from p2pvalue_protocol.errors import LocalProtocolError, NotFound

if TYPE_CHECKING:
    from tests.api.fake_community import FakeCommunity

MEMBER = "a" * 64


class FakeHistory:
    """Fulfils HistoryInterface; every text saved is an edit that replaces all before it."""

    def __init__(self, community: FakeCommunity) -> None:
        self._community = community
        self._pasts: dict[str, list[str]] = {}
        self._undone: dict[str, list[str]] = {}

    def saved(self, document: str, text: str) -> None:
        """Keep a text as the newest version."""
        self._pasts.setdefault(document, []).append(text)

    def _edits(self, document: str) -> list[pt.EditView]:
        texts = ["", *self._pasts.get(document, [])]
        return [
            pt.EditView(
                version=f"{number:064x}"[::-1],
                member=MEMBER,
                since=number,
                time=number,
                updates=1,
                inserted=len(texts[number]),
                deleted=len(texts[number - 1]),
            )
            for number in range(1, len(texts))
        ]

    async def edits(self, reference: str, limit: int) -> pt.HistoryView:
        view = await self._community.document_text(reference)
        edits = self._edits(view.document)
        return pt.HistoryView(
            document=view.document,
            title=view.title,
            version=edits[-1].version if edits else "",
            earlier=max(0, len(edits) - limit),
            edits=edits[-limit:],
        )

    async def at(self, reference: str, version: str) -> t.TextView:
        view = await self._community.document_text(reference)
        for text, edit in zip(
            self._pasts.get(view.document, []), self._edits(view.document), strict=True
        ):
            if edit.version.startswith(version):
                return t.TextView(
                    document=view.document, title=view.title, text=text, version=edit.version
                )
        raise NotFound(f'there is no version "{version}" here')

    async def blame(self, reference: str, version: str, *, deleted: bool) -> pt.BlameView:
        view = await (
            self.at(reference, version) if version else self._community.document_text(reference)
        )
        edits = self._edits(view.document)
        texts = self._pasts.get(view.document, [])
        runs = [
            pt.RunView(text=text, member=MEMBER, version=edit.version, time=edit.time)
            for text, edit in zip(texts, edits, strict=True)
            if text == view.text
        ]
        gone = [
            pt.RunView(
                text=text,
                member=MEMBER,
                version=edit.version,
                time=edit.time,
                deleted_by=MEMBER,
                deleted_in=edits[-1].version,
                deleted_time=edits[-1].time,
            )
            for text, edit in zip(texts, edits, strict=True)
            if text != view.text and deleted
        ]
        return pt.BlameView(
            document=view.document, title=view.title, version=view.version, runs=[*gone, *runs]
        )

    async def restore(self, reference: str, version: str) -> t.TextView:
        return await self._community.edit_document(
            reference, (await self.at(reference, version)).text
        )

    async def undo(self, reference: str) -> pt.TurnView:
        view = await self._community.document_text(reference)
        texts = self._pasts.get(view.document, [])
        if not texts:
            raise LocalProtocolError("nothing is left to take back")
        edit = self._edits(view.document)[-1]
        self._undone.setdefault(view.document, []).append(texts.pop())
        return await self._turned(view, edit, texts.pop() if texts else "")

    async def redo(self, reference: str) -> pt.TurnView:
        view = await self._community.document_text(reference)
        undone = self._undone.get(view.document)
        if not undone:
            raise LocalProtocolError("nothing that was taken back can be done again")
        text = undone.pop()
        return await self._turned(view, self._edits(view.document)[-1], text)

    async def _turned(self, view: t.TextView, edit: pt.EditView, text: str) -> pt.TurnView:
        await self._community.edit_document(view.document, text)
        return pt.TurnView(
            document=view.document,
            title=view.title,
            edit=edit,
            inserted=len(text),
            deleted=len(view.text),
        )
