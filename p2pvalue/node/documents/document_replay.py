"""A document's updates read again from the store, as far as they are in one past."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Final

import trio

from p2pvalue.node.documents.document_facts import DocumentFacts, Judged
from p2pvalue.node.documents.document_replica import PAGE, DocumentReplica
from p2pvalue.node.documents.made_edits import Gathering, MadeEdit
from p2pvalue.node.documents.set_aside import Written, payload_of, placement_of, written_of
from p2pvalue.node.pace import Pace
from p2pvalue.store import Entry
from p2pvalue.texts.remote import RemoteDocument
from p2pvalue_protocol.documents.looking_back import is_effective, letters_of, through
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds import document

_BATCH: Final = 250
_RICH_BATCH: Final = 16  # each may be written out as Markdown
_READER: Final = 1  # the Yjs client of who writes nothing


class Replay:
    """The updates that were taken in when this was made, or those of them in a past.

    What comes or is hidden while they are read may be missed or not: who needs to know looks at
    the replica again. Each reading costs ~30 µs an update, and holds a page of them.
    """

    def __init__(self, replica: DocumentReplica, heads: tuple[bytes, ...] | None = None) -> None:
        """Begin with a replica that is up to date; `heads` are judged updates that end the past."""
        self.place = replica.place
        self._replica = replica
        self._facts = replica.facts
        self.heads = self._facts.core.frontier(None) if heads is None else heads
        self._until = through(self._facts.core, self.heads)

    def _is_in(self, entry: Entry) -> bool:
        return entry.order.seq <= self._until.get(entry.log, -1)

    async def _visible(self) -> AsyncIterator[Entry]:
        """Yield what is visible in the folding order, which is the same on every node."""
        place, pace = self.place, Pace()
        after: Order | None = None
        while True:
            page = place.store.entries(
                place.community, place.subject, document.UPDATE_NUMBER, after=after, limit=PAGE
            )
            for entry in page:
                after = entry.order
                if self._is_in(entry):
                    yield entry
                await pace.rest()
            if not page:
                return

    async def _hidden(self) -> list[Entry]:
        pace = Pace()
        hidden: list[Entry] = []
        arrival = 0
        while True:
            page = self.place.updates_since(arrival)
            hidden += [entry for entry in page if entry.is_hidden and self._is_in(entry)]
            if not page:
                return sorted(hidden, key=lambda entry: entry.order)
            arrival = page[-1].arrival
            await pace.rest()

    async def _all(self) -> AsyncIterator[Entry]:
        hidden = deque(await self._hidden())
        known = {entry.order for entry in hidden}
        async for entry in self._visible():
            if entry.order in known:
                continue  # it is visible again since
            while hidden and hidden[0].order < entry.order:
                yield hidden.popleft()
            yield entry
        for entry in hidden:
            yield entry

    async def edits(self) -> list[MadeEdit]:
        """Return the edits that people made, those first that ended first."""
        gathering = Gathering()
        core = self._facts.core
        async for entry in self._visible():
            payload, placement = payload_of(self.place.copy(), entry), placement_of(entry)
            if payload is None or not is_effective(core, placement):
                continue
            letters = letters_of(core, placement, payload.update)
            gathering.add(entry.log, entry.order, entry.member, payload, letters)
        await trio.lowlevel.checkpoint()
        return gathering.edits()

    async def judged(
        self, seen: Callable[[Written], None] = lambda written: None
    ) -> AsyncIterator[tuple[DocumentFacts, list[Judged]]]:
        """Yield what counts in batches, in an order in which to apply it, with its facts.

        `seen` is told of each before it is yielded. The order is the same on every node.
        """
        facts, skipped = self._replica.new_facts(), self._replica.suspects
        batch: list[Judged] = []
        pace = Pace()
        size = _RICH_BATCH if self.place.shape == document.SHAPE_RICH else _BATCH
        async for entry in self._all():
            written = written_of(self.place.copy(), entry)
            if written is None:
                continue
            seen(written)
            taken = await pace.finish(facts.taking(written))
            batch += [each for each in taken if each.op_id not in skipped]
            # After a fork, names are known when all is judged.
            if len(batch) >= size and not self._facts.core.claims.shared:
                yield facts, batch
                batch = []
        for at in range(0, len(batch), size):
            yield facts, batch[at : at + size]

    async def empty_document(self) -> RemoteDocument:
        """Return a document to apply to what is yielded; close it. Raises TextBroken."""
        return await self._replica.texts.open(self.place.shape, _READER)
