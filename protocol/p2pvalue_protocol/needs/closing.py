"""Which CLOSEs of a need count, under which terms, and what is in the closed set (spec: needs).

Nothing here looks at a clock. A CLOSE that arrives later can only add to the closed set of its
terms; what follows from that may change, and `standing` says by whom.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds.close import Close, names
from p2pvalue_protocol.kinds.need import NeedState, Terms, terms_id
from p2pvalue_protocol.needs.acts import Act, Acts, stewards_of
from p2pvalue_protocol.reach import Reach
from p2pvalue_protocol.walk_back import Asked

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
    past: frozenset[bytes]  # ids of what is hidden, named and in its past

    def may_count(self, named: Named) -> bool:
        """Return whether everybody who holds this CLOSE comes to hold what it names.

        All come to hold what is not hidden. Of a log that is cut off a node takes what a CLOSE
        rests on, and some happen to hold more: that counts for nobody.
        """
        return not named.is_hidden or named.op_id in self.past


class Named(NamedTuple):
    """What of an operation matters to the CLOSEs that may name it."""

    op_id: bytes
    time: int
    member: bytes
    is_hidden: bool


Held = Mapping[bytes, Sequence[Named]]
"""What a CLOSE may name, by name: offers and what was said of pledges, hidden or not."""


class Closed(NamedTuple):
    """The terms that stand and the CLOSEs that count for them; none while the need is open."""

    terms: Terms
    terms_id: bytes
    closings: tuple[Closing, ...]  # in folding order


def held_of(acts: Acts) -> Held:
    """Return by name what CLOSEs may name."""
    held: dict[bytes, list[Named]] = {}
    for act in (*(offer.act for offer in acts.offers), *acts.of_pledges):
        named = Named(act.order.op_id, act.order.time, act.member, act.is_hidden)
        held.setdefault(act.name, []).append(named)
    return held


def closed(need: NeedState, closes: Sequence[Act], held: Held) -> Closed:
    """Return the terms that stand: those that were closed first, else the newest.

    `closes` are all CLOSEs held in folding order, hidden ones too. Costs what the CLOSEs name.
    """
    by_terms = _by_terms(closes)
    found: list[Closed] = []
    for terms in need.terms:
        acts = by_terms.get(terms_id(terms), ())
        closings = _closings(need, terms, acts, held) if terms.trigger != "none" else ()
        if closings:
            found.append(Closed(terms, terms_id(terms), closings))
    if found:
        return min(found, key=lambda closed: closed.closings[0].order)
    newest = need.terms[-1]
    return Closed(newest, terms_id(newest), ())


def with_pasts(need: NeedState, acts: Iterable[Act], reach: Reach) -> list[Act]:
    """Return acts in folding order, each CLOSE that may count with what is hidden in its past.

    Only what it names is there. Where nothing hidden is named this costs a look at each name; else
    as `Reach.pasts_among`.
    """
    found = sorted(acts, key=lambda act: act.order)
    hidden: dict[bytes, list[Reference]] = {}
    for act in found:
        if act.is_hidden:
            hidden.setdefault(act.name, []).append(act.reference)
    if not hidden:
        return found
    by_terms = _by_terms(act for act in found if isinstance(act.payload, Close))
    asked: dict[Order, Asked] = {}
    for terms in (terms for terms in need.terms if terms.trigger != "none"):
        for act in _may_count(need, terms, by_terms.get(terms_id(terms), ())):
            assert isinstance(act.payload, Close)
            named = [ref for name in names(act.payload) for ref in hidden.get(name, ())]
            if named:
                asked[act.order] = Asked(act.reference, named)
    pasts = dict(zip(asked, reach.pasts_among(list(asked.values())), strict=True))
    return [act._replace(past=pasts[act.order]) if act.order in pasts else act for act in found]


def _by_terms(closes: Iterable[Act]) -> dict[bytes, list[Act]]:
    by_terms: dict[bytes, list[Act]] = {}
    for act in closes:
        assert isinstance(act.payload, Close)
        by_terms.setdefault(act.payload.terms, []).append(act)
    return by_terms


def closed_set(closings: Iterable[Closing], held: Held) -> dict[bytes, int]:
    """Return the operations that CLOSEs put into the closed set, by id, with the earliest cut, ms.

    One that is later than the cut of the CLOSE that names it is not counted by it, nor one that is
    hidden and not in its past.
    """
    cuts: dict[bytes, int] = {}
    for closing in closings:
        add_to_closed_set(cuts, closing, held)
    return cuts


def add_to_closed_set(cuts: dict[bytes, int], closing: Closing, held: Held) -> bool:
    """Add what one CLOSE counts; return whether that made a difference."""
    is_changed = False
    cut_ms = closing.cut_ms
    for name in closing.names:
        for named in held.get(name, ()):
            op_id, time, _, is_hidden = named
            if time > cut_ms or (is_hidden and not closing.may_count(named)):
                continue
            if cut_ms < cuts.get(op_id, cut_ms + 1):
                cuts[op_id] = cut_ms
                is_changed = True
    return is_changed


def unfound(closings: Iterable[Closing], held: Held) -> int:
    """Return how many names of these CLOSEs name nothing that may count, as far as it is held."""
    names: set[bytes] = set()
    past: set[bytes] = set()
    for closing in closings:
        names |= closing.names
        past |= closing.past
    return sum(
        all(named.is_hidden and named.op_id not in past for named in held.get(name, ()))
        for name in names
    )


def may_close(need: NeedState, terms: Terms, member: bytes, pledgers: frozenset[bytes]) -> bool:
    """Return whether a member's CLOSE counts, as a steward's or with another's like it."""
    if member in stewards_of(need, terms):
        return True
    return bool(terms.closes) and member != need.author and member not in pledgers


