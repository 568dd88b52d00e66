"""What a tab is shown whose editor does not know all that a rich document uses.

Such an editor would delete what it does not know from its own copy, and say so. So it may only
read, and what it reads is another document, made for this one connection, in which unknown blocks
are known ones with the same words.
"""

from __future__ import annotations

from typing import Final

from p2pvalue.node.documents.document_replica import DocumentReplica
from p2pvalue.node.editors.editor_refusal import EditorRefused, Refusal
from p2pvalue.texts.remote import RemoteDocument
from p2pvalue_protocol.documents.state_form import write_state
from p2pvalue_protocol.kinds.document import SHAPE_RICH

WRITER: Final = 1
"""The client that writes in it: nobody else does, and no operation is made of it."""

_NOTHING: Final = write_state({})


async def knows_too_little(document: RemoteDocument, schema: int) -> bool:
    """Return whether an editor that knows this version must not write in a document."""
    return schema < await document.schema() or bool(await document.lacks(schema))


class Projection:
    """A rich document as a version of the schema can show it; for one connection of a tab."""

    def __init__(self, version: int) -> None:
        self._version = version
        self._shown: RemoteDocument | None = None
        self._has_begun = False

    async def begin(self, replica: DocumentReplica, state: bytes) -> tuple[bytes, bytes]:
        """Return what is held, and all of it that somebody lacks who holds so much.

        Raises EditorRefused for a tab that holds something from elsewhere: it would be there twice.
        """
        if not self._has_begun and state != _NOTHING:
            raise _begins_anew()
        await self.news(replica)
        assert self._shown is not None
        return await self._shown.state(), await self._shown.since(state)

    async def news(self, replica: DocumentReplica) -> list[bytes]:
        """Return updates that tell what is new in the document; raises EditorRefused."""
        source = replica.document
        if self._shown is None:
            if self._has_begun:
                raise _begins_anew()
            self._shown = await source.beside(SHAPE_RICH, WRITER)
            self._has_begun = True
        if self._shown.is_lost or self._shown.epoch != source.epoch:
            raise _begins_anew()
        return await self._shown.show(source, self._version)

    def close(self) -> None:
        """Let go of it."""
        if self._shown is not None:
            self._shown.close()
            self._shown = None


def _begins_anew() -> EditorRefused:
    return EditorRefused(
        Refusal.ANEW,
        "this editor knows less than the document uses: attach it again, with a new document",
    )
