"""The order of work of one community, kept from one question to the next.

Nothing is done until somebody asks: then what was said about since is looked at again, and only
what that touches is weighed. All is read anew when the day or the weights are others, when who
said something has another rank, or when very much was said.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

import trio

from p2pvalue.node.needs.credits import Credits, Held
from p2pvalue.node.needs.interests import voices, wants
from p2pvalue.node.needs.need_boards import need_state
from p2pvalue.node.pace import Pace
from p2pvalue_protocol.effects import Change
from p2pvalue_protocol.kinds import close, interest, need, pledge
from p2pvalue_protocol.needs.parts import Line, Ranked, Voice, Weights
from p2pvalue_protocol.needs.pledged import offers_of
from p2pvalue_protocol.needs.ranking import Ranking
from p2pvalue_protocol.needs.standing import NeedStateName
from p2pvalue_protocol.operation import KIND_AUTH_MAX

if TYPE_CHECKING:
    from p2pvalue.node.context import Context
    from p2pvalue.node.needs.needs import Needs

RANKED_STATES: Final = frozenset(("open", "triggered", "in-progress"))
CHANGED_MAX: Final = 1_000
"""If more was said about since somebody asked, all is read anew."""
KEPT_MAX: Final = 50_000
"""Of more needs nothing is kept; each takes about a kilobyte."""
_OF_NEEDS: Final = (need.NUMBER, pledge.NUMBER, close.NUMBER)
_TURN: Final = 32  # needs read between turns of the others, some milliseconds
_WEIGHED_TURN: Final = 256
_LOOKS_MAX: Final = 3  # at what changed while the rest was looked at


class Shown(NamedTuple):
    """What is told of a need in the order."""

    title: str
    state: NeedStateName


class KeptOrder:
    """What takes part in the order, and the order itself; one question after the other."""

    def __init__(self, context: Context, community: bytes, needs: Needs) -> None:
        self._context = context
        self._community = community
        self._needs = needs
        self._lock = trio.Lock()
        self._ranking: Ranking | None = None  # None: all is to be read
        self._credits = Credits()
        self._shown: dict[bytes, Shown] = {}
        self._ranks: dict[bytes, int] = {}
        self._heard: set[bytes] = set()  # who said something about a need, member or not
        self._changed: set[bytes] = set()
        self._has_new_ranks = True

    def changed(self, changes: Sequence[Change]) -> None:
        """Note what something was said about; called with every commit."""
        for change in changes:
            if change.kind in _OF_NEEDS:
                self._changed.add(change.subject)
            elif change.kind == interest.NUMBER:
                self._note_interest(change)
            elif change.kind <= KIND_AUTH_MAX:
                self._has_new_ranks = True
        if len(self._changed) > CHANGED_MAX:
            self._ranking = None
            self._changed.clear()

    @asynccontextmanager
    async def settled(self, weights: Weights, as_of_ms: int) -> AsyncIterator[Ranking]:
        """Give the order as things stand, which stays so within the block."""
        async with self._lock:
            for _ in range(_LOOKS_MAX):
                ranking = await self._looked(weights, as_of_ms)
                if self._ranking is ranking and not self._changed:
                    break
            yield ranking
            if len(self._shown) > KEPT_MAX:
                self._ranking = None

    def has(self, subject: bytes) -> bool:
        """Return whether a need has a place."""
        return subject in self._shown

    def shown(self, subject: bytes) -> Shown:
        """Return what is told of a need that has a place."""
        return self._shown[subject]

    def _note_interest(self, change: Change) -> None:
        if change.payload:
            self._changed.add(interest.read_interest(change.payload).about)
        else:  # what is hidden does not say what it was about
            self._ranking = None

    async def _looked(self, weights: Weights, as_of_ms: int) -> Ranking:
        """Look at what changed, or at everything."""
        self._take_ranks()
        ranking = self._ranking
        if ranking is None or (ranking.weights, ranking.as_of_ms) != (weights, as_of_ms):
            ranking = await self._read(weights, as_of_ms)
        else:
            await self._read_changed(ranking)
        while not ranking.settle(_WEIGHED_TURN):
            await trio.lowlevel.checkpoint()
        return ranking

    def _take_ranks(self) -> None:
        if not self._has_new_ranks:
            return
        self._has_new_ranks = False
        members = self._context.membership(self._community).members()
        before, self._ranks = self._ranks, {member.root: member.rank for member in members}
        if any(before.get(root) != self._ranks.get(root) for root in self._heard):
            self._ranking = None

    async def _read(self, weights: Weights, as_of_ms: int) -> Ranking:
        """Read all needs anew; what changes from now on is looked at afterwards."""
        ranking = Ranking((), weights, as_of_ms)
        self._credits, self._shown, self._heard = Credits(), {}, set()
        self._changed.clear()
        self._ranking = ranking  # whoever finds that it has to be read again takes it away
        try:
            wanted = await voices(self._context, self._community, Pace())
            for number, row in enumerate(self._needs.rows()):
                held = Held(row.subject, need_state(row), self._needs.standing(row))
                self._credits.put(held)
                self._put(ranking, held, wanted.get(row.subject, ()))
                if number % _TURN == 0:
                    await trio.lowlevel.checkpoint()
        except BaseException:  # a cancellation, too
            self._ranking = None
            raise
        self._changed |= self._credits.settle() & self._shown.keys()
        return ranking

    async def _read_changed(self, ranking: Ranking) -> None:
        """Look at what changed, also meanwhile, and at what that gives or takes credit."""
        while self._ranking is ranking:
            if not self._changed:
                self._changed |= self._credits.settle() & self._shown.keys()
            if not self._changed:
                return
            subject = next(iter(self._changed))
            held = self._held(subject)
            if held is None:
                self._credits.remove(subject)
                ranking.remove(subject)
                self._shown.pop(subject, None)
            else:
                self._credits.put(held)
                about = wants(self._context, self._community, subject)
                self._put(ranking, held, {state.author for state in about})
            self._changed.discard(subject)  # not before: reading may fail
            await trio.lowlevel.checkpoint()

    def _held(self, subject: bytes) -> Held | None:
        row = self._context.store.state(self._community, subject)
        if row is None or row.kind != need.NUMBER:
            return None
        return Held(subject, need_state(row), self._needs.standing(row))

    def _put(self, ranking: Ranking, held: Held, wanting: Collection[bytes]) -> None:
        self._heard.update(wanting)
        self._heard.update(pledge.offer.member for pledge in held.standing.pledges)
        if held.standing.state in RANKED_STATES:
            has_credit = self._credits.has(held.subject)
            ranking.put(_ranked(held, wanting, self._ranks, has_credit=has_credit))
            self._shown[held.subject] = Shown(held.state.title, held.standing.state)
        else:
            ranking.remove(held.subject)
            self._shown.pop(held.subject, None)


def _ranked(
    held: Held, wanting: Collection[bytes], ranks: dict[bytes, int], *, has_credit: bool
) -> Ranked:
    terms = held.standing.terms
    return Ranked(
        need=held.subject,
        created_ms=held.state.created,
        lines=tuple(Line(line.kind, line.minimum or line.optimum) for line in terms.lines),
        voices=tuple(Voice(member, ranks[member]) for member in wanting if member in ranks),
        offers=offers_of(held.standing, ranks),
        trigger=terms.trigger,
        class_name=held.state.class_name,
        deadline_ms=held.state.deadline or terms.closes,
        has_credit=has_credit,
    )
