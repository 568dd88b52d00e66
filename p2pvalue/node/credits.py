"""Credit for early pledges that came to nothing: the refund that needs no money (spec: ranking).

Who pledged in the first half of a need's time, and saw it lapse, has the next need that she asks
for put a little forward. One lapse, one need, and none for
needs of one's own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from p2pvalue_protocol.kinds.need import NeedState
from p2pvalue_protocol.needs.standing import NeedStanding


class Held(NamedTuple):
    """One need with where it stands."""

    subject: bytes
    state: NeedState
    standing: NeedStanding


def with_credit(held_needs: Iterable[Held]) -> frozenset[bytes]:
    """Return the needs that are put forward, whatever order they come in."""
    lapses: list[tuple[int, bytes, bytes]] = []  # when, whose pledge, of which need
    asked: dict[bytes, list[tuple[int, bytes]]] = {}
    for held in held_needs:
        asked.setdefault(held.state.author, []).append((held.state.created, held.subject))
        if held.standing.state == "lapsed":
            ended_ms = held.standing.closings[0].order.time
            lapses += {(ended_ms, member, held.subject) for member in _early(held)}
    found: set[bytes] = set()
    later = {member: deque(sorted(needs)) for member, needs in asked.items()}
    for ended_ms, member, _ in sorted(lapses):
        needs = later.get(member, deque())
        while needs and needs[0][0] <= ended_ms:
            needs.popleft()
        if needs:
            found.add(needs.popleft()[1])
    return frozenset(found)


def _early(held: Held) -> set[bytes]:
    begin, end = held.state.created, held.standing.closings[0].order.time
    half_ms = begin + ((held.standing.terms.closes or end) - begin) // 2
    return {
        pledge.offer.member
        for pledge in held.standing.pledges
        if pledge.offer.member != held.state.author  # who asked for it lost nothing
        and pledge.state == "void"
        and pledge.offer.act.order.time <= half_ms
    }
