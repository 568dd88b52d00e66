"""Which CLOSEs of a need count, under which terms, and what is in the closed set (spec: needs).

Nothing here looks at a clock. A CLOSE that arrives later can only add to the closed set of its
terms; what follows from that may change, and `standing` says by whom.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds.close import Close, names
from p2pvalue_protocol.kinds.need import NeedState, Terms, terms_id
from p2pvalue_protocol.needs.acts import Act, stewards_of

PEERS_MAY_CLOSE_MS: Final = 30 * 24 * 3_600_000
"""How long after the last day others than stewards may close: no outcome is theirs for ever."""

CLOSES_OF_ONE_MAX: Final = 4
"""How many CLOSEs of one member count for the same terms: as much as one is not enough for."""

_PEERS_NEEDED: Final = 2


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
    """Return the terms that stand: those that were closed first, else the newest.

    `closes` are all CLOSEs held in folding order, hidden ones too; `authors` gives the member
    behind each operation that a CLOSE may name. Costs what the CLOSEs name.
    """
    by_terms: dict[bytes, list[Act]] = {}
    for act in closes:
        assert isinstance(act.payload, Close)
        by_terms.setdefault(act.payload.terms, []).append(act)
    found: list[Closed] = []
    for terms in need.terms:
        acts = by_terms.get(terms_id(terms), ())
        closings = _closings(need, terms, acts, authors) if terms.trigger != "none" else ()
        if closings:
            found.append(Closed(terms, terms_id(terms), closings))
    if found:
        return min(found, key=lambda closed: closed.closings[0].order)
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
    """Return the CLOSEs that count. What they name is read only of those that might."""
    stewards = stewards_of(need, terms)
    by_stewards: list[Closing] = []
    peers: list[Act] = []
    said: Counter[bytes] = Counter()
    for act in acts:
        is_steward = act.member in stewards
        is_late = not is_steward and act.order.time > terms.closes + PEERS_MAY_CLOSE_MS
        if act.is_hidden or act.order.time < terms.closes or is_late:
            continue
        if said[act.member] >= CLOSES_OF_ONE_MAX or (act.member == need.author and not is_steward):
            continue
        said[act.member] += 1
        if is_steward:
            by_stewards.append(_closing(terms, act))
        elif terms.closes:
            peers.append(act)
    by_peers: list[Closing] = []
    if len({act.member for act in peers}) >= _PEERS_NEEDED:
        closings = (_closing(terms, act) for act in peers)
        by_peers = [closing for closing in closings if not _is_party(closing, authors)]
    has_peers = len({closing.member for closing in by_peers}) >= _PEERS_NEEDED
    counting = by_stewards + by_peers if has_peers else by_stewards
    return tuple(sorted(counting, key=lambda closing: closing.order))


def _closing(terms: Terms, act: Act) -> Closing:
    assert isinstance(act.payload, Close)
    cut_ms = terms.closes or act.order.time
    return Closing(act.order, act.member, frozenset(names(act.payload)), cut_ms)


def _is_party(closing: Closing, authors: Mapping[bytes, bytes]) -> bool:
    """Return whether a closer named a word of her own."""
    return any(authors.get(name) == closing.member for name in closing.names)
