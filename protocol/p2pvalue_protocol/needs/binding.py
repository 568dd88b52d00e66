"""Which words were taken back before they bound, where offers bind at once (spec: needs).

In folding order an offer stands as soon as its conditions hold among those before it. What stands
goes on doing so: more offers are more company, and who is released was counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from p2pvalue_protocol.needs.acts import Act, Offer
from p2pvalue_protocol.needs.conditions import holding


def withdrawn_unbound(
    offers: Sequence[Offer], withdrawals: Mapping[bytes, Act], closed_ms: int
) -> dict[bytes, Act]:
    """Return the withdrawals, by pledge, that came before their offers stood; the others release.

    `offers` are those that fit. Costs a sort, and for each withdrawal of an offer with conditions
    what the offers with conditions cost that do not stand at that time.
    """
    fit = {offer.pledge: offer for offer in offers}
    said = {pledge: act for pledge, act in withdrawals.items() if pledge in fit}
    if not said:
        return {}
    happenings = [(offer.act.order, pledge, False) for pledge, offer in fit.items()]
    happenings += [(act.order, pledge, True) for pledge, act in said.items()]
    so_far = _SoFar(closed_ms)
    found: dict[bytes, Act] = {}
    for _, pledge, is_withdrawal in sorted(happenings):
        if not is_withdrawal:
            if pledge not in found:
                so_far.add(fit[pledge])
        elif not so_far.stands(pledge):
            so_far.remove(pledge)
            found[pledge] = said[pledge]
    return found


class _SoFar:
    """The offers up to a place in the folding order: who is in, and what waits for company."""

    def __init__(self, closed_ms: int) -> None:
        self._closed_ms = closed_ms
        self._standing: set[bytes] = set()
        self._company: set[bytes] = set()  # the members whose offers those are
        self._waiting: dict[bytes, Offer] = {}
        self._is_changed = False

    def add(self, offer: Offer) -> None:
        self._is_changed = True
        if offer.said.conditions:
            self._waiting[offer.pledge] = offer
        else:
            self._let_in(offer)

    def remove(self, pledge: bytes) -> None:
        self._waiting.pop(pledge, None)

    def stands(self, pledge: bytes) -> bool:
        if pledge in self._waiting and self._is_changed:
            self._is_changed = False
            waiting = list(self._waiting.values())
            for held in holding(waiting, self._closed_ms, self._company):
                self._let_in(self._waiting.pop(held))
        return pledge in self._standing

    def _let_in(self, offer: Offer) -> None:
        self._standing.add(offer.pledge)
        self._company.add(offer.member)
