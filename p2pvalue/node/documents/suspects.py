"""Which operations make the text library fail here, and so are skipped.

Some end the process that holds the text. Whose fault that was, of all that were given at once, is
found by giving each alone the next time: who does it twice is skipped from then on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from p2pvalue.node.documents.document_facts import Judged
from p2pvalue.texts.broken import TextBroken, WorkerLost

APPLIED_AT_ONCE_MAX: Final = 250


class Suspects:
    """The operations of one document that do harm, and those that may."""

    def __init__(self) -> None:
        self.has_new = False
        """Whether there are some that no snapshot says yet."""
        self.have_done_harm = False
        """Whether the process has ended over this document: others had better be elsewhere."""
        self._broken: set[bytes] = set()
        self._suspects: set[bytes] = set()

    def __contains__(self, op_id: bytes) -> bool:
        return op_id in self._broken

    def __len__(self) -> int:
        return len(self._broken)

    def all(self) -> list[bytes]:
        """Return what is skipped."""
        return sorted(self._broken)

    def add(self, op_ids: Iterable[bytes]) -> None:
        """Skip what a snapshot says."""
        self._broken.update(op_ids)

    def batches(self, judged: Iterable[Judged]) -> Iterator[list[Judged]]:
        """Yield what is to be applied, many at once, but each alone that may do harm."""
        batch: list[Judged] = []
        for each in judged:
            if each.op_id in self._broken:
                continue
            is_alone = each.op_id in self._suspects
            if batch and (is_alone or len(batch) == APPLIED_AT_ONCE_MAX):
                yield batch
                batch = []
            batch.append(each)
            if is_alone:
                yield batch
                batch = []
        if batch:
            yield batch

    def clear(self, batch: Sequence[Judged]) -> None:
        """Note that a batch did no harm."""
        self._suspects.difference_update(each.op_id for each in batch)

    def blame(self, batch: Sequence[Judged], error: TextBroken) -> None:
        """Note over which batch the library failed; none over what a snapshot says."""
        if isinstance(error, WorkerLost):
            if not error.is_ours:
                return
            self.have_done_harm = True
        ids = [each.op_id for each in batch]
        if error.at is not None:
            found = ids[error.at : error.at + 1]
        elif ids and self._suspects.issuperset(ids):
            found = ids  # one: it was given alone
        else:
            self._suspects.update(ids)
            return
        self._broken.update(found)
        self.has_new = True
