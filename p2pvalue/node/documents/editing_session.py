"""A caller's own text of a document, as of when it last asked for what others wrote."""

from __future__ import annotations

from collections.abc import Sequence

from p2pvalue.node.documents.document_facts import version_with
from p2pvalue.node.documents.document_replica import DocumentReplica
from p2pvalue.texts.edits import Edit
from p2pvalue.texts.remote import RemoteDocument
from p2pvalue_protocol.kind import Order


class EditingSession:
    """One session of a caller; it is over when its replica's `generation` is another than its."""

    def __init__(self, replica: DocumentReplica, writer: RemoteDocument) -> None:
        """Begin with the replica's text as it is: `writer` is a copy made for the session."""
        self.generation = replica.generation
        self.version = replica.version
        self._replica = replica
        self._writer = writer

    async def text(self) -> str:
        """Return the text as its caller counts in it."""
        with self._replica.readable():
            return await self._writer.text()

    async def check(self, edits: Sequence[Edit]) -> None:
        """Raise LocalProtocolError unless edits fit the text."""
        with self._replica.readable():
            await self._writer.check(edits)

    async def edit(self, edits: Sequence[Edit]) -> list[bytes]:
        """Apply edits; return the updates that must now be written, or the session ended."""
        with self._replica.readable():
            return await self._writer.edit(edits)

    def wrote(self, orders: Sequence[Order]) -> None:
        """Count what `edit` gave and is stored now."""
        self.version = version_with(self.version, orders)

    async def refresh(self) -> None:
        """Take in what others wrote."""
        with self._replica.readable():
            await self._writer.take_from(self._replica.document)
        self.version = self._replica.version

    def close(self) -> None:
        """Let go of the text."""
        self._writer.close()
