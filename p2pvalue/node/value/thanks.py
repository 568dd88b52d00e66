"""Words of thanks from one member to another; they are read, and count for nothing."""

from __future__ import annotations

from collections.abc import Iterator

from p2pvalue import fact_types as ft
from p2pvalue.node.context import Context
from p2pvalue.node.needs.need_boards import need_state
from p2pvalue.node.needs.needs import Needs
from p2pvalue.node.people import Names, resolve_member
from p2pvalue.node.references import every_state, resolve
from p2pvalue.node.value.contributions import Contributions
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted
from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import decode_state, thanks


class ThanksGiven:
    """The thanks of one community."""

    def __init__(
        self, context: Context, community: bytes, needs: Needs, contributions: Contributions
    ) -> None:
        self._context = context
        self._community = community
        self._needs = needs
        self._contributions = contributions

    def all(self, *, mine: bool = False) -> list[ft.ThanksView]:
        """Return all thanks, oldest first, or those by us and to us."""
        me = self._context.root(self._community).hex()
        found = sorted(self._every(), key=lambda view: (view.time, view.thanks))
        return [view for view in found if not mine or me in (view.member, view.to)]

    async def give(self, member: str, text: str, *, about: str = "") -> ft.ThanksView:
        """Thank a member, for a need or a contribution if `about` names one."""
        to = resolve_member(self._context, self._community, member)
        if to == self._context.root(self._community):
            raise LocalProtocolError("thanks go to somebody else: name another member")
        subject = self._about(about) if about else None
        written = await self._write(b"", thanks.encode_thanks(to, text, subject))
        return next(view for view in self._every() if view.thanks == written.hex())

    async def withdraw(self, reference: str) -> ft.ThanksView:
        """Take back thanks of ours: their text is gone for all."""
        known = {bytes.fromhex(view.thanks): view for view in self._every()}
        subject = resolve(reference, ((given, "") for given in known), "thanks")
        found = known[subject]
        if found.member != self._context.root(self._community).hex():
            raise NotAdmitted(f"these are thanks of {found.name}, who alone takes them back")
        await self._write(subject, thanks.encode_thanks_withdrawal())
        return found

    def _every(self) -> Iterator[ft.ThanksView]:
        names = self._needs.names()
        titles = self._titles()
        for row in every_state(self._context.store, self._community, thanks.NUMBER):
            state = decode_state(row.kind, row.state)
            assert isinstance(state, thanks.ThanksState)
            if not state.withdrawn:
                yield _view(row.subject, state, titles, names)

    def _titles(self) -> dict[bytes, str]:
        """Return what can be thanked for, by id: needs, and what was done."""
        titles = {row.subject: need_state(row).title for row in self._needs.rows()}
        for view in self._contributions.all():
            titles[bytes.fromhex(view.contribution)] = view.title
        return titles

    def _about(self, reference: str) -> bytes:
        """Return the need or the contribution meant: ambiguous titles are refused."""
        needs = [(row.subject, need_state(row).title) for row in self._needs.rows()]
        done = self._contributions.titles(self._contributions.all())
        return resolve(reference, [*needs, *done], "need or contribution")

    async def _write(self, subject: bytes, payload: bytes) -> bytes:
        draft = Draft(thanks.NUMBER, subject, payload)
        [order] = await self._context.write(self._community, [draft])
        return subject or subject_of(order.op_id)


def _view(
    subject: bytes, state: thanks.ThanksState, titles: dict[bytes, str], names: Names
) -> ft.ThanksView:
    return ft.ThanksView(
        thanks=subject.hex(),
        to=state.to.hex(),
        to_name=names.of(state.to),
        text=state.text,
        about=state.about.hex(),
        about_title=titles.get(state.about, ""),
        member=state.author.hex(),
        name=names.of(state.author),
        time=state.time,
    )
