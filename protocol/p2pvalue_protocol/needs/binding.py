"""Which words were taken back before they bound, where offers bind at once (spec: needs).

In folding order an offer stands as soon as its conditions hold among those before it. What stands
goes on doing so: more offers are more company, and who is released was counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from p2pvalue_protocol.needs.acts import Act, Offer
from p2pvalue_protocol.needs.waiting import Kind, Waiting


def withdrawn_unbound(
    offers: Sequence[Offer], withdrawals: Mapping[bytes, Act], closed_ms: int
) -> dict[bytes, Act]:
    """Return the withdrawals, by pledge, that came before their offers stood; the others release.

    `offers` are those that fit. Costs a sort, and for each withdrawal of an offer with conditions
    what `Waiting.take` does.
    """
    fit = {offer.pledge: offer for offer in offers}
    said = {pledge: act for pledge, act in withdrawals.items() if pledge in fit}
    if not said:
        return {}
    happenings = [(offer.act.order, pledge, False) for pledge, offer in fit.items()]
    happenings += [(act.order, pledge, True) for pledge, act in said.items()]
    so_far = _SoFar(offers, closed_ms)
    found: dict[bytes, Act] = {}
    for _, pledge, is_withdrawal in sorted(happenings):
        if not is_withdrawal:
            if pledge not in found:
                so_far.add(fit[pledge])
        elif not so_far.stands(pledge):
            so_far.remove(fit[pledge])
            found[pledge] = said[pledge]
    return found


class _SoFar:
    """The offers up to a place in the folding order: who is in, and what waits for company."""

    def __init__(self, offers: Sequence[Offer], closed_ms: int) -> None:
        members = frozenset(offer.member for offer in offers)
        self._standing: set[bytes] = set()
        self._company: set[bytes] = set()  # the members whose offers those are
        kinds = {offer.pledge: _kind(offer, members, closed_ms) for offer in offers}
        known = {pledge: kind for pledge, kind in kinds.items() if kind is not None}
        self._waiting = Waiting(known, self._company)
        self._is_changed = False

    def add(self, offer: Offer) -> None:
        if offer.said.conditions:
            self._is_changed |= self._waiting.add(offer)
        else:
            self._let_in(offer)

    def remove(self, offer: Offer) -> None:
        self._waiting.remove(offer)

    def stands(self, pledge: bytes) -> bool:
        """Return whether an offer stands; of one that waits for nobody here all else can wait."""
        if self._is_changed and pledge not in self._standing and self._waiting.may_stand(pledge):
            self._is_changed = False
            for offer in self._waiting.take():
                self._let_in(offer)
        return pledge in self._standing

    def _let_in(self, offer: Offer) -> None:
        self._is_changed |= offer.member not in self._company
        self._standing.add(offer.pledge)
        self._company.add(offer.member)


def _kind(offer: Offer, everybody: frozenset[bytes], closed_ms: int) -> Kind | None:
    """Return what an offer is like others by; None if it never stands, whoever comes yet."""
    others, members = 0, set()
    for asked in offer.said.conditions:
        others = max(others, asked.others or 0)
        if asked.member is not None:
            members.add(asked.member)
        if asked.after is not None and asked.after > closed_ms:
            return None
    if others >= len(everybody) or not members <= everybody:
        return None
    return Kind(offer.member, others, frozenset(members))
