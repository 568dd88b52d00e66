"""What happened to a need, from the first word to the last."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from p2pvalue import need_types as nt
from p2pvalue.node.context import Context
from p2pvalue.node.needs.need_boards import need_state, read_acts
from p2pvalue.node.needs.need_views import line_of
from p2pvalue.node.people import Names
from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.kind import Order, Placed
from p2pvalue_protocol.kinds import need
from p2pvalue_protocol.kinds.pledge import Pledge
from p2pvalue_protocol.needs.acts import Act
from p2pvalue_protocol.needs.standing import PledgeStanding, standing_of
from p2pvalue_protocol.past import StateRow

_ACTS: Final[dict[str, nt.HappeningName]] = {
    "withdraw": "released",
    "claim": "claimed",
    "confirm": "confirmed",
    "dispute": "disputed",
    "settle": "settled",
}
_SAID_BY_ITSELF: Final = ("author", "created", "terms", "status")


class _Happening(NamedTuple):
    """What is told of one operation, and where it stands in the folding order."""

    order: Order
    view: nt.HappeningView


class _Told(NamedTuple):
    """Where a need's pledges stand, and which acts had any effect."""

    state: need.NeedState
    pledges: dict[bytes, PledgeStanding]
    heard: set[bytes]
    names: Names


def timeline(
    context: Context, community: bytes, row: StateRow, names: Names
) -> list[nt.HappeningView]:
    """Return what was done to a need and its pledges, in order, and by whom.

    What had no effect is left out: acts of who was not entitled to them, and what counts no more.
    Reads every operation about the need.
    """
    copy = context.copy_of(community)
    acts = read_acts(copy, context.store, row)
    heard: set[bytes] = set()
    standing = standing_of(need_state(row), acts, heard)
    pledges = {pledge.offer.pledge: pledge for pledge in standing.pledges}
    told = _Told(need_state(row), pledges, heard, names)
    found = list(_of_pledges(acts, told))
    found += _of_need(_placed(context, community, row.subject), names)
    found += [
        _Happening(
            closing.order,
            nt.HappeningView(
                act="closed",
                time=closing.order.time,
                member=closing.member.hex(),
                name=names.of(closing.member),
                fields=[],
                is_outcome_changed=closing.changed,
            ),
        )
        for closing in standing.closings
    ]
    return [happening.view for happening in sorted(found, key=lambda one: one.order)]


# --- what became of the need itself


def _placed(context: Context, community: bytes, subject: bytes) -> Iterator[Placed]:
    copy = context.copy_of(community)
    for row, core, stored in context.store.past(community).subject_operations(subject):
        if row.kind != need.NUMBER:  # anybody can name a subject in what is of another kind
            continue
        payload = copy.open(core, stored)
        if payload is not None:
            order = Order(row.time, row.device, row.seq, row.op_id)
            creates = subject_of(row.op_id) == subject
            said = need.NEED.decode(payload)
            yield Placed(order, row.member, row.rank, said, creates)


def _of_need(operations: Iterable[Placed], names: Names) -> Iterator[_Happening]:
    before: need.NeedState | None = None
    for placed in operations:
        after = need.need_after(before, placed)
        if after is not None and after != before:
            fields = [] if before is None else _changed_fields(before, after)
            yield _Happening(
                placed.order,
                nt.HappeningView(
                    act=_name_of(before, after),
                    time=placed.order.time,
                    member=placed.member.hex(),
                    name=names.of(placed.member),
                    fields=fields,
                    was={} if before is None else _days(before, fields),
                ),
            )
        before = after


def _name_of(before: need.NeedState | None, after: need.NeedState) -> nt.HappeningName:
    if before is None:
        return "made"
    if before.status == after.status:
        return "changed"
    return "dropped" if after.status == "dropped" else "opened"


def _changed_fields(before: need.NeedState, after: need.NeedState) -> list[str]:
    """Return what differs, by the names that a payload has for it."""
    names = msgspec.structs.fields(need.NeedState)
    plain = [
        field.encode_name
        for field in names
        if field.name not in _SAID_BY_ITSELF
        and getattr(before, field.name) != getattr(after, field.name)
    ]
    old, new = before.terms[-1], after.terms[-1]
    terms = need.Terms.__struct_fields__
    return plain + [field for field in terms if getattr(old, field) != getattr(new, field)]


def _days(before: need.NeedState, changed: Collection[str]) -> dict[str, int]:
    """Return the days that a change moved or took back, as they were (ms)."""
    terms = before.terms[-1]
    days = {"opens": terms.opens, "closes": terms.closes, "deadline": before.deadline}
    return {field: time for field, time in days.items() if time and field in changed}


# --- what became of the pledges


def _of_pledges(acts: Iterable[Act], told: _Told) -> Iterator[_Happening]:
    once: set[bytes] = set()
    for act in sorted(acts, key=lambda act: act.order):
        said = act.payload
        if not isinstance(said, Pledge):
            continue
        subject = said.pledge or subject_of(act.order.op_id)
        found = told.pledges.get(subject)
        name = None if found is None else _name_of_act(act, said, found, told, once)
        if found is not None and name is not None:
            yield _Happening(act.order, _view(act, said, found, name, told))


def _name_of_act(
    act: Act, said: Pledge, found: PledgeStanding, told: _Told, withdrawn: set[bytes]
) -> nt.HappeningName | None:
    """Return what to call an act; None if it had no effect."""
    if said.act is None:
        return "offered" if said.takes is None else "taken-over"
    if act.name in told.heard:
        return _ACTS[said.act]
    is_own = act.member == found.offer.member and not act.is_hidden
    is_first = found.offer.pledge not in withdrawn
    if said.act == "withdraw" and found.state == "withdrawn" and is_own and is_first:
        withdrawn.add(found.offer.pledge)
        return "withdrawn"
    return None


def _view(
    act: Act, said: Pledge, found: PledgeStanding, name: nt.HappeningName, told: _Told
) -> nt.HappeningView:
    offer = found.offer
    line = line_of(told.state, offer.said.terms, offer.said.line or 0)
    return nt.HappeningView(
        act=name,
        time=act.order.time,
        member=act.member.hex(),
        name=told.names.of(act.member),
        fields=[],
        pledge=offer.pledge.hex(),
        pledged_by=told.names.of(offer.member),
        quantity=said.quantity,
        kind=None if line is None else line.kind,
        unit="" if line is None else line.unit,
        text=said.reason or "",
        to="" if said.to is None else told.names.of(said.to),
    )
