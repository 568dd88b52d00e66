"""In which order a community's needs stand, kept from one question to the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import trio

from p2pvalue import need_types as nt
from p2pvalue.node.context import Context
from p2pvalue.node.credits import Held, with_credit
from p2pvalue.node.interests import wants as every_want
from p2pvalue.node.need_boards import need_state
from p2pvalue.node.needs import Needs
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import decode_state, interest
from p2pvalue_protocol.kinds import ranking as kind
from p2pvalue_protocol.needs.explain import explain, told
from p2pvalue_protocol.needs.parts import DAY_MS, Line, Offer, Ranked, Voice, Weights
from p2pvalue_protocol.needs.ranking import Place, Ranking

RANKED_STATES: Final = frozenset(("open", "triggered", "in-progress"))
_STANDING: Final = frozenset(("offered", "binding", "claimed"))
_TURN: Final = 32  # needs looked at between turns of the others, some milliseconds


class WorkOrder:
    """The order of work of one community, and who wants what."""

    def __init__(self, context: Context, community: bytes, needs: Needs) -> None:
        self._context = context
        self._community = community
        self._needs = needs

    # --- who wants what

    async def want(self, reference: str, *, wants: bool = True) -> nt.NeedView:
        """Say that we need it, too, or no more; nothing is written if that is said already."""
        row = self._needs.row(reference)
        state = self._needs.standing(row).state
        if wants and state not in RANKED_STATES and state != "draft":
            raise LocalProtocolError(f"this need is {state}: a voice would change nothing")
        if self._needs.view(row).is_wanted != wants:
            payload = interest.encode_interest(row.subject, "want" if wants else "none")
            draft = Draft(interest.NUMBER, b"", payload)
            await self._context.write(self._community, [draft])
        return self._needs.view(row)

    # --- the order

    async def all(self, *, as_of: int = 0) -> nt.OrderView:
        """Return the order of what is open or under way, as of a time; 0: since midnight, UTC."""
        ranking = await self._ranking(as_of)
        return nt.OrderView(
            as_of=ranking.as_of_ms,
            weights=self.weights(),
            needs=[self._view(place) for place in ranking.places()],
        )

    async def explain(self, reference: str, *, as_of: int = 0) -> nt.ExplanationView:
        """Return why a need stands where it does, and what would lift it."""
        row = self._needs.row(reference)
        state = self._needs.standing(row).state
        if state not in RANKED_STATES:
            raise LocalProtocolError(
                f"this need is {state}: only what is open or under way has a place"
            )
        found = explain(await self._ranking(as_of), row.subject)
        return nt.ExplanationView(
            as_of=found.as_of_ms,
            of=found.of,
            place=self._view(found.place),
            reasons=[nt.ReasonView(**msgspec.structs.asdict(reason)) for reason in found.reasons],
            lifts=[nt.LiftView(**msgspec.structs.asdict(change)) for change in found.changes],
            lines=told(found),
        )

    # --- its weights

    def weights(self) -> nt.WeightsView:
        """Return how much each part counts here."""
        chosen = self._chosen()
        found = kind.DEFAULT if chosen is None else chosen
        weights = msgspec.structs.asdict(found.weights)
        return nt.WeightsView(
            **weights,
            floor=found.floor,
            credit=Weights(**weights).of_parts()[-1],
            is_default=chosen is None,
        )

    async def set_weights(self, given: dict[str, int]) -> nt.WeightsView:
        """Change the weights that are given and keep the rest; founders and admins may."""
        device = self._context.device(self._community)
        standing = self._context.membership(self._community).standing(device)
        if standing is None or standing.rank > kind.RANK_MAY_RANK_MAX:
            raise NotAdmitted("the order of needs is set by founders and admins: ask one of them")
        now = msgspec.structs.asdict(self.weights()) | given
        weights = kind.Weights(**{name: now[name] for name in kind.Weights.__struct_fields__})
        payload = kind.encode_ranking(weights, now["floor"])
        await self._context.write(self._community, [Draft(kind.NUMBER, b"", payload)])
        return self.weights()

    def _chosen(self) -> kind.RankingState | None:
        row = self._context.store.state(self._community, kind.RANKING_SUBJECT)
        if row is None or row.kind != kind.NUMBER:
            return None
        state = decode_state(row.kind, row.state)
        assert isinstance(state, kind.RankingState)
        return state

    # --- what is ranked

    async def _ranking(self, as_of: int) -> Ranking:
        as_of_ms = as_of or self._context.clock_ms() // DAY_MS * DAY_MS
        view = self.weights()
        names = Weights.__struct_fields__
        weights = Weights(**{name: getattr(view, name) for name in names})
        return Ranking(await self._ranked(), weights, as_of_ms)

    async def _ranked(self) -> list[Ranked]:
        """Return what takes part; looks again at what changed, and gives others their turns."""
        ranks = {m.root: m.rank for m in self._context.membership(self._community).members()}
        voices = self._voices(ranks)
        held: list[Held] = []
        for number, row in enumerate(self._needs.rows()):
            held.append(Held(row.subject, need_state(row), self._needs.standing(row)))
            if number % _TURN == 0:
                await trio.lowlevel.checkpoint()
        put_forward = with_credit(held)
        return [
            _ranked(one, voices.get(one.subject, ()), ranks, one.subject in put_forward)
            for one in held
            if one.standing.state in RANKED_STATES
        ]

    def _voices(self, ranks: dict[bytes, int]) -> dict[bytes, list[Voice]]:
        found: dict[bytes, list[Voice]] = {}
        for state in every_want(self._context, self._community):
            if state.author in ranks:
                found.setdefault(state.about, []).append(Voice(state.author, ranks[state.author]))
        return found

    def _view(self, place: Place) -> nt.PlaceView:
        row = self._needs.row_of(place.need)
        return nt.PlaceView(
            place=place.place,
            need=place.need.hex(),
            title=need_state(row).title,
            state=self._needs.standing(row).state,
            score=place.score,
            by_score=place.by_score,
            lifted=place.lifted,
        )


def _ranked(
    held: Held, voices: Sequence[Voice], ranks: dict[bytes, int], has_credit: bool
) -> Ranked:
    terms = held.standing.terms
    return Ranked(
        need=held.subject,
        created_ms=held.state.created,
        lines=tuple(Line(line.kind, line.minimum or line.optimum) for line in terms.lines),
        voices=tuple(voices),
        offers=tuple(
            Offer(
                pledge.offer.member,
                ranks[pledge.offer.member],
                pledge.offer.said.line or 0,
                pledge.offer.said.quantity or 0,
                pledge.offer.act.order.time,
            )
            for pledge in held.standing.pledges
            if pledge.state in _STANDING and pledge.offer.member in ranks
        ),
        trigger=terms.trigger,
        class_name=held.state.class_name,
        deadline_ms=held.state.deadline or terms.closes,
        has_credit=has_credit,
    )
