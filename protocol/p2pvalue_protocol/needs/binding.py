"""Which words were taken back before they bound, where offers bind at once (spec: needs).

In folding order an offer stands as soon as its conditions hold among those before it. What stands
goes on doing so: more offers are more company, and who is released was counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from p2pvalue_protocol.needs.acts import Act, Offer
from p2pvalue_protocol.needs.conditions import holding


def withdrawn_unbound(
    offers: Sequence[Offer], withdrawals: Mapping[bytes, Act], closed_ms: int
) -> dict[bytes, Act]:
    """Return the withdrawals, by pledge, that came before their offers stood; the others release.

    `offers` are those that fit. Costs a sort, and for each withdrawal of an offer with conditions
    what the offers cost that wait at that time, of all by one member on the same conditions once.
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


class _Alike(NamedTuple):
    """What offers have in common that stand together or not at all: whose, and what they ask."""

    member: bytes
    others: int
    members: frozenset[bytes]


class _SoFar:
    """The offers up to a place in the folding order: who is in, and what waits for company."""

    def __init__(self, offers: Sequence[Offer], closed_ms: int) -> None:
        self._closed_ms = closed_ms
        self._members = frozenset(offer.member for offer in offers)
        self._standing: set[bytes] = set()
        self._company: set[bytes] = set()  # the members whose offers those are
        self._waiting: dict[_Alike, dict[bytes, Offer]] = {}
        self._is_changed = False

    def add(self, offer: Offer) -> None:
        if not offer.said.conditions:
            self._let_in(offer)
        elif (alike := self._alike(offer)) is not None:
            self._is_changed |= alike not in self._waiting
            self._waiting.setdefault(alike, {})[offer.pledge] = offer

    def remove(self, offer: Offer) -> None:
        alike = self._alike(offer)
        if alike in self._waiting:
            self._waiting[alike].pop(offer.pledge, None)
            if not self._waiting[alike]:
                del self._waiting[alike]

    def stands(self, pledge: bytes) -> bool:
        if self._is_changed and pledge not in self._standing:
            self._is_changed = False
            one_of_each = {next(iter(some)): alike for alike, some in self._waiting.items()}
            waiting = [self._waiting[alike][one] for one, alike in one_of_each.items()]
            for held in holding(waiting, self._closed_ms, self._company):
                for offer in self._waiting.pop(one_of_each[held]).values():
                    self._let_in(offer)
        return pledge in self._standing

    def _alike(self, offer: Offer) -> _Alike | None:
        """Return what an offer is alike others by; None if it never stands, whoever comes yet."""
        others, members = 0, set()
        for asked in offer.said.conditions:
            others = max(others, asked.others or 0)
            if asked.member is not None:
                members.add(asked.member)
            if asked.after is not None and asked.after > self._closed_ms:
                return None
        if others >= len(self._members) or not members <= self._members:
            return None
        return _Alike(offer.member, others, frozenset(members))

    def _let_in(self, offer: Offer) -> None:
        self._is_changed |= offer.member not in self._company
        self._standing.add(offer.pledge)
        self._company.add(offer.member)
