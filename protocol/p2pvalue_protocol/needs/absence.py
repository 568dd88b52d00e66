"""Whom a judgement knew to be out: her place is nobody's any more (spec: needs).

Who was a member when somebody judged is read from the past of that judgement, which never changes:
so what counted goes on counting when she returns, and no removal that arrives late turns it back.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from p2pvalue_protocol.branches import Branches
from p2pvalue_protocol.kinds.need import NeedState, Terms
from p2pvalue_protocol.kinds.pledge import Pledge
from p2pvalue_protocol.membership import Membership
from p2pvalue_protocol.needs.acts import Act, confirmers_of, judges_of, sorted_acts, stewards_of
from p2pvalue_protocol.needs.closing import closed, held_of, with_pasts

_JUDGEMENTS = frozenset(("confirm", "dispute", "settle"))


def in_their_pasts(
    need: NeedState, acts: Iterable[Act], branches: Branches, membership: Membership
) -> list[Act]:
    """Return acts in folding order, with what matters of their pasts to where a need stands.

    All are folded here. Costs what `with_pasts` does. Where somebody judged who was not always
    named for it, the terms that stand are looked for; for each such judgement a row is read and,
    once for each frontier, every member looked at who is named: ~10 µs each.
    """
    return _with_absent(need, with_pasts(need, acts, branches.reach), branches, membership)


def _with_absent(
    need: NeedState, acts: list[Act], branches: Branches, membership: Membership
) -> list[Act]:
    if not any(_stands_in(act, need, need.terms) for act in acts):
        return acts
    held = sorted_acts(acts)
    terms = closed(need, held.closes, held_of(held)).terms
    named = sorted(judges_of(need, terms))

    @cache
    def out_at(frontier: int) -> frozenset[bytes]:
        return frozenset(root for root in named if membership.is_out(root, frontier))

    return [
        act._replace(absent=out_at(_frontier_of(act, branches)))
        if _stands_in(act, need, (terms,))
        else act
        for act in acts
    ]


def _stands_in(act: Act, need: NeedState, among: Iterable[Terms]) -> bool:
    """Return whether an act is a judgement by somebody who is not named for it in some terms."""
    said = act.payload
    if not isinstance(said, Pledge) or said.act not in _JUDGEMENTS:
        return False
    named = stewards_of if said.act == "settle" else confirmers_of
    return any(act.member not in named(need, terms) for terms in among)


def _frontier_of(act: Act, branches: Branches) -> int:
    place = branches.find(act.reference)
    row = None if place is None else branches.row(place.branch, act.order.seq)
    assert row is not None, "what is listed is held"
    return row.frontier
