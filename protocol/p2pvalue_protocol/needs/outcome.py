"""Who is in, and whether a need comes about (spec: needs)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from p2pvalue_protocol.kinds.need import Terms
from p2pvalue_protocol.needs.acts import Act, Acts, Offer, withdrawals
from p2pvalue_protocol.needs.binding import withdrawn_unbound
from p2pvalue_protocol.needs.closing import Closed
from p2pvalue_protocol.needs.conditions import holding

EXPIRY_MS: Final = 180 * 24 * 3_600_000
"""An offer older than this when its need closes was forgotten, and counts no more."""

Unfit = Literal["outdated", "withdrawn", "early", "late", "expired", "unmet"]


class LineTotal(NamedTuple):
    """What stands for one line: how much, and of how many members."""

    quantity: int
    members: int


class Outcome(NamedTuple):
    """The offers that stand, why the others do not, and what they come to."""

    standing: tuple[Offer, ...]
    unfit: dict[bytes, Unfit]  # by pledge
    withdrawals: dict[bytes, Act]  # by pledge: those that came in time
    totals: tuple[LineTotal, ...]  # by line
    is_met: bool  # what the trigger asks for is there


def outcome(acts: Acts, closed: Closed, cuts: Mapping[bytes, int] | None) -> Outcome:
    """Return what follows from the closed set, or, where it is None, from all that is seen so far.

    `cuts` are the operations counted, by id, with the time of that (`closing.closed_set`).
    """
    if cuts is None:
        cuts = _seen_in_time(acts, closed.terms)
    unfit: dict[bytes, Unfit] = {}
    fit: list[Offer] = []
    for offer in acts.offers:
        reason = _reason_against(offer, closed, cuts)
        if reason is None:
            fit.append(offer)
        else:
            unfit[offer.pledge] = reason
    ends = [closing.order.time for closing in closed.closings]
    closed_ms = max(ends, default=closed.terms.closes)
    if closed.terms.trigger == "none":
        withdrawn = withdrawn_unbound(fit, withdrawals(acts), closed_ms)
    else:
        withdrawn = _withdrawn_in_time(acts, closed, cuts, fit)
    unfit |= dict.fromkeys(withdrawn, "withdrawn")
    fit = [offer for offer in fit if offer.pledge not in withdrawn]
    held = holding(fit, closed_ms)
    unfit |= {offer.pledge: "unmet" for offer in fit if offer.pledge not in held}
    standing = tuple(offer for offer in fit if offer.pledge in held)
    totals = totals_of(closed.terms, (part_of(offer) for offer in standing))
    return Outcome(standing, unfit, withdrawn, totals, is_met(closed.terms, totals))


def part_of(offer: Offer) -> tuple[int, int, bytes]:
    """Return what an offer adds: to which line, how much, whose."""
    assert offer.said.line is not None
    assert offer.said.quantity is not None
    return offer.said.line, offer.said.quantity, offer.member


def totals_of(terms: Terms, parts: Iterable[tuple[int, int, bytes]]) -> tuple[LineTotal, ...]:
    """Return what (line, quantity, member) come to, for each line of the terms."""
    quantities = [0] * len(terms.lines)
    members: list[set[bytes]] = [set() for _ in terms.lines]
    for line, quantity, member in parts:
        quantities[line] += quantity
        members[line].add(member)
    return tuple(
        LineTotal(quantity, len(some)) for quantity, some in zip(quantities, members, strict=True)
    )


def is_met(terms: Terms, totals: Sequence[LineTotal]) -> bool:
    """Return whether totals reach what the trigger asks of the lines that have a minimum."""
    reached = [
        total.quantity >= line.minimum
        for line, total in zip(terms.lines, totals, strict=True)
        if line.minimum
    ]
    return any(reached) if reached and terms.trigger == "any" else all(reached)


def _seen_in_time(acts: Acts, terms: Terms) -> dict[bytes, int]:
    """Return what would be counted if the need closed now, with all that is seen.

    What binds at once is counted when it is made: it is not forgotten.
    """
    end_ms = 0 if terms.trigger == "none" else terms.closes
    seen = [offer.act for offer in acts.offers] + list(acts.of_pledges)
    return {
        act.order.op_id: end_ms or act.order.time
        for act in seen
        if not act.is_hidden and (not terms.closes or act.order.time <= terms.closes)
    }


def _withdrawn_in_time(
    acts: Acts, closed: Closed, cuts: Mapping[bytes, int], fit: Iterable[Offer]
) -> dict[bytes, Act]:
    """Return the withdrawals, by pledge, that were counted no later than their offers were.

    Who was counted once releases later: a later CLOSE does not change that.
    """
    withdrawn = withdrawals(acts, cuts)
    return {
        offer.pledge: act
        for offer in fit
        if (act := withdrawn.get(offer.pledge)) is not None
        and (not closed.closings or act.order.time <= cuts[offer.act.order.op_id])
    }


def _reason_against(offer: Offer, closed: Closed, cuts: Mapping[bytes, int]) -> Unfit | None:
    """Return why an offer does not stand, whatever the others do; None if it does."""
    assert offer.said.line is not None
    if offer.said.terms != closed.terms_id or offer.said.line >= len(closed.terms.lines):
        return "outdated"
    if offer.said.takes is None and offer.act.order.time < closed.terms.opens:
        return "early"
    cut_ms = cuts.get(offer.act.order.op_id)
    if cut_ms is None or offer.said.takes is not None:
        return "late"
    if cut_ms > offer.act.order.time + EXPIRY_MS:
        return "expired"
    return None
