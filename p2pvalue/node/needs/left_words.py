"""Words that bind somebody who is no member any more: she can neither keep nor release them.

The rules go on counting them (spec: needs), since who is a member is not theirs to ask. So whoever
may settle them is told.
"""

from __future__ import annotations

from collections.abc import Callable

from p2pvalue_protocol.needs.standing import NeedStanding, PledgeStanding


def is_left(pledge: PledgeStanding, is_member: Callable[[bytes], bool]) -> bool:
    """Return whether a pledge binds somebody who is no member, with nothing to be confirmed."""
    return pledge.state == "binding" and not is_member(pledge.offer.member)


def left_words(standing: NeedStanding, is_member: Callable[[bytes], bool]) -> frozenset[bytes]:
    """Return the pledges to a need, by their ids, that bind who is no member."""
    return frozenset(p.offer.pledge for p in standing.pledges if is_left(p, is_member))
