"""Where each need stands by what one machine holds, as far as its person is told.

It is computed from the lists of all that was said, also from what counts no more: that is not part
of what two machines' digests are made of, and a need that was closed goes on with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from p2pvalue.store import Entry, Store
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds import close, decode_state, need, pledge
from p2pvalue_protocol.needs.absence import in_their_pasts
from p2pvalue_protocol.needs.acts import Act
from p2pvalue_protocol.needs.outcome import LineTotal
from p2pvalue_protocol.needs.standing import NeedStanding, standing_of
from p2pvalue_protocol.replica import Replica

_SAID_MAX: Final = 10_000  # about one need, and needs: more than any world has


class Standing(NamedTuple):
    """What a person is told of a need."""

    state: str
    terms: bytes
    missing: int
    totals: tuple[tuple[LineTotal, ...], tuple[LineTotal, ...]]  # promised, delivered
    pledges: tuple[tuple[bytes, str, str, tuple[int, int] | None], ...]
    closings: tuple[tuple[Order, bytes, bool], ...]  # by whom, and whether it changed anything


def standings(copy: Replica, store: Store) -> dict[bytes, Standing]:
    """Return where each need stands; equal wherever the same is known."""
    rows = store.states(copy.community, need.NUMBER, limit=_SAID_MAX)
    states = ((row.subject, decode_state(row.kind, row.state)) for row in rows)
    needs = ((subject, state) for subject, state in states if isinstance(state, need.NeedState))
    return {
        subject: _told(standing_of(state, _acts(copy, store, subject, state)))
        for subject, state in needs
    }


def _told(standing: NeedStanding) -> Standing:
    pledges = tuple(
        (p.offer.pledge, p.state, p.reason, (p.word.bound, p.word.delivered) if p.word else None)
        for p in standing.pledges
    )
    closings = tuple((c.order, c.member, c.changed) for c in standing.closings)
    totals = (standing.totals, standing.delivered)
    return Standing(standing.state, standing.terms_id, standing.missing, totals, pledges, closings)


def _acts(copy: Replica, store: Store, subject: bytes, state: need.NeedState) -> list[Act]:
    said = _opened(copy, store, subject)
    return in_their_pasts(state, said, copy.branches, copy.membership)


def _opened(copy: Replica, store: Store, subject: bytes) -> Iterator[Act]:
    for entry in _said(copy, store, subject):
        payload = copy.open(entry.core, entry.payload)
        if payload is not None:
            is_pledge = entry.kind == pledge.NUMBER
            said = pledge.read_pledge(payload) if is_pledge else close.read_close(payload)
            yield Act(entry.order, entry.member, said, entry.is_hidden)


def _said(copy: Replica, store: Store, subject: bytes) -> list[Entry]:
    kept = store.entries_since(
        copy.community, subject, pledge.NUMBER, 0, limit=_SAID_MAX, hidden=True
    )
    return [*kept, *store.entries(copy.community, subject, close.NUMBER, limit=_SAID_MAX)]
