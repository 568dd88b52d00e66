"""Closing what one may not close, with times from before."""

from __future__ import annotations

from p2pvalue.sim.hostile.behaviour import Behaviour
from p2pvalue.sim.hostile.crafting import hint_of, key_for, own_history, run_of
from p2pvalue_protocol.effects import Effect
from p2pvalue_protocol.ids import CONTENT, Reference
from p2pvalue_protocol.inputs import GossipReceived, Input, Write
from p2pvalue_protocol.kinds import close, decode_state, need, pledge

_NEEDS_MAX = 1_000
_MINUTES = 600
_WRITTEN_MAX = 20


class CloseFalsely(Behaviour):
    """Offers all that a need asks for, and closes the need at once, with its own offer alone.

    It is no steward of any need, since it asks for nothing, and it is a party to each that it
    closes. Offer and CLOSE bear the earliest times that its own log allows, before what others said
    and before the last day. What must hold: none of its CLOSEs counts, whatever time it bears.
    """

    name = "close-falsely"

    def __init__(self) -> None:
        super().__init__()
        self.written: list[Reference] = []  # the CLOSEs

    def incoming(self, given: Input) -> list[Input]:
        return [] if isinstance(given, Write) else super().incoming(given)

    def act(self, now_ms: int) -> list[Input | Effect]:
        node, replica = self.node, self.node.replica
        if replica is None or not replica.membership.is_live(node.device.public):
            return []
        key = key_for(replica, close.NUMBER)
        rows = node.store.states(replica.community, need.NUMBER, limit=_NEEDS_MAX)
        is_ready = rows and (key is not None or not replica.epochs.is_sealed)
        if not is_ready or len(self.written) >= _WRITTEN_MAX:
            return []
        row = node.rng.choice(rows)
        state = decode_state(row.kind, row.state)
        assert isinstance(state, need.NeedState)
        terms = need.terms_id(state.terms[-1])
        log = own_history(replica, node.device, CONTENT)
        if not log.next_seq:
            log.time_ms = 0 if key is None else key.record.time
        known = [replica.auth_references[head] for head in replica.graph.heads()]
        offer = pledge.encode_pledge(row.subject, terms, 0, _MINUTES)
        offered = log.write(
            pledge.NUMBER,
            offer,
            parents=[] if log.next_seq else known[:10],
            under=key,
            salt=node.rng.randbytes(24),
        )
        name = close.operation_name(offered.op_id)
        closed = log.write(
            close.NUMBER,
            close.encode_close(row.subject, terms, [name]),
            under=key,
            salt=node.rng.randbytes(24),
        )
        hint = hint_of(replica, [run_of([offered, closed])], node.rng.randbytes)
        if hint is None:
            return []
        self.written.append(closed.reference)
        self.acts["closed"] += 1
        return [GossipReceived(*hint, "itself")]
