"""What is refused about needs and pledges before it is written, with what to do instead.

Others' nodes would take most of it: it is valid, and would come to nothing that its author means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from p2pvalue.amounts import written
from p2pvalue.node.needs.need_boards import need_state
from p2pvalue.node.needs.need_views import line_of
from p2pvalue.node.needs.stand_ins import out_of
from p2pvalue.node.people import Names
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted
from p2pvalue_protocol.kinds.need import NeedState, Terms
from p2pvalue_protocol.membership import Membership
from p2pvalue_protocol.needs.acts import Offer
from p2pvalue_protocol.needs.keeping import Word, may_confirm, may_settle
from p2pvalue_protocol.needs.standing import NeedStanding, NeedStateName, PledgeStanding
from p2pvalue_protocol.past import StateRow

ENDED: Final = ("lapsed", "dropped", "confirmed", "settled")
"""The states of needs that are over."""

_NAMED_MAX: Final = 3


def check_days(given: Mapping[str, Any], state: NeedState | None) -> None:
    """Refuse days of a need that cannot follow each other; `state` is None for a new one."""
    if not given.keys() & {"opens", "closes", "deadline"}:
        return
    terms = None if state is None else state.terms[-1]
    opens = given.get("opens", 0 if terms is None else terms.opens)
    closes = given.get("closes", 0 if terms is None else terms.closes)
    deadline = given.get("deadline", 0 if state is None else state.deadline)
    if closes and closes <= opens:
        raise LocalProtocolError("its last day to pledge is before its first: change one of them")
    if closes and deadline and deadline < closes:
        raise LocalProtocolError(
            "it would be to be done before its last day to pledge: nobody is bound by then. Change"
            " one of the two days"
        )


def check_what_comes_first(
    depends: Iterable[bytes], subject: bytes, held: Callable[[bytes], StateRow | None]
) -> None:
    """Refuse to let a need wait for itself, also by way of others; looks at what they wait for."""
    seen: set[bytes] = set()
    for first in depends:
        to_see = [first]
        while to_see:
            looked_at = to_see.pop()
            if looked_at == subject:
                raise LocalProtocolError(_waits_for_itself(first, subject, held))
            row = None if looked_at in seen else held(looked_at)
            seen.add(looked_at)
            if row is not None:
                to_see += need_state(row).depends


def _waits_for_itself(
    first: bytes, subject: bytes, held: Callable[[bytes], StateRow | None]
) -> str:
    row = held(first)
    if first == subject or row is None:
        return "a need cannot wait for itself: name what comes first, or leave it out"
    return (
        f'"{need_state(row).title}" waits for this need already, and both would wait for ever:'
        " take it back there first (`p2pvalue need edit --after ''`)"
    )


def check_drop(state: NeedStateName) -> None:
    """Refuse to drop what is over: it would change nothing that anybody did."""
    if state in ("confirmed", "settled"):
        raise LocalProtocolError(f"this need is {state}: what was done stays done")
    if state == "lapsed":
        raise LocalProtocolError("this need lapsed: it is over, and nobody owes anything to it")


def check_open(state: NeedStateName) -> None:
    """Refuse to open what is over for good: it would go on as it is."""
    if state in ("lapsed", "confirmed", "settled"):
        raise LocalProtocolError(
            f"this need is {state}, and stays so: add another one with `p2pvalue need add`"
        )


def check_is_open(title: str, state: str) -> None:
    """Refuse a pledge to what takes none: a draft, or what is over."""
    if state == "draft":
        raise LocalProtocolError(
            f'the need "{title}" is a draft, and takes no pledges yet: who asked for it opens it'
            " with `p2pvalue need edit --open`"
        )
    if state in ENDED:
        raise LocalProtocolError(f'the need "{title}" is {state}: it takes none')


def check_withdrawal(
    standing: NeedStanding, state: str, now_ms: int, *, is_heir_named: bool
) -> None:
    """Refuse to take back what counts when its need closes, or to hand over what binds nobody."""
    is_over = not standing.is_closed and 0 < standing.terms.closes < now_ms
    if is_over and state in ("offered", "unmet"):
        raise LocalProtocolError(
            "the last day is over: whether this pledge binds shows when the need is closed, and"
            " what binds can be released then (`p2pvalue pledge release`)"
        )
    if is_heir_named:
        raise LocalProtocolError(
            f"this pledge is {state} and binds nobody yet, so there is nothing to hand over: take"
            " it back (`p2pvalue pledge withdraw`), and ask who is to do it to pledge"
        )


def check_amount(state: NeedState, offer: Offer, quantity: int, whole: int) -> None:
    """Refuse to say that more was delivered than is promised: others would count `whole`."""
    if quantity > whole:
        most = amount_of(state, offer, whole)
        raise LocalProtocolError(f"this pledge is of {most}: say at most that much")


def check_takeover(
    state: NeedState,
    found: PledgeStanding,
    pledges: Iterable[PledgeStanding],
    me: bytes,
    names: Names,
) -> int:
    """Return how much is left to take over; refuses what is not released, or is for another."""
    word = found.word
    if word is None or not word.released:
        raise LocalProtocolError(
            f"this pledge is {found.state}: only what somebody released can be taken over"
        )
    if word.released <= word.taken:
        pledge = found.offer.pledge
        whose = {other.offer.member for other in pledges if other.offer.said.takes == pledge}
        who = " and ".join(names.of(member) for member in sorted(whose))
        taken = amount_of(state, found.offer, word.taken)
        raise LocalProtocolError(f"nothing is left: {who} took over all {taken}")
    if word.to not in (None, me):
        heir = names.of(word.to or b"")
        raise NotAdmitted(f"this was handed to {heir}, who alone can take it over")
    return word.released - word.taken


def amount_of(state: NeedState, offer: Offer, quantity: int) -> str:
    """Return a quantity of what a pledge is for, as people write it."""
    line = line_of(state, offer.said.terms, offer.said.line or 0)
    return str(quantity) if line is None else written(line.kind, line.unit, quantity)


def check_close(standing: NeedStanding) -> None:
    """Refuse to close what nobody pledged to and has no last day: it would lapse for good."""
    if standing.state == "dropped":
        raise LocalProtocolError("this need is dropped: `p2pvalue need edit --open` first")
    if standing.state == "draft":
        raise LocalProtocolError("this need is a draft: `p2pvalue need edit --open` first")
    is_pledged = any(found.state in ("offered", "unmet") for found in standing.pledges)
    if not (standing.is_closed or standing.terms.closes or is_pledged):
        raise LocalProtocolError(
            "nobody pledged what would count now, so it would lapse for good: wait for pledges, or"
            " give it up with `p2pvalue need drop`"
        )


def check_dispute(word: Word) -> None:
    """Refuse to dispute what nobody says was delivered."""
    if not (word.claimed or word.delivered):
        raise LocalProtocolError(
            "nothing of this pledge is claimed yet, so there is nothing to dispute: ask who made it"
        )


def check_judge(
    act: str,
    state: NeedState,
    terms: Terms,
    word: Word,
    me: bytes,
    membership: Membership,
    names: Names,
) -> None:
    """Refuse to judge what others are asked to judge; says who, or what to do if nobody can."""
    judges = may_settle if act == "settle" else may_confirm
    absent = out_of(membership.is_out, state, terms)

    def may(member: bytes) -> bool:
        return judges(state, terms, word, member, absent)

    if may(me):
        return
    asked = [names.of(member.root) for member in membership.members() if may(member.root)]
    if asked:
        more = f" or {len(asked) - _NAMED_MAX} more" if len(asked) > _NAMED_MAX else ""
        who = " or ".join(asked[:_NAMED_MAX])
        raise NotAdmitted(f"you cannot {act} this pledge: {who}{more} can")
    if act == "settle":
        raise NotAdmitted(
            "you cannot settle this pledge, and nobody here can who is no party to it: agree on an"
            " amount; who pledged claims it (`p2pvalue pledge claim PLEDGE AMOUNT`), and who"
            " disputes confirms it (`p2pvalue pledge confirm PLEDGE`)"
        )
    raise NotAdmitted(f"you cannot {act} this pledge, and nobody else here can: invite who saw it")
