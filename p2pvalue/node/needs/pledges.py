"""What members promise to needs, and what becomes of their words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from p2pvalue import need_types as nt
from p2pvalue.amounts import moment
from p2pvalue.node.context import Context
from p2pvalue.node.needs.about_member import about_member
from p2pvalue.node.needs.need_boards import need_state
from p2pvalue.node.needs.need_checks import (
    check_amount,
    check_dispute,
    check_is_open,
    check_judge,
    check_takeover,
    check_withdrawal,
)
from p2pvalue.node.needs.need_views import pledge_view, renewals, thing_of
from p2pvalue.node.needs.needs import Needs
from p2pvalue.node.needs.pledge_names import PledgeNames
from p2pvalue.node.pace import Pace
from p2pvalue.node.people import Names, resolve_member
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted
from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds import pledge
from p2pvalue_protocol.kinds.need import NeedState, Terms, terms_id
from p2pvalue_protocol.needs.acts import Act, Offer
from p2pvalue_protocol.needs.keeping import Word
from p2pvalue_protocol.needs.outcome import EXPIRY_MS
from p2pvalue_protocol.needs.standing import NeedStanding, PledgeStanding
from p2pvalue_protocol.past import StateRow


class Pledges:
    """The pledges of one community."""

    def __init__(self, context: Context, community: bytes, needs: Needs) -> None:
        self._context = context
        self._community = community
        self._needs = needs
        self._names = PledgeNames(context, community, needs)

    # --- reading

    async def all(self, *, need: str = "", mine: bool = False) -> list[nt.PledgeView]:
        """Return the pledges to one need or to all, need by need, oldest first.

        Others have their turns meanwhile, so those to each need are as they were at one time.
        """
        pace = Pace()
        rows = [self._needs.row(need)] if need else self._needs.rows()
        names, me = self._needs.names(), self._context.root(self._community).hex()
        found: dict[bytes, list[nt.PledgeView]] = {}
        for row in rows:
            found.pop(row.subject, None)  # it was changed meanwhile, and is among the newest
            views = self._views(row, names)
            found[row.subject] = [view for view in views if not mine or view.member == me]
            await pace.rest()
        return list(chain.from_iterable(found.values()))

    def named(self, reference: str) -> nt.PledgeView:
        """Return the pledge meant; raises NotFound."""
        row, found = self._names.found(reference)
        return self._view(row, found.offer.pledge)

    def about(self, reference: str) -> nt.AboutView:
        """Return how a member keeps her word, and what she says of herself."""
        return about_member(self._context, self._community, self._needs, reference)

    # --- writing

    async def make(
        self,
        reference: str,
        quantity: int,
        *,
        line: int = 0,
        when: str = "",
        where: str = "",
        conditions: Sequence[nt.ConditionView] = (),
        takes: str = "",
    ) -> nt.PledgeView:
        """Promise `quantity`, in the line's unit, to one line of a need as its terms are now.

        Of a release that it `takes`, no more than is left.
        """
        row = self._needs.row(reference)
        state = need_state(row)
        is_plain = not (takes or conditions or self._needs.has_close(row))
        terms = state.terms[-1]
        if is_plain:
            self._check_plain(state, terms, line)
        else:
            standing = self._needs.standing(row)
            terms = standing.terms
            self._check_takes_pledges(standing, state, line, is_takeover=bool(takes))
        source = None
        if takes:
            source, left = self._released(takes)
            quantity = min(quantity, left)
        payload = pledge.encode_pledge(
            row.subject,
            terms_id(terms),
            line,
            quantity,
            when=when or None,
            where=where or None,
            conditions=[self._condition(condition) for condition in conditions],
            takes=source,
        )
        order = await self._write(payload)
        if is_plain:
            return self._view_of_plain(row, terms, payload, order)
        return self._view(row, subject_of(order.op_id))

    async def renew(self, reference: str) -> nt.PledgeView:
        """Promise again, under the terms of today, what a pledge of ours said under others."""
        row, found = self._own(reference, "renews it")
        if found.state not in ("outdated", "early", "expired"):
            raise LocalProtocolError(f"this pledge is {found.state}: nothing is to be renewed")
        said = found.offer.said
        standing = self._needs.standing(row)
        if found.offer.pledge in renewals(need_state(row), standing.pledges):
            raise LocalProtocolError("this pledge was renewed already: the newer one counts")
        assert said.quantity is not None
        line = _line_now(need_state(row), standing.terms, found)
        self._check_takes_pledges(standing, need_state(row), line, is_takeover=False)
        payload = pledge.encode_pledge(
            row.subject,
            standing.terms_id,
            line,
            said.quantity,
            when=said.when,
            where=said.where,
            conditions=said.conditions,
        )
        order = await self._write(payload)
        return self._view(row, subject_of(order.op_id))

    async def withdraw(self, reference: str, *, reason: str = "", to: str = "") -> nt.PledgeView:
        """Take back a pledge of ours, or release what binds already.

        Once more, it says anew who is to take over what is left of a release: `to`, or with another
        reason and no `to` anybody. Else it does nothing.
        """
        row, found = self._own(reference, "takes it back")
        if found.state in ("withdrawn", "void"):
            return self._view(row, found.offer.pledge)
        word = found.word
        if word is None:
            standing, now_ms = self._needs.standing(row), self._context.clock_ms()
            check_withdrawal(standing, found.state, now_ms, is_heir_named=bool(to))
        elif word.bound <= max(word.claimed, word.delivered):
            is_heir_named = bool(to or (reason and word.to is not None))
            is_said_anew = is_heir_named and word.released > word.taken
            if not word.bound and not is_said_anew:
                return self._view(row, found.offer.pledge)
            if not is_said_anew:
                raise LocalProtocolError(
                    f"this pledge is {found.state}: there is nothing to take back"
                )
        return await self._say(row, found, "withdraw", reason=reason, to=to)

    async def claim(
        self, reference: str, *, quantity: int | None = None, note: str = ""
    ) -> nt.PledgeView:
        """Say how much of a pledge of ours is delivered in all, the last time counts; None: all."""
        row, found = self._own(reference, "says what was delivered")
        whole = self._bound(found)
        quantity = whole if quantity is None else quantity
        check_amount(need_state(row), found.offer, quantity, whole)
        return await self._say(row, found, "claim", quantity=quantity, reason=note)

    async def confirm(
        self, reference: str, *, quantity: int | None = None, note: str = ""
    ) -> nt.PledgeView:
        """Say how much of another's pledge was delivered in all; None: what she claims, or all."""
        row, found = self._names.found(reference)
        whole = self._bound(found)
        self._check_may(row, found, "confirm")
        assert found.word is not None
        if quantity is None:
            quantity = found.word.claimed or whole
        check_amount(need_state(row), found.offer, quantity, whole)
        return await self._say(row, found, "confirm", quantity=quantity, reason=note)

    async def dispute(self, reference: str, *, reason: str) -> nt.PledgeView:
        """Say that another's pledge was not delivered as claimed."""
        row, found = self._names.found(reference)
        self._bound(found)
        self._check_may(row, found, "dispute")
        assert found.word is not None
        check_dispute(found.word)
        return await self._say(row, found, "dispute", reason=reason)

    async def settle(self, reference: str, quantity: int, *, reason: str = "") -> nt.PledgeView:
        """Say what counts as delivered, for all who disagree."""
        row, found = self._names.found(reference)
        whole = self._bound(found)
        self._check_may(row, found, "settle")
        check_amount(need_state(row), found.offer, quantity, whole)
        return await self._say(row, found, "settle", quantity=quantity, reason=reason)

    # --- looking up, and what may be done

    def _own(self, reference: str, does: str) -> tuple[StateRow, PledgeStanding]:
        row, found = self._names.found(reference)
        if found.offer.member != self._context.root(self._community):
            owner = self._needs.names().of(found.offer.member)
            raise NotAdmitted(f"this is a pledge of {owner}, who alone {does}: ask them")
        return row, found

    def _released(self, reference: str) -> tuple[bytes, int]:
        """Return the pledge that we may take over, and how much of it is left."""
        row, found = self._names.found(reference)
        pledges = self._needs.standing(row).pledges
        me, names = self._context.root(self._community), self._needs.names()
        left = check_takeover(need_state(row), found, pledges, me, names)
        return found.offer.pledge, left

    def _bound(self, found: PledgeStanding) -> int:
        if found.word is None or found.state in ("void", "released"):
            raise LocalProtocolError(
                f"this pledge is {found.state}: only what binds can be delivered"
            )
        return found.word.bound

    def _check_may(self, row: StateRow, found: PledgeStanding, act: str) -> None:
        assert found.word is not None
        check_judge(
            act,
            need_state(row),
            self._needs.standing(row).terms,
            found.word,
            self._context.root(self._community),
            self._context.membership(self._community),
            self._needs.names(),
        )

    def _check_plain(self, state: NeedState, terms: Terms, line: int) -> None:
        """Refuse a pledge that could not count, where nobody closed the need."""
        _check_line(state, terms, line)
        check_is_open(state.title, state.status)
        self._check_in_time(state, terms, is_closed=False)

    def _check_takes_pledges(
        self, standing: NeedStanding, state: NeedState, line: int, *, is_takeover: bool
    ) -> None:
        _check_line(state, standing.terms, line)
        check_is_open(state.title, standing.state)
        if not is_takeover:
            self._check_in_time(state, standing.terms, is_closed=standing.is_closed)

    def _check_in_time(self, state: NeedState, terms: Terms, *, is_closed: bool) -> None:
        self._check_begun(state, terms)
        is_over = terms.closes and self._context.clock_ms() > terms.closes
        if is_closed or is_over:
            raise LocalProtocolError(
                f'the time to pledge to "{state.title}" is over: you can take over what somebody'
                " released (`p2pvalue pledge list`)"
            )

    def _check_begun(self, state: NeedState, terms: Terms) -> None:
        if self._context.clock_ms() < terms.opens:
            raise LocalProtocolError(
                f'the time to pledge to "{state.title}" has not begun: it does on'
                f" {moment(terms.opens)}"
            )

    def _view_of_plain(
        self, row: StateRow, terms: Terms, payload: bytes, order: Order
    ) -> nt.PledgeView:
        """Return a pledge just made that stands whatever others pledged; looks at no other."""
        said = pledge.read_pledge(payload)
        act = Act(order, self._context.root(self._community), said)
        offer = Offer(subject_of(order.op_id), act, said)
        is_too_early = terms.closes > order.time + EXPIRY_MS
        found = PledgeStanding(offer, "expired" if is_too_early else "offered", "")
        if terms.trigger == "none":
            found = PledgeStanding(offer, "binding", "", Word(offer, said.quantity or 0))
        names = self._needs.names()
        return pledge_view(found, row.subject, need_state(row), names, self._is_member)

    def _condition(self, condition: nt.ConditionView) -> pledge.Condition:
        member = None
        if condition.member is not None:
            member = resolve_member(self._context, self._community, condition.member)
            if member == self._context.root(self._community):
                raise LocalProtocolError(
                    "a pledge cannot wait for its own author: name another member"
                )
        return pledge.Condition(condition.others, member, condition.after)

    async def _say(
        self,
        row: StateRow,
        found: PledgeStanding,
        act: pledge.Act,
        *,
        quantity: int | None = None,
        reason: str = "",
        to: str = "",
    ) -> nt.PledgeView:
        payload = pledge.encode_pledge_act(
            row.subject,
            found.offer.pledge,
            act,
            quantity=quantity,
            reason=reason or None,
            to=resolve_member(self._context, self._community, to) if to else None,
        )
        await self._write(payload)
        return self._view(row, found.offer.pledge)

    async def _write(self, payload: bytes) -> Order:
        draft = Draft(pledge.NUMBER, b"", payload)
        [order] = await self._context.write(self._community, [draft])
        return order

    def _is_member(self, root: bytes) -> bool:
        return self._context.membership(self._community).is_member(root)

    def _view(self, row: StateRow, subject: bytes) -> nt.PledgeView:
        """Return a pledge to a need as it stands now; looks at no other need."""
        return next(self._views(row, self._needs.names(), subject))

    def _views(
        self, row: StateRow, names: Names, only: bytes | None = None
    ) -> Iterator[nt.PledgeView]:
        """Yield the pledges to a need as they stand now, or only one."""
        pledges = self._needs.standing(row).pledges
        state = need_state(row)
        renewed = renewals(state, pledges)
        for found in pledges:
            pledge = found.offer.pledge
            if only in (None, pledge):
                renewed_by = renewed.get(pledge, b"")
                yield pledge_view(
                    found, row.subject, state, names, self._is_member, renewed_by=renewed_by
                )


def _line_now(state: NeedState, terms: Terms, found: PledgeStanding) -> int:
    """Return the number of the line that asks now for what a pledge is of; refuses if none does."""
    thing = thing_of(state, found.offer)
    for number, line in enumerate(terms.lines):
        if (line.kind, line.unit) == thing:
            return number
    gone = "that" if thing is None else "hours" if thing[0] == "hours" else thing[1]
    raise LocalProtocolError(
        f'"{state.title}" does not ask for {gone} now: pledge what it asks for with'
        " `p2pvalue pledge make`"
    )


def _check_line(state: NeedState, terms: Terms, line: int) -> None:
    if not 0 <= line < len(terms.lines):
        raise LocalProtocolError(
            f'the need "{state.title}" has lines 0 to {len(terms.lines) - 1}, and none'
            f" numbered {line}: choose one of them"
        )
