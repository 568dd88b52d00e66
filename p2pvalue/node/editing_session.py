"""A caller's own text of a document, as of when it last asked for what others wrote."""

from __future__ import annotations

from collections.abc import Sequence

from p2pvalue.node.difference import Edit
from p2pvalue.node.document_facts import version_with
from p2pvalue.node.document_replica import DocumentReplica
from p2pvalue.node.text import check_edits
from p2pvalue_protocol.kind import Order


class EditingSession:
    """One session of a caller; it is over when its replica's `generation` is another than its."""

    def __init__(self, replica: DocumentReplica, number: int) -> None:
        """Begin with the replica's text as it is."""
        self.generation = replica.generation
        self.version = replica.version
        self._replica = replica
        self._shared = replica.writer(number)

    @property
    def text(self) -> str:
        """The text as its caller counts in it."""
        with self._replica.readable():
            return self._shared.text

    def check(self, edits: Sequence[Edit]) -> None:
        """Raise LocalProtocolError unless edits fit the text."""
        check_edits(len(self.text), edits)

    def edit(self, edits: Sequence[Edit]) -> list[bytes]:
        """Apply edits; return the updates that must now be written, or the session ended."""
        with self._replica.readable():
            return self._shared.edit(edits)

    def wrote(self, orders: Sequence[Order]) -> None:
        """Count what `edit` gave and is stored now."""
        self.version = version_with(self.version, orders)

    def refresh(self) -> None:
        """Take in what others wrote."""
        with self._replica.readable():
            self._shared.take_from(self._replica.shared)
        self.version = self._replica.version
