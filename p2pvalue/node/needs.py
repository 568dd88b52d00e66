"""What a community wants done, and what its members promised towards it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from p2pvalue import types as t
from p2pvalue.node.context import Context
from p2pvalue.node.people import Names
from p2pvalue.node.references import every_entry, every_state, full_id, resolve
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted, NotFound
from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds import decode_state, need, pledge
from p2pvalue_protocol.kinds.pledge import Pledge
from p2pvalue_protocol.past import StateRow


class _Pledged(NamedTuple):
    """An offer to a need, with its withdrawal if there is one."""

    order: Order  # of what was last said of it
    subject: bytes
    member: bytes
    offer: Pledge
    withdrawal: Pledge | None = None


class _Offered:
    """What is pledged to one need, by line."""

    def __init__(self, pledges: Iterable[_Pledged]) -> None:
        self.quantity: dict[int, int] = {}
        self.members: dict[int, set[bytes]] = {}
        for pledged in pledges:
            if pledged.withdrawal is None:
                line, quantity = _line_of(pledged.offer), pledged.offer.quantity or 0
                self.quantity[line] = self.quantity.get(line, 0) + quantity
                self.members.setdefault(line, set()).add(pledged.member)


class Needs:
    """The needs of one community and the pledges to them."""

    def __init__(self, context: Context, community: bytes) -> None:
        self._context = context
        self._community = community

    # --- needs

    async def add(
        self, title: str, *, body: str, lines: Iterable[t.LineView], closes: int | None
    ) -> t.NeedView:
        """Write a need; the line's `pledged` and `pledgers` are not read."""
        written = [
            need.NeedLine(line.kind, line.unit, line.minimum, line.optimum) for line in lines
        ]
        payload = need.encode_need(title, written, body=body or None, closes=closes)
        [order] = await self._context.write(self._community, [Draft(need.NUMBER, b"", payload)])
        return self.view(subject_of(order.op_id))

    def all(self) -> list[t.NeedView]:
        """Return all needs, oldest change first; reads every pledge once."""
        names = Names(self._context, self._community)
        return [
            _need_view(row, _Offered(self._pledged(row.subject)), names)
            for row in every_state(self._context.store, self._community, need.NUMBER)
        ]

    def named(self, reference: str) -> t.NeedView:
        """Return the need meant; raises NotFound."""
        return self.view(self._resolve(reference))

    def view(self, subject: bytes) -> t.NeedView:
        row = self._row(subject)
        if row is None:
            raise NotFound(f"there is no need {subject.hex()[:12]} here: list the needs")
        offered = _Offered(self._pledged(subject))
        return _need_view(row, offered, Names(self._context, self._community))

    # --- pledges

    async def pledge(self, reference: str, quantity: int, *, line: int) -> t.PledgeView:
        """Promise `quantity`, in the line's unit, to one line of a need."""
        subject = self._resolve(reference)
        wanted = self._need_state(subject)
        assert wanted is not None, "a resolved need is held"
        terms = wanted.terms[-1]
        if not 0 <= line < len(terms.lines):
            raise LocalProtocolError(
                f'the need "{wanted.title}" has lines 0 to {len(terms.lines) - 1}, and none'
                f" numbered {line}: choose one of them"
            )
        payload = pledge.encode_pledge(subject, need.terms_id(terms), line, quantity)
        order, said = await self._write(payload)
        member = self._context.root(self._community)
        return self._view_of(_Pledged(order, subject_of(order.op_id), member, said))

    def pledges(self, reference: str = "") -> list[t.PledgeView]:
        """Return the pledges to one need or to all, oldest change first."""
        found = self._pledged(self._resolve(reference)) if reference else self._all_pledged()
        names = Names(self._context, self._community)
        needs: dict[bytes, need.NeedState | None] = {}
        views = []
        for pledged in sorted(found):
            if pledged.offer.need not in needs:
                needs[pledged.offer.need] = self._need_state(pledged.offer.need)
            views.append(_pledge_view(pledged, needs[pledged.offer.need], names))
        return views

    async def withdraw(self, reference: str, *, reason: str) -> t.PledgeView:
        """Take back a pledge of ours; a second time changes nothing."""
        pledged = self._resolve_pledge(reference)
        if pledged.member != self._context.root(self._community):
            owner = Names(self._context, self._community).of(pledged.member)
            raise NotAdmitted(f"this is a pledge of {owner}: only they can withdraw it, ask them")
        if pledged.withdrawal is None:
            payload = pledge.encode_pledge_act(
                pledged.offer.need, pledged.subject, "withdraw", reason=reason or None
            )
            order, said = await self._write(payload)
            pledged = pledged._replace(order=order, withdrawal=said)
        return self._view_of(pledged)

    async def _write(self, payload: bytes) -> tuple[Order, Pledge]:
        [order] = await self._context.write(self._community, [Draft(pledge.NUMBER, b"", payload)])
        return order, pledge.read_pledge(payload)

    # --- looking up

    def _pledged(self, wanted: bytes) -> list[_Pledged]:
        """Return the offers to a need in their order, and which were withdrawn by who made them."""
        open_payload = self._context.copy_of(self._community).open
        found: dict[bytes, _Pledged] = {}
        for entry in every_entry(self._context.store, self._community, wanted, pledge.NUMBER):
            payload = open_payload(entry.core, entry.payload)
            assert payload is not None, "what is listed could be read"
            said = pledge.read_pledge(payload)
            if said.act is None:
                subject = subject_of(entry.order.op_id)
                found[subject] = _Pledged(entry.order, subject, entry.member, said)
            elif said.act == "withdraw":
                of = found.get(said.pledge or b"")
                if of is not None and of.member == entry.member and of.withdrawal is None:
                    found[of.subject] = of._replace(order=entry.order, withdrawal=said)
        return list(found.values())

    def _all_pledged(self) -> Iterator[_Pledged]:
        for wanted in self._context.store.containers(self._community, pledge.NUMBER):
            yield from self._pledged(wanted)

    def _view_of(self, pledged: _Pledged) -> t.PledgeView:
        names = Names(self._context, self._community)
        return _pledge_view(pledged, self._need_state(pledged.offer.need), names)

    def _row(self, subject: bytes) -> StateRow | None:
        row = self._context.store.state(self._community, subject)
        return row if row is not None and row.kind == need.NUMBER else None

    def _need_state(self, subject: bytes) -> need.NeedState | None:
        row = self._row(subject)
        return None if row is None else _need_state(row)

    def _resolve(self, reference: str) -> bytes:
        whole = full_id(reference, 16)
        if whole is not None and self._row(whole) is not None:
            return whole
        rows = every_state(self._context.store, self._community, need.NUMBER)
        return resolve(reference, ((row.subject, _need_state(row).title) for row in rows), "need")

    def _resolve_pledge(self, reference: str) -> _Pledged:
        found = {pledged.subject: pledged for pledged in self._all_pledged()}
        return found[resolve(reference, ((subject, "") for subject in found), "pledge")]


