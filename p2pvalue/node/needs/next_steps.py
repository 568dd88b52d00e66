"""What the person at this node is asked to do about a need, by the rules of standing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from p2pvalue import need_types as nt
from p2pvalue.node.needs.left_words import is_left
from p2pvalue.node.needs.need_views import line_of, renewals
from p2pvalue.node.people import Names
from p2pvalue_protocol.kinds.need import NeedState, Terms
from p2pvalue_protocol.needs.acts import stewards_of
from p2pvalue_protocol.needs.keeping import Word, may_confirm, may_settle
from p2pvalue_protocol.needs.standing import NeedStanding, PledgeStanding


def steps_of(
    state: NeedState,
    standing: NeedStanding,
    me: bytes,
    now_ms: int,
    names: Names,
    is_member: Callable[[bytes], bool],
) -> list[nt.StepView]:
    """Return what `me` may be waited for, pledge by pledge, and whether to close it first."""
    found: list[nt.StepView] = []
    if _is_to_close(state, standing, me, now_ms):
        found.append(nt.StepView(act="close"))
    renewed = renewals(state, standing.pledges)
    for pledge in standing.pledges:
        if pledge.offer.pledge in renewed:
            continue
        has_left = is_left(pledge, is_member)
        for act, quantity in _acts(state, standing, pledge, me, now_ms, has_left=has_left):
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


def _acts(
    state: NeedState,
    standing: NeedStanding,
    pledge: PledgeStanding,
    me: bytes,
    now_ms: int,
    *,
    has_left: bool,
) -> Iterator[tuple[nt.Step, int]]:
    """Yield what is asked of `me` about one pledge, and how much it is about."""
    word, is_mine = pledge.word, pledge.offer.member == me
    if word is None:
        is_over = standing.is_closed or 0 < standing.terms.closes < now_ms
        if is_mine and pledge.state == "outdated" and standing.state == "open" and not is_over:
            yield "renew", pledge.offer.said.quantity or 0
    elif pledge.state != "void":
        yield from _acts_on(state, standing.terms, word, me, is_mine=is_mine)
        if has_left and may_settle(state, standing.terms, word, me):
            yield "settle", word.bound - word.delivered


def _acts_on(
    state: NeedState, terms: Terms, word: Word, me: bytes, *, is_mine: bool
) -> Iterator[tuple[nt.Step, int]]:
    if is_mine and word.state == "binding":
        yield "claim", word.bound
    is_claimed = word.claimed > word.delivered and word.settled is None
    if is_claimed and me not in word.disputed_by and may_confirm(state, terms, word, me):
        yield "confirm", word.claimed
    if word.state == "disputed" and may_settle(state, terms, word, me):
        yield "settle", word.claimed
    is_left = word.released > word.taken
    if is_left and not is_mine and word.to in (None, me):
        yield "take", word.released - word.taken
