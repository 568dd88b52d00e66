"""What people are told of a need and of its pledges."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Final

from p2pvalue import need_types as nt
from p2pvalue.node.needs.left_words import is_left
from p2pvalue.node.needs.need_boards import need_state
from p2pvalue.node.people import Naming
from p2pvalue_protocol.kinds.need import NeedLine, NeedState, Terms, terms_id
from p2pvalue_protocol.needs.acts import Offer, confirmers_of, stewards_of
from p2pvalue_protocol.needs.keeping import Word
from p2pvalue_protocol.needs.standing import NeedStanding, PledgeStanding
from p2pvalue_protocol.past import StateRow

Thing = tuple[str, str]
"""What is given: a kind and a unit."""

_TO_RENEW: Final = ("outdated", "early", "expired")


def need_view(
    row: StateRow,
    standing: NeedStanding,
    names: Naming,
    wanting: Collection[bytes],
    me: bytes,
    *,
    project_title: str,
    absent: frozenset[bytes] = frozenset(),
    sealed: int = 0,
) -> nt.NeedView:
    """Return a need as it stands, for `me`, where these members want it.

    `absent` are those named for it who are out.

    `sealed` operations wait here for a key. If there are any, names that count nothing yet may be
    of these; else nothing will ever count by them.
    """
    state = need_state(row)
    terms = standing.terms
    return nt.NeedView(
        need=row.subject.hex(),
        title=state.title,
        body=state.body,
        state=standing.state,
        is_met=standing.is_met,
        is_closed=standing.is_closed,
        lines=_lines(standing),
        trigger=terms.trigger,
        opens=terms.opens,
        closes=terms.closes,
        deadline=state.deadline,
        estimate=state.estimate,
        class_name=state.class_name,
        skills=list(state.skills),
        acceptance=state.acceptance,
        gives_back=state.gives_back,
        project=state.project.hex(),
        project_title=project_title,
        message=state.message.hex(),
        depends=[subject.hex() for subject in state.depends],
        stewards=_people(stewards_of(state, terms), names, absent),
        confirmers=_people(sorted(confirmers_of(state, terms)), names, absent),
        closings=[
            nt.ClosingView(
                member=closing.member.hex(),
                name=names.of(closing.member),
                time=closing.order.time,
                changed=closing.changed,
            )
            for closing in standing.closings
        ],
        missing=min(standing.missing, sealed),
        wants=len(wanting),
        is_wanted=me in wanting,
        is_mine=_is_mine(state, standing, me),
        member=state.author.hex(),
        name=names.of(state.author),
        created=state.created,
        time=row.time,
    )


def _is_mine(state: NeedState, standing: NeedStanding, me: bytes) -> bool:
    """Return whether a member asked for a need, is its steward, or pledged to it."""
    return me in (state.author, *stewards_of(state, standing.terms)) or any(
        pledge.offer.member == me and pledge.state != "withdrawn" for pledge in standing.pledges
    )


def renewals(state: NeedState, pledges: Iterable[PledgeStanding]) -> dict[bytes, bytes]:
    """Return which pledges to a need were renewed, and by which: looks twice at each.

    A renewal says again, under other terms, that its author gives of the same thing.
    """
    every = list(pledges)
    newest: dict[tuple[bytes, Thing | None], PledgeStanding] = {}
    for pledge in every:
        is_plain = pledge.offer.said.takes is None and pledge.state not in _TO_RENEW
        if is_plain and pledge.state != "withdrawn":
            whose = pledge.offer.member, thing_of(state, pledge.offer)
            before = newest.get(whose)
            if before is None or before.offer.act.order < pledge.offer.act.order:
                newest[whose] = pledge
    found: dict[bytes, bytes] = {}
    for old in every:
        by = newest.get((old.offer.member, thing_of(state, old.offer)))
        is_later = by is not None and by.offer.act.order > old.offer.act.order
        if by is not None and is_later and old.state in _TO_RENEW:
            found[old.offer.pledge] = by.offer.pledge
    return found


def pledge_view(
    pledge: PledgeStanding,
    need: bytes,
    state: NeedState,
    names: Naming,
    is_member: Callable[[bytes], bool],
    *,
    renewed_by: bytes = b"",
) -> nt.PledgeView:
    """Return a pledge as it stands."""
    said, word = pledge.offer.said, pledge.word
    assert said.line is not None
    assert said.quantity is not None
    line = line_of(state, said.terms, said.line)
    return nt.PledgeView(
        pledge=pledge.offer.pledge.hex(),
        need=need.hex(),
        need_title=state.title,
        line=said.line,
        kind=None if line is None else line.kind,
        unit="" if line is None else line.unit,
        quantity=said.quantity,
        state=pledge.state,
        reason=pledge.reason,
        bound=0 if word is None or pledge.state == "void" else word.bound,
        claimed=0 if word is None else word.claimed,
        delivered=0 if word is None else word.delivered,
        when=said.when or "",
        where=said.where or "",
        conditions=[
            nt.ConditionView(
                others=condition.others,
                member=None if condition.member is None else condition.member.hex(),
                after=condition.after,
            )
            for condition in said.conditions
        ],
        takes="" if said.takes is None else said.takes.hex(),
        to="" if word is None or word.to is None else word.to.hex(),
        to_name="" if word is None or word.to is None else names.of(word.to),
        judges=_people(_judges(word), names),
        renewed_by=renewed_by.hex(),
        is_left=is_left(pledge, is_member),
        member=pledge.offer.member.hex(),
        name=names.of(pledge.offer.member),
        time=pledge.offer.act.order.time,
    )


def _judges(word: Word | None) -> list[bytes]:
    if word is None:
        return []
    return sorted(word.disputed_by) if word.settled_by is None else [word.settled_by]


def line_of(state: NeedState, named: bytes | None, number: int) -> NeedLine | None:
    """Return the line that an offer meant, by the terms that it names, if they are known.

    Quick for one offer after the other to one need, however many versions its terms have.
    """
    terms = _versions.by_id(state.terms).get(named or b"")
    return None if terms is None or number >= len(terms.lines) else terms.lines[number]


class _Versions:
    """The versions of the terms of the need that was asked about last, by their ids."""

    def __init__(self) -> None:
        self._terms: tuple[Terms, ...] = ()
        self._by_id: dict[bytes, Terms] = {}

    def by_id(self, terms: tuple[Terms, ...]) -> dict[bytes, Terms]:
        if terms is not self._terms:
            self._terms, self._by_id = terms, {terms_id(one): one for one in terms}
        return self._by_id


_versions: Final = _Versions()


def thing_of(state: NeedState, offer: Offer) -> Thing | None:
    """Return what an offer is of: kind and unit of its line; None if its terms are not known."""
    line = line_of(state, offer.said.terms, offer.said.line or 0)
    return None if line is None else (line.kind, line.unit)


def _lines(standing: NeedStanding) -> list[nt.LineView]:
    return [
        nt.LineView(
            kind=line.kind,
            unit=line.unit,
            minimum=line.minimum,
            optimum=line.optimum,
            pledged=total.quantity,
            pledgers=total.members,
            delivered=delivered.quantity,
        )
        for line, total, delivered in zip(
            standing.terms.lines, standing.totals, standing.delivered, strict=True
        )
    ]


def _people(
    members: Iterable[bytes], names: Naming, absent: frozenset[bytes] = frozenset()
) -> list[nt.PersonView]:
    return [
        nt.PersonView(member=member.hex(), name=names.of(member), is_out=member in absent)
        for member in members
    ]
