"""Whom a judgement knew to be out: her place is nobody's any more (spec: needs).

Who was a member when somebody judged is read from the past of that judgement, which never changes:
so what counted goes on counting when she returns, and no removal that arrives late turns it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

from p2pvalue_protocol.branches import Branches
from p2pvalue_protocol.kinds.need import NeedState
from p2pvalue_protocol.kinds.pledge import Pledge
from p2pvalue_protocol.membership import Membership
from p2pvalue_protocol.needs.acts import Act, confirmers_of, judges_of, stewards_of
from p2pvalue_protocol.needs.closing import with_pasts

_JUDGEMENTS = frozenset(("confirm", "dispute", "settle"))


def in_their_pasts(
    need: NeedState, acts: Iterable[Act], branches: Branches, membership: Membership
) -> list[Act]:
    """Return acts in folding order, with what matters of their pasts to where a need stands.

    All are folded here. Costs what `with_pasts` does and, for each judgement by somebody who is not
    named, a row read and a look at all who are named, once for each frontier.
    """
    return _with_absent(need, with_pasts(need, acts, branches.reach), branches, membership)


def _with_absent(
    need: NeedState, acts: Sequence[Act], branches: Branches, membership: Membership
) -> list[Act]:
    everybody = sorted({member for terms in need.terms for member in judges_of(need, terms)})

    @cache
    def out_at(frontier: int) -> frozenset[bytes]:
        return frozenset(root for root in everybody if membership.is_out(root, frontier))

    return [
        act._replace(absent=out_at(_frontier_of(act, branches))) if _stands_in(act, need) else act
        for act in acts
    ]


def _stands_in(act: Act, need: NeedState) -> bool:
    """Return whether an act is a judgement by somebody who was not always named for it."""
    said = act.payload
    if not isinstance(said, Pledge) or said.act not in _JUDGEMENTS:
        return False
    named = stewards_of if said.act == "settle" else confirmers_of
    return any(act.member not in named(need, terms) for terms in need.terms)


def _frontier_of(act: Act, branches: Branches) -> int:
    place = branches.find(act.reference)
    row = None if place is None else branches.row(place.branch, act.order.seq)
    assert row is not None, "what is listed is held"
    return row.frontier
