"""Where needs stand, computed when somebody asks and kept until something is said about them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from p2pvalue.node.needs.need_index import NeedIndex
from p2pvalue.node.references import every_entry, every_state
from p2pvalue.store import Entry, Store
from p2pvalue_protocol.effects import Change
from p2pvalue_protocol.kinds import close, decode_state, need, pledge
from p2pvalue_protocol.needs.absence import in_their_pasts
from p2pvalue_protocol.needs.acts import Act
from p2pvalue_protocol.needs.standing import NeedStanding, standing_of
from p2pvalue_protocol.past import StateRow
from p2pvalue_protocol.replica import Replica

if TYPE_CHECKING:
    from p2pvalue.node.needs.kept_order import KeptOrder

PLEDGES_KEPT_MAX: Final = 50_000  # of all needs; each takes about a kilobyte
_PAGE: Final = 500


class NeedBoards:
    """The standings of needs, of all communities of a node; bounded by the pledges in them."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[bytes, bytes], tuple[bytes, NeedStanding]] = OrderedDict()
        self._weight = 0
        self._made: dict[bytes, dict[bytes, list[tuple[bytes, str]]]] = {}
        self._indexes: dict[bytes, NeedIndex] = {}
        self.orders: dict[bytes, KeptOrder] = {}  # of communities whose order somebody asked for

    def of(
        self, copy: Replica, store: Store, row: StateRow, acts: Sequence[Act] | None = None
    ) -> NeedStanding:
        """Return where a need stands; reads its list unless that was done since it changed.

        Who has read all `acts` of the list just now gives them, to spare that.
        """
        key = (copy.community, row.subject)
        known = self._known.get(key)
        if known is None or known[0] != row.op_id:  # the row that was asked with may be another
            self._drop(key)
            read = read_acts(copy, store, row) if acts is None else acts
            standing = standing_of(need_state(row), read)
            self._weight += _weight(standing)
            known = self._known[key] = (row.op_id, standing)
        self._known.move_to_end(key)
        while self._weight > PLEDGES_KEPT_MAX and len(self._known) > 1:
            self._drop(next(iter(self._known)))
        return known[1]

    def index(self, store: Store, community: bytes) -> NeedIndex:
        """Return by what people name the needs of a community and the pledges to them."""
        return self._indexes.setdefault(community, NeedIndex(store, community))

    def made_of(self, store: Store, community: bytes) -> dict[bytes, list[tuple[bytes, str]]]:
        """Return the needs that came of each message, with their titles; read once."""
        found = self._made.get(community)
        if found is None:
            found = self._made[community] = {}
            for row in every_state(store, community, need.NUMBER):
                state = need_state(row)
                if state.message:
                    found.setdefault(state.message, []).append((row.subject, state.title))
        return found

    def changed(self, community: bytes, changes: Sequence[Change]) -> None:
        """Forget what something was said about; called with every commit."""
        if (order := self.orders.get(community)) is not None:
            order.changed(changes)
        if (index := self._indexes.get(community)) is not None:
            index.changed(changes)
        for change in changes:
            if change.kind in (need.NUMBER, pledge.NUMBER, close.NUMBER):
                self._drop((community, change.subject))
            if change.kind == need.NUMBER:
                self._made.pop(community, None)

    def forget(self, community: bytes) -> None:
        """Forget all of one community."""
        self._made.pop(community, None)
        self._indexes.pop(community, None)
        self.orders.pop(community, None)
        for key in [key for key in self._known if key[0] == community]:
            self._drop(key)

    def _drop(self, key: tuple[bytes, bytes]) -> None:
        known = self._known.pop(key, None)
        if known is not None:
            self._weight -= _weight(known[1])


def need_state(row: StateRow) -> need.NeedState:
    """Return what the stored state of a need says."""
    state = decode_state(row.kind, row.state)
    assert isinstance(state, need.NeedState)
    return state


def read_acts(copy: Replica, store: Store, row: StateRow) -> list[Act]:
    """Return what was said about a need, also what counts no more; what is sealed to us is not."""
    said = _opened(copy, store, row.subject)
    return in_their_pasts(need_state(row), said, copy.branches, copy.membership)


def _opened(copy: Replica, store: Store, subject: bytes) -> Iterator[Act]:
    for entry in need_entries(store, copy.community, subject):
        payload = copy.open(entry.core, entry.payload)
        if payload is None:
            continue
        said = (
            pledge.read_pledge(payload)
            if entry.kind == pledge.NUMBER
            else close.read_close(payload)
        )
        yield Act(entry.order, entry.member, said, entry.is_hidden)


def need_entries(store: Store, community: bytes, subject: bytes) -> Iterator[Entry]:
    """Yield what is listed about a need, hidden pledges too: what is sealed to us, unopened."""
    if store.past(community).hidden_places(subject, pledge.NUMBER):
        arrival = 0
        is_more = True
        while is_more:
            page = store.entries_since(
                community, subject, pledge.NUMBER, arrival, limit=_PAGE, hidden=True
            )
            yield from page
            is_more = len(page) == _PAGE
            arrival = page[-1].arrival if page else arrival
        kinds = [close.NUMBER]
    else:
        kinds = [pledge.NUMBER, close.NUMBER]
    for kind in kinds:
        yield from every_entry(store, community, subject, kind)


def _weight(standing: NeedStanding) -> int:
    return 1 + len(standing.pledges)
