"""What members did: what they wrote down, beside what was pledged and confirmed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from p2pvalue import fact_types as ft
from p2pvalue import need_types as nt
from p2pvalue.node.context import Context
from p2pvalue.node.needs.need_boards import need_state
from p2pvalue.node.needs.needs import Needs
from p2pvalue.node.people import Names
from p2pvalue.node.references import every_state, resolve
from p2pvalue.node.value.suggestions import dismiss, suggested
from p2pvalue.types import LineKind
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted, NotFound
from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import contribution, decode_state
from p2pvalue_protocol.needs.facts import Fact, facts_of
from p2pvalue_protocol.past import StateRow

_MINUTE: Final = "minute"
_CURRENCY: Final = re.compile("[A-Z]{3}", re.ASCII)


class Contributions:
    """What was done in one community."""

    def __init__(self, context: Context, community: bytes, needs: Needs) -> None:
        self._context = context
        self._community = community
        self._needs = needs

    # --- reading

    def all(
        self, *, member: str = "", class_name: str = "", need: str = "", since: int = 0
    ) -> list[ft.ContributionView]:
        """Return what was done, by its day; reads every need and every contribution."""
        subject = self._needs.row(need).subject.hex() if need else ""
        found = sorted(self._every(), key=lambda view: (view.day, view.contribution))
        root = self._member(member, found) if member else ""
        return [
            view
            for view in found
            if view.day >= since
            and root in ("", view.member)
            and class_name in ("", view.class_name)
            and subject in ("", view.need)
        ]

    def named(self, reference: str) -> ft.ContributionView:
        """Return the contribution meant by its id or, if written down, its title, or NotFound."""
        known = {bytes.fromhex(view.contribution): view for view in self._every()}
        titles = self.titles(known.values())
        return known[resolve(reference, titles, "contribution")]

    @staticmethod
    def titles(found: Iterable[ft.ContributionView]) -> Iterator[tuple[bytes, str]]:
        """Yield ids and titles; of a pledge it is that of its need, which means the need."""
        for view in found:
            yield bytes.fromhex(view.contribution), "" if view.is_pledge else view.title

    # --- writing

    async def add(
        self,
        title: str,
        quantity: int,
        *,
        unit: str = _MINUTE,
        class_name: str = "",
        need: str = "",
        day: int = 0,
    ) -> ft.ContributionView:
        """Write down what we did on a day (ms; 0: now)."""
        if not quantity:
            raise LocalProtocolError("a contribution of nothing is none: say how much it was")
        is_time = unit == _MINUTE
        payload = contribution.encode_contribution(
            title,
            day or self._context.clock_ms(),
            minutes=quantity if is_time else None,
            quantity=None if is_time else quantity,
            unit=None if is_time else unit,
            class_name=class_name or None,
            need=self._needs.row(need).subject if need else None,
        )
        return await self._write(b"", payload)

    async def witness(self, reference: str) -> ft.ContributionView:
        """Say that we saw what another did; a second time does nothing."""
        found = self._written_down(reference, "confirm it (`p2pvalue pledge confirm`)")
        me = self._context.root(self._community).hex()
        if found.member == me:
            raise NotAdmitted("this is your own: somebody who saw it can witness it")
        if any(person.member == me for person in found.witnesses):
            return found
        if len(found.witnesses) >= contribution.WITNESSES_MAX:
            raise LocalProtocolError("this has as many witnesses as are counted")
        payload = contribution.encode_witness()
        return await self._write(bytes.fromhex(found.contribution), payload)

    async def withdraw(self, reference: str) -> ft.ContributionView:
        """Take back what we wrote down; it is told no more."""
        found = self._written_down(reference, "what others confirmed stays")
        if found.member != self._context.root(self._community).hex():
            raise NotAdmitted(f"this was written down by {found.name}, who alone takes it back")
        payload = contribution.encode_contribution_withdrawal()
        await self._write(bytes.fromhex(found.contribution), payload)
        return found

    # --- what is suggested

    def suggested(self) -> list[ft.SuggestionView]:
        """Return the care of ours that nobody wrote down."""
        return suggested(self._context, self._community, self._needs)

    async def accept(self, reference: str, minutes: int) -> ft.ContributionView:
        """Write down what was suggested, as so many minutes of care."""
        found = self._suggestion(reference)
        if not minutes:
            raise LocalProtocolError("say how long it took, or dismiss it")
        payload = contribution.encode_contribution(
            found.title,
            found.day,
            minutes=minutes,
            class_name="care",
            need=bytes.fromhex(found.need) or None,
            source=found.source,
        )
        return await self._write(b"", payload)

    def dismiss(self, reference: str) -> ft.SuggestionView:
        """Never suggest this again on this device; nothing is written for others."""
        found = self._suggestion(reference)
        dismiss(self._context, self._community, bytes.fromhex(found.suggestion))
        return found

    def _suggestion(self, reference: str) -> ft.SuggestionView:
        known = {bytes.fromhex(found.suggestion): found for found in self.suggested()}
        names = ((subject, found.title) for subject, found in known.items())
        return known[resolve(reference, names, "suggestion")]

    # --- helpers

    def _every(self) -> Iterator[ft.ContributionView]:
        """Yield all there is, in no order: what was confirmed, and what was written down."""
        names = self._needs.names()
        titles: dict[bytes, str] = {}
        for row in self._needs.rows():
            state = need_state(row)
            titles[row.subject] = state.title
            for fact in facts_of(state, self._needs.standing(row)):
                yield _confirmed(fact, row.subject, state.title, names)
        for row in every_state(self._context.store, self._community, contribution.NUMBER):
            said = _state(row)
            if not said.withdrawn:
                yield _view(row.subject, said, titles.get(said.need, ""), names)

    def _member(self, reference: str, found: list[ft.ContributionView]) -> str:
        """Return the key of a member, also of a former one who did something."""
        names = self._needs.names()
        members = {member.root for member in self._context.membership(self._community).members()}
        members |= {bytes.fromhex(view.member) for view in found}
        known = ((root, names.of(root)) for root in sorted(members))
        return resolve(reference, known, "member").hex()

    def _written_down(self, reference: str, advice: str) -> ft.ContributionView:
        found = self.named(reference)
        if found.is_pledge:
            raise LocalProtocolError(f"this is a pledge that was confirmed: {advice}")
        return found

    async def _write(self, subject: bytes, payload: bytes) -> ft.ContributionView:
        draft = Draft(contribution.NUMBER, subject, payload)
        [order] = await self._context.write(self._community, [draft])
        written = subject or subject_of(order.op_id)
        row = self._context.store.state(self._community, written)
        assert row is not None, "what was written is held"
        said = _state(row)
        return _view(written, said, self._title(said.need), self._needs.names())

    def _title(self, need: bytes) -> str:
        try:
            return need_state(self._needs.row_of(need)).title if need else ""
        except NotFound:  # it has not arrived, or is no need
            return ""


def _state(row: StateRow) -> contribution.ContributionState:
    state = decode_state(row.kind, row.state)
    assert isinstance(state, contribution.ContributionState)
    return state


def _view(
    subject: bytes, said: contribution.ContributionState, need_title: str, names: Names
) -> ft.ContributionView:
    return ft.ContributionView(
        contribution=subject.hex(),
        title=said.title,
        kind=_kind(said.unit),
        unit=said.unit or _MINUTE,
        quantity=said.quantity or said.minutes,
        class_name=said.class_name,
        need=said.need.hex(),
        need_title=need_title,
        source=said.source,
        witnesses=_people(said.witnesses, names),
        day=said.day,
        member=said.author.hex(),
        name=names.of(said.author),
    )


def _confirmed(fact: Fact, need: bytes, title: str, names: Names) -> ft.ContributionView:
    return ft.ContributionView(
        contribution=fact.pledge.hex(),
        is_pledge=True,
        title=title,
        kind=fact.line.kind,
        unit=fact.line.unit,
        quantity=fact.quantity,
        class_name=fact.class_name,
        need=need.hex(),
        need_title=title,
        witnesses=_people(fact.witnesses, names),
        day=fact.time,
        member=fact.member.hex(),
        name=names.of(fact.member),
    )


def _people(members: tuple[bytes, ...], names: Names) -> list[nt.PersonView]:
    return [nt.PersonView(member=member.hex(), name=names.of(member)) for member in members]


def _kind(unit: str) -> LineKind:
    if not unit:
        return "hours"
    return "money" if _CURRENCY.fullmatch(unit) else "material"
