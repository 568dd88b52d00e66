"""Which CLOSEs of a need count, under which terms, and what is in the closed set (spec: needs).

Nothing here looks at a clock. A CLOSE that arrives later can only add to the closed set of its
terms; what follows from that may change, and `standing` says by whom.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds.close import Close, names
from p2pvalue_protocol.kinds.need import NeedState, Terms, terms_id
from p2pvalue_protocol.needs.acts import Act, stewards_of

_PEERS_NEEDED = 2


class Closing(NamedTuple):
    """One CLOSE that counts: what it names, up to which time that counts."""

    order: Order
    member: bytes
    names: frozenset[bytes]
    cut_ms: int


class Closed(NamedTuple):
    """The terms that stand and the CLOSEs that count for them; none while the need is open."""

    terms: Terms
    terms_id: bytes
    closings: tuple[Closing, ...]  # in folding order


def closed(need: NeedState, closes: Sequence[Act], authors: Mapping[bytes, bytes]) -> Closed:
    """Return the terms that stand, the earliest that are closed, else the newest.

    `closes` are all CLOSEs held in folding order, hidden ones too; `authors` gives the member
    behind each operation that a CLOSE may name. Costs what the CLOSEs name.
    """
    by_terms: dict[bytes, list[Act]] = {}
    for act in closes:
        assert isinstance(act.payload, Close)
        by_terms.setdefault(act.payload.terms, []).append(act)
    for terms in need.terms:
        candidates = by_terms.get(terms_id(terms))
        closings = _closings(need, terms, candidates, authors) if candidates else ()
        if closings:
            return Closed(terms, terms_id(terms), closings)
    newest = need.terms[-1]
    return Closed(newest, terms_id(newest), ())


def closed_set(closings: Iterable[Closing], times: Mapping[bytes, int]) -> dict[bytes, int]:
    """Return the operations that CLOSEs put into the closed set, each with the earliest cut, ms.

    `times` gives the time of each operation held, by name: one that is later than the cut of the
    CLOSE that names it is not counted by it.
    """
    cuts: dict[bytes, int] = {}
    for closing in closings:
        add_to_closed_set(cuts, closing, times)
    return cuts


def add_to_closed_set(cuts: dict[bytes, int], closing: Closing, times: Mapping[bytes, int]) -> bool:
    """Add what one CLOSE counts; return whether that made a difference."""
    is_changed = False
    for name in closing.names:
        time = times.get(name)
        if time is None or time > closing.cut_ms:
            continue
        if closing.cut_ms < cuts.get(name, closing.cut_ms + 1):
            cuts[name] = closing.cut_ms
            is_changed = True
    return is_changed


def may_close(need: NeedState, terms: Terms, member: bytes, pledgers: frozenset[bytes]) -> bool:
    """Return whether a member's CLOSE counts, as a steward's or with another's like it."""
    if member in stewards_of(need, terms):
        return True
    return bool(terms.closes) and member != need.author and member not in pledgers


def _closings(
    need: NeedState, terms: Terms, acts: Sequence[Act], authors: Mapping[bytes, bytes]
) -> tuple[Closing, ...]:
    stewards = stewards_of(need, terms)
    by_stewards: list[Closing] = []
    by_peers: list[Closing] = []
    closers: set[bytes] = set()
    for act in acts if terms.closes else _of(acts, stewards):
        closing = _closing(terms, act)
        is_early = act.order.time < terms.closes
        if is_early or act.is_hidden or act.order.device in closers:
            continue
        if act.member in stewards:
            by_stewards.append(closing)
        elif not _is_party(need, closing, authors):
            by_peers.append(closing)
        else:
            continue
        closers.add(act.order.device)
    has_peers = len({closing.member for closing in by_peers}) >= _PEERS_NEEDED
    counting = by_stewards + by_peers if has_peers else by_stewards
    return tuple(sorted(counting, key=lambda closing: closing.order))


def _of(acts: Sequence[Act], members: Sequence[bytes]) -> Sequence[Act]:
    return [act for act in acts if act.member in members]


def _closing(terms: Terms, act: Act) -> Closing:
    assert isinstance(act.payload, Close)
    cut_ms = terms.closes or act.order.time
    return Closing(act.order, act.member, frozenset(names(act.payload)), cut_ms)


def _is_party(need: NeedState, closing: Closing, authors: Mapping[bytes, bytes]) -> bool:
    """Return whether a closer asked for the need, or named a word of her own."""
    return closing.member == need.author or any(
        authors.get(name) == closing.member for name in closing.names
    )
