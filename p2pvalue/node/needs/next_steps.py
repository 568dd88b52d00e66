"""What the person at this node is asked to do about a need, by the rules of standing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from p2pvalue import need_types as nt
from p2pvalue.node.needs.left_words import is_left
from p2pvalue.node.needs.need_views import line_of, renewals
from p2pvalue.node.needs.stand_ins import out_of
from p2pvalue.node.people import Names
from p2pvalue_protocol.kinds.need import NeedState
from p2pvalue_protocol.membership import Membership
from p2pvalue_protocol.needs.acts import stewards_of
from p2pvalue_protocol.needs.keeping import MayJudge, Word, may_confirm, may_settle
from p2pvalue_protocol.needs.standing import NeedStanding, PledgeStanding


def steps_of(
    state: NeedState,
    standing: NeedStanding,
    me: bytes,
    now_ms: int,
    names: Names,
    membership: Membership,
) -> list[nt.StepView]:
    """Return what `me` may be waited for, pledge by pledge, and whether to close it first."""
    seen = _Seen(state, standing, me, now_ms, out_of(membership.is_out, state, standing.terms))
    found: list[nt.StepView] = []
    if _is_to_close(state, standing, me, now_ms):
        found.append(nt.StepView(act="close"))
    renewed = renewals(state, standing.pledges)
    for pledge in standing.pledges:
        if pledge.offer.pledge in renewed:
            continue
        has_left = is_left(pledge, membership.is_member)
        for act, quantity in _acts(seen, pledge, has_left=has_left):
            said = pledge.offer.said
            line = line_of(state, said.terms, said.line or 0)
            found.append(
                nt.StepView(
                    act=act,
                    pledge=pledge.offer.pledge.hex(),
                    name=names.of(pledge.offer.member),
                    kind=None if line is None else line.kind,
                    unit="" if line is None else line.unit,
                    quantity=quantity,
                    is_left=has_left,
                )
            )
    return found


def _is_to_close(state: NeedState, standing: NeedStanding, me: bytes, now_ms: int) -> bool:
    terms = standing.terms
    if standing.state != "open" or terms.trigger == "none" or me not in stewards_of(state, terms):
        return False
    return now_ms > terms.closes if terms.closes else standing.is_met


class _Seen(NamedTuple):
    """A need as `me` sees it now; `absent` are those named for it who are out."""

    state: NeedState
    standing: NeedStanding
    me: bytes
    now_ms: int
    absent: frozenset[bytes]


def _acts(seen: _Seen, pledge: PledgeStanding, *, has_left: bool) -> Iterator[tuple[nt.Step, int]]:
    """Yield what is asked of `me` about one pledge, and how much it is about."""
    word, is_mine = pledge.word, pledge.offer.member == seen.me
    if word is None:
        standing = seen.standing
        is_over = standing.is_closed or 0 < standing.terms.closes < seen.now_ms
        if is_mine and pledge.state == "outdated" and standing.state == "open" and not is_over:
            yield "renew", pledge.offer.said.quantity or 0
    elif pledge.state != "void":
        yield from _acts_on(seen, word, is_mine=is_mine)
        if has_left and _may(may_settle, seen, word):
            yield "settle", word.bound - word.delivered


def _acts_on(seen: _Seen, word: Word, *, is_mine: bool) -> Iterator[tuple[nt.Step, int]]:
    if is_mine and word.state == "binding":
        yield "claim", word.bound
    is_claimed = word.claimed > word.delivered and word.settled is None
    if is_claimed and seen.me not in word.disputed_by and _may(may_confirm, seen, word):
        yield "confirm", word.claimed
    if word.state == "disputed" and _may(may_settle, seen, word):
        yield "settle", word.claimed
    is_left = word.released > word.taken
    if is_left and not is_mine and word.to in (None, seen.me):
        yield "take", word.released - word.taken


def _may(judges: MayJudge, seen: _Seen, word: Word) -> bool:
    return judges(seen.state, seen.standing.terms, word, seen.me, seen.absent)
