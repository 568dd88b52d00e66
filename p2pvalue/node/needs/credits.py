"""Credit for early pledges that came to nothing: the refund that needs no money (spec: ranking).

Who pledged in the first half of a need's time, and saw it lapse, has the next need that she asks
for put a little forward. One lapse, one need, and none for
needs of one's own.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from typing import NamedTuple

from p2pvalue_protocol.kinds.need import NeedState
from p2pvalue_protocol.needs.standing import NeedStanding

Dated = tuple[int, bytes]  # a time, and a need


class Held(NamedTuple):
    """One need with where it stands."""

    subject: bytes
    state: NeedState
    standing: NeedStanding


class _Said(NamedTuple):
    author: bytes
    asked: Dated
    lapsed: Dated | None
    early: frozenset[bytes]


class Credits:
    """Which needs are put forward, as needs come and change, whatever order they come in."""

    def __init__(self) -> None:
        self._said: dict[bytes, _Said] = {}
        self._asked: defaultdict[bytes, list[Dated]] = defaultdict(list)  # by member, ascending
        self._lapses: defaultdict[bytes, list[Dated]] = defaultdict(list)
        self._forward: dict[bytes, frozenset[bytes]] = {}  # by member, if any
        self._touched: set[bytes] = set()  # members

    def put(self, held: Held) -> None:
        """Take a need in, or as it stands now; of one that lapsed costs its early pledgers."""
        self.remove(held.subject)
        asked = held.state.created, held.subject
        said = _Said(held.state.author, asked, None, frozenset())
        if held.standing.state == "lapsed":
            lapsed = held.standing.closings[0].order.time, held.subject
            said = said._replace(lapsed=lapsed, early=_early(held))
        self._said[held.subject] = said
        insort(self._asked[said.author], asked)
        self._touched |= {said.author, *said.early}
        if said.lapsed is not None:
            for member in said.early:
                insort(self._lapses[member], said.lapsed)

    def remove(self, subject: bytes) -> None:
        """Take a need out, if it is in."""
        said = self._said.pop(subject, None)
        if said is None:
            return
        _take_out(self._asked, said.author, said.asked)
        self._touched |= {said.author, *said.early}
        if said.lapsed is not None:
            for member in said.early:
                _take_out(self._lapses, member, said.lapsed)

    def settle(self) -> set[bytes]:
        """Return the needs that are put forward now and were not when last asked, or the reverse.

        Costs the lapses of the members whom something changed for.
        """
        changed: set[bytes] = set()
        for member in self._touched:
            before, after = self._forward.pop(member, frozenset()), self._of(member)
            changed |= before ^ after
            if after:
                self._forward[member] = after
        self._touched.clear()
        return changed

    def has(self, subject: bytes) -> bool:
        """Return whether a need is put forward, as of the last `settle`."""
        said = self._said.get(subject)
        return said is not None and subject in self._forward.get(said.author, ())

    def _of(self, member: bytes) -> frozenset[bytes]:
        found: set[bytes] = set()
        asked, place = self._asked.get(member, []), 0
        for ended_ms, _ in self._lapses.get(member, ()):
            place = max(place, bisect_left(asked, (ended_ms + 1, b"")))
            if place < len(asked):
                found.add(asked[place][1])
                place += 1
        return frozenset(found)


def _take_out(by_member: dict[bytes, list[Dated]], member: bytes, dated: Dated) -> None:
    some = by_member[member]
    del some[bisect_left(some, dated)]
    if not some:
        del by_member[member]


def _early(held: Held) -> frozenset[bytes]:
    begin, end = held.state.created, held.standing.closings[0].order.time
    half_ms = begin + ((held.standing.terms.closes or end) - begin) // 2
    return frozenset(
        pledge.offer.member
        for pledge in held.standing.pledges
        if pledge.offer.member != held.state.author  # who asked for it lost nothing
        and pledge.state == "void"
        and pledge.offer.act.order.time <= half_ms
    )
