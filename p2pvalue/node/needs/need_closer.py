"""Closes needs whose last day is over, so that nobody has to be there for it.

What is counted follows from what is held, so there is nothing to decide; somebody only has to say
it. Stewards' nodes do, some minutes after the end, so that what was written in time elsewhere can
arrive; others' nodes the day after, and only what somebody pledged to. Each waits a time of its own
and looks again before it writes: usually one CLOSE is written, two where no steward is there.
What arrives after thirty days is left to people: nobody is to find bound in autumn what lapsed in
spring.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

import trio

from p2pvalue.node.needs.need_boards import need_state
from p2pvalue.store import StoreFailed
from p2pvalue_protocol.errors import P2PValueError
from p2pvalue_protocol.ids import tagged_hash
from p2pvalue_protocol.kinds.need import terms_id
from p2pvalue_protocol.needs.acts import stewards_of
from p2pvalue_protocol.needs.closing import PEERS_MAY_CLOSE_MS
from p2pvalue_protocol.needs.standing import PledgeStanding
from p2pvalue_protocol.past import StateRow

if TYPE_CHECKING:
    from p2pvalue.node.community import Community
    from p2pvalue.node.context import Context

log = logging.getLogger(__name__)

NODES_CLOSE_AFTER_MS: Final = 600_000
"""So long after a last day no node closes: what was written in time has arrived by then, where
people are in touch. Who closes sooner, or what has no last day, does it by hand."""
LOOK_EVERY_S: Final = 600
FIRST_LOOK_S: Final = 60  # some open a laptop for five minutes only; by then news have arrived
_OTHERS_AFTER_MS: Final = 24 * 3_600_000
_WRITTEN_MAX: Final = 5  # in one look, whatever is over
_TURN: Final = 64  # needs looked at between turns of the others, about a millisecond


class NeedCloser:
    """Closes what is over in the communities of a node."""

    def __init__(self, context: Context, communities: Callable[[], Iterable[Community]]) -> None:
        self._context = context
        self._communities = communities
        self._said: set[tuple[bytes, bytes]] = set()  # needs and terms that we closed

    async def run(self) -> None:
        """Look every ten minutes, the first time after one, until cancelled."""
        await trio.sleep(FIRST_LOOK_S)
        while True:
            try:
                await self.look()
            except StoreFailed as failure:
                log.error("needs are looked at again later: %s", failure)
            await trio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Close what is due now; what cannot be closed is left to others. Raises StoreFailed."""
        for community in self._communities():
            written = 0
            for number, row in enumerate(community.needs.rows()):
                if written < _WRITTEN_MAX:
                    written += await self._look_at(community, row)
                if number % _TURN == 0:
                    await trio.lowlevel.checkpoint()

    async def _look_at(self, community: Community, row: StateRow) -> bool:
        """Close a need if that is due; return whether it was."""
        try:
            if not self._is_due(community, row):
                return False
            self._said.add((row.subject, terms_id(need_state(row).terms[-1])))
            await community.needs.close(row.subject.hex())
        except P2PValueError as error:
            log.info("need %s is not closed from here: %s", row.subject.hex()[:12], error)
        return True

    def _is_due(self, community: Community, row: StateRow) -> bool:
        """Return whether it is our turn to say that a need is closed; cheap for most needs."""
        state = need_state(row)
        terms = state.terms[-1]
        if not terms.closes or terms.trigger == "none" or state.status != "open":
            return False
        me = self._context.root(community.id)
        since_ms = self._context.clock_ms() - max(terms.closes, row.time)
        is_steward = me in stewards_of(state, terms)
        turn_ms = NODES_CLOSE_AFTER_MS if is_steward else _OTHERS_AFTER_MS
        if since_ms < turn_ms + _own_share(
            self._context.device(community.id), row.subject, turn_ms
        ):
            return False
        standing = community.needs.standing(row)
        if standing.terms != terms:
            return False
        is_old = self._context.clock_ms() - terms.closes > PEERS_MAY_CLOSE_MS
        if is_old and (standing.is_closed or not is_steward):
            return False
        if standing.is_closed:
            return any(_was_left_out(pledge, terms.closes) for pledge in standing.pledges)
        if (row.subject, terms_id(terms)) in self._said:
            return False
        return is_steward or any(pledge.state == "offered" for pledge in standing.pledges)


def _was_left_out(pledge: PledgeStanding, closes: int) -> bool:
    """Return whether a pledge came in time and no CLOSE names it."""
    is_late = pledge.state == "late" and pledge.offer.said.takes is None
    return is_late and pledge.offer.act.order.time <= closes


def _own_share(device: bytes, subject: bytes, of_ms: int) -> int:
    """Return a part of a time that is another for every device and need."""
    return int.from_bytes(tagged_hash("turn", device + subject)[:4], "big") * of_ms >> 32
