"""Credit for early pledges that came to nothing: the refund that needs no money (spec: ranking).

Who pledged in the first half of a need's time, and saw it lapse, has the next need that she asks
for put a little forward. One lapse, one need.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from p2pvalue_protocol.kinds.need import NeedState
from p2pvalue_protocol.needs.standing import NeedStanding


class Held(NamedTuple):
    """One need with where it stands."""

    subject: bytes
    state: NeedState
    standing: NeedStanding


def with_credit(needs: Iterable[Held]) -> frozenset[bytes]:
    """Return the needs that are put forward, whatever order they come in."""
    lapses: list[tuple[int, bytes, bytes]] = []  # when, whose pledge, of which need
    asked: dict[bytes, list[tuple[int, bytes]]] = {}
    for held in needs:
        asked.setdefault(held.state.author, []).append((held.state.created, held.subject))
        if held.standing.state == "lapsed":
            ended_ms = held.standing.closings[0].order.time
            lapses += {(ended_ms, member, held.subject) for member in _early(held)}
    found: set[bytes] = set()
    for ended_ms, member, _ in sorted(lapses):
        for created, subject in sorted(asked.get(member, ())):
            if created > ended_ms and subject not in found:
                found.add(subject)
                break
    return frozenset(found)


def _early(held: Held) -> set[bytes]:
    begin, end = held.state.created, held.standing.closings[0].order.time
    half_ms = begin + ((held.standing.terms.closes or end) - begin) // 2
    return {
        pledge.offer.member
        for pledge in held.standing.pledges
        if pledge.state == "void" and pledge.offer.act.order.time <= half_ms
    }
