"""The titles that documents have, kept so that making one does not read all the others.

A community's titles are read once and then follow what becomes visible; whatever is not plainly a
new document drops them, and they are read again when they are next asked for.
"""

from __future__ import annotations

from typing import Final

from p2pvalue.node.references import every_state
from p2pvalue.store import Store
from p2pvalue_protocol.effects import Change
from p2pvalue_protocol.encoding import PayloadInvalid
from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.kinds import decode_state, document
from p2pvalue_protocol.past import StateRow

TITLES_MAX: Final = (
    10_000  # of all communities, about a megabyte; beyond, titles are read each time
)


class Titles:
    """The titles of documents by community, as far as they are known."""

    def __init__(self) -> None:
        self._known: dict[bytes, set[str]] = {}

    def of(self, store: Store, community: bytes) -> set[str]:
        """Return all titles of a community, read now if they are not known."""
        known = self._known.get(community)
        if known is None:
            states = every_state(store, community, document.NUMBER)
            known = {state.title for state in map(document_state, states) if not state.removed}
            self._keep(community, known)
        return known

    def _keep(self, community: bytes, titles: set[str]) -> None:
        self._known[community] = titles
        if sum(map(len, self._known.values())) > TITLES_MAX:
            self.forget(community)

    def changed(self, community: bytes, change: Change) -> None:
        """Note what became visible of a document itself."""
        known = self._known.get(community)
        if known is None:
            return
        if change.again or change.subject != subject_of(change.order.op_id):
            self.forget(community)
            return
        try:
            made = document.DOCUMENT.decode(change.payload)
        except PayloadInvalid:
            return  # it made nothing
        assert isinstance(made, document.Document)
        if made.title is not None and made.shape is not None:
            known.add(made.title)
            self._keep(community, known)

    def forget(self, community: bytes) -> None:
        """Read a community's titles again when they are next asked for."""
        self._known.pop(community, None)


def document_state(row: StateRow) -> document.DocumentState:
    """Return what the stored state of a document says."""
    state = decode_state(row.kind, row.state)
    assert isinstance(state, document.DocumentState)
    return state
