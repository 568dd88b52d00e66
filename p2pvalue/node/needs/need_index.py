"""By what people name the needs of a community and the pledges to them, kept between questions.

Nothing is read until somebody asks; then what something was said about since is read again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

from p2pvalue.node.references import every_state
from p2pvalue.store import Store
from p2pvalue_protocol.effects import Change
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds import close, need, pledge
from p2pvalue_protocol.past import StateRow

CHANGED_MAX: Final = 1_000
"""If more was said about since somebody asked, all is read anew."""
PLEDGES_MAX: Final = 100_000
"""Of more pledges nothing is kept; each takes some hundred bytes."""

T = TypeVar("T")


class NamedPledge(NamedTuple):
    """A pledge to a need, and whether the title of the need means it."""

    pledge: bytes
    is_meant: bool


class NeedIndex:
    """The titles of the needs of one community, and its pledges."""

    def __init__(self, store: Store, community: bytes) -> None:
        self._titles = _PerNeed[str](store, community, (need.NUMBER,))
        kinds = (need.NUMBER, pledge.NUMBER, close.NUMBER)
        self._pledges = _PerNeed[Sequence[NamedPledge]](store, community, kinds)

    def changed(self, changes: Iterable[Change]) -> None:
        """Note what something was said about; called with every commit."""
        for change in changes:
            self._titles.note(change)
            self._pledges.note(change)

    def titles(self, title_of: Callable[[StateRow], str]) -> list[tuple[bytes, str]]:
        """Return the needs, those first that changed least lately, with their titles."""
        return self._titles.read(title_of)

    def pledges(
        self, pledges_of: Callable[[StateRow], Sequence[NamedPledge]]
    ) -> list[tuple[bytes, Sequence[NamedPledge]]]:
        """Return the needs in the same order, each with the pledges to it."""
        found = self._pledges.read(pledges_of)
        if sum(len(some) for _, some in found) > PLEDGES_MAX:
            self._pledges.forget()
        return found


class _PerNeed(Generic[T]):
    """One thing that is made of each need."""

    def __init__(self, store: Store, community: bytes, kinds: Collection[int]) -> None:
        self._store = store
        self._community = community
        self._kinds = kinds
        self._known: dict[bytes, tuple[Order, T]] | None = None  # None: all is to be read
        self._changed: set[bytes] = set()
        self._in_order: list[tuple[bytes, T]] = []

    def note(self, change: Change) -> None:
        if self._known is None or change.kind not in self._kinds:
            return
        self._changed.add(change.subject)
        if len(self._changed) > CHANGED_MAX:
            self.forget()

    def forget(self) -> None:
        self._known = None
        self._changed.clear()
        self._in_order = []

    def read(self, made_of: Callable[[StateRow], T]) -> list[tuple[bytes, T]]:
        """Return what is made of each need, by the operation that last changed it."""
        known = self._known
        if known is None:
            rows = every_state(self._store, self._community, need.NUMBER)
            known = {row.subject: (_place(row), made_of(row)) for row in rows}
        elif not self._changed:
            return self._in_order
        for subject in self._changed:
            row = self._store.state(self._community, subject)
            if row is not None and row.kind == need.NUMBER:
                known[subject] = _place(row), made_of(row)
            else:
                known.pop(subject, None)
        self._known = known
        self._changed.clear()
        by_place = sorted(known.items(), key=lambda item: item[1][0])
        self._in_order = [(subject, made) for subject, (_, made) in by_place]
        return self._in_order


def _place(row: StateRow) -> Order:
    return Order(row.time, row.device, row.seq, row.op_id)