def _need_state(row: StateRow) -> need.NeedState:
    state = decode_state(row.kind, row.state)
    assert isinstance(state, need.NeedState)
    return state


def _line_of(offer: Pledge) -> int:
    assert offer.line is not None, "an offer has a line"
    return offer.line


def _need_view(row: StateRow, offered: _Offered, names: Names) -> t.NeedView:
    state = _need_state(row)
    terms = state.terms[-1]
    lines = [
        t.LineView(
            kind=line.kind,
            unit=line.unit,
            minimum=line.minimum,
            optimum=line.optimum,
            pledged=offered.quantity.get(number, 0),
            pledgers=len(offered.members.get(number, ())),
        )
        for number, line in enumerate(terms.lines)
    ]
    return t.NeedView(
        need=row.subject.hex(),
        title=state.title,
        body=state.body,
        lines=lines,
        closes=terms.closes or None,
        member=state.author.hex(),
        name=names.of(state.author),
        time=row.time,
        state="met" if all(line.pledged >= line.minimum for line in lines) else "open",
    )


def _pledge_view(pledged: _Pledged, wanted: need.NeedState | None, names: Names) -> t.PledgeView:
    offer, line = pledged.offer, _line_of(pledged.offer)
    lines = () if wanted is None else wanted.terms[-1].lines
    return t.PledgeView(
        pledge=pledged.subject.hex(),
        need=offer.need.hex(),
        need_title="" if wanted is None else wanted.title,
        line=line,
        quantity=offer.quantity or 0,
        unit=lines[line].unit if line < len(lines) else "",
        member=pledged.member.hex(),
        name=names.of(pledged.member),
        time=pledged.order.time,
        state="offered" if pledged.withdrawal is None else "withdrawn",
        reason="" if pledged.withdrawal is None else pledged.withdrawal.reason or "",
    )
