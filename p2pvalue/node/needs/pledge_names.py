"""Which pledge a person means: by its id, or by the title of the need."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from p2pvalue.node.context import Context
from p2pvalue.node.needs.need_boards import need_state
from p2pvalue.node.needs.need_checks import amount_of
from p2pvalue.node.needs.need_index import NamedPledge
from p2pvalue.node.needs.need_views import renewals
from p2pvalue.node.needs.needs import Needs
from p2pvalue.node.references import full_id, resolve
from p2pvalue_protocol.errors import NotFound
from p2pvalue_protocol.needs.standing import PledgeStanding
from p2pvalue_protocol.past import StateRow

_OVER: Final = ("withdrawn", "void", "released")

Found = tuple[StateRow, PledgeStanding]
"""A pledge, with the state of its need."""


class PledgeNames:
    """The pledges of one community by their names."""

    def __init__(self, context: Context, community: bytes, needs: Needs) -> None:
        self._context = context
        self._community = community
        self._needs = needs

    def found(self, reference: str) -> Found:
        """Return the pledge meant: by its id, or ours that is not over by its need's title.

        Raises NotFound. What is asked first looks at all needs.
        """
        index = self._context.boards.index(self._context.store, self._community)
        every = index.pledges(self._named)
        need_of = {named.pledge: need for need, pledges in every for named in pledges}
        whole = full_id(reference, 16)
        if whole is not None and whole in need_of:
            return self._held(need_of[whole], whole)
        title_of = dict(index.titles(lambda row: need_state(row).title))
        names = [
            (named.pledge, title_of[need] if named.is_meant else "")
            for need, pledges in every
            for named in pledges
        ]
        try:
            meant = resolve(
                reference,
                names,
                "pledge",
                told=lambda pledge: _told(*self._held(need_of[pledge], pledge)),
            )
        except NotFound:
            title = reference.strip().casefold()
            if all(name.casefold() != title for _, name in names):
                over = [need for need, named in title_of.items() if named.casefold() == title]
                self._tell_over(over)
            raise
        return self._held(need_of[meant], meant)

    def _tell_over(self, needs: Iterable[bytes]) -> None:
        """Raise NotFound that says what became of our pledges to needs, if there are needs."""
        me = self._context.root(self._community)
        for row in map(self._needs.row_of, needs):
            title, pledges = need_state(row).title, self._needs.standing(row).pledges
            mine = [_told(row, found) for found in pledges if found.offer.member == me]
            if mine:
                raise NotFound(f'no pledge of yours to "{title}" is under way: {mine[-1]}')
            raise NotFound(
                f'no pledge to "{title}" is yours: name another by the digits that'
                " `p2pvalue pledge list` shows"
            )

    def _held(self, need: bytes, pledge: bytes) -> Found:
        row = self._needs.row_of(need)
        every = self._needs.standing(row).pledges
        return row, next(found for found in every if found.offer.pledge == pledge)

    def _named(self, row: StateRow) -> list[NamedPledge]:
        """Return the pledges to a need; its title means ours that are not over, nor renewed."""
        me, every = self._context.root(self._community), self._needs.standing(row).pledges
        renewed = renewals(need_state(row), every)
        named = []
        for found in every:
            pledge = found.offer.pledge
            is_ours = found.offer.member == me and pledge not in renewed
            named.append(NamedPledge(pledge, is_ours and found.state not in _OVER))
        return named


def _told(row: StateRow, found: PledgeStanding) -> str:
    """Return what tells a pledge apart from others to the same need."""
    state = need_state(row)
    much = amount_of(state, found.offer, found.offer.said.quantity or 0)
    return f"{much} to {state.title}, {found.state}"
