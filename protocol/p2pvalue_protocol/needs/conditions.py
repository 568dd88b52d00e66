"""Pledges on conditions: the largest set in which every condition holds (spec: needs).

Assume that all hold, drop the pledges whose condition fails, and repeat until nothing changes. As
every condition asks for more company, never for less, the set that remains is the greatest
fixpoint: it is unique, and the order of dropping does not matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from p2pvalue_protocol.needs.acts import Offer


def holding(offers: Sequence[Offer], closed_ms: int) -> frozenset[bytes]:
    """Return the pledges whose conditions hold; `closed_ms` is what "after a date" compares with.

    Costs O(n log n) for n offers, however their conditions chain.
    """
    return _Fixpoint(offers, closed_ms).pledges


class _Fixpoint:
    def __init__(self, offers: Sequence[Offer], closed_ms: int) -> None:
        self._alive = {offer.pledge: offer for offer in offers}
        self._standing = Counter(offer.member for offer in offers)
        members = set(self._standing)
        self._gone: list[bytes] = []  # members of whom nothing stands any more
        self._waiting_for: dict[bytes, list[Offer]] = {}
        in_company: list[tuple[int, Offer]] = []
        for offer in offers:
            for condition in offer.said.conditions:
                if condition.after is not None and condition.after > closed_ms:
                    self._drop(offer)
                if condition.member is not None:
                    self._waiting_for.setdefault(condition.member, []).append(offer)
                if condition.others is not None:
                    in_company.append((condition.others, offer))
        self._gone += sorted(set(self._waiting_for) - members)
        self._settle(sorted(in_company, key=lambda asked: asked[0]))

    @property
    def pledges(self) -> frozenset[bytes]:
        return frozenset(self._alive)

    def _settle(self, in_company: list[tuple[int, Offer]]) -> None:
        while True:
            while in_company and in_company[-1][0] + 1 > len(self._standing):
                self._drop(in_company.pop()[1])
            if not self._gone:
                return
            for offer in self._waiting_for.pop(self._gone.pop(), ()):
                self._drop(offer)

    def _drop(self, offer: Offer) -> None:
        if self._alive.pop(offer.pledge, None) is None:
            return
        self._standing[offer.member] -= 1
        if not self._standing[offer.member]:
            del self._standing[offer.member]
            self._gone.append(offer.member)
