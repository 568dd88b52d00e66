"""Where a need and its pledges stand, by the operations held and nothing else (spec: needs)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds.need import NeedState, Terms
from p2pvalue_protocol.kinds.pledge import Pledge
from p2pvalue_protocol.needs.acts import Act, Acts, Offer, sorted_acts, withdrawals
from p2pvalue_protocol.needs.closing import (
    Closed,
    Held,
    add_to_closed_set,
    closed,
    closed_set,
    held_of,
    unfound,
)
from p2pvalue_protocol.needs.keeping import Keeping, Word, WordState
from p2pvalue_protocol.needs.outcome import (
    LineTotal,
    Outcome,
    Unfit,
    is_met,
    outcome,
    part_of,
    totals_of,
)

TOLD_APART_MAX: Final = 32
"""Of so many CLOSEs it is told whether each changed the outcome."""

NeedStateName = Literal[
    "draft",
    "open",
    "triggered",
    "in-progress",
    "claimed",
    "confirmed",
    "disputed",
    "settled",
    "lapsed",
    "dropped",
]
PledgeStateName = Unfit | WordState | Literal["offered", "void"]


class PledgeStanding(NamedTuple):
    """Where one pledge stands; `word` is there once it binds."""

    offer: Offer
    state: PledgeStateName
    reason: str
    word: Word | None = None


class ClosingStanding(NamedTuple):
    """One CLOSE that counts, and whether the outcome would be another without it and later ones."""

    order: Order
    member: bytes
    changed: bool


class NeedStanding(NamedTuple):
    """Everything there is to say of a need at one set of operations."""

    state: NeedStateName
    terms: Terms
    terms_id: bytes
    is_closed: bool
    is_met: bool  # what the trigger asks for stands
    totals: tuple[LineTotal, ...]  # what stands or binds, by line
    delivered: tuple[LineTotal, ...]  # what was confirmed or settled, by line
    pledges: tuple[PledgeStanding, ...]  # in folding order
    closings: tuple[ClosingStanding, ...]  # in folding order
    missing: int  # names of CLOSEs that name nothing that may count, as far as it is held


def standing_of(
    need: NeedState, acts: Iterable[Act], heard: set[bytes] | None = None
) -> NeedStanding:
    """Return where a need stands by all that is held about it, hidden acts included.

    Adds to `heard` the names of the acts that had effect on a pledge that binds, if it is given.
    The same for every order of `acts`. Costs what there is: 2,000 pledges some milliseconds.
    """
    held = sorted_acts(acts)
    named = held_of(held)
    found = closed(need, held.closes, named)
    if found.terms.trigger == "none":
        found = found._replace(closings=())
    cuts = closed_set(found.closings, named) if found.closings else None
    counted = frozenset(cuts or ())
    visible = _without_hidden(held, counted)
    result = outcome(visible, found, cuts)
    is_binding = found.terms.trigger == "none" or (cuts is not None and result.is_met)
    keeping = Keeping(need, found.terms, found.terms_id, result.standing if is_binding else ())
    keeping.take(visible, result.withdrawals.values())
    if heard is not None:
        heard |= keeping.heard
    totals = result.totals
    if is_binding:
        totals = _totals(found.terms, keeping, lambda word: word.bound)
    state = _state(need, found, result, keeping, totals)
    return NeedStanding(
        state=state,
        terms=found.terms,
        terms_id=found.terms_id,
        is_closed=cuts is not None,
        is_met=is_met(found.terms, totals),
        totals=totals,
        delivered=_totals(found.terms, keeping, lambda word: word.delivered),
        pledges=tuple(_pledges(visible, result, keeping, is_void=state in ("lapsed", "dropped"))),
        closings=_closings(visible, found, named),
        missing=unfound(found.closings, named),
    )


def _without_hidden(acts: Acts, counted: frozenset[bytes]) -> Acts:
    """Leave out what counts no more; what was in the closed set goes on counting (R9, point 1)."""
    return acts._replace(
        offers=tuple(o for o in acts.offers if not o.act.is_hidden or o.act.order.op_id in counted),
        of_pledges=tuple(a for a in acts.of_pledges if not a.is_hidden or a.order.op_id in counted),
    )


def _totals(
    terms: Terms, keeping: Keeping, quantity: Callable[[Word], int]
) -> tuple[LineTotal, ...]:
    parts = [(part_of(word.offer), quantity(word)) for word in keeping.words.values()]
    return totals_of(terms, [(line, much, member) for (line, _, member), much in parts if much])


def _state(
    need: NeedState,
    found: Closed,
    result: Outcome,
    keeping: Keeping,
    totals: Sequence[LineTotal],
) -> NeedStateName:
    if need.status == "dropped":
        return "dropped"
    if found.terms.trigger != "none":
        if not found.closings:
            return "draft" if need.status == "draft" else "open"
        if not result.is_met:
            return "lapsed"
    words = [word for word in keeping.words.values() if word.state != "released"]
    if found.terms.trigger == "none" and (not words or not is_met(found.terms, totals)):
        return "draft" if need.status == "draft" else "open"
    states = {word.state for word in words}
    if "disputed" in states:
        return "disputed"
    if not states or states == {"binding"}:
        return "triggered"
    if "binding" in states or not is_met(found.terms, totals):
        return "in-progress"
    if "claimed" in states:
        return "claimed"
    return "settled" if "settled" in states else "confirmed"


def _pledges(
    acts: Acts, result: Outcome, keeping: Keeping, *, is_void: bool
) -> Iterator[PledgeStanding]:
    """Yield where each offer stands; one outside the closed set can be withdrawn at any time."""
    late = withdrawals(acts)
    for offer in acts.offers:
        word = keeping.words.get(offer.pledge)
        withdrawal = result.withdrawals.get(offer.pledge)
        unfit = result.unfit.get(offer.pledge)
        if word is not None:
            is_void_too = is_void and word.state in ("binding", "released")
            yield PledgeStanding(offer, "void" if is_void_too else word.state, word.reason, word)
        elif withdrawal is not None or (unfit is not None and offer.pledge in late):
            reason = (withdrawal or late[offer.pledge]).payload
            assert isinstance(reason, Pledge)
            yield PledgeStanding(offer, "withdrawn", reason.reason or "")
        elif unfit is not None:
            yield PledgeStanding(offer, unfit, "")
        else:
            yield PledgeStanding(offer, "void" if is_void else "offered", "")


def _closings(acts: Acts, found: Closed, held: Held) -> tuple[ClosingStanding, ...]:
    """Return the CLOSEs in order, each with whether it changed what the need came to.

    What one adds to the closed set is looked at only if it adds something.
    """
    told: list[ClosingStanding] = []
    before: object = None
    cuts: dict[bytes, int] = {}
    for number, closing in enumerate(found.closings, 1):
        changed = False
        is_more = add_to_closed_set(cuts, closing, held) or not told
        if is_more and number <= TOLD_APART_MAX:
            result = outcome(acts, found._replace(closings=found.closings[:number]), cuts)
            after = (result.is_met, [offer.pledge for offer in result.standing])
            changed = after != before
            before = after
        told.append(ClosingStanding(closing.order, closing.member, changed))
    return tuple(told)
