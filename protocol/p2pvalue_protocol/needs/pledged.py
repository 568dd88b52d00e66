"""What members pledged to a need that speaks for it in the order of needs (spec: ranking)."""

from __future__ import annotations

from collections.abc import Mapping

from p2pvalue_protocol.needs.parts import Offer
from p2pvalue_protocol.needs.standing import NeedStanding, PledgeStanding


def offers_of(standing: NeedStanding, ranks: Mapping[bytes, int]) -> tuple[Offer, ...]:
    """Return the pledges of members that stand or bind, in folding order.

    `ranks` are of all members. What was delivered counts on: a need half done has as much behind it
    as one to which that is pledged. Its time is when that was last said, if it is later.
    """
    return tuple(
        Offer(
            member=pledge.offer.member,
            rank=ranks[pledge.offer.member],
            line=pledge.offer.said.line or 0,
            quantity=quantity,
            at_ms=max(pledge.offer.act.order.time, pledge.word.delivered_ms if pledge.word else 0),
        )
        for pledge in standing.pledges
        if pledge.offer.member in ranks and (quantity := _quantity(pledge))
    )


def _quantity(pledge: PledgeStanding) -> int:
    """Return how much is promised still or was delivered; 0 of what is void or never counted."""
    word = pledge.word
    if word is None:
        return (pledge.offer.said.quantity or 0) if pledge.state == "offered" else 0
    if pledge.state == "void":
        return 0
    return word.bound if word.settled is None else word.settled
