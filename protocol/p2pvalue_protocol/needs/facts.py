"""What was done, derived from pledges that were confirmed or settled (spec: needs)."""

from __future__ import annotations

from typing import NamedTuple

from p2pvalue_protocol.kinds.need import NeedLine, NeedState
from p2pvalue_protocol.needs.standing import NeedStanding


class Fact(NamedTuple):
    """Something that a member delivered; there is no operation of its own for it."""

    pledge: bytes  # its id, 16 bytes
    member: bytes  # who delivered, a root key
    line: NeedLine  # what it was asked for
    quantity: int  # in the unit of the line
    class_name: str
    witnesses: tuple[bytes, ...]  # who confirmed as much, or settled it: root keys, ascending
    time: int  # ms: when that was said


def facts_of(need: NeedState, standing: NeedStanding) -> tuple[Fact, ...]:
    """Return what was delivered to a need, pledge by pledge in folding order.

    What nobody confirmed is none, and neither is what is disputed.
    """
    facts: list[Fact] = []
    for found in standing.pledges:
        word = found.word
        if word is None or not word.delivered or word.state == "disputed":
            continue
        assert found.offer.said.line is not None
        line = standing.terms.lines[found.offer.said.line]
        facts.append(
            Fact(
                pledge=found.offer.pledge,
                member=found.offer.member,
                line=line,
                quantity=word.delivered,
                class_name=need.class_name,
                witnesses=word.witnesses,
                time=word.delivered_ms,
            )
        )
    return tuple(facts)