def _closings(
    need: NeedState, terms: Terms, acts: Sequence[Act], held: Held
) -> tuple[Closing, ...]:
    """Return the CLOSEs that count. What they name is read only of those that might."""
    stewards = stewards_of(need, terms)
    by_stewards: list[Closing] = []
    peers: list[Act] = []
    for act in _may_count(need, terms, acts):
        if act.member in stewards:
            by_stewards.append(_closing(terms, act))
        else:
            peers.append(act)
    by_peers: list[Closing] = []
    if len({act.member for act in peers}) >= _PEERS_NEEDED:
        closings = (_closing(terms, act) for act in peers)
        by_peers = [closing for closing in closings if not _is_party(closing, held)]
    has_peers = len({closing.member for closing in by_peers}) >= _PEERS_NEEDED
    counting = by_stewards + by_peers if has_peers else by_stewards
    return tuple(sorted(counting, key=lambda closing: closing.order))


def _may_count(need: NeedState, terms: Terms, acts: Iterable[Act]) -> Iterator[Act]:
    """Yield the CLOSEs for these terms that may count, as far as can be told without the names."""
    stewards = stewards_of(need, terms)
    said: Counter[bytes] = Counter()
    for act in acts:
        is_steward = act.member in stewards
        is_late = not is_steward and act.order.time > terms.closes + PEERS_MAY_CLOSE_MS
        if act.is_hidden or act.order.time < terms.closes or is_late:
            continue
        if not is_steward and (not terms.closes or act.member == need.author):
            continue
        if said[act.member] < CLOSES_OF_ONE_MAX:
            said[act.member] += 1
            yield act


def _closing(terms: Terms, act: Act) -> Closing:
    assert isinstance(act.payload, Close)
    cut_ms = terms.closes or act.order.time
    return Closing(act.order, act.member, frozenset(names(act.payload)), cut_ms, act.past)


def _is_party(closing: Closing, held: Held) -> bool:
    """Return whether a closer named a word of her own."""
    return any(
        named.member == closing.member and closing.may_count(named)
        for name in closing.names
        for named in held.get(name, ())
    )
