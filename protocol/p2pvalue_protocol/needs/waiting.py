"""Offers that wait for company, and which of them stand when somebody more is there (spec: needs).

The same greatest fixpoint as in `conditions`, asked again and again while offers come and go.
Offers of one member on the same conditions stand together or not at all: each such *kind* is one
bit, so that what a member's leaving takes from all others is found in a few operations on sets.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Set
from typing import NamedTuple

from p2pvalue_protocol.bit_sets import bits_of
from p2pvalue_protocol.needs.acts import Offer


class Kind(NamedTuple):
    """What offers have in common that stand together or not at all: whose, and what they ask."""

    member: bytes
    others: int
    members: frozenset[bytes]


class Waiting:
    """The offers that wait; `kinds` gives those that may ever come, by pledge.

    `company` are the members who have offers that stand, as they come.
    """

    def __init__(self, kinds: dict[bytes, Kind], company: Set[bytes]) -> None:
        self._kinds, self._company = kinds, company
        self._every = sorted(set(kinds.values()), key=lambda kind: kind.others)
        self._others = [kind.others for kind in self._every]
        self._number = {kind: number for number, kind in enumerate(self._every)}
        self._offers: defaultdict[int, dict[bytes, Offer]] = defaultdict(dict)  # by number
        self._present = 0  # the kinds of which an offer waits
        self._of: defaultdict[bytes, int] = defaultdict(int)  # kinds by their members
        self._asking: defaultdict[bytes, int] = defaultdict(int)  # kinds by a member asked for
        self._askers: defaultdict[bytes, set[bytes]] = defaultdict(set)  # whose kinds those are
        self._counting: defaultdict[int, set[bytes]] = defaultdict(set)  # by how many others
        for number, kind in enumerate(self._every):
            self._of[kind.member] |= 1 << number
            self._counting[kind.others].add(kind.member)
            for member in kind.members:
                self._asking[member] |= 1 << number
                self._askers[member].add(kind.member)

    def add(self, offer: Offer) -> bool:
        """Let an offer wait; return whether none like it did. One that never stands is let go."""
        kind = self._kinds.get(offer.pledge)
        if kind is None:
            return False
        number = self._number[kind]
        self._offers[number][offer.pledge] = offer
        is_new = not self._present >> number & 1
        self._present |= 1 << number
        return is_new

    def remove(self, offer: Offer) -> None:
        """Let an offer wait no more, if it does."""
        kind = self._kinds.get(offer.pledge)
        if kind is None:
            return
        number = self._number[kind]
        if self._offers[number].pop(offer.pledge, None) and not self._offers[number]:
            self._present &= ~(1 << number)

    def may_stand(self, pledge: bytes) -> bool:
        """Return whether everybody is there, or waits, whom an offer asks for; a few lookups."""
        kind = self._kinds.get(pledge)
        return kind is not None and all(
            member in self._company or self._of.get(member, 0) & self._present
            for member in kind.members
        )

    def take(self) -> list[Offer]:
        """Return the offers that stand now, which wait no more.

        Costs a look at each member and, for each who is found to be without company, at those who
        ask for her and for as many others as there were with her.
        """
        standing = self._standing()
        self._present &= ~standing
        return [
            offer for number in bits_of(standing) for offer in self._offers.pop(number).values()
        ]

    def _standing(self) -> int:
        alive = self._present
        here = {m for m, kinds in self._of.items() if kinds & alive} | self._company
        for member in self._asking.keys() - here:
            alive &= ~self._asking[member]
        alive &= self._with_enough(len(here))
        suspects: Set[bytes] = here
        while gone := self._gone(suspects - self._company, alive):
            before = len(here)
            here -= gone
            for member in gone:
                alive &= ~self._asking.get(member, 0)
            alive &= self._with_enough(len(here))
            suspects = self._touched(gone, range(len(here), before)) & here
        return alive

    def _gone(self, suspects: Iterable[bytes], alive: int) -> Set[bytes]:
        """Return who of some members has nothing alive."""
        return {member for member in suspects if not self._of[member] & alive}

    def _with_enough(self, count: int) -> int:
        """Return the kinds that so many members are enough for, herself among them."""
        return (1 << bisect_right(self._others, count - 1)) - 1

    def _touched(self, gone: Iterable[bytes], counts: Iterable[int]) -> Set[bytes]:
        """Return who may have lost what was alive, when some went and fewer were left."""
        found: set[bytes] = set()
        for member in gone:
            found |= self._askers.get(member, set())
        for count in counts:
            found |= self._counting.get(count, set())
        return found
