"""Not hearing of removals: the ground on which the removed go on as if nothing had happened."""

from __future__ import annotations

from p2pvalue.sim.hostile.behaviour import Behaviour
from p2pvalue.sim.hostile.crafting import altered_batch
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.ids import AUTH
from p2pvalue_protocol.inputs import FrameReceived, GossipReceived, Input
from p2pvalue_protocol.log import Run

_REMOVALS = frozenset((auth.REVOKE, auth.VOTE, auth.DEV_REVOKE, auth.FORK))


class Unaware(Behaviour):
    """Its machine stays before the first removal, whoever tells of it.

    Those of them that the founder leaves in carry on what those write that are out.
    """

    is_put_out = True
    has_friends = True

    def incoming(self, given: Input) -> list[Input]:
        if isinstance(given, GossipReceived):
            return []
        if isinstance(given, FrameReceived) and self.node.is_sync(given.session):
            return [FrameReceived(given.session, altered_batch(given.frame, self._cut))]
        return [given]

    def _cut(self, run: Run) -> Run | None:
        """Return what comes in a run before the first removal."""
        if run.log_class != AUTH:
            return run
        for at, item in enumerate(run.items):
            if item.kind in _REMOVALS:
                self.acts["unheard"] += 1
                items = run.items[:at]
                return (
                    Run(run.device, run.log_class, run.first_seq, run.backlink, items)
                    if items
                    else None
                )
        return run
