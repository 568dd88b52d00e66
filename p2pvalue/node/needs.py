"""What a community wants done, and what its members promised towards it."""

from __future__ import annotations

from collections.abc import Iterable

from p2pvalue import types as t
from p2pvalue.node.context import Context
from p2pvalue.node.people import Names
from p2pvalue.node.references import every_state, full_id, resolve
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted, NotFound
from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import decode_state, need, pledge
from p2pvalue_protocol.past import StateRow


class _Offered:
    """What is pledged to one need, by line."""

    def __init__(self) -> None:
        self.quantity: dict[int, int] = {}
        self.members: dict[int, set[bytes]] = {}

    def add(self, state: pledge.PledgeState) -> None:
        if not state.withdrawn:
            self.quantity[state.line] = self.quantity.get(state.line, 0) + state.quantity
            self.members.setdefault(state.line, set()).add(state.author)


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
        offered: dict[bytes, _Offered] = {}
        for row in every_state(self._context.store, self._community, pledge.NUMBER):
            offered.setdefault(row.group, _Offered()).add(_pledge_state(row))
        names = Names(self._context, self._community)
        return [
            _need_view(row, offered.get(row.subject, _Offered()), names)
            for row in every_state(self._context.store, self._community, need.NUMBER)
        ]

    def named(self, reference: str) -> t.NeedView:
        """Return the need meant; raises NotFound."""
        return self.view(self._resolve(reference))

    def view(self, subject: bytes) -> t.NeedView:
        row = self._row(subject, need.NUMBER)
        if row is None:
            raise NotFound(f"there is no need {subject.hex()[:12]} here: list the needs")
        offered = _Offered()
        for pledged in self._pledge_rows(subject):
            offered.add(_pledge_state(pledged))
        return _need_view(row, offered, Names(self._context, self._community))

    # --- pledges

    async def pledge(self, reference: str, quantity: int, *, line: int) -> t.PledgeView:
        """Promise `quantity`, in the line's unit, to one line of a need."""
        subject = self._resolve(reference)
        wanted = self._need_state(subject)
        assert wanted is not None, "a resolved need is held"
        if not 0 <= line < len(wanted.lines):
            raise LocalProtocolError(
                f'the need "{wanted.title}" has lines 0 to {len(wanted.lines) - 1}, and none'
                f" numbered {line}: choose one of them"
            )
        payload = pledge.encode_pledge(subject, line, quantity)
        [written] = await self._context.write(self._community, [Draft(pledge.NUMBER, b"", payload)])
        return self._pledge(subject_of(written.op_id))

    def pledges(self, reference: str = "") -> list[t.PledgeView]:
        """Return the pledges to one need or to all, oldest change first."""
        subject = self._resolve(reference) if reference else None
        names = Names(self._context, self._community)
        needs: dict[bytes, need.NeedState | None] = {}
        views = []
        for row in self._pledge_rows(subject):
            if row.group not in needs:
                needs[row.group] = self._need_state(row.group)
            views.append(_pledge_view(row, needs[row.group], names))
        return views

    async def withdraw(self, reference: str, *, reason: str) -> t.PledgeView:
        """Take back a pledge of ours; a second time changes nothing."""
        subject = self._resolve_pledge(reference)
        row = self._row(subject, pledge.NUMBER)
        assert row is not None, "a resolved pledge is held"
        state = _pledge_state(row)
        if state.author != self._context.root(self._community):
            owner = Names(self._context, self._community).of(state.author)
            raise NotAdmitted(f"this is a pledge of {owner}: only they can withdraw it, ask them")
        if not state.withdrawn:
            payload = pledge.encode_pledge_withdrawal(reason or None)
            await self._context.write(self._community, [Draft(pledge.NUMBER, subject, payload)])
        return self._pledge(subject)

    # --- looking up

    def _pledge(self, subject: bytes) -> t.PledgeView:
        row = self._row(subject, pledge.NUMBER)
        assert row is not None, "a pledge of ours is visible once written"
        names = Names(self._context, self._community)
        return _pledge_view(row, self._need_state(row.group), names)

    def _row(self, subject: bytes, kind: int) -> StateRow | None:
        row = self._context.store.state(self._community, subject)
        return row if row is not None and row.kind == kind else None

    def _need_state(self, subject: bytes) -> need.NeedState | None:
        row = self._row(subject, need.NUMBER)
        return None if row is None else _need_state(row)

    def _pledge_rows(self, need_subject: bytes | None) -> Iterable[StateRow]:
        return every_state(self._context.store, self._community, pledge.NUMBER, group=need_subject)

    def _resolve(self, reference: str) -> bytes:
        whole = full_id(reference, 16)
        if whole is not None and self._row(whole, need.NUMBER) is not None:
            return whole
        rows = every_state(self._context.store, self._community, need.NUMBER)
        return resolve(reference, ((row.subject, _need_state(row).title) for row in rows), "need")

    def _resolve_pledge(self, reference: str) -> bytes:
        whole = full_id(reference, 16)
        if whole is not None and self._row(whole, pledge.NUMBER) is not None:
            return whole
        rows = self._pledge_rows(None)
        return resolve(reference, ((row.subject, "") for row in rows), "pledge")


def _need_state(row: StateRow) -> need.NeedState:
    state = decode_state(row.kind, row.state)
    assert isinstance(state, need.NeedState)
    return state


def _pledge_state(row: StateRow) -> pledge.PledgeState:
    state = decode_state(row.kind, row.state)
    assert isinstance(state, pledge.PledgeState)
    return state


def _need_view(row: StateRow, offered: _Offered, names: Names) -> t.NeedView:
    state = _need_state(row)
    lines = [
        t.LineView(
            kind=line.kind,
            unit=line.unit,
            minimum=line.minimum,
            optimum=line.optimum,
            pledged=offered.quantity.get(number, 0),
            pledgers=len(offered.members.get(number, ())),
        )
        for number, line in enumerate(state.lines)
    ]
    return t.NeedView(
        need=row.subject.hex(),
        title=state.title,
        body=state.body,
        lines=lines,
        closes=state.closes or None,
        member=state.author.hex(),
        name=names.of(state.author),
        time=row.time,
        state="met" if all(line.pledged >= line.minimum for line in lines) else "open",
    )


def _pledge_view(row: StateRow, wanted: need.NeedState | None, names: Names) -> t.PledgeView:
    state = _pledge_state(row)
    has_line = wanted is not None and state.line < len(wanted.lines)
    return t.PledgeView(
        pledge=row.subject.hex(),
        need=state.need.hex(),
        need_title=wanted.title if wanted is not None else "",
        line=state.line,
        quantity=state.quantity,
        unit=wanted.lines[state.line].unit if wanted is not None and has_line else "",
        member=state.author.hex(),
        name=names.of(state.author),
        time=row.time,
        state="withdrawn" if state.withdrawn else "offered",
        reason=state.reason,
    )
