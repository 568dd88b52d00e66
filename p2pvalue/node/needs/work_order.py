"""In which order a community's needs stand, kept from one question to the next."""

from __future__ import annotations

from typing import Final

import msgspec
import trio

from p2pvalue import need_types as nt
from p2pvalue.node.context import Context
from p2pvalue.node.needs.kept_order import RANKED_STATES, KeptOrder, Shown
from p2pvalue.node.needs.needs import Needs
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import decode_state, interest
from p2pvalue_protocol.kinds import ranking as kind
from p2pvalue_protocol.needs.explain import explain, told
from p2pvalue_protocol.needs.parts import DAY_MS, Weights
from p2pvalue_protocol.needs.ranking import Place
from p2pvalue_protocol.needs.standing import NeedStanding

_TURN: Final = 512  # places told between turns of the others, some milliseconds


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
        weights, as_of_ms = self._measures(as_of)
        order = self._order(as_of)
        async with order.settled(weights, as_of_ms) as ranking:
            needs = []
            for number, place in enumerate(ranking.places(), 1):
                needs.append(_view(place, order.shown(place.need)))
                if number % _TURN == 0:
                    await trio.lowlevel.checkpoint()
        return nt.OrderView(as_of=as_of_ms, weights=self.weights(), needs=needs)

    async def explain(self, reference: str, *, as_of: int = 0) -> nt.ExplanationView:
        """Return why a need stands where it does, and what can still be done to lift it."""
        row = self._needs.row(reference)
        order = self._order(as_of)
        async with order.settled(*self._measures(as_of)) as ranking:
            if not order.has(row.subject):
                state = self._needs.standing(self._needs.row_of(row.subject)).state
                raise LocalProtocolError(
                    f"this need is {state}: only what is open or under way has a place"
                )
            found = explain(ranking, row.subject)
            if self._is_over(self._needs.standing(row), as_of):
                voices = tuple(change for change in found.changes if change.kind == "voices")
                found = msgspec.structs.replace(found, changes=voices)
            shown = order.shown(row.subject)
        return nt.ExplanationView(
            as_of=found.as_of_ms,
            of=found.of,
            place=_view(found.place, shown),
            reasons=[nt.ReasonView(**msgspec.structs.asdict(reason)) for reason in found.reasons],
            lifts=[nt.LiftView(**msgspec.structs.asdict(change)) for change in found.changes],
            lines=told(found),
        )

    def _is_over(self, standing: NeedStanding, as_of: int) -> bool:
        """Return whether the time to pledge is over, so that no pledge could lift a need."""
        now_ms = as_of or self._context.clock_ms()
        return standing.is_closed or 0 < standing.terms.closes < now_ms

    def _order(self, as_of: int) -> KeptOrder:
        """Return the order that is kept; one of its own for who names a time."""
        kept = self._context.boards.orders.get(self._community)
        if as_of or kept is None:
            kept = KeptOrder(self._context, self._community, self._needs)
        if not as_of:
            self._context.boards.orders[self._community] = kept
        return kept

    def _measures(self, as_of: int) -> tuple[Weights, int]:
        view = self.weights()
        chosen = {name: getattr(view, name) for name in Weights.__struct_fields__}
        return Weights(**chosen), as_of or self._context.clock_ms() // DAY_MS * DAY_MS

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


def _view(place: Place, shown: Shown) -> nt.PlaceView:
    return nt.PlaceView(
        place=place.place,
        need=place.need.hex(),
        title=shown.title,
        state=shown.state,
        score=place.score,
        by_score=place.by_score,
        lifted=place.lifted,
    )
