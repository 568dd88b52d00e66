"""Who is asked to confirm or to settle: those named for it, else two of all who may.

Where nobody named is left who is no party, any other member may (spec: needs). Who is out of the
community is not left. To ask all of them would be noise, so those nearest to the need are asked;
the same two on every node that holds the same, and the others may still.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from p2pvalue.node.needs.interests import wanting
from p2pvalue_protocol.kinds.need import NeedState, Terms
from p2pvalue_protocol.needs.acts import confirmers_of, judges_of, stewards_of
from p2pvalue_protocol.needs.keeping import Word, may_confirm, may_settle
from p2pvalue_protocol.needs.standing import NeedStanding

if TYPE_CHECKING:
    from p2pvalue.node.context import Context
    from p2pvalue_protocol.members import Member

STAND_INS_MAX: Final = 2

Nearest = Callable[[], Sequence[bytes]]
"""Gives the members, those nearest to a need first; only asked where it matters."""


class Others(NamedTuple):
    """Who may be asked in the place of those named for a need, and who of these is out."""

    near: Nearest
    absent: frozenset[bytes] = frozenset()


def nearest(
    members: Iterable[Member], standing: NeedStanding, wanting_it: Collection[bytes]
) -> list[bytes]:
    """Return the members: who pledged to a need, who wants it, then by rank and by id."""
    pledged = {p.offer.member for p in standing.pledges if p.state != "withdrawn"}

    def distance(member: Member) -> tuple[bool, bool, int, bytes]:
        root = member.root
        return root not in pledged, root not in wanting_it, member.rank, root

    return [member.root for member in sorted(members, key=distance)]


def others_here(
    context: Context, community: bytes, need: bytes, state: NeedState, standing: NeedStanding
) -> Others:
    """Return what gives the members of a community, those nearest to its need first; once."""
    membership = context.membership(community)

    @cache
    def near() -> Sequence[bytes]:
        wanted = wanting(context, community, need).get(need, ())
        return nearest(membership.members(), standing, wanted)

    return Others(near, out_of(membership.is_out, state, standing.terms))


def out_of(is_out: Callable[[bytes], bool], need: NeedState, terms: Terms) -> frozenset[bytes]:
    """Return who is named to confirm or to settle, and is out of the community."""
    return frozenset(filter(is_out, judges_of(need, terms)))


def asked_to_confirm(need: NeedState, terms: Terms, word: Word, others: Others) -> list[bytes]:
    """Return who is asked whether something was delivered."""

    def may(member: bytes) -> bool:
        return may_confirm(need, terms, word, member, others.absent)

    return _asked(confirmers_of(need, terms) - others.absent, others.near, may)


def asked_to_settle(need: NeedState, terms: Terms, word: Word, others: Others) -> list[bytes]:
    """Return who is asked to settle a quarrel."""

    def may(member: bytes) -> bool:
        return may_settle(need, terms, word, member, others.absent)

    return _asked(frozenset(stewards_of(need, terms)) - others.absent, others.near, may)


def is_asked(
    need: NeedState, standing: NeedStanding, me: bytes, others: Others, left: Collection[bytes]
) -> bool:
    """Return whether a member is asked anything about the pledges to a need.

    `left` are those that bind who is no member.
    """
    terms = standing.terms
    for pledge in standing.pledges:
        word = pledge.word
        if word is None:
            continue
        if pledge.state == "claimed" and me in asked_to_confirm(need, terms, word, others):
            return True
        is_to_settle = pledge.state == "disputed" or pledge.offer.pledge in left
        if is_to_settle and me in asked_to_settle(need, terms, word, others):
            return True
    return False


def _asked(named: Iterable[bytes], near: Nearest, may: Callable[[bytes], bool]) -> list[bytes]:
    left = [member for member in named if may(member)]
    return left or list(islice(filter(may, near()), STAND_INS_MAX))
